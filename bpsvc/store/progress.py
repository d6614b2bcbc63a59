"""How work stands: numbers for a progress bar, and who trains what for `status`."""

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from bpsvc.store.engine import raw
from bpsvc.store.records import Progress

_ALL: Final = "SELECT r.status, r.outcome, r.epochs_done, r.epochs AS last FROM _run r"
# An experiment is served when a run has reached its own epochs, even if another experiment wants more of it.
_OF: Final = """
    SELECT CASE
            WHEN r.epochs_done >= m.last AND r.status <> 'diverged' AND EXISTS (
                SELECT 1 FROM _checkpoint c WHERE c.run_id = r.id) THEN 'done'
            ELSE r.status
        END AS status,
        r.outcome, min(r.epochs_done, m.last) AS epochs_done, m.last
    FROM (
        SELECT run_id, max(epochs) AS last FROM _membership
        WHERE experiment_id IN (SELECT value FROM json_each(:experiments)) GROUP BY run_id
    ) m JOIN _run r ON r.id = m.run_id
"""
_COUNT: Final = """
    SELECT count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'running'),
        count(*) FILTER (WHERE status = 'done'), count(*) FILTER (WHERE status = 'diverged'),
        count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'cancelled'),
        coalesce(sum(epochs_done), 0),
        coalesce(sum(CASE WHEN status IN ('queued', 'running') THEN last ELSE epochs_done END), 0)
    FROM ({runs})
"""


def progress(connection: Connection, experiments: Sequence[int] | None) -> Progress:
    """Runs and epochs of these experiments (by number), or of the whole store."""
    runs = _ALL if experiments is None else _OF
    parameters = {} if experiments is None else {"experiments": json.dumps(list(experiments))}
    return Progress(*raw(connection).execute(_COUNT.format(runs=runs), parameters).fetchone())
