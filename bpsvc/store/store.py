"""The store: the one object with state. All else are values, and functions of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self

from sqlalchemy import Connection

from bpsvc import faults
from bpsvc.data import Dataset
from bpsvc.errors import StoreError
from bpsvc.store import engine, files, query, queue, schema, segments, submitting
from bpsvc.store.failures import explained
from bpsvc.store.naming import Named
from bpsvc.store.reading import Snapshot, Which
from bpsvc.store.records import Claim, Experiment, Progress, Receipt, Segment
from bpsvc.store.schedules import Schedules
from bpsvc.store.schema import EPOCH_SERIES, LAYER_SERIES

if TYPE_CHECKING:  # pandas takes long to load, and few commands need it
    import pandas as pd

Mode = Literal["read", "write", "create"]

LEASE_S: Final = 15.0


class Store:
    """A results database.

    `target` is a path or an SQLAlchemy URL (`sqlite:///bpsvc.db`). `mode` is `read` (the file must be there
    and is not written), `write` (it must be there) or `create` (it is made when it is not there). Whatever
    cannot be used is refused with a StoreError that says what it is and what to do, and is left as it was. A
    store may be shared between threads, not between processes.
    """

    def __init__(
        self, target: str | Path, *, mode: Mode = "read", timeout_s: float = engine.TIMEOUT_S
    ) -> None:
        self.path: Final = files.locate(target)
        self.mode: Final = mode
        self._timeout_s = timeout_s
        _prepare(self.path, mode, timeout_s)
        self._identity = _identity(self.path)
        self._reader = engine.reader(self.path, timeout_s)
        self._writer = None if mode == "read" else engine.writer(self.path, timeout_s)

    @classmethod
    def open(cls, target: str | Path, *, mode: Mode = "read", timeout_s: float = engine.TIMEOUT_S) -> Self:
        """The same as `Store(target, mode=mode)`."""
        return cls(target, mode=mode, timeout_s=timeout_s)

    def close(self) -> None:
        """Let go of the file."""
        with explained(self.path):
            self._reader.dispose()
            if self._writer is not None:
                self._writer.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Giving work and doing it

    def submit(
        self,
        experiment: Experiment,
        stacks: Mapping[str, str],
        *,
        scalings: Mapping[str, str] | None = None,
        submitted_at: str | None = None,
    ) -> Receipt:
        """Store an experiment and the runs that are not there yet: all of it, or nothing.

        `stacks` gives for each run key the key of the stack it trains in; `scalings` for some the scaling of
        its features as JSON. Doing it again changes nothing, except that cancelled runs are queued again.
        """
        with self._writing() as connection:
            receipt = submitting.submit(connection, experiment, stacks, scalings or {}, submitted_at)
        faults.point("submitted")
        return receipt

    def claim(
        self,
        owner: str,
        *,
        limit: int,
        experiments: Sequence[int] | None = None,
        lease_s: float = LEASE_S,
    ) -> list[Claim]:
        """Take up to `limit` runs that wait, in the order they were submitted: all of one stack, at one
        epoch, to one target.

        First, runs whose lease is over, or whose owner is gone, wait again. `owner` is `store.owner()` of the
        driver; `experiments` restricts the claim to what these (by number) still need. Empty when nothing
        waits.
        """
        with self._writing() as connection:
            return queue.claim(connection, owner, limit, experiments, lease_s)

    def commit(self, segment: Segment) -> set[int]:
        """Make a segment visible, renewing its leases; the ids of the runs for which it counted.

        A run that another worker has claimed since, or that was cancelled, is missing from them, and nothing
        of it is written.
        """
        with self._writing() as connection:
            kept = segments.commit(connection, segment)
        faults.point("committed")
        return kept

    def renew(self, claims: Iterable[Claim], lease_s: float = LEASE_S) -> set[int]:
        """Prolong leases without progress; the ids of the runs that are still held."""
        with self._writing() as connection:
            return queue.renew(connection, claims, lease_s)

    def release(self, claims: Iterable[Claim]) -> set[int]:
        """Give runs back to the queue as they are; the ids of those that were still held."""
        with self._writing() as connection:
            return queue.release(connection, claims)

    def lose(self, claims: Iterable[Claim], error: str) -> set[int]:
        """Give runs back because the process that computed them died; after three times without progress they
        fail.
        """
        with self._writing() as connection:
            return queue.lose(connection, claims, error)

    def fail(self, claims: Iterable[Claim], error: str) -> set[int]:
        """End runs as failed because of `error`; the ids of those that were still held."""
        with self._writing() as connection:
            return queue.fail(connection, claims, error)

    # Looking

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One read transaction: everything asked within sees the same state."""
        with self._reading() as connection:
            yield Snapshot(connection)

    def query(
        self,
        sql: str,
        params: query.Params = None,
        *,
        max_rows: int = query.MAX_ROWS,
        timeout_s: float = query.TIMEOUT_S,
    ) -> query.Answer:
        """Answer one SELECT over the public tables and views, which have median(x) and quantile(x, q) too."""
        self._check_identity()
        return query.query(self.path, sql, params, max_rows=max_rows, timeout_s=timeout_s)

    def experiment(self, reference: str) -> Named:
        """See `Snapshot.experiment`."""
        with self.snapshot() as now:
            return now.experiment(reference)

    def run(self, reference: str | int) -> int:
        """See `Snapshot.run`."""
        with self.snapshot() as now:
            return now.run(reference)

    def experiments(self, which: Which = None) -> "pd.DataFrame":
        """See `Snapshot.experiments`."""
        with self.snapshot() as now:
            return now.experiments(which)

    def runs(self, experiment: Which = None) -> "pd.DataFrame":
        """See `Snapshot.runs`."""
        with self.snapshot() as now:
            return now.runs(experiment)

    def factors(self, experiment: Which = None) -> "pd.DataFrame":
        """See `Snapshot.factors`."""
        with self.snapshot() as now:
            return now.factors(experiment)

    def epochs(
        self,
        experiment: Which = None,
        *,
        runs: Iterable[int] | None = None,
        series: Sequence[str] = EPOCH_SERIES,
    ) -> "pd.DataFrame":
        """See `Snapshot.epochs`."""
        with self.snapshot() as now:
            return now.epochs(experiment, runs=runs, series=series)

    def layer_gradients(
        self,
        experiment: Which = None,
        *,
        runs: Iterable[int] | None = None,
        series: Sequence[str] = LAYER_SERIES,
    ) -> "pd.DataFrame":
        """See `Snapshot.layer_gradients`."""
        with self.snapshot() as now:
            return now.layer_gradients(experiment, runs=runs, series=series)

    def datasets(self) -> "pd.DataFrame":
        """See `Snapshot.datasets`."""
        with self.snapshot() as now:
            return now.datasets()

    def dataset(self, digest: str) -> Dataset:
        """See `Snapshot.dataset`."""
        with self.snapshot() as now:
            return now.dataset(digest)

    def checkpoint(self, run_id: int) -> bytes | None:
        """See `Snapshot.checkpoint`."""
        with self.snapshot() as now:
            return now.checkpoint(run_id)

    def progress(self, experiments: Sequence[int] | None = None) -> Progress:
        """See `Snapshot.progress`."""
        with self.snapshot() as now:
            return now.progress(experiments)

    def status(self) -> "pd.DataFrame":
        """See `Snapshot.status`."""
        with self.snapshot() as now:
            return now.status()

    @property
    def schedules(self) -> Schedules:
        """What is to be submitted again and again, and what was decided."""
        return Schedules(self._reading, self._writing)

    # Within

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._check_identity()
        with explained(self.path), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._writer is None:
            raise StoreError(f"{self.path} was opened for reading", remedy='open it with mode="write"')
        self._check_identity()
        with engine.transaction(self._writer, self.path, self._timeout_s) as connection:
            yield connection

    def _check_identity(self) -> None:
        if _identity(self.path) != self._identity:
            raise StoreError(
                f"{self.path} is no longer the file that was opened",
                remedy="put it back, or open the store again",
            )


def _prepare(path: Path, mode: Mode, timeout_s: float) -> None:
    """See that a store of our schema is at `path`, made now if the mode says so."""
    header = files.examine(path)
    if mode != "read":
        files.check_local(path)
    if header is None or header.blank:
        if mode == "create":
            _create(path, timeout_s)
            return
        if header is None:
            raise StoreError(
                f"there is no store at {path}", remedy="`bpsvc submit SPEC` makes one; --db names another"
            )
    files.check_ours(path, header)


def _create(path: Path, timeout_s: float) -> None:
    if not path.parent.is_dir():
        raise StoreError(
            f"there is no folder {path.parent} to make a store in", remedy="make it, or name another"
        )
    with engine.locked(path, timeout_s), explained(path):
        header = files.examine(path)
        if header is not None and not header.blank:
            files.check_ours(path, header)
            return
        path.touch()
        maker = engine.writer(path, timeout_s)
        try:
            with maker.begin() as connection:
                schema.create(connection)
            with maker.connect() as connection:
                connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            maker.dispose()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
