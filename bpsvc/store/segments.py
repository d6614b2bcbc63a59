"""Commit: a segment's progress, records and checkpoints become visible together, or not at all.

First the compare-and-swap on each run's row: it succeeds only for the holder of the newest fence, from the
very epoch at which the store stands. What it refuses is dropped with its records: another worker has that
run.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from bpsvc import faults
from bpsvc.errors import UsageError
from bpsvc.store.clock import NOW, STAMP
from bpsvc.store.engine import raw
from bpsvc.store.records import Records, RunCommit, Segment
from bpsvc.store.schema import EPOCH_SERIES, LAYER_SERIES, SUMMARY

# Rows that exist as Python tuples at one time: enough to be fast, few enough to be small.
_CHUNK: Final = 16_384

_EPOCHS: Final = (
    f"INSERT INTO epochs (run_id, epoch, {', '.join(EPOCH_SERIES)}) VALUES (?, ?{', ?' * len(EPOCH_SERIES)})"
)
_LAYERS: Final = (
    f"INSERT INTO layer_gradients (run_id, epoch, layer, {', '.join(LAYER_SERIES)})"
    f" VALUES (?, ?, ?{', ?' * len(LAYER_SERIES)})"
)
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
        _write(cursor, segment.records, np.array([run.run_id for run in segment.runs]), kept)
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


def _write(cursor: sqlite3.Cursor, records: Records, ids: NDArray[np.int64], kept: NDArray[np.bool_]) -> None:
    counts = slice(None) if kept.all() else kept[records.run]
    runs, epochs = ids[records.run[counts]], records.epoch[counts]
    columns = _columns(records.epochs, EPOCH_SERIES, counts)
    for start in range(0, len(runs), _CHUNK):
        part = slice(start, start + _CHUNK)
        cursor.executemany(_EPOCHS, _rows([runs[part], epochs[part]], columns, part))
    faults.point("epochs")
    columns = _columns(records.layers, LAYER_SERIES, counts)
    layers = next((column.shape[1] for column in columns if column is not None), 0)
    for start in range(0, len(runs) if layers else 0, _CHUNK):
        part = slice(start, start + _CHUNK)
        rows = len(runs[part])
        keys = [
            np.repeat(runs[part], layers),
            np.repeat(epochs[part], layers),
            np.tile(np.arange(1, layers + 1), rows),
        ]
        cursor.executemany(_LAYERS, _rows(keys, columns, part))
    faults.point("layers")


def _columns(
    series: Mapping[str, NDArray[np.float64]], names: Sequence[str], counts: Any
) -> list[NDArray[np.float64] | None]:
    """The measured columns in the table's order; None for those that were not measured."""
    unknown = set(series) - set(names)
    if unknown:
        raise UsageError(f"records have {', '.join(sorted(unknown))}", allowed=", ".join(names))
    return [np.asarray(series[name], dtype=np.float64)[counts] if name in series else None for name in names]


def _rows(
    keys: Sequence[NDArray[Any]], columns: Sequence[NDArray[np.float64] | None], part: slice
) -> Iterator[tuple[Any, ...]]:
    """Tuples of Python numbers. NaN binds as NULL; so does infinity, once it is NaN."""
    lists: list[Any] = [key.tolist() for key in keys]
    for column in columns:
        if column is None:
            lists.append(repeat(None))
            continue
        values = column[part].ravel()
        finite = np.isfinite(values)
        lists.append((values if finite.all() else np.where(finite, values, np.nan)).tolist())
    return zip(*lists, strict=False)
