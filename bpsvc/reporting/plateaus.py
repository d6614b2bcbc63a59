"""The levels at which training on XOR gets stuck (NUMERICS R2): each is a network that treats some patterns
alike.

With h = ½ for all four patterns −log L = 4 ln 2; when one pattern is told apart and three share h = ⅔, 3 ln 3
− 2 ln 2; when two are right and two share ½, 2 ln 2. The same outputs give ½ Σ (y − h)² = ½, ⅓ and ¼.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpsvc.reporting.cases import DIVERGED, UNFINISHED


class Level(NamedTuple):
    """What the outputs do, and the loss summed over the four patterns."""

    outputs: str
    log_likelihood: float
    squared: float


LEVELS: Final = (
    Level("all four at ½", 4 * math.log(2), 0.5),
    Level("one right, three at ⅔ or ⅓", 3 * math.log(3) - 2 * math.log(2), 1 / 3),
    Level("two right, two at ½", 2 * math.log(2), 0.25),
)
PATTERNS: Final = 4
TOLERANCE: Final = 0.03
SOLVED, OTHER, NOT_ENDED, BLOWN_UP = "solved at the end", "elsewhere", "unfinished", "diverged"


def has_levels(cases: pd.DataFrame) -> "pd.Series[bool]":
    """Which cases are of XOR with a loss whose levels are known."""
    return cases["data"].eq("xor") & cases["loss"].isin(["log_likelihood", "squared"]) & cases["judged"]


def stuck(cases: pd.DataFrame) -> "pd.Series[str]":
    """How each XOR case ended: solved at the end, at one of the levels, elsewhere (on its way, or leaving
    one), diverged, unfinished. One that was solved earlier and lost it again stands where it ended.

    A level is the nearest one within 3 % of the final loss summed over the four patterns.
    """
    label = _level(cases, "final_loss")
    label[cases["held"].eq(1).to_numpy()] = SOLVED
    label[cases["state"].eq(DIVERGED).to_numpy()] = BLOWN_UP
    label[cases["state"].eq(UNFINISHED).to_numpy()] = NOT_ENDED
    return pd.Series(label, index=cases.index, dtype=str)


def started(cases: pd.DataFrame) -> "pd.Series[str]":
    """The level at which each XOR case stood before any training, or elsewhere."""
    return pd.Series(_level(cases, "initial_loss"), index=cases.index, dtype=str)


def _level(cases: pd.DataFrame, column: str) -> NDArray[np.object_]:
    scale = np.where(cases["reduction"].eq("sum"), 1, PATTERNS)
    total = cases[column].to_numpy(np.float64, na_value=np.nan) * scale
    squared = cases["loss"].eq("squared").to_numpy()
    label = np.full(len(cases), OTHER, dtype=object)
    for level in LEVELS:
        value = np.where(squared, level.squared, level.log_likelihood)
        with np.errstate(invalid="ignore"):
            label[np.abs(total / value - 1) <= TOLERANCE] = level.outputs
    return label


class Met(NamedTuple):
    """A level at which runs of a panel of the loss figure ended."""

    height: float
    letter: str
    outputs: str


def levels_met(frame: pd.DataFrame) -> list[Met]:
    """Which levels the runs of one panel of the loss figure (its rows) ended at, from above."""
    if frame.empty or not frame["data"].eq("xor").all() or frame["unit"].nunique() != 1:
        return []
    unit = str(frame["unit"].iloc[0])
    scale = 1 if unit.endswith("sum") else PATTERNS
    runs = frame[frame["row"].eq("run")].sort_values(["run_id", "epoch"], kind="stable")
    last = runs.groupby("run_id")["loss"].last().to_numpy(np.float64) * scale
    met = []
    for letter, level in zip("abc", LEVELS, strict=True):
        height = level.log_likelihood if "log L" in unit else level.squared
        if (np.abs(last / height - 1) <= TOLERANCE).any():
            met.append(Met(height / scale, letter, level.outputs))
    return met
