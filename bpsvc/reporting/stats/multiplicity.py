"""Many comparisons at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjusted p values (Scand. J. Statistics 6, 1979): (m,) -> (m,); NaN are no tests and
    stay NaN.

    The i-th smallest of m is multiplied by m − i + 1, never below its predecessor, never above 1: rejecting
    where the adjusted value is at most α keeps the chance of any false rejection at α, whatever the
    dependence.
    """
    given = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(given.shape, np.nan)
    tests = np.flatnonzero(~np.isnan(given))
    order = tests[np.argsort(given[tests], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * factors))
    return adjusted
