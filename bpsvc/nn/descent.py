"""One update of a stack: scheduled learning rate, clipped gradient, weight decay, and the optimizer's own
rule.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from bpsvc.nn.arrays import Floats
from bpsvc.nn.layout import Layout
from bpsvc.nn.norms import norms
from bpsvc.nn.optimizers import OPTIMIZERS, Step
from bpsvc.nn.problem import PerRun, Problem
from bpsvc.nn.propagation import Parameters
from bpsvc.nn.schedules import SCHEDULES
from bpsvc.registry import Knob


def with_defaults(knobs: Sequence[Knob], given: PerRun, runs: int) -> dict[str, Floats]:
    """Every knob for every run, (R,) and contiguous: as given, or the default (NaN where there is none)."""
    return {
        knob.name: np.array(np.broadcast_to(given.get(knob.name, _default(knob)), runs), dtype=np.float64)
        for knob in knobs
    }


def _default(knob: Knob) -> float:
    return float("nan") if knob.required else float(knob.default)


# Up to so many parameters ε is written out for each: numpy is slow to repeat short vectors.
_FEW: Final = 32


class Descent:
    """Updates theta in place, from the gradient of the data's loss, which it may overwrite.

    The gradient is first clipped to a global norm, g min(1, clip / |g|); then the L2 penalty's decay · w is
    added (not to biases and learned knobs, unless asked for).
    """

    def __init__(
        self, problem: Problem, layout: Layout, parameters: Parameters, slots: Mapping[str, Floats]
    ) -> None:
        runs = len(problem.seeds)
        self.layout, self.slots = layout, slots
        self.theta, self.gradient, _ = parameters
        self.optimizer, self.schedule = OPTIMIZERS[problem.optimizer], SCHEDULES[problem.schedule]
        hyper = with_defaults(self.optimizer.knobs, problem.hyper, runs)
        self.rate = hyper["learning_rate"]  # before its schedule
        self.hyper = {name: layout.per_theta(value) for name, value in hyper.items()}
        shape = self.theta.shape if problem.network.parameters <= _FEW else self.hyper["learning_rate"].shape
        self.hyper["learning_rate"] = np.array(np.broadcast_to(self.hyper["learning_rate"], shape))
        self.schedule_knobs = with_defaults(self.schedule.knobs, problem.schedule_knobs, runs)
        self.steady = self.schedule.name == "constant" and not self.schedule_knobs["warm_up"].any()
        self.clip = problem.clip
        self.decay = None if problem.weight_decay is None else self._decay(problem, problem.weight_decay)
        self.u, self.v = np.empty_like(self.theta), np.empty_like(self.theta)
        self.mask = np.empty(self.theta.shape, dtype=bool)
        self.fan_in = self._fan_in(problem)

    def _decay(self, problem: Problem, strength: Floats) -> Floats:
        """What each parameter is multiplied by: the penalty's strength, or 0. Of theta's shape."""
        decays = np.zeros(problem.network.parameters)
        for at in problem.network.slices:
            decays[at.whole if problem.decay_biases else at.weights] = 1.0
        return self.layout.stack(np.asarray(strength)[:, None] * decays)

    def _fan_in(self, problem: Problem) -> Floats:
        sources = np.ones(problem.network.parameters)
        for at in problem.network.slices:
            sources[at.whole] = at.rows
        return self.layout.stack(sources[None])

    def step(self, epoch: int, count: int) -> None:
        """The run's `count`-th update, in the epoch that follows `epoch` epochs."""
        if not self.steady:
            rate = self.rate * self.schedule.factor(epoch, self.schedule_knobs)
            np.copyto(self.hyper["learning_rate"], self.layout.per_theta(rate))
        if self.clip is not None:
            norm = norms(self.layout, self.gradient, np.empty_like(self.rate))
            factor = np.minimum(1.0, self.clip / np.maximum(norm, np.finfo(np.float64).tiny))
            np.multiply(self.gradient, self.layout.per_theta(factor), out=self.gradient)
        if self.decay is not None:
            np.multiply(self.theta, self.decay, out=self.u)
            np.add(self.gradient, self.u, out=self.gradient)
        step = Step(count, self.fan_in, self.u, self.v, self.mask)
        self.optimizer.update(self.theta, self.gradient, self.slots, self.hyper, step)
