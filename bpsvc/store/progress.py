"""How work stands: numbers for a progress bar, and who trains what, since when and how fast."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from bpsvc.store import owners
from bpsvc.store.clock import NOW
from bpsvc.store.engine import raw
from bpsvc.store.records import Progress
from bpsvc.store.serving import SERVED

_ALL: Final = "SELECT r.status, r.outcome, r.epochs_done, r.epochs AS last FROM _run r"
# As the experiment sees it: done when it has what it wants, even if another one wants more of the run.
_STATUS_WITHIN: Final = f"""
    CASE
        WHEN {SERVED} AND NOT (r.epochs_done = m.epochs AND r.status = 'diverged') THEN 'done'
        ELSE r.status
    END
"""
_OF: Final = f"""
    SELECT {_STATUS_WITHIN} AS status, r.outcome, min(r.epochs_done, m.epochs) AS epochs_done,
        m.epochs AS last
    FROM (
        SELECT run_id, max(epochs) AS epochs FROM _membership
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

# Speed is judged by the segments of the runs in hand, over at most so many seconds.
_WINDOW_S: Final = 30.0
_LATELY: Final = f"""
    WITH held AS (
        SELECT id, lease_owner AS owner, claimed_at, lease_until, epochs - epochs_done AS left_,
            max(claimed_at, {NOW} - {_WINDOW_S}) AS since
        FROM _run WHERE status = 'running'
    ),
    lately AS (
        SELECT h.id, sum(s.to_epoch - s.from_epoch) AS epochs
        FROM held h JOIN _segment s ON s.run_id = h.id AND s.owner = h.owner
            AND s.committed_at >= strftime('%Y-%m-%dT%H:%M:%fZ', h.since, 'unixepoch')
        GROUP BY h.id
    )
"""
_HOLDERS: Final = f"""
    {_LATELY}
    SELECT h.owner, count(*), strftime('%Y-%m-%dT%H:%M:%SZ', min(h.claimed_at), 'unixepoch'),
        {NOW} - min(h.claimed_at), max(h.lease_until) - {NOW}, sum(h.left_),
        coalesce(sum(l.epochs), 0) / max({NOW} - min(h.since), 0.001)
    FROM held h LEFT JOIN lately l ON l.id = h.id GROUP BY h.owner ORDER BY min(h.claimed_at), h.owner
"""
_STATUS: Final = f"""
    {_LATELY},
    seen AS (
        SELECT m.experiment_id, r.id AS run_id, {_STATUS_WITHIN} AS status,
            min(r.epochs_done, m.epochs) AS epochs_done, m.epochs AS last
        FROM _membership m JOIN _run r ON r.id = m.run_id
    ),
    counted AS (
        SELECT e.id, e.name || '@' || e.revision AS experiment, count(*) AS runs,
            sum(s.status = 'queued') AS queued, sum(s.status = 'running') AS running,
            sum(s.status = 'done') AS done, sum(s.status = 'diverged') AS diverged,
            sum(s.status = 'failed') AS failed, sum(s.status = 'cancelled') AS cancelled,
            sum(s.epochs_done) AS epochs_done,
            sum(CASE WHEN s.status IN ('queued', 'running') THEN s.last ELSE s.epochs_done END)
                AS epochs_to_do,
            sum(l.epochs) / max({NOW} - min(h.since), 0.001) AS speed
        FROM _experiment e JOIN seen s ON s.experiment_id = e.id
        LEFT JOIN held h ON h.id = s.run_id AND s.status = 'running'
            AND h.owner NOT IN (SELECT value FROM json_each(:gone))
        LEFT JOIN lately l ON l.id = h.id
        GROUP BY e.id
    )
    SELECT experiment, runs, queued, running, done, diverged, failed, cancelled, epochs_done, epochs_to_do,
        epochs_to_do - epochs_done AS epochs_left,
        round((epochs_to_do - epochs_done) / nullif(speed, 0), 1) AS eta_s
    FROM counted ORDER BY id
"""


@dataclass(frozen=True)
class Holder:
    """A driver and what it has in hand: runs, since when (ISO-8601 UTC; also how long), and until when its
    lease holds.

    `epochs_left` are its runs' epochs still to do and `epochs_per_s` what it did of them lately, all runs
    together; `gone` says that it was a process of this host that is no more, so that its runs are free.
    """

    owner: str
    runs: int
    since: str
    held_s: float
    lease_s: float
    epochs_left: int
    epochs_per_s: float
    gone: bool

    @property
    def name(self) -> str:
        """The owner in words: `host, process 123`."""
        return owners.described(self.owner)

    @property
    def eta_s(self) -> float | None:
        """Seconds until its runs are done at this speed; None while that cannot be told."""
        return self.epochs_left / self.epochs_per_s if self.epochs_per_s > 0 else None


def holders(connection: Connection) -> list[Holder]:
    """Who trains what, the longest at work first."""
    rows = raw(connection).execute(_HOLDERS).fetchall()
    return [Holder(*(*row, owners.vanished(row[0]))) for row in rows]


def status(connection: Connection) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows, one row an experiment: runs by status; epochs done, to do in all, and left; and the
    seconds until its end, at the speed of those who train its runs (None when nobody does).
    """
    gone = json.dumps([one.owner for one in holders(connection) if one.gone])
    found = raw(connection).execute(_STATUS, {"gone": gone})
    return [column[0] for column in found.description], found.fetchall()


def progress(connection: Connection, experiments: Sequence[int] | None) -> Progress:
    """Runs and epochs of these experiments (by number), or of the whole store."""
    runs = _ALL if experiments is None else _OF
    parameters = {} if experiments is None else {"experiments": json.dumps(list(experiments))}
    return Progress(*raw(connection).execute(_COUNT.format(runs=runs), parameters).fetchone())
