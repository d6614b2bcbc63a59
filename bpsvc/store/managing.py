"""What becomes of runs at a user's word: cancelled, or tried again.

A run that is in someone's hands when that happens is taken from them by its status: their next commit counts
for nothing.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

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


def cancel(
    connection: Connection, which: Sequence[str] | None, runs: Iterable[int] | None
) -> tuple[int, ...]:
    """Take waiting and running runs out of the queue; their ids."""
    return _changed(raw(connection), _CANCEL, which, runs)


def retry(connection: Connection, which: Sequence[str] | None, runs: Iterable[int] | None) -> tuple[int, ...]:
    """Queue failed runs again, with a clean slate; their ids."""
    return _changed(raw(connection), _RETRY, which, runs)


def _changed(
    cursor: sqlite3.Cursor, sql: str, which: Sequence[str] | None, runs: Iterable[int] | None
) -> tuple[int, ...]:
    experiments = None if which is None else [naming.experiment(cursor, name).id for name in which]
    values = {
        "experiments": None if experiments is None else json.dumps(experiments),
        "runs": None if runs is None else json.dumps([int(run) for run in runs]),
    }
    return tuple(sorted(row[0] for row in cursor.execute(sql, values).fetchall()))
