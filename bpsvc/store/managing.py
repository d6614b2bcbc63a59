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
from bpsvc.store.serving import SERVED

# The runs that are meant: :runs and :experiments are JSON lists of numbers, or null. What an experiment has
# already is not touched for its sake: if the run goes on, it does so for another.
_MEANT: Final = f"""
    (:runs IS NULL OR r.id IN (SELECT value FROM json_each(:runs)))
    AND (:experiments IS NULL OR EXISTS (
        SELECT 1 FROM _membership m WHERE m.run_id = r.id AND NOT {SERVED}
        AND m.experiment_id IN (SELECT value FROM json_each(:experiments))
    ))
"""
_CANCEL: Final = f"""
    UPDATE _run AS r SET status = 'cancelled', lease_owner = NULL, lease_until = NULL, claimed_at = NULL
    WHERE status IN ('queued', 'running') AND {_MEANT} RETURNING id
"""
_RETRY: Final = f"""
    UPDATE _run AS r SET status = 'queued', attempts = 0, error = NULL
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
