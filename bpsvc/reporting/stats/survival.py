"""Epochs to solve as survival data: a run that was not solved when its training ended is censored there."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Survival(NamedTuple):
    """The share not yet solved after each time at which something happened, with a pointwise interval: each
    (T,).
    """

    time: Floats
    share: Floats
    low: Floats
    high: Floats
    at_risk: Floats


def kaplan_meier(times: ArrayLike, solved: ArrayLike, level: float = 0.95) -> Survival:
    """The product-limit estimate (Kaplan and Meier, JASA 53, 1958) of the share of runs not yet solved.

    `times` (n,) is the epoch of solving, or the last epoch looked at where `solved` (n,) is false. The
    interval is Greenwood's variance on the log(−log) scale, which stays within [0, 1]; where the estimate is
    0 or 1 it is undefined (NaN).
    """
    when = np.asarray(times, dtype=np.float64)
    event = np.asarray(solved, dtype=bool)
    time, index = np.unique(when, return_inverse=True)
    deaths = np.bincount(index, weights=event, minlength=time.size)
    leaving = np.bincount(index, minlength=time.size)
    at_risk = when.size - np.concatenate([[0.0], np.cumsum(leaving)[:-1]]) if time.size else np.zeros(0)
    share = np.cumprod(1 - deaths / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(deaths / (at_risk * (at_risk - deaths)))
        z = NormalDist().inv_cdf(0.5 + level / 2)
        spread = np.exp(z * np.sqrt(greenwood) / np.log(share))
        # log(share) < 0, so spread < 1 and its inverse power is the lower end.
        low, high = share ** (1 / spread), share**spread
    open_ended = (share <= 0) | (share >= 1)
    return Survival(
        time, share, np.where(open_ended, np.nan, low), np.where(open_ended, np.nan, high), at_risk
    )
