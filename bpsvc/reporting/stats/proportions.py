"""Shares and their uncertainty."""

import math
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """A share k of n and its interval."""

    share: float
    low: float
    high: float


def wilson(successes: int, runs: int, level: float = 0.95) -> Interval:
    """Wilson's score interval for a share (JASA 22, 1927, 209–212): sensible at 0 of n and n of n too.

    The centre is (k + z²/2) / (n + z²) and the half width z √(k(n−k)/n + z²/4) / (n + z²). Without runs: NaN
    and [0, 1].
    """
    if not 0 <= successes <= runs:
        raise ValueError(f"{successes} successes of {runs} runs")
    if runs == 0:
        return Interval(math.nan, 0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    centre = (successes + z * z / 2) / (runs + z * z)
    half = z * math.sqrt(successes * (runs - successes) / runs + z * z / 4) / (runs + z * z)
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == runs else centre + half
    return Interval(successes / runs, low, high)
