"""Schedules to look at: what is planned, what was decided, what comes next."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bpsvc.errors import UsageError
from bpsvc.schedule import following, parse, zone
from bpsvc.schedule import preview as showings
from bpsvc.store import Schedule, Store

Rows = tuple[Sequence[str], Sequence[Sequence[Any]]]

_LAST: Final = """
    SELECT schedule, decision, max(instant) FROM occurrences GROUP BY schedule
"""
_OCCURRENCES: Final = """
    SELECT instant, planned, decision, coalesce(experiment, '') AS experiment, new_runs, met, ended_at,
        coalesce(why, report, '') AS detail
    FROM occurrences WHERE schedule = :name ORDER BY instant DESC LIMIT :limit
"""


def listed(store: Store) -> Rows:
    """Every schedule in a row, with its next occurrence and its last decision."""
    last = {name: decision for name, decision, _ in store.query(_LAST).rows}
    rows = []
    for one in store.schedules.all():
        plan = one.plan
        rules = (plan.fresh, plan.missed, plan.overlap)
        after = "paused" if one.paused else _next(one)
        rows.append((plan.name, plan.cron, plan.timezone, *rules, after, last.get(plan.name, "")))
    return ("schedule", "cron", "timezone", "fresh", "missed", "overlap", "next", "last_decision"), rows


def facts(store: Store, name: str) -> dict[str, Any]:
    """All that is known of one schedule, but for its occurrences. NotFoundError when there is none."""
    one = store.schedules.get(name)
    plan = one.plan
    return {
        "schedule": plan.name,
        "cron": plan.cron,
        "timezone": plan.timezone,
        "fresh": plan.fresh,
        "missed": plan.missed,
        "overlap": plan.overlap,
        "paused": one.paused,
        "busy": one.busy,
        "decided_until": stamp(one.cursor),
        "next": _next(one),
        "spec": plan.source,
        "report": plan.report,
    }


def decided(store: Store, name: str, limit: int) -> Rows:
    """The last occurrences of a schedule, newest first: what was decided, and why."""
    answer = store.query(_OCCURRENCES, {"name": name, "limit": limit}, max_rows=limit)
    return answer.columns, [(*row[:-1], one_line(row[-1])) for row in answer.rows]


def preview(expression: str, timezone: str, count: int, after: datetime | None = None) -> Rows:
    """The next occurrences of a cron expression in UTC and by the zone's clock; DST changes are noted.

    Raises:
        UsageError: expression or zone are wrong.
    """
    shown = showings(parse(expression), zone(timezone), after or datetime.now(UTC), count)
    rows = [(stamp(row.instant), f"{row.local:%a %Y-%m-%d %H:%M %Z (%z)}", row.note) for row in shown]
    return ("instant", "local", "note"), rows


def upcoming(store: Store, name: str, count: int) -> Rows:
    """`preview` of a stored schedule, from where it has been decided."""
    one = store.schedules.get(name)
    return preview(one.plan.cron, one.plan.timezone, count, max(one.cursor, one.now))


def stamp(instant: datetime) -> str:
    """`2026-03-29T01:00:00Z`."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def one_line(text: str) -> str:
    """What was wrong may be told in several lines; in a table it is one."""
    return " ".join(text.split())


def _next(one: Schedule) -> str:
    try:
        found = following(parse(one.plan.cron), zone(one.plan.timezone), max(one.cursor, one.now), 1)
    except UsageError:  # added where more zones are known
        return "unknown here"
    return stamp(found[0]) if found else ""
