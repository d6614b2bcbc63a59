"""Where a stack of runs stands: what a checkpoint keeps, and nothing else is needed to go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bpsvc.errors import UsageError
from bpsvc.nn.arrays import Floats, Ints

Arrays = Mapping[str, NDArray[Any]]


class Outcome(IntEnum):
    """How a run ended, or that it has not. Numbers are stored: they keep their meaning."""

    RUNNING = 0
    SOLVED = 1
    EARLY_STOP = 2
    DIVERGED = 3


NEVER: Final = -1

# The ledger: what has been found out about each run so far, with its value before anything was.
LEDGER: Final[Mapping[str, float | int]] = {
    "initial_loss": np.nan,
    "best_loss": np.inf,
    "best_epoch": NEVER,
    "best_validation_loss": np.inf,
    "best_validation_epoch": NEVER,
    "solved_epoch": NEVER,
    "outcome": int(Outcome.RUNNING),
    "ended_epoch": NEVER,
    "diverged_epoch": NEVER,
    "diverged_layer": NEVER,
}
_SLOT: Final = "slot."


@dataclass(frozen=True)
class State:
    """R runs after `epoch` epochs: theta (R, P), slots (R, P) each, and the ledger's arrays (R,).

    Runs that have ended keep the theta and slots they ended with, at `ended_epoch`. `best_theta` (R, P) is
    kept under validation stopping. Epochs and layers that do not exist are -1; losses that were never seen
    are NaN or infinite.
    """

    epoch: int
    theta: Floats
    slots: Mapping[str, Floats]
    ledger: Arrays
    best_theta: Floats | None = None

    @property
    def runs(self) -> int:
        return len(self.theta)

    @property
    def initial_loss(self) -> Floats:
        return self.ledger["initial_loss"]

    @property
    def best_loss(self) -> Floats:
        return self.ledger["best_loss"]

    @property
    def best_epoch(self) -> Ints:
        return self.ledger["best_epoch"]

    @property
    def best_validation_loss(self) -> Floats:
        return self.ledger["best_validation_loss"]

    @property
    def best_validation_epoch(self) -> Ints:
        return self.ledger["best_validation_epoch"]

    @property
    def solved_epoch(self) -> Ints:
        return self.ledger["solved_epoch"]

    @property
    def outcome(self) -> Ints:
        return self.ledger["outcome"]

    @property
    def ended_epoch(self) -> Ints:
        return self.ledger["ended_epoch"]

    @property
    def diverged_epoch(self) -> Ints:
        return self.ledger["diverged_epoch"]

    @property
    def diverged_layer(self) -> Ints:
        return self.ledger["diverged_layer"]

    def arrays(self) -> Arrays:
        """Every field but the epoch as an array with leading axis R: what a checkpoint writes, run by run."""
        best = {} if self.best_theta is None else {"best_theta": self.best_theta}
        slots = {_SLOT + name: values for name, values in self.slots.items()}
        return {"theta": self.theta, **best, **slots, **self.ledger}

    @classmethod
    def of(cls, epoch: int, arrays: Arrays) -> "State":
        """The state with these arrays: the inverse of `arrays`."""
        slots = {
            name.removeprefix(_SLOT): values for name, values in arrays.items() if name.startswith(_SLOT)
        }
        ledger = {name: arrays[name] for name in LEDGER}
        return cls(epoch, arrays["theta"], slots, ledger, arrays.get("best_theta"))

    def take(self, index: Any) -> "State":
        return State.of(self.epoch, {name: values[index] for name, values in self.arrays().items()})

    def copy(self) -> "State":
        return State.of(self.epoch, {name: values.copy() for name, values in self.arrays().items()})


def concatenate(states: Sequence[State]) -> State:
    """One stack of all these runs, which must be at one epoch."""
    first = states[0]
    if any(state.epoch != first.epoch for state in states):
        raise UsageError(f"states at different epochs: {sorted({state.epoch for state in states})}")
    parts = [state.arrays() for state in states]
    return State.of(first.epoch, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def new_ledger(runs: int) -> dict[str, NDArray[Any]]:
    return {
        name: np.full(runs, value, dtype=np.float64 if isinstance(value, float) else np.int64)
        for name, value in LEDGER.items()
    }
