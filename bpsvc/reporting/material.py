"""What a report is made of: DataFrames of one read transaction, and the views of them that every figure and
table shares.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpsvc.reporting import cases as _cases
from bpsvc.reporting import encoding as _encoding
from bpsvc.reporting.grids import Mesh, mesh, per_configuration


class Stratum(NamedTuple):
    """The records of one layer of one configuration: their rows in `signals`, and their mesh."""

    rows: NDArray[np.intp]
    mesh: Mesh


@dataclass(frozen=True, eq=False)
class Material:
    """The experiments of a report with their runs and records.

    experiments: experiment, name, description, submitted_at, spec (JSON).
    runs: the columns of the public view `runs` as of the experiment's own last epoch, `experiment`,
        `target_epochs` (that epoch), and one column per factor; a run that is in two experiments has a row
        for each.
    factors: the names of those factor columns, in the order of the spec.
    epochs, layers: the records, columns of the public tables `epochs` and `layer_gradients`.
    surface: optional, the outputs on a grid of two inputs: run_id, x1, x2, output, and the examples with
    column `target`.
    confusion: optional, counts of classes: run_id, actual, predicted, examples.
    history: optional, for an occurrence of a schedule, how it and those before it came out: see `history`.
    """

    experiments: pd.DataFrame
    runs: pd.DataFrame
    factors: tuple[str, ...]
    epochs: pd.DataFrame
    layers: pd.DataFrame
    surface: pd.DataFrame | None = None
    confusion: pd.DataFrame | None = None
    history: pd.DataFrame | None = None

    def once(self, name: str, make: Callable[["Material"], pd.DataFrame]) -> pd.DataFrame:
        """`make(self)`, made once under this name."""
        if name not in self._made:
            self._made[name] = make(self)
        return self._made[name]

    @cached_property
    def _made(self) -> dict[str, pd.DataFrame]:
        return {}

    @property
    def names(self) -> tuple[str, ...]:
        """The experiments as users write them: `xor@2`."""
        return tuple(str(name) for name in self.experiments["experiment"])

    @cached_property
    def cases(self) -> pd.DataFrame:
        """One row per experiment and run, judged at that experiment's own horizon (see `cases.judged`)."""
        judged = _cases.judged(self.experiments, self.runs)
        return judged.assign(configuration=_encoding.numbering(judged, self.factors, self.names))

    @cached_property
    def configurations(self) -> pd.DataFrame:
        """One row per combination of factors: label, panel, series, colour (see `encoding.encoded`)."""
        return _encoding.encoded(self.cases, self.factors, self.names)

    @cached_property
    def telling(self) -> tuple[_encoding.Factor, ...]:
        """The factors that vary, without those that follow from the others."""
        return _encoding.telling(self.cases, self.factors, self.names)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """`epochs` with case and configuration, up to each experiment's horizon; by case and epoch."""
        return _cases.within_horizon(self.epochs, self.cases, ["case", "epoch"])

    @cached_property
    def signals(self) -> pd.DataFrame:
        """`layers` likewise; by case, epoch and layer."""
        return _cases.within_horizon(self.layers, self.cases, ["case", "epoch", "layer"])

    @cached_property
    def strata(self) -> dict[tuple[int, int], Stratum]:
        """(configuration, layer) -> where its records stand in `signals`, and their mesh of ended runs and
        epochs.
        """
        cases = per_configuration(self.cases)
        keys = self.signals[["configuration", "layer"]].to_numpy(np.int64)
        distinct, code = np.unique(keys, axis=0, return_inverse=True)
        # A stable sort keeps case and epoch in order within each stratum.
        order = np.argsort(code.reshape(-1), kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(code.reshape(-1)))[:-1]) if len(keys) else []
        strata = {}
        for (configuration, layer), rows in zip(distinct.tolist(), parts, strict=True):
            members = self.signals[["case", "epoch"]].iloc[rows]
            strata[configuration, layer] = Stratum(rows, mesh(members, cases[configuration]))
        return strata

    @property
    def is_judged(self) -> bool:
        """Whether any run has a success criterion."""
        return bool(self.cases["judged"].any())

    def has(self, column: str) -> bool:
        """Whether `runs` says anything in this column."""
        return column in self.runs and bool(self.runs[column].notna().any())
