"""Cron expressions and zones: what is read, and what is answered to a mistake."""

from datetime import date, timedelta

import pytest

from bpsvc import schedule
from bpsvc.errors import UsageError


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("61 * * * *", ("minute", "'61'", "0-59")),
        ("0 24 * * *", ("hour", "'24'", "0-23")),
        ("0 0 0 * *", ("day of month", "'0'", "1-31")),
        ("0 0 * 13 *", ("month", "'13'", "1-12")),
        ("0 0 * * 8", ("day of week", "'8'", "0-7")),
        ("61 25 * * *", ("minute", "0-59", "hour", "0-23")),
        ("*/0 * * * *", ("minute", "'*/0'")),
        ("5-1 * * * *", ("minute", "'5-1'")),
        ("1, * * * *", ("minute", "'1,'")),
        ("-1 * * * *", ("minute", "'-1'")),
        ("1.5 * * * *", ("minute", "'1.5'")),
        ("٣ * * * *", ("minute", "'٣'")),
        ("0 0 * * L", ("day of week", "'L'")),
        ("0 0 * * 1#6", ("day of week", "'1#6'")),
        ("0 0 30 2 *", ("never fires", "no month has such a day")),
        ("0 0 31 4,6 *", ("never fires",)),
        ("0 0 */31 * MON#3", ("never fires",)),
        ("", ("five fields",)),
        ("* * * *", ("five fields", "'* * * *'")),
        ("0 * * * * *", ("five fields",)),
        ("every day", ("five fields",)),
        ("0,0" * 200 + " * * * *", ("five fields",)),
        ("@dayly", ("@daily", "did you mean")),
        ("@reboot", ("names no time", "schedule run")),
    ],
)
def test_a_wrong_expression_is_answered_with_field_value_and_range(
    expression: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError) as caught:
        schedule.parse(expression)
    assert caught.value.exit_code == 2
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("expression", "minutes", "hours", "fixed"),
    [
        ("0 2 * * *", (0,), (2,), True),
        ("  5,35   2-4 * * mon-fri ", (5, 35), (2, 3, 4), True),
        ("*/20 2 * * *", (0, 20, 40), (2,), False),
        ("0-59/20 2 * * *", (0, 20, 40), (2,), True),
        ("5 */12 * * *", (5,), (0, 12), False),
        ("@daily", (0,), (0,), True),
        ("@Hourly", (0,), tuple(range(24)), False),
    ],
)
def test_an_expression_is_read(
    expression: str, minutes: tuple[int, ...], hours: tuple[int, ...], fixed: bool
) -> None:
    cron = schedule.parse(expression)
    assert (cron.minutes, cron.hours, cron.fixed) == (minutes, hours, fixed)


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0 29 2 *", {date(2024, 2, 29)}),
        ("0 0 13 * 5", {date(2024, 9, 6), date(2024, 9, 13), date(2024, 9, 20), date(2024, 9, 27)}),  # or
        ("0 0 */13 9 5", {date(2024, 9, 27)}),  # and: one of them begins with a star
        ("0 0 L 9 *", {date(2024, 9, 30)}),
        ("0 0 * 9 5L", {date(2024, 9, 27)}),
        ("0 0 * 9 MON#2", {date(2024, 9, 9)}),
        ("0 0 * 9 7", {date(2024, 9, day) for day in (1, 8, 15, 22, 29)}),
    ],
)
def test_the_dates_an_expression_names(expression: str, days: set[date]) -> None:
    cron = schedule.parse(expression)
    year = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]
    months = {day.month for day in days}
    assert {day for day in year if day.month in months and cron.names(day)} == days


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("europe/berlin", "did you mean 'Europe/Berlin'?"),
        ("New York", "did you mean 'America/New_York'?"),
        ("Berlin", "did you mean 'Europe/Berlin'?"),
        ("CEST", "IANA names"),
        ("+02:00", "IANA names"),
        ("UTC+2", "IANA names"),
        ("", "IANA names"),
        ("Europe", "IANA names"),
        ("../../etc/passwd", "IANA names"),
        ("/etc/localtime", "IANA names"),
        ("localtime", "IANA names"),
        ("right/Europe/Berlin", "IANA names"),
        ("Europe/Berlin\0", "IANA names"),
        ("x" * 10_000, "IANA names"),
    ],
)
def test_an_unknown_zone_is_refused(name: str, words: str) -> None:
    with pytest.raises(UsageError, match="no such time zone") as caught:
        schedule.zone(name)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Argentina/Buenos_Aires"]
)
def test_a_zone_is_found(name: str) -> None:
    assert schedule.zone(name).key == name
