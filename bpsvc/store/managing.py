"""What becomes of runs and experiments at a user's word: cancelled, tried again, removed.

A run that is in someone's hands when that happens is taken from them by its status or its absence: their next
commit counts for nothing.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from bpsvc import faults
from bpsvc.store import naming
from bpsvc.store.engine import raw

# The runs that are meant: :runs and :experiments are JSON lists of numbers, or null.
_MEANT: Final = """
    (:runs IS NULL OR id IN (SELECT value FROM json_each(:runs)))
    AND (:experiments IS NULL OR id IN (
        SELECT run_id FROM _membership WHERE experiment_id IN (SELECT value FROM json_each(:experiments))
    ))
"""
_CANCEL: Final = f"""
    UPDATE _run SET status = 'cancelled', lease_owner = NULL, lease_until = NULL, claimed_at = NULL
    WHERE status IN ('queued', 'running') AND {_MEANT} RETURNING id
"""
_RETRY: Final = f"""
    UPDATE _run SET status = 'queued', attempts = 0, error = NULL
    WHERE status = 'failed' AND {_MEANT} RETURNING id
"""
_ALONE: Final = """
    SELECT DISTINCT run_id FROM _membership m
    WHERE experiment_id IN (SELECT value FROM json_each(:experiments)) AND NOT EXISTS (
        SELECT 1 FROM _membership o WHERE o.run_id = m.run_id
        AND o.experiment_id NOT IN (SELECT value FROM json_each(:experiments))
    )
"""
# What only the removed experiments wanted of runs that stay need not be trained any more.
_LOWER: Final = """
    UPDATE _run
    SET epochs = max(epochs_done, (SELECT max(m.epochs) FROM _membership m WHERE m.run_id = _run.id))
    WHERE id IN (SELECT value FROM json_each(:shared))
"""
_REACHED: Final = """
    UPDATE _run SET status = 'done', outcome = 'horizon',
        finished_at = (SELECT max(s.committed_at) FROM _segment s WHERE s.run_id = _run.id)
    WHERE id IN (SELECT value FROM json_each(:shared)) AND status = 'queued' AND epochs_done = epochs
        AND EXISTS (SELECT 1 FROM _checkpoint c WHERE c.run_id = _run.id)
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
    """What a removal takes: experiments by full name, the runs that go with them, and those that others
    keep.
    """

    experiments: tuple[str, ...]
    runs: tuple[int, ...]
    shared: tuple[int, ...]


def cancel(
    connection: Connection, which: Sequence[str] | None, runs: Iterable[int] | None
) -> tuple[int, ...]:
    """Take waiting and running runs out of the queue; their ids."""
    return _changed(raw(connection), _CANCEL, which, runs)


def retry(connection: Connection, which: Sequence[str] | None, runs: Iterable[int] | None) -> tuple[int, ...]:
    """Queue failed runs again, with a clean slate; their ids."""
    return _changed(raw(connection), _RETRY, which, runs)


def removal(connection: Connection, which: Sequence[str]) -> Removal:
    """What `remove` would take."""
    cursor = raw(connection)
    named = [naming.experiment(cursor, name) for name in dict.fromkeys(which)]
    values = {"experiments": json.dumps([one.id for one in named])}
    alone = {row[0] for row in cursor.execute(_ALONE, values)}
    sql = "SELECT run_id FROM _membership WHERE experiment_id IN (SELECT value FROM json_each(:experiments))"
    shared = {row[0] for row in cursor.execute(sql, values)} - alone
    names = tuple(dict.fromkeys(one.experiment for one in named))
    return Removal(names, tuple(sorted(alone)), tuple(sorted(shared)))


def remove(connection: Connection, which: Sequence[str]) -> Removal:
    """Delete experiments, the runs that no other one contains, and whatever these alone needed."""
    cursor = raw(connection)
    going = removal(connection, which)
    for name in going.experiments:
        cursor.execute("DELETE FROM _experiment WHERE id = ?", (naming.experiment(cursor, name).id,))
    faults.point("unlisted")
    runs = [(run,) for run in going.runs]
    for table, column in (("layer_gradients", "run_id"), ("epochs", "run_id"), ("_run", "id")):
        cursor.executemany(f"DELETE FROM {table} WHERE {column} = ?", runs)
    faults.point("removed")
    values = {"shared": json.dumps(going.shared)}
    cursor.execute(_LOWER, values)
    cursor.execute(_REACHED, values)
    for sql in _ORPHANS:
        cursor.execute(sql)
    return going


def _changed(
    cursor: sqlite3.Cursor, sql: str, which: Sequence[str] | None, runs: Iterable[int] | None
) -> tuple[int, ...]:
    experiments = None if which is None else [naming.experiment(cursor, name).id for name in which]
    values = {
        "experiments": None if experiments is None else json.dumps(experiments),
        "runs": None if runs is None else json.dumps([int(run) for run in runs]),
    }
    return tuple(sorted(row[0] for row in cursor.execute(sql, values).fetchall()))
