"""Points that would lie on each other, piled up instead: nothing is drawn at random."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def stacked(values: Floats, step: float, most: float, bins: int = 60) -> Floats:
    """Heights from 0 for `values` (n,): those that fall into one of `bins` places stand `step` above each
    other.

    Where the tallest pile would pass `most`, all steps shrink.
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return np.zeros(values.shape)
    low, high = float(finite.min()), float(finite.max())
    place = np.rint((values - low) / ((high - low) or 1.0) * bins)
    level = np.zeros(values.shape)
    for spot in np.unique(place):
        members = np.flatnonzero(place == spot)
        level[members] = np.arange(members.size)
    return level * min(step, most / max(float(level.max()), 1.0))
