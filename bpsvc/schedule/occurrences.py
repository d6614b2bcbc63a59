"""When a cron expression fires: instants in UTC, as a pure function of expression, zone and interval.

Debian's rules where a zone's clock jumps (cron(8), and cronsim):

- A *fixed* time (neither minute nor hour begins with a star) fires once: at its first showing where the
  clock shows it twice, and at the end of the gap where the clock leaves it out.
- Every other expression goes by the clock: it fires at every minute whose showing it names, twice where
  that minute comes twice.

The dates are cronsim's. Its iterator is not used: it carries a wall-clock time along, so that after a jump
of half an hour (Lord Howe) or across a midnight that does not exist (São Paulo) it leaves times out, and
which ones depends on where it was started. Here an interval is cut into pieces and every piece is worked
out by itself, so `occurrences(a, c)` is `occurrences(a, b)` then `occurrences(b, c)`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from bpsvc.schedule.cron import Cron

_PIECE: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
# Near the ends of the calendar a zone's offset would leave it.
_LAST: Final = datetime(9990, 1, 1, tzinfo=UTC)


def occurrences(cron: Cron, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """The instants (UTC, ascending) with after < instant <= until. Both bounds are aware datetimes."""
    begin, last = after.astimezone(UTC), min(until.astimezone(UTC), _LAST)
    while begin < last:
        end = min(begin + _PIECE, last)
        yield from _piece(cron, zone, begin, end)
        begin = end


def following(cron: Cron, zone: ZoneInfo, after: datetime, count: int) -> tuple[datetime, ...]:
    """The next `count` instants after `after`."""
    return tuple(islice(occurrences(cron, zone, after, _LAST), count))


def _piece(cron: Cron, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """The instants in (begin, end], from the dates that the zone's clock can show there.

    A day more on either side: where clocks are set back at one minute past midnight (St John's), a date is
    shown before the previous one has ended.
    """
    found = set()
    day, last = _shown(begin, zone) - _DAY, _shown(end, zone) + _DAY
    while day <= last:
        if cron.names(day):
            found |= {instant for instant in _instants(cron, zone, day) if begin < instant <= end}
        day += _DAY
    return sorted(found)


def _shown(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def _instants(cron: Cron, zone: ZoneInfo, day: date) -> Iterator[datetime]:
    for hour in cron.hours:
        for minute in cron.minutes:
            shown = datetime.combine(day, time(hour, minute, tzinfo=zone))
            first, second = shown.astimezone(UTC), shown.replace(fold=1).astimezone(UTC)
            if first <= second:
                yield first
                if not cron.fixed:
                    yield second
            elif cron.fixed:
                yield _end_of_gap(second, first, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first minute in (before, after] at which the clock has jumped."""
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, (after - before) // _MINUTE
    while high - low > 1:
        middle = (low + high) // 2
        if (before + middle * _MINUTE).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return before + high * _MINUTE
