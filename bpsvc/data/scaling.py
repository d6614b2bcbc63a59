"""Standard scaling: fitted on the training examples, kept with the run, applied to every later row."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bpsvc.draws import Floats
from bpsvc.errors import DataError

_SPREAD: Final = 1e150
"""Beyond it, or below its inverse, the squares that a standard deviation sums leave float64's range."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """x → (x − mean) / std for each of I features; `mean` and `std` have shape (I,), std > 0."""

    mean: Floats
    std: Floats

    def apply(self, x: Floats) -> Floats:
        """Raw to scaled, shape (…, I)."""
        return (x - self.mean) / self.std

    def to_json(self) -> str:
        """`{"mean": […], "std": […]}`, exact."""
        return json.dumps({"mean": self.mean.tolist(), "std": self.std.tolist()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scaling) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())


def fit(x: Floats, features: Sequence[str]) -> Scaling:
    """Mean and population standard deviation of each column of x (N, I). A constant column has std 1, so it
    becomes 0.

    Raises DataError for a column whose spread is too large or too small for float64.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        mean, std = x.mean(axis=0), x.std(axis=0)
    constant = x.min(axis=0) == x.max(axis=0)
    # Rounding gives a constant column a mean beside its value and a std of 1e-17: both are set, not computed.
    mean, std = np.where(constant, x[0], mean), np.where(constant, 1.0, std)
    fits = (std > 1 / _SPREAD) & (std < _SPREAD)
    if not fits.all():
        name = features[int(np.argmin(fits))]
        raise DataError(
            f"the feature {name!r} spreads too far or too little to be standardised", remedy="rescale it"
        )
    return Scaling(mean, std)
