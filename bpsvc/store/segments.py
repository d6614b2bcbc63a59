"""Commit: a segment's progress, records and checkpoints become visible together, or not at all.

First the compare-and-swap on each run's row: it succeeds only for the holder of the newest fence, from the
very epoch at which the store stands. What it refuses is dropped with its records: another worker has that
run.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from bpsvc import faults
from bpsvc.errors import UsageError
from bpsvc.store.clock import NOW, STAMP
from bpsvc.store.engine import raw
from bpsvc.store.records import Records, RunCommit, Segment
from bpsvc.store.series import EPOCH_SERIES, LAYER_SERIES, PARAMETER_SERIES, SUMMARY

# Rows that exist as Python tuples at one time: enough to be fast, few enough to be small.
_CHUNK: Final = 16_384

_SEGMENT: Final = """
    INSERT INTO _segment (run_id, to_epoch, from_epoch, digest, environment_id, owner, seconds, committed_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_CHECKPOINT: Final = """
    INSERT INTO _checkpoint (run_id, epoch, digest, state) VALUES (?, ?, ?, ?)
    ON CONFLICT (run_id)
    DO UPDATE SET epoch = excluded.epoch, digest = excluded.digest, state = excluded.state
"""


def commit(connection: Connection, segment: Segment) -> set[int]:
    """Write a segment inside the caller's transaction; the ids of the runs whose part counted."""
    cursor = raw(connection)
    environment = _environment(cursor, segment.environment)
    now: str = cursor.execute(f"SELECT {STAMP}").fetchone()[0]
    shared = {"environment": environment, "now": now, "owner": segment.owner, "lease_s": segment.lease_s}
    kept = np.array([_swap(cursor, run, shared) for run in segment.runs], dtype=bool)
    faults.point("swapped")
    runs = [run for run, counts in zip(segment.runs, kept, strict=True) if counts]
    if not runs:
        return set()
    if segment.records is not None:
        _write(cursor, segment, segment.records, kept)
    cursor.executemany(
        _SEGMENT,
        [
            (
                run.run_id,
                run.to_epoch,
                run.from_epoch,
                run.digest,
                environment,
                segment.owner,
                run.seconds,
                now,
            )
            for run in runs
        ],
    )
    faults.point("segment")
    cursor.executemany(_CHECKPOINT, [(run.run_id, run.to_epoch, run.digest, run.checkpoint) for run in runs])
    faults.point("checkpoint")
    return {run.run_id for run in runs}


def _environment(cursor: sqlite3.Cursor, content: str | None) -> int | None:
    if content is None:
        return None
    cursor.execute(
        "INSERT INTO _environment (content) VALUES (?) ON CONFLICT (content) DO NOTHING", (content,)
    )
    found: int = cursor.execute("SELECT id FROM _environment WHERE content = ?", (content,)).fetchone()[0]
    return found


def _swap(cursor: sqlite3.Cursor, run: RunCommit, shared: Mapping[str, Any]) -> bool:
    values = {
        **shared,
        "run_id": run.run_id,
        "fence": run.fence,
        "from_epoch": run.from_epoch,
        "to_epoch": run.to_epoch,
        "status": run.status,
        "outcome": run.outcome,
        "seconds": run.seconds,
    }
    values |= {name: _plain(value) for name, value in run.columns.items()}
    return cursor.execute(_swapping(tuple(run.columns)), values).rowcount == 1


@lru_cache(maxsize=64)
def _swapping(columns: tuple[str, ...]) -> str:
    """The compare-and-swap with new values for these summary columns.

    A run that reaches the horizon it was claimed for, while a submit has raised it, is queued again instead
    of done.
    """
    unknown = set(columns) - set(SUMMARY)
    if unknown:
        raise UsageError(f"a segment gives {', '.join(sorted(unknown))}", allowed=", ".join(SUMMARY))
    summary = "".join(f", {name} = :{name}" for name in columns)
    further = "(:outcome IS 'horizon' AND epochs > :to_epoch)"
    held = "CASE WHEN :status = 'running' THEN {} END"
    return f"""
        UPDATE _run SET
            epochs_done = :to_epoch, epochs = max(epochs, :to_epoch), attempts = 0, error = NULL,
            status = CASE WHEN {further} THEN 'queued' ELSE :status END,
            outcome = CASE WHEN {further} THEN NULL ELSE :outcome END,
            lease_owner = {held.format(":owner")}, lease_until = {held.format(f"{NOW} + :lease_s")},
            claimed_at = {held.format("claimed_at")},
            finished_at = CASE WHEN :status <> 'running' AND NOT {further} THEN :now END,
            seconds = seconds + :seconds,
            environment_changed = environment_changed OR coalesce(environment_id <> :environment, 0),
            environment_id = coalesce(:environment, environment_id)
            {summary}
        WHERE id = :run_id AND status = 'running' AND fence = :fence AND epochs_done = :from_epoch
    """


def _plain(value: Any) -> float | int | None:
    """A number as Python's own (sqlite3 would store numpy's as bytes), null for what is not finite."""
    if value is None or not np.isfinite(value):
        return None
    return int(value) if isinstance(value, (int, np.integer)) else float(value)


def _write(cursor: sqlite3.Cursor, segment: Segment, records: Records, kept: NDArray[np.bool_]) -> None:
    ids = np.array([run.run_id for run in segment.runs])
    counts = slice(None) if kept.all() else kept[records.run]
    runs, epochs = ids[records.run[counts]], records.epoch[counts]
    _insert(cursor, "epochs", runs, epochs, {}, _columns(records.epochs, EPOCH_SERIES, counts))
    faults.point("epochs")
    columns = _columns(records.layers, LAYER_SERIES, counts)
    layers = np.arange(1, next(iter(columns.values())).shape[1] + 1) if columns else np.empty(0, np.int64)
    _insert(cursor, "layer_gradients", runs, epochs, {"layer": layers}, columns)
    faults.point("layers")
    if records.parameters:
        names = ("layer", "source", "unit", "name")
        about = {
            name: np.array([getattr(p, name) for p in segment.parameters], dtype=object) for name in names
        }
        columns = _columns(records.parameters, PARAMETER_SERIES, counts)
        _insert(cursor, "parameters", runs, epochs, about, columns)


def _columns(
    series: Mapping[str, NDArray[np.float64]], names: Sequence[str], counts: Any
) -> dict[str, NDArray[np.float64]]:
    """The measured columns, in the table's order."""
    unknown = set(series) - set(names)
    if unknown:
        raise UsageError(f"records have {', '.join(sorted(unknown))}", allowed=", ".join(names))
    return {name: np.asarray(series[name], dtype=np.float64)[counts] for name in names if name in series}


def _insert(
    cursor: sqlite3.Cursor,
    table: str,
    runs: NDArray[np.int64],
    epochs: NDArray[np.int64],
    within: Mapping[str, NDArray[Any]],
    columns: Mapping[str, NDArray[np.float64]],
) -> None:
    """Insert rows in chunks: one for each run and epoch, or several that the K values of `within` tell apart
    (then columns are (M, K)). NaN and infinity become null.
    """
    names = ("run_id", "epoch", *within, *columns)
    sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES (?{', ?' * (len(names) - 1)})"
    each = len(next(iter(within.values()))) if within else 1
    step = max(1, _CHUNK // max(1, each))
    for start in range(0, len(runs) if each else 0, step):
        part = slice(start, start + step)
        keys = [np.repeat(runs[part], each), np.repeat(epochs[part], each)]
        keys += [np.tile(values, len(runs[part])) for values in within.values()]
        lists = [key.tolist() for key in keys]
        lists += [_finite(column[part].ravel()).tolist() for column in columns.values()]
        cursor.executemany(sql, zip(*lists, strict=True))


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values, with NaN (which binds as NULL) for those that are infinite."""
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)
