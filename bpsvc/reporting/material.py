"""What a report is made of: DataFrames of one read transaction, and the views of them that every figure and
table shares.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from bpsvc.reporting import cases as _cases
from bpsvc.reporting import encoding as _encoding
from bpsvc.reporting.grids import mesh, per_configuration
from bpsvc.reporting.part import WHOLE, Part
from bpsvc.reporting.stats import median_band

# What figures and tables draw of the records; reading more costs time and memory.
EPOCHS_DRAWN: Final = ("loss", "log_likelihood", "accuracy", "validation_loss", "validation_accuracy")
LAYERS_DRAWN: Final = ("delta_rms", "gradient_l2", "weight_l2", "saturated", "dead")


Prepare = Callable[["Material"], pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Material:
    """The experiments of a report with their runs and records.

    experiments: experiment, name, description, submitted_at, spec (JSON).
    runs: the columns of the public view `runs` as of the experiment's own last epoch, `experiment`,
        `target_epochs` (that epoch), and one column per factor; a run that is in two experiments has a row
        for each.
    factors: the names of the columns that tell runs apart: factors in the order of the spec, and before them
        `experiment` where experiments are compared.
    epochs, layers: the records, by run and epoch, with run_id, epoch (and layer) and those columns of the
        public tables `epochs` and `layer_gradients` that are to be drawn: EPOCHS_DRAWN, LAYERS_DRAWN.
    surface: optional, the outputs on a grid of two inputs: experiment, run_id, x1, x2, output, and the
        examples with column `target`.
    confusion: optional, counts of classes: experiment, run_id, actual, predicted, examples.
    settings: optional, in what experiments differ though none sweeps it: experiment, name, label, value.
    inputs: optional, what the nets of some runs are given, as scaled for training: run_id, inputs (how many),
        mean_square (over examples and inputs).
    drawn: the factors whose values were drawn at random, which bind no others by having no value twice.
    notes: sentences on how all of it was judged, where that is not as its specs say.
    part: what it was narrowed to.
    history: optional, for an occurrence of a schedule, how it and those before it came out: see `history`.
    """

    experiments: pd.DataFrame
    runs: pd.DataFrame
    factors: tuple[str, ...]
    epochs: pd.DataFrame
    layers: pd.DataFrame
    surface: pd.DataFrame | None = None
    confusion: pd.DataFrame | None = None
    settings: pd.DataFrame | None = None
    inputs: pd.DataFrame | None = None
    drawn: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    part: Part = WHOLE
    history: pd.DataFrame | None = None

    def once(self, make: Prepare) -> pd.DataFrame:
        """`make(self)`, made once."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]

    @cached_property
    def _made(self) -> dict[Prepare, pd.DataFrame]:
        return {}

    @property
    def names(self) -> tuple[str, ...]:
        """The experiments as users write them: `xor@2`."""
        return tuple(str(name) for name in self.experiments["experiment"])

    @property
    def title(self) -> str:
        """What all of it is about: the experiments, and which part of them."""
        return " · ".join([" and ".join(self.names), *self.part.words])

    @cached_property
    def cases(self) -> pd.DataFrame:
        """One row per experiment and run, judged at that experiment's own horizon (see `cases.judged`)."""
        judged = _cases.judged(self.experiments, self.runs, self.epochs)
        for name in self.factors:
            if judged[name].isna().any():
                judged[name] = judged[name].astype(object).where(judged[name].notna(), f"no {name}")
        return judged.assign(configuration=_encoding.numbering(judged, self.factors))

    @cached_property
    def configurations(self) -> pd.DataFrame:
        """One row per combination of factors: label, panel, series, colour (see `encoding.encoded`)."""
        fallback = self.names[0] if len(self.names) == 1 else "all runs"
        return _encoding.encoded(self.cases, self.factors, self.telling, self.words, fallback)

    @cached_property
    def telling(self) -> tuple[_encoding.Factor, ...]:
        """The factors that vary, each with those that travel along with it."""
        return _encoding.telling(self.cases, self.factors, self.drawn)

    @cached_property
    def words(self) -> Mapping[tuple[str, Any], str]:
        """(factor, level) -> how names of configurations call it."""
        return _encoding.vocabulary(self.telling, self.factors, self.settings)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """`epochs` with case, up to each experiment's horizon; by case and epoch."""
        return _cases.within_horizon(self.epochs, self.cases)

    @cached_property
    def signals(self) -> pd.DataFrame:
        """`layers` likewise; by case, epoch and layer."""
        return _cases.within_horizon(self.layers, self.cases)

    def curves_of(self, cases: pd.DataFrame) -> pd.DataFrame:
        """The rows of `curves` that belong to some cases."""
        return self.curves.take(_cases.places(self.curves["case"], cases["case"])[0])

    @cached_property
    def start(self) -> pd.DataFrame:
        """The signals before any training, with `depth`."""
        first = self.signals[self.signals["epoch"] == 0]
        return first.assign(depth=self.cases["depth"].to_numpy()[first["case"]])

    @cached_property
    def layer_medians(self) -> pd.DataFrame:
        """Medians over the ended runs: configuration, layer, runs (n), epoch, and each of LAYERS_DRAWN.

        All are made in one pass, so that no more than one layer's records are ever there twice.
        """
        series = [name for name in LAYERS_DRAWN if name in self.signals]
        head = {name: np.empty(0, np.int64) for name in ("configuration", "layer", "runs", "epoch")}
        parts = [pd.DataFrame(head | {name: np.empty(0) for name in series})]
        for configuration, cases in per_configuration(self.cases).items():
            rows, _ = _cases.places(self.signals["case"], cases["case"])
            layers = self.signals["layer"].to_numpy()[rows]
            for layer in np.unique(layers).tolist():
                records = self.signals.take(rows[layers == layer])
                grid = mesh(records, cases)
                medians = {name: median_band(grid.fill(records[name]).values).median for name in series}
                about = {"configuration": configuration, "layer": layer, "runs": len(grid.last)}
                parts.append(pd.DataFrame({**about, "epoch": grid.epochs[grid.common], **medians}))
        return pd.concat(parts, ignore_index=True)

    @property
    def is_judged(self) -> bool:
        """Whether any run has a success criterion."""
        return bool(self.cases["judged"].any())

    @property
    def is_trained(self) -> bool:
        """Whether any ended run has gone beyond epoch 0: else there is no curve to draw."""
        ended = self.cases["state"] != _cases.UNFINISHED
        return bool((ended & (self.cases["last_epoch"] > 0)).any())

    def has(self, column: str) -> bool:
        """Whether `runs` says anything in this column."""
        return column in self.runs and bool(self.runs[column].notna().any())
