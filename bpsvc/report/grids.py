"""Records of several runs on one grid of epochs, so that a median over runs is one over *all* of them."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpsvc.report.cases import DIVERGED, UNFINISHED

Floats = NDArray[np.float64]


class Grid(NamedTuple):
    """`values` (R, E) of R runs at the E epochs that all running ones recorded."""

    epochs: NDArray[np.int64]
    values: Floats


def grid(records: pd.DataFrame, cases: pd.DataFrame, column: str, worst: float = np.inf) -> Grid:
    """The `column` of `records` (one configuration; by case and epoch) for the runs of `cases` that have
    ended.

    A run that ended before the others (solved, stopped early) keeps its last value; a diverged run counts as
    `worst` from where it diverged. Were they left out instead, the later part of every median would be one of
    survivors. A run that has not ended is left out altogether, and so is one without records.
    """
    finished = cases.loc[cases["state"] != UNFINISHED]
    rows = records.loc[records["case"].isin(finished["case"])]
    epochs, column_of = np.unique(rows["epoch"].to_numpy(np.int64), return_inverse=True)
    present, row_of = np.unique(rows["case"].to_numpy(np.int64), return_inverse=True)
    values = np.full((present.size, epochs.size), np.nan)
    values[row_of, column_of] = rows[column].to_numpy(np.float64, na_value=np.nan)
    known = np.zeros(values.shape, dtype=bool)
    known[row_of, column_of] = True
    if not values.size:
        return Grid(epochs, values)
    last = np.zeros(present.size, dtype=np.intp)
    np.maximum.at(last, row_of, column_of)
    diverged = finished.set_index("case")["state"].reindex(present).eq(DIVERGED).to_numpy()
    end = values[np.arange(present.size), last]
    rest = np.where(diverged, worst, end)
    later = np.arange(epochs.size) > last[:, None]
    values = np.where(later, rest[:, None], values)
    values[diverged, last[diverged]] = worst
    # The epoch at which one run ended may be off the cadence: the others have no record there.
    common = (known | later).all(axis=0)
    return Grid(epochs[common], values[:, common])


def per_configuration(frame: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """configuration -> its rows, in order."""
    return {int(str(key)): rows for key, rows in frame.groupby("configuration", sort=True)}


def one(values: "pd.Series[Any]") -> Any:
    """The first value of a column that is constant."""
    return values.iloc[0]
