"""Records: what is written down of runs at epochs, as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bpsvc.nn.arrays import Floats, Ints

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
# Of each parameter, on request.
PARAMETER_SERIES: Final = ("value", "gradient")


@dataclass(frozen=True)
class Records:
    """M recorded epochs, sorted by run, then epoch. What is not finite, or does not apply, is NaN.

    run (M,) is the index into the stack; `epochs` has series of shape (M,), `layers` of shape (M, L), and
    `parameters` of shape (M, P), or none.
    """

    run: Ints
    epoch: Ints
    epochs: Mapping[str, Floats]
    layers: Mapping[str, Floats]
    parameters: Mapping[str, Floats] = field(default_factory=dict)

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
            {name: values[index] for name, values in self.parameters.items()},
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
        {name: np.concatenate([part.parameters[name] for part in parts]) for name in parts[0].parameters},
    )
    by_run = np.diff(whole.run)
    if np.all((by_run > 0) | ((by_run == 0) & (np.diff(whole.epoch) > 0))):
        return whole
    return whole.take(np.lexsort((whole.epoch, whole.run)))
