"""The lanes of a chunk: its runs laid out for computing, with every buffer that training them needs.

Lanes only compute; who has ended, and what is recorded, is `training`'s affair.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from bpsvc.nn.arrays import Bools, Floats, Ints, Knobs
from bpsvc.nn.batches import Batches, with_constant
from bpsvc.nn.descent import Descent, with_defaults
from bpsvc.nn.gauge import Gauge
from bpsvc.nn.layout import Layout
from bpsvc.nn.losses import LOSSES
from bpsvc.nn.optimizers import OPTIMIZERS
from bpsvc.nn.problem import PerRun, Problem
from bpsvc.nn.propagation import Objective, Parameters, Propagation
from bpsvc.nn.recorder import Row
from bpsvc.registry import Knob

# Knobs that say what a formula means at one point, or add 0: left out when all runs have the default.
_CONVENTIONS = {"derivative_at_zero", "derivative_offset", "atanh_error"}


class Lanes:
    """The runs of `problem`: theta (R, P), slots. One run alone has as many lanes as the layout needs."""

    def __init__(self, problem: Problem, theta: Floats, slots: Mapping[str, Floats]) -> None:
        self.layout: Layout = problem.layout
        self.runs = problem.runs
        padded = np.resize(np.arange(self.runs), max(self.runs, self.layout.least))
        self.problem = problem = problem.take(padded) if len(padded) > self.runs else problem
        self.finite, self.parameters, self.slots = self._arrays(list(slots))
        np.copyto(self.parameters.theta, self.layout.stack(theta[padded]))
        for name, values in slots.items():
            np.copyto(self.slots[name], self.layout.stack(values[padded]))
        self.descent = Descent(problem, self.layout, self.parameters, self.slots)
        self.knobs = self._knobs()
        self.x, self.y = (
            self.layout.inputs(with_constant(problem.x)),
            self.layout.targets(problem.y, len(problem.seeds)),
        )
        self.full = self._propagation(problem.examples, self.parameters)
        self.gauge = Gauge(problem, self.full, self.y, self.parameters, self.descent.u)
        apart = {"gradient_l2", "sharpness", "validation_loss", "validation_accuracy"}
        self.epoch_names = [name for name in problem.epoch_series if name not in apart]
        self.validation_gauge = None
        if problem.validation_x is not None and problem.validation_y is not None:
            self.validation_x = self.layout.inputs(with_constant(problem.validation_x))
            aside = self.parameters._replace(loss=np.empty_like(self.parameters.loss))
            propagation = self._propagation(problem.validation_x.shape[-2], aside)
            y = self.layout.targets(problem.validation_y, len(problem.seeds))
            self.validation_gauge = Gauge(problem, propagation, y, self.parameters, self.descent.u)
        self.batches = None
        if not problem.full_batch:
            self.batches = Batches(problem, self.layout)
            self.steps = {size: self._propagation(size, self.parameters) for size in self.batches.sizes}

    def _arrays(self, slots: Sequence[str]) -> tuple[Floats, Parameters, Mapping[str, Floats]]:
        """theta, gradient, slots and loss side by side in one flat array: a glance at it tells whether all is
        finite.
        """
        lanes, count = len(self.problem.seeds), self.problem.network.parameters
        flat, shape = np.zeros((2 + len(slots)) * lanes * count + lanes), self.layout.shape(lanes, count)
        *arrays, loss = np.split(flat, [k * lanes * count for k in range(1, 3 + len(slots))])
        theta, gradient, *kept = (values.reshape(shape) for values in arrays)
        return flat, Parameters(theta, gradient, loss), dict(zip(slots, kept, strict=True))

    def _knobs(self) -> list[Knobs]:
        """Each layer's fixed knobs; learned ones are in theta."""
        layers = zip(self.problem.network.layers, self.problem.knobs, strict=True)
        return [
            self._set_apart([k for k in layer.function.knobs if k.name not in layer.function.learned], given)
            for layer, given in layers
        ]

    def _set_apart(self, knobs: Sequence[Knob], given: PerRun) -> Knobs:
        """Knobs as the layout wants them, without conventions that all runs leave at their default."""
        values = with_defaults(knobs, given, len(self.problem.seeds))
        plain = {knob.name for knob in knobs if np.all(values[knob.name] == knob.default)} & _CONVENTIONS
        return {name: self.layout.per_run(value) for name, value in values.items() if name not in plain}

    def _propagation(self, examples: int, parameters: Parameters) -> Propagation:
        loss_knobs = self._set_apart(LOSSES[self.problem.loss].knobs, self.problem.loss_knobs)
        objective = Objective(self.problem.loss, self.problem.reduction, loss_knobs)
        return Propagation(self.problem.network, self.layout, parameters, examples, self.knobs, objective)

    @staticmethod
    def slot_names(problem: Problem) -> tuple[str, ...]:
        """The arrays that the problem's optimizer keeps."""
        return OPTIMIZERS[problem.optimizer].slots

    def train(self, epoch: int) -> None:
        """The epoch that follows `epoch` epochs. With the full batch its gradient is there already."""
        if self.batches is None:
            self.descent.step(epoch, epoch + 1)
            return
        for count, (size, x, y) in enumerate(self.batches.of_epoch(epoch), start=1):
            self.steps[size].forward(x)
            self.steps[size].backward(x, y)
            self.descent.step(epoch, epoch * len(self.batches.cuts) + count)

    def evaluate(self) -> None:
        """Forward, loss and gradient on the full training set."""
        self.full.forward(self.x)
        self.full.judge(self.y)
        self.full.backward(self.x, self.y)

    def validate(self) -> PerRun:
        """validation_loss and validation_accuracy, (R,) each; neither without a validation set."""
        if self.validation_gauge is None:
            return {}
        self.validation_gauge.p.forward(self.validation_x)
        self.validation_gauge.p.judge(self.validation_gauge.y)
        return {
            "validation_loss": self.validation_gauge.p.loss,
            "validation_accuracy": self.validation_gauge.accuracy(),
        }

    def measure(self, row: Row) -> None:
        """Writes the series of this epoch, but validation's and sharpness."""
        for name in self.epoch_names:
            row.epochs[name][...] = self.gauge.measure(name)
        self.gauge.layers(row)
        if row.parameters:
            row.parameters["value"][...] = self.layout.unstack(self.parameters.theta).T
            row.parameters["gradient"][...] = self.layout.unstack(self.parameters.gradient).T

    def diverged(self) -> tuple[Bools, Ints] | None:
        """None while loss, gradient, weights and slots are finite in every lane; else which lanes they are
        not in, and the layer (from 1) where it shows first: in the weights, then forward, then backward, then
        in the slots.
        """
        if math.isfinite(self.finite.dot(self.finite)):
            return None
        theta, gradient, loss = self.parameters
        slices, stages = self.problem.network.slices, self.full.stages
        bad_loss = ~np.isfinite(loss)
        bad = [
            *((k, self._broken(self.layout.rows(theta, at.whole))) for k, at in enumerate(slices, 1)),
            *((k, bad_loss & self._broken(stage.z)) for k, stage in enumerate(stages, 1)),
            (len(stages), bad_loss),
            *(
                (k, self._broken(self.layout.rows(gradient, slices[k - 1].whole)))
                for k in range(len(slices), 0, -1)
            ),
            *(
                (k, self._broken(self.layout.rows(values, slices[k - 1].whole)))
                for values in self.slots.values()
                for k in range(len(slices), 0, -1)
            ),
        ]
        layer = np.full(len(loss), -1)
        for k, broken in bad:
            layer[(layer < 0) & broken] = k
        return layer > 0, layer

    def _broken(self, values: Floats) -> Bools:
        """Which lanes have a value that is not finite."""
        return self.layout.count(~np.isfinite(values)) > 0.0

    def unstacked(self) -> tuple[Floats, dict[str, Floats]]:
        """theta (R, P) and the slots of the runs, without padding."""
        return (
            self.layout.unstack(self.parameters.theta)[: self.runs],
            {name: self.layout.unstack(values)[: self.runs] for name, values in self.slots.items()},
        )
