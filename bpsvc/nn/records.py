"""Records: what is written down at an epoch, as columns; and the recorder that collects them for a chunk of
runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bpsvc.nn.arrays import Bools, Floats, Ints
from bpsvc.nn.series import EPOCH_SERIES, LAYER_SERIES


@dataclass(frozen=True)
class Records:
    """M recorded epochs, sorted by run, then epoch. What is not finite, or does not apply, is NaN.

    run (M,) is the index into the stack; `epochs` has series of shape (M,), `layers` of shape (M, L).
    """

    run: Ints
    epoch: Ints
    epochs: Mapping[str, Floats]
    layers: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.run)

    def of(self, run: int) -> "Records":
        """One run's records."""
        return self.take(np.flatnonzero(self.run == run))

    def take(self, index: Ints) -> "Records":
        return Records(
            self.run[index],
            self.epoch[index],
            {name: values[index] for name, values in self.epochs.items()},
            {name: values[index] for name, values in self.layers.items()},
        )


def join(parts: Sequence[Records]) -> Records:
    """All these records, sorted by run and epoch."""
    whole = Records(
        np.concatenate([part.run for part in parts]),
        np.concatenate([part.epoch for part in parts]),
        {name: np.concatenate([part.epochs[name] for part in parts]) for name in parts[0].epochs},
        {name: np.concatenate([part.layers[name] for part in parts]) for name in parts[0].layers},
    )
    order = np.lexsort((whole.epoch, whole.run))
    return whole if np.array_equal(order, np.arange(len(order))) else whole.take(order)


def none(layers: int) -> Records:
    """No records, of a network with so many layers."""
    return Records(
        np.empty(0, np.int64),
        np.empty(0, np.int64),
        {name: np.empty(0) for name in EPOCH_SERIES},
        {name: np.empty((0, layers)) for name in LAYER_SERIES},
    )


class Recorder:
    """Collects the records of `runs` (numbers in the stack) at the epochs of a cadence, and those of runs
    that end between.
    """

    def __init__(self, runs: Ints, epochs: Ints, layers: int) -> None:
        self.runs, self.planned, self.row = runs, epochs, 0
        shape = (len(epochs), len(runs))
        self.written = np.zeros(shape, dtype=bool)
        self.epochs = {name: np.full(shape, np.nan) for name in EPOCH_SERIES}
        self.layers = {name: np.full((len(epochs), layers, len(runs)), np.nan) for name in LAYER_SERIES}
        self.between: list[Records] = []

    def write(
        self,
        epoch: int,
        where: Ints,
        lanes: Bools,
        epochs: Mapping[str, Floats],
        layers: Mapping[str, Floats],
    ) -> None:
        """The records of lanes `lanes`, which are the runs `where` (positions in `runs`): series (R,) and (L,
        R).
        """
        at = where[lanes]
        if self.row < len(self.planned) and epoch == self.planned[self.row]:
            for name, values in epochs.items():
                self.epochs[name][self.row, at] = values[lanes]
            for name, values in layers.items():
                self.layers[name][self.row][:, at] = values[:, lanes]
            self.written[self.row, at] = True
            self.row += 1
        else:
            self.between.append(
                Records(
                    self.runs[at],
                    np.full(len(at), epoch),
                    {name: _finite(values[lanes]) for name, values in epochs.items()},
                    {name: _finite(values[:, lanes].T) for name, values in layers.items()},
                )
            )

    def records(self) -> Records:
        kept = self.written.T  # (R, E): sorted by run, then epoch
        run, epoch = (
            np.broadcast_to(self.runs[:, None], kept.shape),
            np.broadcast_to(self.planned, kept.shape),
        )
        planned = Records(
            run[kept],
            epoch[kept],
            {name: _finite(values.T[kept]) for name, values in self.epochs.items()},
            {name: _finite(values.transpose(2, 0, 1)[kept]) for name, values in self.layers.items()},
        )
        return join([planned, *self.between])


def _finite(values: Floats) -> Floats:
    """The values, NaN where they are infinite."""
    values = np.array(values)
    values[np.isinf(values)] = np.nan
    return values
