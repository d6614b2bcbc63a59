"""When a schedule fires: the days on which clocks jump, laws of enumeration, cronsim as oracle."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from bpsvc import schedule
from bpsvc.errors import UsageError


def instants(expression: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    return list(schedule.occurrences(schedule.parse(expression), schedule.zone(zone), after, until))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


JUMPS = [
    # Berlin, 31 March 2024: 02:00 becomes 03:00. A fixed time that is left out comes when the gap ends, once.
    ("30 2 * * *", "Europe/Berlin", "2024-03-30T12:00", "2024-04-01T12:00",
     ["2024-03-31T01:00", "2024-04-01T00:30"]),
    ("0,30 2 * * *", "Europe/Berlin", "2024-03-30T12:00", "2024-03-31T12:00", ["2024-03-31T01:00"]),
    ("0 2,3 * * *", "Europe/Berlin", "2024-03-30T12:00", "2024-03-31T12:00", ["2024-03-31T01:00"]),
    ("*/30 2 * * *", "Europe/Berlin", "2024-03-30T12:00", "2024-03-31T12:00", []),
    ("0 * * * *", "Europe/Berlin", "2024-03-30T23:30", "2024-03-31T02:30",
     ["2024-03-31T00:00", "2024-03-31T01:00", "2024-03-31T02:00"]),
    # Berlin, 27 October 2024: 03:00 becomes 02:00. A fixed time is taken at its first showing.
    ("30 2 * * *", "Europe/Berlin", "2024-10-26T12:00", "2024-10-28T12:00",
     ["2024-10-27T00:30", "2024-10-28T01:30"]),
    ("30 2 * * *", "Europe/Berlin", "2024-10-27T00:45", "2024-10-27T12:00", []),
    ("30 2 * * *", "Europe/Berlin", "2024-10-27T01:15", "2024-10-27T12:00", []),
    ("*/30 2 * * *", "Europe/Berlin", "2024-10-26T12:00", "2024-10-27T12:00",
     ["2024-10-27T00:00", "2024-10-27T00:30", "2024-10-27T01:00", "2024-10-27T01:30"]),
    ("0 3 * * *", "Europe/Berlin", "2024-10-26T12:00", "2024-10-27T12:00", ["2024-10-27T02:00"]),
    # Lord Howe moves by half an hour. 7 April 2024: 02:00 becomes 01:30 at 15:00 UTC.
    ("45 1 * * *", "Australia/Lord_Howe", "2024-04-06T00:00", "2024-04-07T12:00", ["2024-04-06T14:45"]),
    ("*/15 1 * * *", "Australia/Lord_Howe", "2024-04-06T00:00", "2024-04-07T00:00",
     ["2024-04-06T14:00", "2024-04-06T14:15", "2024-04-06T14:30", "2024-04-06T14:45", "2024-04-06T15:00",
      "2024-04-06T15:15"]),
    ("*/20 2 * * *", "Australia/Lord_Howe", "2024-04-06T00:00", "2024-04-07T00:00",
     ["2024-04-06T15:30", "2024-04-06T15:50", "2024-04-06T16:10"]),
    # ... 6 October 2024: 02:00 becomes 02:30 at 15:30 UTC.
    ("15 2 * * *", "Australia/Lord_Howe", "2024-10-05T00:00", "2024-10-06T23:00",
     ["2024-10-05T15:30", "2024-10-06T15:15"]),
    ("*/15 2 * * *", "Australia/Lord_Howe", "2024-10-05T00:00", "2024-10-06T00:00",
     ["2024-10-05T15:30", "2024-10-05T15:45"]),
    ("*/20 3 * * *", "Australia/Lord_Howe", "2024-10-05T00:00", "2024-10-06T00:00",
     ["2024-10-05T16:00", "2024-10-05T16:20", "2024-10-05T16:40"]),
    # Apia had no 30 December 2011: 29 December 24:00 is 31 December 00:00, at 10:00 UTC on the 30th.
    ("0 2 * * *", "Pacific/Apia", "2011-12-28T13:00", "2012-01-01T00:00",
     ["2011-12-29T12:00", "2011-12-30T10:00", "2011-12-30T12:00", "2011-12-31T12:00"]),
    ("0 2 30 12 *", "Pacific/Apia", "2011-01-01T00:00", "2012-12-31T00:00",
     ["2011-12-30T10:00", "2012-12-29T12:00"]),
    ("0 0 31 12 *", "Pacific/Apia", "2011-12-01T00:00", "2012-01-31T00:00", ["2011-12-30T10:00"]),
    ("0 */12 * * *", "Pacific/Apia", "2011-12-29T12:00", "2011-12-30T23:00",
     ["2011-12-29T22:00", "2011-12-30T10:00", "2011-12-30T22:00"]),
    # São Paulo, 4 November 2018: 00:00 becomes 01:00 at 03:00 UTC; the day has no midnight.
    ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T04:00", "2018-11-05T04:00",
     ["2018-11-04T03:00", "2018-11-05T02:00"]),
    ("*/30 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", "2018-11-04T12:00", []),
    # ... 18 February 2018: 00:00 becomes 23:00 of the day before, at 02:00 UTC.
    ("30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00", "2018-02-18T12:00", ["2018-02-18T01:30"]),
    ("*/30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00", "2018-02-18T12:00",
     ["2018-02-18T01:00", "2018-02-18T01:30", "2018-02-18T02:00", "2018-02-18T02:30"]),
    # St John's set clocks back at 00:01: 29 October 2006 was shown for a minute, and again an hour later.
    ("0 0 * * *", "America/St_Johns", "2006-10-28T12:00", "2006-10-29T12:00", ["2006-10-29T02:30"]),
    ("0 0 * * *", "America/St_Johns", "2006-10-29T01:00", "2006-10-29T03:15", ["2006-10-29T02:30"]),
    ("*/30 23 * * *", "America/St_Johns", "2006-10-29T02:30", "2006-10-29T12:00", ["2006-10-29T03:00"]),
    ("*/30 0,23 * * *", "America/St_Johns", "2006-10-29T01:00", "2006-10-29T04:15",
     ["2006-10-29T01:30", "2006-10-29T02:00", "2006-10-29T02:30", "2006-10-29T03:00", "2006-10-29T03:30",
      "2006-10-29T04:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "zone", "after", "until", "expected"), JUMPS)
def test_where_clocks_jump(expression: str, zone: str, after: str, until: str, expected: list[str]) -> None:
    assert instants(expression, zone, utc(after), utc(until)) == [utc(text) for text in expected]


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "America/St_Johns",
     "America/New_York", "Africa/Casablanca", "Asia/Kathmandu", "Antarctica/Troll"]
)  # fmt: skip
MINUTES = st.sampled_from(["0", "30", "7,37", "*/15", "*", "0-59/20", "59"])
HOURS = st.sampled_from(["*", "0", "1", "2", "3", "*/6", "0,2,23", "0-3", "23"])
DAYS = st.sampled_from(["*", "*", "*", "1", "L", "15-20", "29"])
MONTHS = st.sampled_from(["*", "*", "3,4,10,11"])
WEEKDAYS = st.sampled_from(["*", "*", "0", "MON-FRI", "SUN#1"])
EXPRESSIONS = st.tuples(MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS).map(" ".join)
# Days around which some clock jumps, so that cuts fall near the jumps.
NEAR = st.sampled_from(
    [utc(text) for text in ("2011-12-30T10:00", "2018-11-04T03:00", "2018-02-18T02:00", "2024-03-31T01:00",
                            "2024-10-27T01:00", "2024-04-06T15:00", "2024-10-05T15:30", "2006-10-29T02:31")]
)  # fmt: skip
STEPS = st.integers(-60_000, 60_000).map(lambda seconds: timedelta(seconds=3 * seconds))


@settings(deadline=None)
@given(EXPRESSIONS, ZONES, NEAR, st.lists(STEPS, min_size=3, max_size=3))
def test_an_interval_is_the_sum_of_its_parts(
    expression: str, zone: str, near: datetime, steps: list[timedelta]
) -> None:
    a, b, c = sorted(near + step for step in steps)
    whole = instants(expression, zone, a, c)
    assert whole == instants(expression, zone, a, b) + instants(expression, zone, b, c)
    assert whole == sorted(set(whole))
    assert all(a < instant <= c for instant in whole)


@settings(deadline=None)
@given(EXPRESSIONS, ZONES, NEAR)
def test_a_time_that_goes_by_the_clock_is_every_minute_it_is_shown(
    expression: str, zone: str, near: datetime
) -> None:
    cron, place = schedule.parse(expression), schedule.zone(zone)
    after = near.replace(second=0) - timedelta(hours=4)
    shown = []
    for minute in range(1, 8 * 60 + 1):
        instant = after + timedelta(minutes=minute)
        local = instant.astimezone(place)
        if local.minute in cron.minutes and local.hour in cron.hours and cron.names(local.date()):
            shown.append(instant)
    found = instants(expression, zone, after, after + timedelta(hours=8))
    if cron.fixed:
        first = [i for i in shown if not i.astimezone(place).fold]
        assert set(first) <= set(found)
    else:
        assert found == shown


@settings(max_examples=50, deadline=None)
@given(EXPRESSIONS, st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]), st.integers(1, 12))
def test_cronsim_agrees_where_its_iterator_can_be_trusted(expression: str, zone: str, month: int) -> None:
    after = utc(f"2024-{month:02}-02T05:00")
    until = after + timedelta(days=30)
    theirs = CronSim(expression, after.astimezone(schedule.zone(zone)))
    expected = [instant.astimezone(UTC) for instant in takewhile(lambda instant: instant <= until, theirs)]
    assert instants(expression, zone, after, until) == expected


def test_seconds_of_the_bounds_count() -> None:
    at = utc("2024-05-01T02:00")
    second = timedelta(seconds=1)
    assert instants("0 2 * * *", "UTC", at - second, at) == [at]
    assert instants("0 2 * * *", "UTC", at, at + second) == []
    assert instants("0 2 * * *", "UTC", at, at - timedelta(days=9)) == []


def test_a_leap_day_is_found_years_ahead() -> None:
    cron, zone = schedule.parse("0 0 29 2 *"), schedule.zone("UTC")
    assert schedule.following(cron, zone, utc("2096-03-01T00:00"), 2) == (
        utc("2104-02-29T00:00"),
        utc("2108-02-29T00:00"),
    )


def test_the_preview_marks_what_the_clock_does() -> None:
    rows = schedule.preview(
        schedule.parse("30 2 * * *"), schedule.zone("Europe/Berlin"), utc("2024-03-29T12:00"), 4
    )
    assert [row.local.isoformat() for row in rows] == [
        "2024-03-30T02:30:00+01:00",
        "2024-03-31T03:00:00+02:00",
        "2024-04-01T02:30:00+02:00",
        "2024-04-02T02:30:00+02:00",
    ]
    assert [bool(row.note) for row in rows] == [False, True, False, False]
    assert "forward" in rows[1].note and "does not exist" in rows[1].note
    autumn = schedule.preview(
        schedule.parse("*/30 2 * * *"), schedule.zone("Europe/Berlin"), utc("2024-10-26T12:00"), 5
    )
    assert [row.note for row in autumn] == [
        "this time comes twice; the first",
        "this time comes twice; the first",
        "clocks went back before this: +0200 to +0100; this time comes twice; the second",
        "this time comes twice; the second",
        "",
    ]


def test_an_expression_that_never_fires_is_refused_before_it_is_searched_for() -> None:
    with pytest.raises(UsageError, match="never fires"):
        schedule.parse("0 0 31 2 *")
