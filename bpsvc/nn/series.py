"""What a record says: the series of DESIGN's public tables, measured on one forward and backward pass over a
data set.

Norms and shares are over everything of a layer: all its weights, biases and learned knobs; all its (example,
unit) pairs.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from bpsvc.nn.arrays import Bools, Floats
from bpsvc.nn.losses import LIKELIHOOD
from bpsvc.nn.network import Network
from bpsvc.nn.propagation import Propagation, Stage

EPOCH_SERIES: Final = (
    "loss",
    "log_likelihood",
    "accuracy",
    "mean_abs_error",
    "max_error",
    "gradient_l2",
    "validation_loss",
    "validation_accuracy",
)
LAYER_SERIES: Final = (
    "delta_rms",
    "gradient_l2",
    "gradient_mean_abs",
    "gradient_max_abs",
    "weight_l2",
    "saturated",
    "dead",
)
SATURATION: Final = 0.05  # saturated: |f'| below this share of its maximum


class Gauge:
    """Measures what a propagation has found for targets y (as the layout stacks them)."""

    def __init__(self, network: Network, loss: str, propagation: Propagation, y: Floats) -> None:
        self.p, self.y, self.layout = propagation, y, propagation.layout
        self.slices = network.slices
        self.softmax = network.output.activation == "softmax"
        likelihood = LIKELIHOOD.for_output(network.output.activation)
        self.likelihood = None if likelihood is None else likelihood.fused[network.output.activation]
        self.descends_likelihood = loss == "log_likelihood"
        zero_or_one = (y == 0.0) | (y == 1.0)
        self.binary = self._each(zero_or_one)
        # Real targets have no probability under a Bernoulli or categorical distribution.
        fits = (
            np.ones_like(zero_or_one) if network.output.activation == "identity" else (y >= 0.0) & (y <= 1.0)
        )
        self.fits = self._each(fits)
        self.error = np.empty_like(propagation.output.z)

    def _each(self, mask: Bools) -> Bools:
        """For each run, or for all of them at once where y is shared: does it hold for every target?"""
        every: Bools = self.layout.count(~(mask if mask.ndim == 3 else mask[None])) == 0.0
        return every

    def errors(self) -> Floats:
        """|y - a| of every output."""
        np.subtract(self.p.output.units, self.y, out=self.error)
        np.abs(self.error, out=self.error)
        return self.error

    def max_error(self) -> Floats:
        return self.layout.largest(self.errors(), np.empty(self.p.runs))

    def mean_abs_error(self) -> Floats:
        return self.layout.total(self.errors(), np.empty(self.p.runs)) / self._pairs(self.p.output)

    def accuracy(self) -> Floats:
        """Share of examples whose every output is strictly within ½ of its 0/1 target; for softmax, whose
        largest output is the target's alone. NaN for targets other than 0 and 1.
        """
        out, units = self.p.output, self.layout.units
        if self.softmax:
            np.multiply(out.units, self.y, out=out.work.u)
            target = np.add.reduce(out.work.u, axis=units, keepdims=True)
            np.subtract(out.units, 2.0 * self.y, out=out.work.u)
            right = target > np.maximum.reduce(out.work.u, axis=units, keepdims=True)
        else:
            right = np.maximum.reduce(self.errors(), axis=units, keepdims=True) < 0.5
        return np.where(self.binary, self.layout.count(right) / self.p.examples, np.nan)

    def log_likelihood(self) -> Floats:
        """The sum over examples, rising as on the slides; NaN where output and targets have no likelihood."""
        if self.likelihood is None:
            return np.full(self.p.runs, np.nan)
        out = self.p.output
        if not self.descends_likelihood:
            self.likelihood.value(out.z, self.y, self.p.terms, out.work)
        return np.where(self.fits, -self.layout.total(self.p.terms, np.empty(self.p.runs)), np.nan)

    def measure(self, metric: str) -> Floats:
        """A metric of success, (R,)."""
        if metric == "loss":
            return self.p.loss
        values: Floats = {
            "accuracy": self.accuracy,
            "max_error": self.max_error,
            "mean_abs_error": self.mean_abs_error,
        }[metric]()
        return values

    def epochs(self) -> dict[str, Floats]:
        """The epoch series but validation's, each (R,)."""
        return {
            "loss": self.p.loss,
            "log_likelihood": self.log_likelihood(),
            "accuracy": self.accuracy(),
            "mean_abs_error": self.mean_abs_error(),
            "max_error": self.max_error(),
        }

    def layers(self, theta: Floats, gradient: Floats, work: Floats) -> dict[str, Floats]:
        """The layer series, each (L, R)."""
        shape = (len(self.slices), self.p.runs)
        series = {name: np.empty(shape) for name in LAYER_SERIES}
        for k, (at, stage) in enumerate(zip(self.slices, self.p.stages, strict=True)):
            size = at.whole.stop - at.whole.start
            scratch = self.layout.rows(work, at.whole)
            row = {name: values[k] for name, values in series.items()}
            self._signal(stage, row, last=k == len(self.slices) - 1)
            weights, d_weights = self.layout.rows(theta, at.whole), self.layout.rows(gradient, at.whole)
            np.sqrt(self.layout.squares(weights, scratch, row["weight_l2"]), out=row["weight_l2"])
            np.sqrt(self.layout.squares(d_weights, scratch, row["gradient_l2"]), out=row["gradient_l2"])
            np.abs(d_weights, out=scratch)
            self.layout.largest(scratch, row["gradient_max_abs"])
            np.divide(
                self.layout.total(scratch, row["gradient_mean_abs"]), size, out=row["gradient_mean_abs"]
            )
        return series

    def _signal(self, stage: Stage, row: Mapping[str, Floats], last: bool) -> None:
        """delta_rms, saturated and dead of a layer. The output's f' may not have been needed: then it is
        found here.
        """
        u, mask = stage.work.u, stage.work.mask
        pairs = self._pairs(stage)
        self.layout.squares(stage.delta, u, row["delta_rms"])
        np.sqrt(np.divide(row["delta_rms"], pairs, out=row["delta_rms"]), out=row["delta_rms"])
        if stage.function.through:
            row["saturated"].fill(np.nan)
            row["dead"].fill(np.nan)
            return
        if last:
            stage.function.derivative(stage.z, stage.units, stage.knobs, stage.slope, stage.work)
        np.abs(stage.slope, out=u)
        np.less(u, SATURATION * stage.function.steepest(stage.knobs), out=mask)
        np.divide(self.layout.count(mask), pairs, out=row["saturated"])
        none = np.maximum.reduce(u, axis=self.layout.examples) == 0.0
        np.divide(self.layout.count(none), pairs // self.p.examples, out=row["dead"])

    def _pairs(self, stage: Stage) -> int:
        """(example, unit) pairs of one run."""
        return stage.z.size // self.p.runs
