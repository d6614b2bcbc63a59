"""The next occurrences for a reader: in UTC and by the zone's clock, with a word wherever that clock is
changed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bpsvc.schedule.cron import Cron
from bpsvc.schedule.occurrences import following


@dataclass(frozen=True)
class Showing:
    """One occurrence: `instant` in UTC, `local` by the clock of the zone, `note` where daylight saving time
    matters.
    """

    instant: datetime
    local: datetime
    note: str = ""


def preview(cron: Cron, zone: ZoneInfo, after: datetime, count: int) -> tuple[Showing, ...]:
    """The next `count` occurrences after `after`."""
    rows, before = [], after.astimezone(zone)
    for instant in following(cron, zone, after, count):
        local = instant.astimezone(zone)
        rows.append(Showing(instant, local, "; ".join(_notes(cron, before, local))))
        before = local
    return tuple(rows)


def _notes(cron: Cron, before: datetime, local: datetime) -> list[str]:
    notes = []
    if _offset(local) != _offset(before):
        way = "forward" if _offset(local) > _offset(before) else "back"
        notes.append(f"clocks went {way} before this: {before:%z} to {local:%z}")
    if local.hour not in cron.hours or local.minute not in cron.minutes or not cron.names(local.date()):
        notes.append("the time meant does not exist on this day")
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first < second:
        notes.append(
            "this time comes twice; " + ("the first is taken" if cron.fixed else f"the {_which(local)}")
        )
    return notes


def _which(local: datetime) -> str:
    return "second" if local.fold else "first"


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta()
