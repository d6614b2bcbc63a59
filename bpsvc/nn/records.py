"""Records: what is written down at an epoch, as columns; and the recorder that collects them for a chunk of
runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bpsvc.nn.arrays import Bools, Floats, Ints

EPOCH_SERIES: Final = (
    "loss",
    "log_likelihood",
    "accuracy",
    "mean_abs_error",
    "max_error",
    "gradient_l2",
    "validation_loss",
    "validation_accuracy",
)
LAYER_SERIES: Final = (
    "delta_rms",
    "gradient_l2",
    "gradient_mean_abs",
    "gradient_max_abs",
    "weight_l2",
    "saturated",
    "dead",
)
# Measured on request. w_dot_g is <W, dW> and b_dot_g <b, db>: between layers of homogeneous units (identity,
# relu, leaky_relu, prelu) w_dot_g + b_dot_g of one layer is w_dot_g of the next (Euler): backpropagation,
# audited.
EXTRA_EPOCH_SERIES: Final = ("sharpness",)
EXTRA_LAYER_SERIES: Final = ("w_dot_g", "b_dot_g")


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
    parts = [part for part in parts if len(part)] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    whole = Records(
        np.concatenate([part.run for part in parts]),
        np.concatenate([part.epoch for part in parts]),
        {name: np.concatenate([part.epochs[name] for part in parts]) for name in parts[0].epochs},
        {name: np.concatenate([part.layers[name] for part in parts]) for name in parts[0].layers},
    )
    by_run = np.diff(whole.run)
    if np.all((by_run > 0) | ((by_run == 0) & (np.diff(whole.epoch) > 0))):
        return whole
    return whole.take(np.lexsort((whole.epoch, whole.run)))


def none(layers: int, epoch_series: Sequence[str], layer_series: Sequence[str]) -> Records:
    """No records of these series, of a network with so many layers."""
    return Records(
        np.empty(0, np.int64),
        np.empty(0, np.int64),
        {name: np.empty(0) for name in epoch_series},
        {name: np.empty((0, layers)) for name in layer_series},
    )


class Recorder:
    """Collects the records of R runs (numbers in the stack) at planned epochs, and of runs that end between
    them.
    """

    def __init__(self, runs: Ints, planned: Ints, empty: Records) -> None:
        self.runs, self.planned, self.row = runs, planned, 0
        shape = (len(planned), len(runs))
        self.written = np.zeros(shape, dtype=bool)
        self.epochs = {name: np.full(shape, np.nan) for name in empty.epochs}
        self.layers = {
            name: np.full((len(planned), values.shape[1], len(runs)), np.nan)
            for name, values in empty.layers.items()
        }
        self.between: list[Records] = []

    def write(
        self,
        epoch: int,
        where: Ints,
        lanes: Bools,
        epochs: Mapping[str, Floats],
        layers: Mapping[str, Floats],
    ) -> None:
        """The records of `lanes`, which are the runs `where` (positions in `runs`): series (R,), (L, R)."""
        from_, to = _chosen(lanes), where[lanes]
        if self.row < len(self.planned) and epoch == self.planned[self.row]:
            at = slice(None) if len(to) == len(self.runs) else to  # all of them stand in order
            for name, table in self.epochs.items():
                table[self.row, at] = epochs[name][from_]
            for name, rows in self.layers.items():
                rows[self.row][:, at] = layers[name][:, from_]
            self.written[self.row, at] = True
            self.row += 1
        elif len(to):
            self.between.append(
                Records(
                    self.runs[to],
                    np.full(len(to), epoch),
                    {name: _finite(epochs[name][from_]) for name in self.epochs},
                    {name: _finite(layers[name][:, from_].T) for name in self.layers},
                )
            )

    def records(self) -> Records:
        kept = self.written.T  # (R, E): sorted by run, then epoch
        every = bool(kept.all())
        run, epoch = (
            np.broadcast_to(self.runs[:, None], kept.shape),
            np.broadcast_to(self.planned, kept.shape),
        )

        def rows(table: NDArray[Any]) -> NDArray[Any]:
            """(R, E, …) -> (M, …): those that were written."""
            return table.reshape(-1, *table.shape[2:]) if every else table[kept]

        planned = Records(
            rows(run),
            rows(epoch),
            {name: _finite(rows(values.T)) for name, values in self.epochs.items()},
            {name: _finite(rows(values.transpose(2, 0, 1))) for name, values in self.layers.items()},
        )
        return join([planned, *self.between])


def _chosen(lanes: Bools) -> Ints | slice:
    """An index of these lanes; a slice, which copies faster, where they are all of them."""
    return slice(0, len(lanes)) if lanes.all() else np.flatnonzero(lanes)


def _finite(values: Floats) -> Floats:
    """The values, NaN where they are infinite. (These arrays are fresh: nobody else sees them.)"""
    if not np.isfinite(np.add.reduce(values, axis=None)):
        values[np.isinf(values)] = np.nan
    return values
