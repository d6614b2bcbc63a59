"""When to record, what counts as solved, when to stop."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bpsvc.nn.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class Cadence:
    """Every k epochs; or by decades: every epoch to 100, every 10th to 1,000, every 100th to 10,000 … Epoch 0
    always.
    """

    every: int | Literal["decades"] = 1

    def step(self, epoch: int) -> int:
        """The distance of recorded epochs at `epoch` (in the decade that ends there)."""
        if isinstance(self.every, int):
            return self.every
        step = 1
        while epoch > 100 * step:
            step *= 10
        return step

    def records(self, epoch: int) -> bool:
        return epoch % self.step(epoch) == 0

    def neighbours(self, epoch: int) -> tuple[int, int]:
        """The nearest recorded epochs at or below and at or above."""
        step = self.step(epoch)
        below = epoch // step * step
        return (below, below) if below == epoch else (below, below + step)

    def count(self, a: int, b: int) -> int:
        """How many epochs of (a, b] are recorded, without listing them."""
        return self._until(b) - self._until(a)

    def _until(self, epoch: int) -> int:
        """How many epochs of (0, epoch] are recorded."""
        if isinstance(self.every, int):
            return epoch // self.every
        step = self.step(epoch)
        if step == 1:
            return epoch
        before = 100 + 90 * (len(str(step)) - 2)  # up to 10 step, where this decade begins
        return before + epoch // step - 10

    def epochs(self, a: int, b: int) -> Ints:
        """The recorded epochs of (a, b]."""
        found, epoch = [], self.neighbours(a)[0]
        while (epoch := epoch + self.step(epoch + 1)) <= b:
            found.append(epoch)
        return np.array(found, dtype=np.int64)


@dataclass(frozen=True)
class Criterion:
    """Success: a metric at least so much, or below so much."""

    metric: str
    at_least: float | None = None
    below: float | None = None

    @property
    def of_validation(self) -> bool:
        return self.metric.startswith("validation_")

    @property
    def measure(self) -> str:
        return self.metric.removeprefix("validation_")

    def met(self, values: Floats) -> Bools:
        """Which runs have succeeded; NaN has not."""
        good = np.isfinite(values)
        if self.at_least is not None:
            good &= values >= self.at_least
        if self.below is not None:
            good &= values < self.below
        return good


@dataclass(frozen=True)
class Stop:
    """When a run ends before its last epoch: once solved, or at the first recorded epoch that lies `patience`
    or more epochs (at least one record) after the one with the best validation loss so far.
    """

    when: Literal["solved", "validation_loss"]
    patience: int = 0
