"""Verify: is everything there, and what it was when it was committed? Damage is named by run, epoch and
table.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from bpsvc import nn
from bpsvc.data import Dataset
from bpsvc.errors import BpsvcError
from bpsvc.spec import RunSpec, network_of
from bpsvc.spec.identity import numerics_of
from bpsvc.store.engine import raw
from bpsvc.store.targets import target

_MOST_MESSAGES: Final = 100
_RUN: Final = """
    SELECT r.key, r.seed, r.epochs_done, r.outcome, p.spec, p.digest, d.digest, d.inputs,
        r.epochs, (SELECT max(m.epochs) FROM _membership m WHERE m.run_id = r.id), r.status,
        c.epoch, c.digest, c.state
    FROM _run r JOIN _recipe p ON p.id = r.recipe_id JOIN _dataset d ON d.id = r.dataset_id
    LEFT JOIN _checkpoint c ON c.run_id = r.id WHERE r.id = ?
"""
_KEYS: Final = """
    SELECT r.id, r.key, r.seed, p.spec, d.digest
    FROM _run r JOIN _recipe p ON p.id = r.recipe_id JOIN _dataset d ON d.id = r.dataset_id
    WHERE :runs IS NULL OR r.id IN (SELECT value FROM json_each(:runs))
    ORDER BY r.id
"""
# What a run's row says of its last record, and what the record says.
_FINAL: Final = """
    SELECT e.epoch FROM _run r JOIN epochs e ON e.run_id = r.id
    AND e.epoch = (SELECT max(x.epoch) FROM epochs x WHERE x.run_id = r.id)
    WHERE r.id = ? AND (r.final_loss IS NOT e.loss OR r.final_accuracy IS NOT e.accuracy OR
    r.final_mean_abs_error IS NOT e.mean_abs_error OR r.final_validation_loss IS NOT e.validation_loss OR
    r.final_validation_accuracy IS NOT e.validation_accuracy)
"""


@dataclass(frozen=True)
class Damage:
    """One thing that is not as it must be."""

    table: str
    what: str
    run_id: int | None = None
    epoch: int | None = None

    def __str__(self) -> str:
        where = "" if self.run_id is None else f"run {self.run_id}, "
        where += "" if self.epoch is None else f"epoch {self.epoch}, "
        return f"{where}{self.table}: {self.what}"


def structure(connection: Connection) -> Iterator[Damage]:
    """What SQLite itself finds wrong with the file, its indexes, constraints and references."""
    cursor = raw(connection)
    try:
        for (message,) in cursor.execute(f"PRAGMA integrity_check({_MOST_MESSAGES})").fetchall():
            if message != "ok":
                yield Damage("file", message)
        for table, row, parent, _ in cursor.execute("PRAGMA foreign_key_check").fetchmany(_MOST_MESSAGES):
            yield Damage(table, f"row {row} refers to a row of {parent} that is not there")
    except sqlite3.DatabaseError as error:
        yield Damage("file", str(error))


def content(connection: Connection, runs: list[int] | None = None) -> Iterator[Damage]:
    """What is missing or changed: keys, data, states, segments, and each record of the cadence; not the
    values of records, which only training again can tell. A run that cannot be read hides no other.
    """
    cursor = raw(connection)
    try:
        if runs is None:
            yield from _datasets(cursor)
            runs = [id_ for (id_,) in cursor.execute("SELECT id FROM _run ORDER BY id").fetchall()]
    except sqlite3.DatabaseError as error:
        yield Damage("file", str(error))
    for id_ in runs or []:
        try:
            yield from _run(cursor, id_)
        except sqlite3.DatabaseError as error:
            yield Damage("file", f"it cannot be read: {error}", id_)


def _run(cursor: sqlite3.Cursor, id_: int) -> Iterator[Damage]:
    row = cursor.execute(_RUN, (id_,)).fetchone()
    if row is None:
        yield Damage("_run", "its spec or its data are missing", id_)
        return
    key, seed, done, outcome, spec, recipe, data, inputs, *end, epoch, digest, state = row
    if hashlib.sha256(spec.encode()).hexdigest() != recipe:
        yield Damage("_recipe", "the spec is not what its digest says", id_)
        return
    if numerics_of(key, _identity(spec), seed, data, nn.NUMERICS) is None:
        yield Damage("_run", "the key is not that of its spec, seed and data, or of newer numerics", id_)
    yield from _end(id_, done, _cadence(spec)[0], *end)
    yield from _states(cursor, id_, done, epoch, digest, state)
    epochs = _expected(_cadence(spec)[0], done, outcome) if epoch is not None else np.empty(0, np.int64)
    yield from _records(cursor, id_, epochs, _cadence(spec)[1], _parameters(spec, inputs))
    for (last,) in cursor.execute(_FINAL, (id_,)).fetchall():
        yield Damage("_run", "the final values are not those of the last record", id_, last)


def numerics(connection: Connection, runs: list[int] | None = None) -> dict[int, int | None]:
    """With which version of the numerics each run was made; None for one whose key is damaged."""
    wanted = {"runs": None if runs is None else json.dumps(runs)}
    return {
        id_: numerics_of(key, _identity(spec), seed, data, nn.NUMERICS)
        for id_, key, seed, spec, data in raw(connection).execute(_KEYS, wanted)
    }


def _end(id_: int, done: int, every: Any, epochs: int, asked: int | None, status: str) -> Iterator[Damage]:
    """The epoch to which a run is to go: on its cadence, and no other than experiments ask for."""
    if asked is None:
        yield Damage("_run", "no experiment contains it", id_)
    elif epochs < asked:
        yield Damage("_run", f"it is to end at epoch {epochs}, and an experiment asks for {asked}", id_)
    elif not nn.Cadence(every).records(epochs):
        yield Damage("_run", "its end is not on its cadence; a submit with more epochs mends it", id_, epochs)
    elif status in ("queued", "running") and epochs != target(every, asked, done):
        yield Damage("_run", f"it is to go to epoch {epochs}, and no experiment asks for it", id_)


def _datasets(cursor: sqlite3.Cursor) -> Iterator[Damage]:
    for digest, label, stored in cursor.execute("SELECT digest, label, content FROM _dataset").fetchall():
        try:
            found = Dataset.from_bytes(stored).digest
        except BpsvcError as error:
            yield Damage("_dataset", f"{label}: {error}")
            continue
        if found != digest:
            yield Damage("_dataset", f"{label}: the data are not what their digest says")


def _states(
    cursor: sqlite3.Cursor, id_: int, done: int, epoch: int | None, digest: str | None, state: bytes | None
) -> Iterator[Damage]:
    """The chain of segments from 0 to `epochs_done`, and the state at its end."""
    segments = cursor.execute(
        "SELECT from_epoch, to_epoch, digest FROM _segment WHERE run_id = ? ORDER BY to_epoch", (id_,)
    ).fetchall()
    if state is None:
        if done or segments:
            yield Damage("_checkpoint", "missing", id_, done)
        return
    if hashlib.sha256(state).hexdigest() != digest:
        yield Damage("_checkpoint", "the state is not what its digest says", id_, epoch)
    if epoch != done:
        yield Damage("_checkpoint", f"it is of epoch {epoch}, the run stands at {done}", id_, epoch)
    at = 0
    for start, end, _ in segments:
        if start != at:
            yield Damage("_segment", f"the segment from {at} is missing", id_, at)
        at = end
    if at != done:
        yield Damage("_segment", f"the segment from {at} is missing", id_, at)
    elif segments and segments[-1][2] != digest:
        yield Damage("_segment", "its digest is not the checkpoint's", id_, at)


def _records(
    cursor: sqlite3.Cursor, id_: int, epochs: NDArray[np.int64], layers: int, parameters: dict[str, int]
) -> Iterator[Damage]:
    """Each table's records: of the run, its L layers, and the P parameters it records, at each epoch."""
    found = _column(cursor, "SELECT epoch FROM epochs WHERE run_id = ?", id_)
    yield from _compare("epochs", id_, found, epochs)
    sql = f"SELECT epoch * {layers} + layer - 1 FROM layer_gradients WHERE run_id = ?"
    yield from _compare("layer_gradients", id_, _column(cursor, sql, id_), _each(epochs, layers), layers)
    # One place more than there are, for a name that is none of them.
    places = len(parameters) + 1
    rows = cursor.execute("SELECT epoch, name FROM parameters WHERE run_id = ?", (id_,))
    named = [epoch * places + parameters.get(name, places - 1) for epoch, name in rows]
    wanted = _each(epochs, places)
    wanted = wanted[wanted % places != places - 1]
    yield from _compare("parameters", id_, np.sort(np.array(named, np.int64)), wanted, places)


def _each(epochs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many numbers for each epoch."""
    return (epochs[:, None] * count + np.arange(count)).ravel()


def _compare(
    table: str, id_: int, found: NDArray[np.int64], wanted: NDArray[np.int64], layers: int = 1
) -> Iterator[Damage]:
    if np.array_equal(found, wanted):
        return
    missing, extra = np.setdiff1d(wanted, found), np.setdiff1d(found, wanted)
    for values, what in ((missing, "missing"), (extra, "not on the cadence")):
        if len(values):
            count = f"{len(values)} records are" if len(values) > 1 else "the record is"
            yield Damage(table, f"{count} {what}", id_, int(values[0]) // layers)


def _column(cursor: sqlite3.Cursor, sql: str, id_: int) -> NDArray[np.int64]:
    return np.array([row[0] for row in cursor.execute(sql, (id_,))], dtype=np.int64)


@cache
def _expected(every: Any, done: int, outcome: str | None) -> NDArray[np.int64]:
    """The epochs recorded up to `done`: those of the cadence, 0, and the one at which a run ended by
    itself.
    """
    epochs = np.concatenate([[0], nn.Cadence(every).epochs(0, done)]).astype(np.int64)
    return np.union1d(epochs, [done]) if outcome not in (None, "horizon") else epochs


@cache
def _identity(spec: str) -> str:
    return RunSpec.from_canonical(spec).identity()


@cache
def _cadence(spec: str) -> tuple[Any, int]:
    """How often a run records, and how many layers it has."""
    content: dict[str, Any] = json.loads(spec)
    return content["record"]["every"], len(content["network"]["layers"])


@cache
def _parameters(spec: str, inputs: int) -> dict[str, int]:
    """The places of a run's recorded parameters in theta, by name."""
    run = RunSpec.from_canonical(spec)
    if not run.record.parameters:
        return {}
    named = nn.parameters(network_of(run.network.layers, inputs))
    return {one.name: at for at, one in enumerate(named)}
