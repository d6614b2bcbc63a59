"""What drivers do with a store: take runs on a lease, commit what they computed, give back what they hold."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from sqlalchemy import Connection

from bpsvc import faults
from bpsvc.store import queue, segments
from bpsvc.store.records import Claim, Segment

LEASE_S: Final = 15.0


class Leases:
    """The leases on the runs of one store: `store.leases`."""

    def __init__(self, writing: Callable[[bool], AbstractContextManager[Connection]]) -> None:
        self._writing = writing

    def claim(
        self,
        owner: str,
        *,
        limit: int,
        among: int = 1,
        holding: int = 0,
        experiments: Sequence[int] | None = None,
        lease_s: float = LEASE_S,
    ) -> list[Claim]:
        """Take up to `limit` runs that wait, in the order they were submitted: all of one stack, at one
        epoch, to one target. For one of `among` processes that is no more than its share of all that wait
        and of the `holding` runs that they have in hand.

        First, runs whose lease is over, or whose owner is gone, wait again. `owner` is `store.owner()` of the
        driver; `experiments` restricts the claim to what these (by number) still need. Empty when nothing
        waits.
        """
        with self._writing(False) as connection:
            queue.requeue_expired(connection)
            if among > 1:
                limit = min(limit, queue.share(connection, among, holding, experiments))
            return queue.claim(connection, owner, limit, experiments, lease_s)

    def commit(self, segment: Segment) -> set[int]:
        """Make a segment visible, renewing its leases; the ids of the runs for which it counted.

        A run that another worker has claimed since, or that was cancelled, is missing from them, and nothing
        of it is written.
        """
        with self._writing(True) as connection:
            kept = segments.commit(connection, segment)
        faults.point("committed")
        return kept

    def renew(self, claims: Iterable[Claim], lease_s: float = LEASE_S) -> set[int]:
        """Prolong leases without progress; the ids of the runs that are still held."""
        with self._writing(False) as connection:
            return queue.renew(connection, claims, lease_s)

    def release(self, claims: Iterable[Claim]) -> set[int]:
        """Give runs back to the queue as they are; the ids of those that were still held."""
        with self._writing(False) as connection:
            return queue.release(connection, claims)

    def lose(self, claims: Iterable[Claim], error: str) -> set[int]:
        """Give runs back because the process that computed them died; after three times without progress they
        fail.
        """
        with self._writing(False) as connection:
            return queue.lose(connection, claims, error)

    def fail(self, claims: Iterable[Claim], error: str) -> set[int]:
        """End runs as failed because of `error`; the ids of those that were still held."""
        with self._writing(False) as connection:
            return queue.fail(connection, claims, error)
