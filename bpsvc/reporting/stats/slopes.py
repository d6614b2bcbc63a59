"""Straight lines through logarithms."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Decades(NamedTuple):
    """log10(y) ≈ intercept + slope · x. `slope` is in decades per unit of x."""

    slope: float
    intercept: float


def decades_per_step(x: ArrayLike, y: ArrayLike) -> Decades:
    """Least squares of log10(y) on x over the finite, positive y: (n,), (n,); NaN below two different x."""
    at, value = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    usable = np.isfinite(value) & (value > 0)
    at, level = at[usable], np.log10(value[usable])
    if np.unique(at).size < 2:
        return Decades(math.nan, math.nan)
    centred = at - at.mean()
    slope = float(centred @ level / (centred @ centred))
    return Decades(slope, float(level.mean() - slope * at.mean()))
