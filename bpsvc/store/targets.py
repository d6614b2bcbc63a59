"""How far a run is to go: as far as some experiment asks, and never to an end between two records."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any, Final

_STANDING: Final = """
    SELECT r.id, r.epochs, r.epochs_done, r.status, json_extract(p.spec, '$.record.every'),
        (SELECT max(m.epochs) FROM _membership m WHERE m.run_id = r.id),
        EXISTS (SELECT 1 FROM _checkpoint c WHERE c.run_id = r.id)
    FROM json_each(?) i JOIN _run r ON r.id = i.value JOIN _recipe p ON p.id = r.recipe_id
"""
_LOWER: Final = """
    UPDATE _run SET epochs = :target, status = replace(status, 'running', 'queued'),
        lease_owner = NULL, lease_until = NULL, claimed_at = NULL
    WHERE id = :run
"""
_REACHED: Final = """
    UPDATE _run SET status = 'done', outcome = 'horizon', error = NULL,
        finished_at = (SELECT max(s.committed_at) FROM _segment s WHERE s.run_id = _run.id)
    WHERE id = :run
"""


def target(every: Any, asked: int, done: int) -> int:
    """The epoch at which a run with this cadence is to end, when experiments ask for `asked` epochs at most
    and it has done `done`.

    What is trained stays. One that is further than anybody asks ends with its next record.
    """
    from bpsvc import nn  # it takes long to load, and few commands need it

    return max(asked, nn.Cadence(every).neighbours(done)[1])


def lower(cursor: sqlite3.Cursor, runs: Iterable[int]) -> None:
    """Let runs end where their experiments, of which some are gone, still ask for.

    A worker that was going further loses its run; whoever claims it next goes on from the last segment.
    """
    rows = cursor.execute(_STANDING, (json.dumps(list(runs)),)).fetchall()
    for run, epochs, done, status, every, asked, begun in rows:
        goal = target(every, asked, done)
        if goal >= epochs:
            continue
        cursor.execute(_LOWER, {"run": run, "target": goal})
        if begun and done == goal and status not in ("done", "diverged"):
            cursor.execute(_REACHED, {"run": run})
