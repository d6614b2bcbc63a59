"""Comparing two configurations over the seeds that they share."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bpsvc.reporting.stats.quantiles import median_band


class Paired(NamedTuple):
    """What pairs say. `correlation` is the achieved one (of ranks): what common seeds have gained."""

    pairs: int
    undecided: int
    median: float
    low: float
    high: float
    higher: int
    lower: int
    correlation: float
    p_value: float


def paired_difference(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Paired:
    """Second minus first, in pairs (n,), (n,): median difference with its bootstrap interval, and the exact
    sign test.

    Values may be +inf ("later", "diverged"). A pair that is +inf twice has no known difference: it is counted
    as `undecided` and left out. Equal values count half to either side in the median and not at all in the
    sign test (Dixon and Mood, JASA 41, 1946). The correlation is Spearman's over the decided pairs, NaN below
    three pairs.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    decided = ~(np.isinf(a) & np.isinf(b)) & ~np.isnan(a) & ~np.isnan(b)
    a, b = a[decided], b[decided]
    difference = b - a
    band = median_band(difference, level)
    higher, lower = int((difference > 0).sum()), int((difference < 0).sum())
    return Paired(
        pairs=int(decided.sum()),
        undecided=int((~decided).sum()),
        median=float(band.median),
        low=float(band.low),
        high=float(band.high),
        higher=higher,
        lower=lower,
        correlation=spearman(a, b),
        p_value=sign_test(higher, lower),
    )


def sign_test(higher: int, lower: int) -> float:
    """The two-sided exact probability of so uneven a split if both signs were equally likely (none: 1)."""
    trials = higher + lower
    tail = ways = 1
    for k in range(min(higher, lower)):
        ways = ways * (trials - k) // (k + 1)
        tail += ways
    # Python's integers divide correctly rounded even where 2**trials exceeds every float.
    return min(1.0, 2 * tail / (1 << trials))


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's rank correlation of (n,) and (n,), ties at their mean rank; NaN if constant or n < 3."""
    a, b = ranks(first), ranks(second)
    if a.size < 3:
        return math.nan
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    product = float(a @ b)
    return product / scale if scale > 0 else math.nan


def ranks(values: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Ranks from 1, ties at their mean: (n,) -> (n,)."""
    _, index, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: np.ndarray[tuple[int], np.dtype[np.float64]] = (last - (counts - 1) / 2)[index]
    return mean
