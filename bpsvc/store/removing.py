"""Remove: experiments as a whole, or some of their runs; what no experiment contains any more is deleted.

A run that is in someone's hands when that happens is taken from them by its absence: their next commit counts
for nothing.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from bpsvc import faults
from bpsvc.store import naming, targets
from bpsvc.store.engine import raw

Pairs = Iterable[tuple[str, int]]
"""Runs of experiments: what an experiment is called, and a run's number."""

_OF: Final = "SELECT run_id FROM _membership WHERE experiment_id = ?"
_CONTAINING: Final = """
    SELECT m.run_id, m.experiment_id FROM json_each(?) r JOIN _membership m ON m.run_id = r.value
"""
_ORPHANS: Final = (
    "DELETE FROM _recipe WHERE id NOT IN (SELECT recipe_id FROM _run)",
    "DELETE FROM _scaling WHERE id NOT IN (SELECT scaling_id FROM _run WHERE scaling_id IS NOT NULL)",
    "DELETE FROM _dataset WHERE id NOT IN (SELECT dataset_id FROM _run)",
    """
    DELETE FROM _environment WHERE id NOT IN (
        SELECT environment_id FROM _run WHERE environment_id IS NOT NULL
        UNION SELECT environment_id FROM _segment WHERE environment_id IS NOT NULL
    )
    """,
)


@dataclass(frozen=True)
class Removal:
    """What a removal takes: `experiments` that go, and others that become `smaller`, by full name; the `runs`
    that are deleted, and those that are `shared` with other experiments and stay.
    """

    experiments: tuple[str, ...]
    smaller: tuple[str, ...]
    runs: tuple[int, ...]
    shared: tuple[int, ...]


def removal(connection: Connection, experiments: Iterable[str], runs: Pairs) -> Removal:
    """What `remove` would take."""
    return _Going(raw(connection), experiments, runs).told


def remove(connection: Connection, experiments: Iterable[str], runs: Pairs) -> Removal:
    """Delete experiments, take `runs` away from others, and delete what is left without: runs that no
    experiment contains, experiments that contain no run, and whatever these alone needed.
    """
    cursor = raw(connection)
    going = _Going(cursor, experiments, runs)
    cursor.executemany("DELETE FROM _membership WHERE experiment_id = ? AND run_id = ?", going.members)
    cursor.executemany("DELETE FROM _experiment WHERE id = ?", [(one,) for one in going.whole])
    faults.point("unlisted")
    deleted = [(run,) for run in going.told.runs]
    for table, column in (("layer_gradients", "run_id"), ("epochs", "run_id"), ("_run", "id")):
        cursor.executemany(f"DELETE FROM {table} WHERE {column} = ?", deleted)
    faults.point("removed")
    targets.lower(cursor, going.told.shared)
    for sql in _ORPHANS:
        cursor.execute(sql)
    return going.told


class _Going:
    """What goes: memberships (experiment, run) and whole experiments by number, and what is told of it."""

    def __init__(self, cursor: sqlite3.Cursor, experiments: Iterable[str], runs: Pairs) -> None:
        named = {name: naming.experiment(cursor, name) for name in dict.fromkeys(experiments)}
        asked = {one.id: _of(cursor, one.id) for one in named.values()}
        self.whole = list(asked)
        for name, run in runs:
            if name not in named:
                named[name] = naming.experiment(cursor, name)
            asked.setdefault(named[name].id, set()).add(int(run))
        every = json.dumps(sorted({run for some in asked.values() for run in some}))
        held = [(run, one) for run, one in cursor.execute(_CONTAINING, (every,))]
        self.members = [(one, run) for run, one in held if run in asked.get(one, ())]
        stay = {run for run, one in held if run not in asked.get(one, ())}
        gone = {run for _, run in self.members}
        self.whole += [one for one in asked if one not in self.whole and _of(cursor, one) <= asked[one]]
        names = {one.id: one.experiment for one in named.values()}
        self.told = Removal(
            experiments=tuple(names[one] for one in self.whole),
            smaller=tuple(names[one] for one in asked if one not in self.whole),
            runs=tuple(sorted(gone - stay)),
            shared=tuple(sorted(gone & stay)),
        )


def _of(cursor: sqlite3.Cursor, experiment: int) -> set[int]:
    return {run for (run,) in cursor.execute(_OF, (experiment,))}
