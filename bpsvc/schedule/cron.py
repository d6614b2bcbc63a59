"""Cron expressions: read, checked, and asked which wall-clock times they name.

cronsim reads the five fields (lists, ranges, steps, names, and `L`, `LW`, `MON#2`) and knows Debian's rule
that day of month and day of week are joined by *and* when one of them begins with a star, and by *or*
otherwise. When an expression names a time that a zone's clock leaves out or shows twice is decided in
`occurrences`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field

from bpsvc.errors import UsageError
from bpsvc.registry import did_you_mean

SHORT: Final[Mapping[str, str]] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_MAX_LENGTH: Final = 200
_FIELDS: Final[Mapping[Field, tuple[str, str]]] = {
    Field.MINUTE: ("minute", "0-59"),
    Field.HOUR: ("hour", "0-23"),
    Field.DAY: ("day of month", "1-31, L (the last day), LW (the last weekday)"),
    Field.MONTH: ("month", "1-12 or JAN-DEC"),
    Field.DOW: (
        "day of week",
        "0-7 or SUN-SAT (0 and 7 are Sunday), 5L (the last Friday), 1#2 (the second Monday)",
    ),
}
_FORM: Final = (
    "five fields: minute hour day-of-month month day-of-week, such as 0 2 * * * (every day at 02:00)"
)

# Every pattern of weekdays and leap days comes once in these 28 years; an expression that names no day in
# them never fires.
_CYCLE: Final = (date(2001, 1, 1), date(2029, 1, 1))


@dataclass(frozen=True)
class Cron:
    """A cron expression that fires.

    `hours` and `minutes` are sorted. `fixed` says that neither field begins with a star: such a time comes
    once a day, whatever the clock does; the others go by the clock as it is shown. `names` says whether a
    date is meant.
    """

    expression: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    fixed: bool
    names: Callable[[date], bool] = field(repr=False, compare=False)


def parse(expression: str) -> Cron:
    """Read a cron expression; `@daily` and its like are accepted.

    Raises: UsageError: a field cannot be read (all such fields are told, with their ranges), or no date is
    ever meant.
    """
    text = " ".join(expression.split())
    if text.startswith("@"):
        text = _short(text)
    fields = text.split(" ")
    if len(text) > _MAX_LENGTH or len(fields) != len(_FIELDS):
        raise UsageError("this is not a cron expression", value=expression[:_MAX_LENGTH], allowed=_FORM)
    wrong = [
        _complaint(kind, value)
        for kind, value in zip(_FIELDS, fields, strict=True)
        if not _readable(kind, value)
    ]
    if wrong:
        raise UsageError(f"cron expression {text!r}: " + "; ".join(wrong))
    try:
        read = CronSim(text, datetime(2001, 1, 1, tzinfo=UTC))
    except CronSimError:
        raise _never(text) from None

    def names(day: date) -> bool:
        return day.month in read.months and read.match_day(day)

    first, end = _CYCLE
    if not any(names(first + timedelta(days=n)) for n in range((end - first).days)):
        raise _never(text)
    fixed = not fields[0].startswith("*") and not fields[1].startswith("*")
    return Cron(text, tuple(sorted(read.minutes)), tuple(sorted(read.hours)), fixed, names)


def _short(text: str) -> str:
    if text == "@reboot":
        raise UsageError(
            "@reboot names no time", remedy="a schedule fires at instants; use `bpsvc schedule run NAME`"
        )
    if text.lower() not in SHORT:
        raise UsageError(
            "there is no such short form",
            value=text,
            allowed=", ".join(SHORT),
            remedy=did_you_mean(text, SHORT),
        )
    return SHORT[text.lower()]


def _readable(kind: Field, value: str) -> bool:
    try:
        return bool(kind.parse(value.upper()))
    except (CronSimError, AssertionError):
        return False


def _complaint(kind: Field, value: str) -> str:
    name, allowed = _FIELDS[kind]
    return f"the {name} cannot be {value!r} (allowed: {allowed}; *, lists a,b, ranges a-b, steps */n)"


def _never(text: str) -> UsageError:
    return UsageError(
        f"cron expression {text!r} never fires: no month has such a day",
        remedy="the third field is the day of the month, the fourth the month",
    )
