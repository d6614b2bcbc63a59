"""What goes into the store and comes out of it: plain frozen values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bpsvc.data import Dataset
from bpsvc.errors import DamagedError
from bpsvc.store import sound


class PlannedRun(Protocol):
    """What the store needs to know of a run that is planned: `spec.PlannedRun` has it."""

    @property
    def canonical(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def epochs(self) -> int: ...
    @property
    def dataset(self) -> Dataset: ...
    @property
    def factors(self) -> Mapping[str, float | int | str | None]: ...


class Experiment(Protocol):
    """What the store needs to know of a resolved spec: `spec.Experiment` has it.

    Said in this way, asking a store does not load the whole of `spec`.
    """

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def spec(self) -> Mapping[str, Any]: ...
    @property
    def digest(self) -> str: ...
    @property
    def runs(self) -> Sequence[PlannedRun]: ...
    @property
    def epochs(self) -> int: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def data_labels(self) -> Mapping[str, str]: ...


class Records(Protocol):
    """M records of a stack, sorted by (run, epoch): the form in which `nn` hands them out.

    `run` (M,) is the index into the segment's runs, `epoch` (M,); `epochs` has one (M,) array for each
    measured series of `series.EPOCH_SERIES`, `layers` one (M, L) for each of `series.LAYER_SERIES`. A series
    may be left out; what is not finite becomes null.
    """

    @property
    def run(self) -> NDArray[Any]: ...
    @property
    def epoch(self) -> NDArray[Any]: ...
    @property
    def epochs(self) -> Mapping[str, NDArray[np.float64]]: ...
    @property
    def layers(self) -> Mapping[str, NDArray[np.float64]]: ...
    @property
    def parameters(self) -> Mapping[str, NDArray[np.float64]]: ...


class Parameter(Protocol):
    """What the table `parameters` says of one parameter: `nn.Parameter` has it."""

    @property
    def layer(self) -> int: ...
    @property
    def source(self) -> int | None: ...
    @property
    def unit(self) -> int | None: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Receipt:
    """What a submit came to.

    `experiment` is the full name (`xor@2`), `id` its number for `claim` and `progress`. The runs fall into
    those that are `new`, those already there (`existing`), those that go on to more epochs (`extended`),
    cancelled ones that are `requeued`, and those that `failed` (their ids; `retry` queues them again).
    `unchanged`: this very content had been submitted before; `current`: the experiment that the bare name
    means, which is a newer one when older content is submitted again.
    """

    experiment: str
    id: int
    new: int
    existing: int
    extended: int
    requeued: int
    failed: tuple[int, ...]
    unchanged: bool
    current: str

    @property
    def newest(self) -> bool:
        """Whether the bare name means this very revision."""
        return self.current == self.experiment

    @property
    def runs(self) -> int:
        return self.new + self.existing + self.extended + self.requeued + len(self.failed)


@dataclass(frozen=True)
class Claim:
    """One run as it was claimed: where it stands, where it is to go, and the fence that proves the claim.

    `checkpoint` is the state there, with the epoch and the sha256 that were stored beside it.
    """

    run_id: int
    fence: int
    key: str
    seed: int
    spec: str
    data: str
    stack_key: str
    epochs_done: int
    epochs: int
    checkpoint: bytes | None
    environment: str | None = None
    attempts: int = 0
    checkpoint_epoch: int | None = None
    digest: str | None = None

    @property
    def damage(self) -> str:
        """What is wrong with the state to go on from, and what helps; empty when nothing is."""
        try:
            sound.state(self.run_id, self.epochs_done, self.checkpoint_epoch, self.digest, self.checkpoint)
        except DamagedError as error:
            return str(error)
        return ""


@dataclass(frozen=True)
class RunCommit:
    """One run's part of a segment: progress from `from_epoch` to `to_epoch`, and the state there.

    `status` is `running`, `done` or `diverged`, with an `outcome` for the latter two; `columns` are new
    values of some of `series.SUMMARY` (null for what is not finite); `seconds` is this run's share of the
    time.
    """

    run_id: int
    fence: int
    from_epoch: int
    to_epoch: int
    checkpoint: bytes
    digest: str
    status: str
    outcome: str | None
    columns: Mapping[str, float | int | None]
    seconds: float


@dataclass(frozen=True)
class Segment:
    """What becomes visible in one transaction: the progress of the runs of a stack, and their records."""

    owner: str
    lease_s: float
    runs: Sequence[RunCommit]
    records: Records | None
    environment: str | None = None
    parameters: Sequence[Parameter] = ()


@dataclass(frozen=True)
class Progress:
    """How many runs there are in each status, and how many epochs are done of those to do."""

    queued: int
    running: int
    done: int
    diverged: int
    failed: int
    cancelled: int
    epochs_done: int
    epochs_to_do: int

    @property
    def runs(self) -> int:
        return self.queued + self.running + self.done + self.diverged + self.failed + self.cancelled

    @property
    def outstanding(self) -> int:
        """Runs that are still to end: queued, or running here or elsewhere."""
        return self.queued + self.running
