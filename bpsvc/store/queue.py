"""The queue: runs that wait, who holds which of them, and what becomes of those whose holder is gone.

A run is held by a lease (an owner, and the time it ends) and a fence that grows with each claim. Whoever
commits must name the fence of their claim, so that a worker that was thought dead, and is not, can do no
harm.
"""

import json
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any, Final

from sqlalchemy import Connection, text

from bpsvc import faults
from bpsvc.store import owners
from bpsvc.store.clock import NOW
from bpsvc.store.engine import raw
from bpsvc.store.records import Claim
from bpsvc.store.serving import SERVED

# A run whose workers vanished this often without progress has failed; before its last chance it is tried
# alone, so that companions that did nothing wrong are not blamed.
MAX_ATTEMPTS: Final = 3

# How far a run is to go: within certain experiments (a JSON list of their numbers), only as far as they ask,
# and null when they have what they asked for.
_TARGET: Final = f"""CASE WHEN :experiments IS NULL THEN r.epochs ELSE (
    SELECT max(m.epochs) FROM _membership m
    WHERE m.run_id = r.id AND m.experiment_id IN (SELECT value FROM json_each(:experiments)) AND NOT {SERVED}
) END"""

_OWNERS: Final = text("SELECT DISTINCT lease_owner FROM _run WHERE status = 'running'")
_EXPIRE: Final = text(
    f"""
    UPDATE _run SET status = 'queued', lease_owner = NULL, lease_until = NULL, claimed_at = NULL
    WHERE status = 'running' AND lease_until < {NOW}
    """
)
# Runs whose worker died: :blame is what that counts against them.
_BLAME: Final = """
    UPDATE _run SET
        status = CASE WHEN attempts + :blame < :most THEN 'queued' ELSE 'failed' END,
        error = CASE WHEN attempts + :blame < :most THEN NULL ELSE :error END,
        attempts = attempts + :blame, lease_owner = NULL, lease_until = NULL, claimed_at = NULL
    """
_VANISH: Final = text(f"{_BLAME} WHERE status = 'running' AND lease_owner = :owner")
_NEXT: Final = text(
    f"""
    SELECT r.id, r.stack, r.epochs_done, {_TARGET} AS target, r.attempts FROM _run r
    WHERE r.status = 'queued' AND target IS NOT NULL ORDER BY r.id LIMIT 1
    """
)
_WAITING: Final = text(f"SELECT count(*) FROM _run r WHERE r.status = 'queued' AND {_TARGET} IS NOT NULL")
_CLAIM: Final = text(
    f"""
    UPDATE _run SET status = 'running', fence = fence + 1, finished_at = NULL,
        lease_owner = :owner, lease_until = {NOW} + :lease_s, claimed_at = {NOW}
    WHERE id IN (
        SELECT r.id FROM _run r
        WHERE r.status = 'queued' AND r.stack = :stack AND r.epochs_done = :epochs_done
        AND (CASE WHEN :alone THEN r.id = :id ELSE r.attempts < :most - 1 END) AND {_TARGET} = :target
        ORDER BY r.id LIMIT :limit
    )
    RETURNING id
    """
)
_CLAIMED: Final = text(
    """
    SELECT r.id, r.fence, r.key, r.seed, p.spec, d.digest, r.stack, r.epochs_done, :target, c.state,
        v.content, r.attempts, c.epoch, c.digest
    FROM json_each(:ids) i JOIN _run r ON r.id = i.value
    JOIN _recipe p ON p.id = r.recipe_id JOIN _dataset d ON d.id = r.dataset_id
    LEFT JOIN _checkpoint c ON c.run_id = r.id LEFT JOIN _environment v ON v.id = r.environment_id
    ORDER BY r.id
    """
)
_HELD: Final = "WHERE id = :run_id AND fence = :fence AND status = 'running'"
_RENEW: Final = f"UPDATE _run SET lease_until = {NOW} + :lease_s {_HELD}"
_RELEASE: Final = f"""
    UPDATE _run SET status = 'queued', lease_owner = NULL, lease_until = NULL, claimed_at = NULL
    {_HELD}
    """
_FAIL: Final = f"""
    UPDATE _run SET status = 'failed', error = :error,
        lease_owner = NULL, lease_until = NULL, claimed_at = NULL
    {_HELD}
    """
_LOSE: Final = f"{_BLAME} {_HELD}"


def claim(
    connection: Connection, owner: str, limit: int, experiments: Sequence[int] | None, lease_s: float
) -> list[Claim]:
    """Take up to `limit` queued runs of one stack that stand at one epoch and go to one target; see
    `Leases.claim`.
    """
    wanted = _within(experiments)
    first = connection.execute(_NEXT, wanted).one_or_none()
    if first is None:
        return []
    alone = first.attempts >= MAX_ATTEMPTS - 1
    values = {**wanted, **first._mapping, "owner": owner, "lease_s": lease_s, "most": MAX_ATTEMPTS}
    ids = connection.execute(_CLAIM, {**values, "alone": alone, "limit": limit}).scalars().all()
    faults.point("claimed")
    claimed = connection.execute(_CLAIMED, {"ids": json.dumps(list(ids)), "target": first.target})
    return [Claim(*row) for row in claimed]


def share(connection: Connection, among: int, holding: int, experiments: Sequence[int] | None) -> int:
    """How many of the runs that wait, and of those a claimer is `holding`, fall to one of `among`."""
    waiting: int = connection.execute(_WAITING, _within(experiments)).scalar_one()
    return max(1, ceil((waiting + holding) / among))


def requeue_expired(connection: Connection) -> None:
    """Queue again what is held by no one: leases that ran out, and those of processes of this host that are
    gone.
    """
    for owner in connection.execute(_OWNERS).scalars().all():
        if owners.vanished(owner):
            error = (
                f"its worker vanished {MAX_ATTEMPTS} times without progress, last {owners.described(owner)}: "
                "it may have run out of memory or crashed; `bpsvc retry` queues it again"
            )
            blame = int(not owners.of_another_boot(owner))  # that this machine went down is no run's doing
            values = {"owner": owner, "most": MAX_ATTEMPTS, "error": error, "blame": blame}
            connection.execute(_VANISH, values)
    connection.execute(_EXPIRE)


def renew(connection: Connection, claims: Iterable[Claim], lease_s: float) -> set[int]:
    """Prolong leases; the ids of the runs that are still held."""
    return _each(connection, _RENEW, claims, lease_s=lease_s)


def release(connection: Connection, claims: Iterable[Claim]) -> set[int]:
    """Give runs back to the queue, unharmed."""
    return _each(connection, _RELEASE, claims)


def fail(connection: Connection, claims: Iterable[Claim], error: str) -> set[int]:
    """End runs as failed, with the cause."""
    return _each(connection, _FAIL, claims, error=error)


def lose(connection: Connection, claims: Iterable[Claim], error: str) -> set[int]:
    """Give runs back whose worker died under them; those that have done so too often fail with the cause."""
    return _each(connection, _LOSE, claims, error=error, most=MAX_ATTEMPTS, blame=1)


def _within(experiments: Sequence[int] | None) -> dict[str, str | None]:
    return {"experiments": None if experiments is None else json.dumps(list(experiments))}


def _each(connection: Connection, statement: str, claims: Iterable[Claim], **values: Any) -> set[int]:
    cursor = raw(connection)
    return {
        one.run_id
        for one in claims
        if cursor.execute(statement, {"run_id": one.run_id, "fence": one.fence, **values}).rowcount == 1
    }
