"""What a record says: the series of the public tables, measured on one forward and backward pass.

Norms and shares are over everything of a layer: all its weights, biases and learned knobs; all its (example,
unit) pairs.
"""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from bpsvc.nn.arrays import Bools, Floats
from bpsvc.nn.cadence import Criterion
from bpsvc.nn.layout import Layout
from bpsvc.nn.losses import LIKELIHOOD
from bpsvc.nn.norms import ordinary, rescued
from bpsvc.nn.problem import Problem
from bpsvc.nn.propagation import Parameters, Propagation, Stage
from bpsvc.nn.recorder import SQUARED, Row

SATURATION: Final = 0.05  # saturated: |f'| below this share of its maximum


class Gauge:
    """Measures what a propagation has found for targets y (as the layout stacks them); `work` is scratch like
    theta.
    """

    def __init__(
        self,
        problem: Problem,
        propagation: Propagation,
        y: Floats,
        parameters: Parameters,
        work: Floats,
    ) -> None:
        self.p, self.y, self.layout = propagation, y, propagation.layout
        network = problem.network
        self.parts = [_Part.of(propagation.layout, at.whole, parameters, work) for at in network.slices]
        self.products = [
            {
                name: None if part is None else _Part.of(propagation.layout, part, parameters, work)
                for name, part in (("w_dot_g", at.weights), ("b_dot_g", at.bias))
            }
            for at in network.slices
        ]
        squared = {  # in SQUARED's order
            "delta_rms": [(stage.delta, self._pairs(stage)) for stage in propagation.stages],
            "gradient_l2": [(part.gradient, 1) for part in self.parts],
            "weight_l2": [(part.theta, 1) for part in self.parts],
        }
        self.squared = [one for name in SQUARED if name in problem.layer_series for one in squared[name]]
        self.pairs = np.array([[float(pairs)] for _, pairs in squared["delta_rms"]])
        output = network.output.activation
        self.softmax = output == "softmax"
        likelihood = LIKELIHOOD.for_output(output)
        self.likelihood = None if likelihood is None else likelihood.fused[output]
        self.descends_likelihood = problem.loss == "log_likelihood"
        self.binary = self._each((y == 0.0) | (y == 1.0))
        # Real targets have no probability under a Bernoulli or categorical distribution.
        self.fits = self._each((y == y) if output == "identity" else (y >= 0.0) & (y <= 1.0))
        self.error = np.empty_like(propagation.output.z)

    def _each(self, mask: Bools) -> Bools:
        """For each run, or for all of them at once where y is shared: does it hold for every target?"""
        every: Bools = self.layout.count(~(mask if mask.ndim == 3 else mask[None])) == 0.0
        return every

    def _empty(self) -> Floats:
        return np.empty(self.p.runs)

    # Of an epoch, each (R,)

    def errors(self) -> Floats:
        """|y - a| of every output."""
        np.subtract(self.p.output.units, self.y, out=self.error)
        np.abs(self.error, out=self.error)
        return self.error

    def max_error(self) -> Floats:
        return self.layout.largest(self.errors(), self._empty())

    def mean_abs_error(self) -> Floats:
        return self.layout.total(self.errors(), self._empty()) / self._pairs(self.p.output)

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
        return np.where(self.fits, -self.layout.total(self.p.terms, self._empty()), np.nan)

    def loss(self) -> Floats:
        return self.p.loss

    def measure(self, name: str) -> Floats:
        measured: Floats = getattr(self, name)()
        return measured

    def met(self, criterion: Criterion) -> Bools:
        """Which runs succeed, (R,). All examples are right exactly when the largest error is below ½: the
        usual criterion, judged at every epoch, is found that way.
        """
        all_right = Criterion(criterion.metric, at_least=1.0)
        if criterion == all_right and criterion.measure == "accuracy" and not self.softmax:
            right: Bools = (self.max_error() < 0.5) & self.binary
            return right
        return criterion.met(self.measure(criterion.measure))

    # Of a layer, each (L, R)

    def layers(self, row: Row) -> None:
        """Writes the layer series; SQUARED as the recorder wants them."""
        if row.squared:
            self._squares(row)
        for k, stage in enumerate(self.p.stages if row.others else ()):
            of_layer = {name: values[k] for name, values in row.others.items()}
            self._of_signal(stage, of_layer, last=stage is self.p.output)
            self._of_parameters(k, of_layer)

    def _squares(self, row: Row) -> None:
        """Squares of each layer, for delta_rms their mean. Where one is too large or too small for a number,
        minus its root.
        """
        for (values, _), squares in zip(self.squared, row.squared, strict=True):
            self.layout.squares(values, squares)
        if "delta_rms" in row.layers:
            np.divide(row.layers["delta_rms"], self.pairs, out=row.layers["delta_rms"])
        if ordinary(row.squares):
            return
        for (values, over), squares in zip(self.squared, row.squared, strict=True):
            lanes, roots = rescued(self.layout, values, squares)
            squares[lanes] = -roots / math.sqrt(over)

    def _of_signal(self, stage: Stage, row: Mapping[str, Floats], last: bool) -> None:
        """saturated and dead. The output's f' may not have been needed: then it is found here."""
        u, mask, pairs = stage.work.u, stage.work.mask, self._pairs(stage)
        wanted = [row[name] for name in ("saturated", "dead") if name in row]
        if not wanted:
            return
        if stage.function.through:
            for values in wanted:
                values.fill(np.nan)
            return
        if last:
            stage.function.derivative(stage.z, stage.units, stage.knobs, stage.slope, stage.work)
        np.abs(stage.slope, out=u)
        if "saturated" in row:
            np.less(u, SATURATION * stage.function.steepest(stage.knobs), out=mask)
            np.divide(self.layout.count(mask), pairs, out=row["saturated"])
        if "dead" in row:
            none = np.maximum.reduce(u, axis=self.layout.examples) == 0.0
            np.divide(self.layout.count(none), pairs // self.p.examples, out=row["dead"])

    def _of_parameters(self, k: int, row: Mapping[str, Floats]) -> None:
        part, layout = self.parts[k], self.layout
        if "gradient_max_abs" in row or "gradient_mean_abs" in row:
            np.abs(part.gradient, out=part.work)
        if "gradient_max_abs" in row:
            layout.largest(part.work, row["gradient_max_abs"])
        if "gradient_mean_abs" in row:
            size = part.theta.size // self.p.runs
            np.divide(layout.total(part.work, row["gradient_mean_abs"]), size, out=row["gradient_mean_abs"])
        for name, factors in self.products[k].items():
            if name in row and factors is not None:
                np.multiply(factors.theta, factors.gradient, out=factors.work)
                layout.total(factors.work, row[name])
            elif name in row:
                row[name].fill(0.0)

    def _pairs(self, stage: Stage) -> int:
        """(example, unit) pairs of one run."""
        return stage.z.size // self.p.runs


class _Part(NamedTuple):
    """Views of one layer's parameters."""

    theta: Floats
    gradient: Floats
    work: Floats

    @classmethod
    def of(cls, layout: Layout, at: slice, parameters: Parameters, work: Floats) -> "_Part":
        return cls(*(layout.rows(values, at) for values in (parameters.theta, parameters.gradient, work)))
