"""Records of several runs on one grid of epochs, so that a median over runs is one over *all* of them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpsvc.reporting.cases import DIVERGED, UNFINISHED

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


class Grid(NamedTuple):
    """`values` (R, E) of R runs at the E epochs that all running ones recorded."""

    epochs: NDArray[np.int64]
    values: Floats


@dataclass(frozen=True)
class Mesh:
    """Where each of M records stands on the grid of R runs and E epochs; the same for every column.

    keep (K,): the records of runs that have ended. row, place (K,): their run and epoch. later (R, E): after
    a run's last record. last (R,): the place of that one. common (E,): the epochs that every running run
    recorded.
    """

    epochs: NDArray[np.int64]
    keep: Integers
    row: Integers
    place: Integers
    last: Integers
    later: NDArray[np.bool_]
    diverged: NDArray[np.bool_]
    common: NDArray[np.bool_]

    def fill(self, column: "pd.Series[Any]", worst: float = np.inf) -> Grid:
        """A column (M,) of the records on the grid.

        A run that ended before the others (solved, stopped early) keeps its last value; a diverged run counts
        as `worst` from where it diverged. Were they left out instead, the later part of every median would be
        one of survivors.
        """
        values = column.to_numpy(np.float64, na_value=np.nan)
        table = np.full(self.later.shape, np.nan)
        table[self.row, self.place] = values[self.keep]
        if not table.size:
            return Grid(self.epochs, table)
        end = table[np.arange(len(table)), self.last]
        table = np.where(self.later, np.where(self.diverged, worst, end)[:, None], table)
        table[self.diverged, self.last[self.diverged]] = worst
        return Grid(self.epochs[self.common], table[:, self.common])


def mesh(records: pd.DataFrame, cases: pd.DataFrame) -> Mesh:
    """The mesh of `records` (one configuration and layer) for the runs of `cases` that have ended and have
    records.
    """
    finished = cases.loc[cases["state"] != UNFINISHED].set_index("case")["state"]
    case = records["case"].to_numpy(np.int64)
    keep = np.flatnonzero(np.isin(case, finished.index.to_numpy(np.int64)))
    case, epoch = case[keep], records["epoch"].to_numpy(np.int64)[keep]
    present, epochs = np.unique(case), np.unique(epoch)
    row, place = np.searchsorted(present, case), np.searchsorted(epochs, epoch)
    known = np.zeros((present.size, epochs.size), dtype=bool)
    known[row, place] = True
    last = np.zeros(present.size, dtype=np.intp)
    np.maximum.at(last, row, place)
    later = np.arange(epochs.size) > last[:, None]
    diverged = finished.reindex(present).eq(DIVERGED).to_numpy(bool)
    # The epoch at which one run ended may be off the cadence: the others have no record there.
    common: NDArray[np.bool_] = np.all(known | later, axis=0)
    return Mesh(epochs, keep, row, place, last, later, diverged, common)


def grid(records: pd.DataFrame, cases: pd.DataFrame, column: str, worst: float = np.inf) -> Grid:
    """One column of `records` on the grid of its ended runs: see `Mesh.fill`."""
    return mesh(records, cases).fill(records[column], worst)


def per_configuration(frame: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """configuration -> its rows, in order."""
    return {int(str(key)): rows for key, rows in frame.groupby("configuration", sort=True)}
