"""The store: the one object with state. All else are values, and functions of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from sqlalchemy import Connection

from bpsvc import faults
from bpsvc.data import Dataset
from bpsvc.errors import StoreError
from bpsvc.store import engine, files, managing, query, removing, submitting
from bpsvc.store.failures import explained
from bpsvc.store.leases import Leases
from bpsvc.store.naming import Named
from bpsvc.store.opening import Mode, identity, prepare
from bpsvc.store.progress import Holder
from bpsvc.store.reading import Snapshot, Which
from bpsvc.store.records import Experiment, Progress, Receipt
from bpsvc.store.schedules import Schedules
from bpsvc.store.series import EPOCH_SERIES, LAYER_SERIES

if TYPE_CHECKING:  # they take long to load, and few commands need them
    import pandas as pd

    from bpsvc.store.upkeep import Upkeep


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
        prepare(self.path, mode, timeout_s)
        self._identity = identity(self.path)
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

    # Giving work

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
        (receipt,) = self.submit_all([(experiment, stacks, scalings or {})], submitted_at=submitted_at)
        return receipt

    def submit_all(
        self,
        given: Iterable[tuple[Experiment, Mapping[str, str], Mapping[str, str]]],
        *,
        submitted_at: str | None = None,
    ) -> list[Receipt]:
        """`submit` for several experiments (each with its stacks and scalings): all of them, or nothing."""
        with self._writing() as connection:
            receipts = [submitting.submit(connection, *one, submitted_at) for one in given]
        faults.point("submitted")
        return receipts

    # Changing one's mind

    def cancel(
        self, which: Iterable[str] | None = None, *, runs: Iterable[int] | None = None
    ) -> tuple[int, ...]:
        """Take the waiting and running runs of experiments, or some runs, out of the queue; their ids.

        Submitting an experiment again queues its cancelled runs again.
        """
        with self._writing() as connection:
            return managing.cancel(connection, _list(which), runs)

    def retry(
        self, which: Iterable[str] | None = None, *, runs: Iterable[int] | None = None
    ) -> tuple[int, ...]:
        """Queue failed runs again: of experiments, some, or all; their ids."""
        with self._writing() as connection:
            return managing.retry(connection, _list(which), runs)

    def removal(self, experiments: Iterable[str] = (), *, runs: removing.Pairs = ()) -> removing.Removal:
        """What `remove` would delete, to ask before doing it."""
        with self._reading() as connection:
            return removing.removal(connection, experiments, runs)

    def remove(self, experiments: Iterable[str] = (), *, runs: removing.Pairs = ()) -> removing.Removal:
        """Delete experiments, take `runs` ((experiment, run) each) away from others, and delete the runs that
        no experiment contains any more. `upkeep.compact` gives the space back.
        """
        with self._writing() as connection:
            return removing.remove(connection, experiments, runs)

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
        table: query.Table | None = None,
    ) -> query.Answer:
        """Answer one SELECT over the public tables and views, which have median(x) and quantile(x, q) too.

        `table` takes the place of the relation of its name.
        """
        self._check_identity()
        return query.query(self.path, sql, params, max_rows=max_rows, timeout_s=timeout_s, table=table)

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

    def parameters(self, experiment: Which = None, *, runs: Iterable[int] | None = None) -> "pd.DataFrame":
        """See `Snapshot.parameters`."""
        with self.snapshot() as now:
            return now.parameters(experiment, runs=runs)

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

    def holders(self) -> list[Holder]:
        """See `Snapshot.holders`."""
        with self.snapshot() as now:
            return now.holders()

    def status(self) -> "pd.DataFrame":
        """See `Snapshot.status`."""
        with self.snapshot() as now:
            return now.status()

    @property
    def leases(self) -> Leases:
        """What drivers do: claim runs, commit segments, give runs back."""
        return Leases(self._writing)

    @property
    def schedules(self) -> Schedules:
        """What is to be submitted again and again, and what was decided."""
        return Schedules(self._reading, self._writing)

    @property
    def upkeep(self) -> "Upkeep":
        """Check, verify, back up, merge, compact, and what the store is."""
        from bpsvc.store.upkeep import Upkeep

        return Upkeep(self.path, self._reading, self._writer, self._timeout_s)

    # Within

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._check_identity()
        with explained(self.path), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self, trusted: bool = False) -> Iterator[Connection]:
        if self._writer is None:
            raise StoreError(f"{self.path} was opened for reading", remedy='open it with mode="write"')
        self._check_identity()
        with engine.transaction(self._writer, self.path, self._timeout_s, trusted=trusted) as connection:
            yield connection

    def _check_identity(self) -> None:
        if identity(self.path) != self._identity:
            raise StoreError(
                f"{self.path} is no longer the file that was opened",
                remedy="put it back, or open the store again",
            )


def _list(which: Iterable[str] | None) -> list[str] | None:
    return None if which is None else list(which)
