"""The lanes of a chunk: its runs laid out for computing, with every buffer that training them needs.

Lanes only compute; who has ended, and what is recorded, is `training`'s affair.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bpsvc import draws
from bpsvc.nn.arrays import Bools, Floats, Ints, Knobs
from bpsvc.nn.descent import Descent, with_defaults
from bpsvc.nn.layout import Layout
from bpsvc.nn.losses import LOSSES
from bpsvc.nn.problem import PerRun, Problem
from bpsvc.nn.propagation import Objective, Propagation
from bpsvc.nn.series import Gauge
from bpsvc.registry import Knob

# Knobs that say what a formula means at one point, or add 0: left out when all runs have the default.
_CONVENTIONS = {"derivative_at_zero", "derivative_offset", "atanh_error"}


def with_constant(x: Floats) -> Floats:
    """x (…, N, I) with a last feature 1, the source of the biases."""
    return np.concatenate([x, np.ones((*x.shape[:-1], 1))], axis=-1)


class Lanes:
    """The runs of `problem`: theta (R, P), slots. One run alone has as many lanes as the layout needs."""

    def __init__(self, problem: Problem, theta: Floats, slots: Mapping[str, Floats]) -> None:
        self.layout: Layout = problem.layout
        self.runs = problem.runs
        padded = np.resize(np.arange(self.runs), max(self.runs, self.layout.least))
        self.problem = problem.take(padded) if len(padded) > self.runs else problem
        self.theta = self.layout.stack(theta[padded])
        self.gradient = np.zeros_like(self.theta)
        self.slots = {name: self.layout.stack(values[padded]) for name, values in slots.items()}
        self.descent = Descent(self.problem, self.layout, self.theta, self.gradient, self.slots)
        self.knobs = self._knobs()
        self.x, self.y = self._stacked(self.problem.x, self.problem.y)
        self.full = self._propagation(problem.examples)
        self.gauge = Gauge(problem.network, problem.loss, self.full, self.y)
        self.validation, self.validation_gauge = None, None
        if self.problem.validation_x is not None and self.problem.validation_y is not None:
            self.validation_x, y = self._stacked(self.problem.validation_x, self.problem.validation_y)
            self.validation = self._propagation(self.problem.validation_x.shape[-2])
            self.validation_gauge = Gauge(problem.network, problem.loss, self.validation, y)
        if not problem.full_batch:
            self.batches = [
                (lo, min(lo + problem.batch, problem.examples))
                for lo in range(0, problem.examples, problem.batch)
            ]
            self.steps = {size: self._propagation(size) for size in {hi - lo for lo, hi in self.batches}}

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

    def _stacked(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return self.layout.inputs(with_constant(x)), self.layout.targets(y)

    def _propagation(self, examples: int) -> Propagation:
        loss_knobs = self._set_apart(LOSSES[self.problem.loss].knobs, self.problem.loss_knobs)
        objective = Objective(self.problem.loss, self.problem.reduction, loss_knobs)
        network = self.problem.network
        return Propagation(network, self.layout, self.theta, self.gradient, examples, self.knobs, objective)

    def train(self, epoch: int) -> None:
        """From the state after `epoch` epochs to the next one. With the full batch the gradient is there
        already.
        """
        if self.problem.full_batch:
            self.descent.step(epoch, epoch + 1)
            return
        for count, (x, y) in enumerate(self._batches(epoch), start=1):
            step = self.steps[x.shape[self.layout.examples if x.ndim == 3 else 1]]
            step.forward(x)
            step.backward(x, y)
            self.descent.step(epoch, epoch * len(self.batches) + count)

    def _batches(self, epoch: int) -> Iterator[tuple[Floats, Floats]]:
        """The batches of an epoch in order: the data's, or for each run its own, drawn from (seed, epoch)."""
        if not self.problem.shuffle:
            for lo, hi in self.batches:
                yield self.layout.examples_of(self.x, lo, hi), self.layout.examples_of(self.y, lo, hi)
            return
        order = draws.permutation(self.problem.seeds, draws.ORDER, epoch, self.problem.examples)
        for lo, hi in self.batches:
            yield self.layout.gather(self.x, order[:, lo:hi]), self.layout.gather(self.y, order[:, lo:hi])

    def evaluate(self) -> Floats:
        """Forward, loss and gradient on the full training set: the loss (R,)."""
        self.full.forward(self.x)
        loss = self.full.judge(self.y)
        self.full.backward(self.x, self.y)
        return loss

    def validate(self) -> dict[str, Floats]:
        """validation_loss and validation_accuracy, (R,) each."""
        if self.validation is None or self.validation_gauge is None:
            nothing = np.full(len(self.problem.seeds), np.nan)
            return {"validation_loss": nothing, "validation_accuracy": nothing}
        self.validation.forward(self.validation_x)
        loss = self.validation.judge(self.validation_gauge.y)
        return {"validation_loss": loss, "validation_accuracy": self.validation_gauge.accuracy()}

    def series(self) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """The epoch series but validation's, (R,) each, and the layer series, (L, R) each."""
        layers = self.gauge.layers(self.theta, self.gradient, self.descent.u)
        norm = np.empty(len(self.problem.seeds))
        epochs = {
            **self.gauge.epochs(),
            "gradient_l2": np.sqrt(self.layout.squares(self.gradient, self.descent.u, norm)),
        }
        return epochs, layers

    def diverged(self) -> tuple[Bools, Ints] | None:
        """None while loss, gradient and weights are finite in every lane; else which lanes they are not in,
        and the layer (from 1) where it shows first: in the weights, then forward, then backward.
        """
        total = (
            np.vdot(self.theta, self.theta)
            + np.vdot(self.gradient, self.gradient)
            + np.add.reduce(self.full.loss)
        )
        if np.isfinite(total):
            return None
        slices, stages, lanes = self.problem.network.slices, self.full.stages, len(self.problem.seeds)
        bad_loss = ~np.isfinite(self.full.loss)
        bad = [
            *((k, self._broken(self.layout.rows(self.theta, at.whole))) for k, at in enumerate(slices, 1)),
            *((k, bad_loss & self._broken(stage.z)) for k, stage in enumerate(stages, 1)),
            (len(stages), bad_loss),
            *(
                (k, self._broken(self.layout.rows(self.gradient, at.whole)))
                for k, at in list(enumerate(slices, 1))[::-1]
            ),
        ]
        layer = np.full(lanes, -1)
        for k, broken in bad:
            layer[(layer < 0) & broken] = k
        return layer > 0, layer

    def _broken(self, values: Floats) -> Bools:
        """Which lanes have a value that is not finite."""
        return self.layout.count(~np.isfinite(values)) > 0.0

    def parameters(self) -> tuple[Floats, dict[str, Floats]]:
        """theta (R, P) and the slots of the runs, without padding."""
        return (
            self.layout.unstack(self.theta)[: self.runs],
            {name: self.layout.unstack(values)[: self.runs] for name, values in self.slots.items()},
        )
