"""Medians, quantiles in the presence of "later", and the bootstrap interval of a median.

An unsolved run's epoch is +inf ("later than we looked") and a diverged run's loss is +inf ("worse than any"):
both keep their place in the order, so no statistic here is a statistic of the survivors.
"""

import bisect
import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def quantiles(values: ArrayLike, shares: ArrayLike) -> Floats:
    """Quantiles by linear interpolation between order statistics, where values may be +inf.

    `values` (n,), `shares` (k,) -> (k,). Between a finite and an infinite neighbour the answer is +inf,
    unless the finite one is hit exactly. NaN are refused: say first what a missing value means.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    wanted = np.asarray(shares, dtype=np.float64)
    if ordered.size == 0:
        return np.full(wanted.shape, np.nan)
    if np.isnan(ordered).any():
        raise ValueError("quantiles of values that are not numbers")
    place = wanted * (ordered.size - 1)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, ordered.size - 1)
    part = place - below
    low, high = ordered[below], ordered[above]
    with np.errstate(invalid="ignore"):
        between = low + part * (high - low)
    return np.where((part == 0) | (low == high), low, between)


class Band(NamedTuple):
    """A median over runs with its interval: each (E,), or scalars in arrays of shape ()."""

    median: Floats
    low: Floats
    high: Floats


def median_band(values: ArrayLike, level: float = 0.95) -> Band:
    """Median over runs and its percentile bootstrap interval: `values` (R, …) -> three arrays (…).

    The bootstrap distribution of a median needs no resampling: the m-th smallest of n draws from n values is
    at most the k-th value exactly when at least m draws fall among the first k, a binomial probability
    (Efron, Annals of Statistics 7, 1979, §3). So this is the limit of infinitely many resamples, and the same
    bits every time. For even n the lower end is taken from the lower of the two middle draws and the upper
    end from the upper one, which can only widen the interval. Columns with a NaN answer NaN.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=0)
    runs = ordered.shape[0]
    if runs == 0:
        empty = np.full(ordered.shape[1:], np.nan)
        return Band(empty, empty, empty)
    low, high = _median_ranks(runs, level)
    first, second = ordered[(runs - 1) // 2], ordered[runs // 2]
    with np.errstate(invalid="ignore"):
        median = np.where(first == second, first, 0.5 * first + 0.5 * second)
    missing = np.isnan(ordered[-1])
    return Band(*(np.where(missing, np.nan, part) for part in (median, ordered[low], ordered[high])))


@functools.lru_cache(maxsize=256)
def _median_ranks(runs: int, level: float) -> tuple[int, int]:
    """The ranks (from 0) of the ends of the bootstrap interval of a median of `runs` values."""
    tail = (1 - level) / 2
    lower = (runs - 1) // 2 + 1
    upper = runs // 2 + 1
    shares = range(1, runs + 1)
    low = bisect.bisect_right(shares, tail, key=lambda k: _at_least(lower, runs, k / runs))
    high = bisect.bisect_left(shares, 1 - tail, key=lambda k: _at_least(upper, runs, k / runs))
    return low, high


def _at_least(wanted: int, trials: int, chance: float) -> float:
    """P(Binomial(trials, chance) >= wanted)."""
    if chance >= 1.0:
        return 1.0
    logs = math.log(chance), math.log1p(-chance)
    terms = (
        math.exp(
            math.lgamma(trials + 1)
            - math.lgamma(k + 1)
            - math.lgamma(trials - k + 1)
            + k * logs[0]
            + (trials - k) * logs[1]
        )
        for k in range(wanted, trials + 1)
    )
    return min(1.0, math.fsum(terms))
