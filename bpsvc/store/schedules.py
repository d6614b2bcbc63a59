"""Schedules in the store: their plans, their cursors, and what was decided at each instant.

A step decides some occurrences and may submit an experiment: cursor, occurrences, experiment and runs change
in one transaction, or not at all. The cursor is compared and swapped, and only ever moves forward, so of any
number of schedulers that decide the same occurrences one prevails and the others are told so.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from bpsvc import faults
from bpsvc.data import Dataset
from bpsvc.errors import NotFoundError, UsageError
from bpsvc.registry import did_you_mean
from bpsvc.store import submitting
from bpsvc.store.clock import STAMP
from bpsvc.store.engine import raw
from bpsvc.store.records import Receipt
from bpsvc.store.schedule_records import Plan, Schedule, Step, Submitted
from bpsvc.store.serving import SERVED

_PLAN: Final = tuple(field.name for field in fields(Plan))
_UNENDED: Final = f"""
    FROM _membership m JOIN _run r ON r.id = m.run_id
    WHERE m.experiment_id = o.experiment_id AND r.status IN ('queued', 'running') AND NOT {SERVED}
"""
_BUSY: Final = f"""
    EXISTS (
        SELECT 1 FROM _occurrence o
        WHERE o.schedule_id = s.id AND o.decision = 'submitted' AND o.reported_at IS NULL
        AND EXISTS (SELECT 1 {_UNENDED})
    )
"""
_SCHEDULES: Final = f"""
    SELECT s.id, s.cursor, s.paused_at IS NOT NULL, s.blocks, {_BUSY}, {STAMP},
        {", ".join(f"s.{name}" for name in _PLAN)}
    FROM _schedule s
"""
_ADD: Final = f"""
    INSERT INTO _schedule ({", ".join(_PLAN)}, cursor, created_at)
    VALUES ({", ".join(":" + name for name in _PLAN)}, coalesce(:at, {STAMP}), {STAMP})
"""
_MOVE: Final = f"""
    UPDATE _schedule AS s SET cursor = :to, blocks = blocks + :block
    WHERE id = :id AND cursor = :from AND :to > cursor AND blocks = :blocks
    AND (paused_at IS NOT NULL) = :paused AND NOT (:waits AND {_BUSY})
"""
_USE: Final = "UPDATE _schedule SET blocks = blocks + :block WHERE id = :id AND blocks = :blocks"
_OCCURRENCE: Final = f"""
    INSERT INTO _occurrence (
        schedule_id, instant, planned, decision, why, experiment_id, new_runs, decided_at
    )
    VALUES (
        :id, coalesce(:instant, :at, {STAMP}), :planned, :decision, :why, :experiment, :new,
        coalesce(:at, {STAMP})
    )
"""
_SUBMITTED: Final = f"""
    SELECT o.schedule_id, s.name, o.instant, e.name || '@' || e.revision, s.report,
        (SELECT count(*) {_UNENDED})
    FROM _occurrence o JOIN _schedule s ON s.id = o.schedule_id
    LEFT JOIN _experiment e ON e.id = o.experiment_id
    WHERE o.decision = 'submitted' AND o.reported_at IS NULL
    ORDER BY o.instant, s.name
"""
_END: Final = f"""
    UPDATE _occurrence SET ended_at = coalesce(ended_at, :at, {STAMP})
    WHERE schedule_id = :id AND instant = :instant AND reported_at IS NULL
"""
_REPORT: Final = f"""
    UPDATE _occurrence SET met = :met, report = :report, reported_at = coalesce(:at, {STAMP})
    WHERE schedule_id = :id AND instant = :instant AND ended_at IS NOT NULL AND reported_at IS NULL
"""

_TROUBLE: Final = """
    UPDATE _occurrence SET report = :report
    WHERE schedule_id = :id AND instant = :instant AND reported_at IS NULL AND report IS NOT :report
"""

Transaction = Callable[[], AbstractContextManager[Connection]]


class Schedules:
    """The schedules of a store: `store.schedules`."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading, self._writing = reading, writing

    def add(self, plan: Plan, data: Mapping[str, Dataset], *, at: datetime | None = None) -> None:
        """Store a new schedule, with the data that it does not read again by origin; occurrences after `at`
        (None: now) are its. UsageError when the name is taken.
        """
        with self._writing() as connection:
            cursor = raw(connection)
            values = {name: getattr(plan, name) for name in _PLAN} | {"anywhere": int(plan.anywhere)}
            if cursor.execute("SELECT 1 FROM _schedule WHERE name = ?", (plan.name,)).fetchone():
                raise UsageError(
                    f"there is a schedule called {plan.name!r} already",
                    remedy="call this one otherwise with --name, or remove that one first",
                )
            cursor.execute(_ADD, {**values, "at": _text(at)})
            cursor.executemany(
                "INSERT INTO _schedule_data (schedule_id, origin, content) VALUES (?, ?, ?)",
                [(cursor.lastrowid, origin, dataset.to_bytes()) for origin, dataset in data.items()],
            )

    def all(self) -> list[Schedule]:
        """Every schedule, by name."""
        with self._reading() as connection:
            return [_schedule(row) for row in raw(connection).execute(f"{_SCHEDULES} ORDER BY s.name")]

    def get(self, name: str) -> Schedule:
        """The schedule of that name; NotFoundError with the closest one."""
        with self._reading() as connection:
            cursor = raw(connection)
            row = cursor.execute(f"{_SCHEDULES} WHERE s.name = ?", (name,)).fetchone()
            if row is None:
                raise _unknown(cursor, name)
            return _schedule(row)

    def data(self, schedule: Schedule) -> dict[str, Dataset]:
        """The data that were stored with a schedule, by origin."""
        with self._reading() as connection:
            sql = "SELECT origin, content FROM _schedule_data WHERE schedule_id = ?"
            rows = raw(connection).execute(sql, (schedule.id,)).fetchall()
        return {origin: Dataset.from_bytes(content) for origin, content in rows}

    def decide(self, schedule: Schedule, step: Step) -> Receipt | bool:
        """Decide occurrences in one transaction: the receipt of what was submitted, or True.

        False, and nothing is changed, when `schedule` is no longer as it was found: another scheduler has
        decided meanwhile, or it was paused, resumed or removed, or runs that it would have to wait for have
        begun.
        """
        waits = step.submission is not None and schedule.plan.overlap == "skip"
        with self._writing() as connection:
            cursor = raw(connection)
            values = {**_state(schedule, step), "to": _text(step.decided[-1][0]), "waits": waits}
            if cursor.execute(_MOVE, values).rowcount == 0:
                return False
            faults.point("cursor")
            receipt = _submit(connection, step)
            for instant, decision, why in step.decided:
                submitted = receipt if decision == "submitted" else None
                _record(cursor, schedule, step, (_text(instant), decision, why), submitted, planned=True)
            faults.point("decided")
        faults.point("ticked")
        return receipt or True

    def fire(self, schedule: Schedule, step: Step) -> Receipt | None:
        """Submit now, whatever the plan says: an occurrence of its own, and the cursor stays. None, and
        nothing is changed, when `schedule` has used another block of seeds meanwhile, or is gone.
        """
        with self._writing() as connection:
            cursor = raw(connection)
            if cursor.execute(_USE, _state(schedule, step)).rowcount == 0:
                return None
            receipt = _submit(connection, step)
            _record(cursor, schedule, step, (None, "submitted", None), receipt, planned=False)
        return receipt

    def reject(self, schedule: Schedule, why: str) -> None:
        """Write down that what was to be submitted now was refused; nothing when the schedule is gone."""
        with self._writing() as connection:
            cursor = raw(connection)
            if cursor.execute("SELECT 1 FROM _schedule WHERE id = ?", (schedule.id,)).fetchone():
                _record(cursor, schedule, Step(()), (None, "rejected", why), None, planned=False)

    def pause(self, name: str) -> bool:
        """Submit nothing from now on; whether that changed anything."""
        return self._change(
            f"UPDATE _schedule SET paused_at = {STAMP} WHERE name = ? AND paused_at IS NULL", name
        )

    def resume(self, name: str) -> bool:
        """Go on after a pause; whether that changed anything."""
        return self._change(
            "UPDATE _schedule SET paused_at = NULL WHERE name = ? AND paused_at IS NOT NULL", name
        )

    def remove(self, name: str) -> bool:
        """Forget a schedule and its occurrences; what it submitted stays."""
        return self._change("DELETE FROM _schedule WHERE name = ?", name)

    def submitted(self) -> list[Submitted]:
        """The submitted occurrences that have not been reported, by instant."""
        with self._reading() as connection:
            rows = raw(connection).execute(_SUBMITTED).fetchall()
        return [Submitted(id_, name, _time(instant), *rest) for id_, name, instant, *rest in rows]

    def end(self, one: Submitted, *, at: datetime | None = None) -> None:
        """Write down that all runs of an occurrence have ended."""
        self._settle(_END, one, at)

    def reported(
        self, one: Submitted, *, met: bool | None, report: str | None, at: datetime | None = None
    ) -> bool:
        """Write down what became of an occurrence that has ended; False when another process did."""
        return self._settle(_REPORT, one, at, met=None if met is None else int(met), report=report)

    def unreported(self, one: Submitted, why: str) -> None:
        """Write down why an occurrence has no report yet."""
        self._settle(_TROUBLE, one, None, report=why)

    def _settle(self, sql: str, one: Submitted, at: datetime | None, **values: Any) -> bool:
        values |= {"id": one.schedule_id, "instant": _text(one.instant), "at": _text(at)}
        with self._writing() as connection:
            return raw(connection).execute(sql, values).rowcount > 0

    def _change(self, sql: str, name: str) -> bool:
        with self._writing() as connection:
            cursor = raw(connection)
            if cursor.execute("SELECT 1 FROM _schedule WHERE name = ?", (name,)).fetchone() is None:
                raise _unknown(cursor, name)
            return cursor.execute(sql, (name,)).rowcount > 0


def _schedule(row: Sequence[Any]) -> Schedule:
    id_, cursor, paused, blocks, busy, now, *plan = row
    values = dict(zip(_PLAN, plan, strict=True))
    values["anywhere"] = bool(values["anywhere"])
    return Schedule(id_, Plan(**values), _time(cursor), bool(paused), blocks, bool(busy), _time(now))


def _state(schedule: Schedule, step: Step) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "from": _text(schedule.cursor),
        "paused": int(schedule.paused),
        "blocks": schedule.blocks,
        "block": int(step.block),
    }


def _submit(connection: Connection, step: Step) -> Receipt | None:
    one = step.submission
    if one is None:
        return None
    return submitting.submit(connection, one.experiment, one.stacks, one.scalings, _text(step.at))


def _record(
    cursor: sqlite3.Cursor,
    schedule: Schedule,
    step: Step,
    decided: tuple[str | None, str, str | None],
    receipt: Receipt | None,
    *,
    planned: bool,
) -> None:
    instant, decision, why = decided
    values = {
        "id": schedule.id,
        "instant": instant,
        "planned": int(planned),
        "decision": decision,
        "why": why,
        "experiment": None if receipt is None else receipt.id,
        "new": None if receipt is None else receipt.new,
        "at": _text(step.at),
    }
    cursor.execute(_OCCURRENCE, values)


def _unknown(cursor: sqlite3.Cursor, name: str) -> NotFoundError:
    names = [known for (known,) in cursor.execute("SELECT name FROM _schedule ORDER BY name")]
    return NotFoundError(
        f"there is no schedule {name!r}",
        allowed=", ".join(names[:20]) or "none yet: `bpsvc schedule add SPEC --cron …`",
        remedy=did_you_mean(name, names),
    )


def _text(time: datetime | None) -> str | None:
    """ISO-8601 UTC in milliseconds, as the database writes it: such texts are in order of time."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
