"""Optimizers: what a step does with the gradient g. A record is a pair (init, update), as in optax.

theta, gradient and slots are flat and have one shape, (P, R) or (R, P); hyper-parameters broadcast against
it. `update` writes the new theta and slots in place, and may overwrite the gradient: all gradients were
computed before. In the formulas ε is the learning rate and w <- w + ... goes *down* the loss.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from bpsvc.nn.arrays import Bools, Floats, Knobs
from bpsvc.registry import REQUIRED, Knob, Table

Slots = Mapping[str, Floats]


class Step(NamedTuple):
    """What an update may know besides: `number` is 1 for a run's first update, `fan_in` is how many sources
    (bias included) feed the unit of each parameter; u, v and mask are scratch.
    """

    number: int
    fan_in: Floats
    u: Floats
    v: Floats
    mask: Bools


Update = Callable[[Floats, Floats, Slots, Knobs, Step], None]  # (theta, gradient, slots, hyper, step)


@dataclass(frozen=True)
class Optimizer:
    """`slots` are the arrays kept from step to step; they start at 0. `own_steps`: ε is only the first step's
    length.
    """

    name: str
    formula: str
    update: Update
    knobs: tuple[Knob, ...]
    slots: tuple[str, ...] = ()
    also_called: tuple[str, ...] = ()
    doc: str = ""
    own_steps: bool = False

    def init(self, theta: Floats) -> dict[str, Floats]:
        """The slots before the first update, each of theta's shape."""
        return {name: np.zeros_like(theta) for name in self.slots}


def sgd(theta: Floats, gradient: Floats, slots: Slots, hyper: Knobs, step: Step) -> None:
    np.multiply(gradient, hyper["learning_rate"], out=gradient)
    np.subtract(theta, gradient, out=theta)


def momentum(theta: Floats, gradient: Floats, slots: Slots, hyper: Knobs, step: Step) -> None:
    velocity = slots["velocity"]
    np.multiply(velocity, hyper["mu"], out=velocity)
    np.add(velocity, gradient, out=velocity)
    np.multiply(velocity, hyper["learning_rate"], out=step.u)
    np.subtract(theta, step.u, out=theta)


def nesterov(theta: Floats, gradient: Floats, slots: Slots, hyper: Knobs, step: Step) -> None:
    velocity = slots["velocity"]
    np.multiply(velocity, hyper["mu"], out=velocity)
    np.add(velocity, gradient, out=velocity)
    np.multiply(velocity, hyper["mu"], out=step.u)
    np.add(step.u, gradient, out=step.u)
    np.multiply(step.u, hyper["learning_rate"], out=step.u)
    np.subtract(theta, step.u, out=theta)


def _average(slot: Floats, value: Floats, beta: Floats | float, scratch: Floats) -> None:
    """slot <- beta slot + (1 - beta) value."""
    np.multiply(slot, beta, out=slot)
    np.multiply(value, np.subtract(1.0, beta), out=scratch)
    np.add(slot, scratch, out=slot)


def rmsprop(theta: Floats, gradient: Floats, slots: Slots, hyper: Knobs, step: Step) -> None:
    np.multiply(gradient, gradient, out=step.u)
    _average(slots["square"], step.u, hyper["rho"], step.v)
    np.sqrt(slots["square"], out=step.u)
    np.add(step.u, hyper["eps"], out=step.u)
    np.divide(gradient, step.u, out=step.u)
    np.multiply(step.u, hyper["learning_rate"], out=step.u)
    np.subtract(theta, step.u, out=theta)


def adam(theta: Floats, gradient: Floats, slots: Slots, hyper: Knobs, step: Step) -> None:
    _average(slots["mean"], gradient, hyper["beta1"], step.u)
    np.multiply(gradient, gradient, out=step.u)
    _average(slots["square"], step.u, hyper["beta2"], step.v)
    np.divide(slots["square"], 1.0 - np.power(hyper["beta2"], step.number), out=step.u)
    np.sqrt(step.u, out=step.u)
    np.add(step.u, hyper["eps"], out=step.u)
    np.divide(slots["mean"], 1.0 - np.power(hyper["beta1"], step.number), out=step.v)
    np.divide(step.v, step.u, out=step.u)
    np.multiply(step.u, hyper["learning_rate"], out=step.u)
    np.subtract(theta, step.u, out=theta)


def rprop(theta: Floats, gradient: Floats, slots: Slots, hyper: Knobs, step: Step) -> None:
    """Where g keeps its sign the step grows, where it turns the step shrinks and this once nothing moves, or
    with `backtracking` the last move is taken back; g then counts as 0.
    """
    size, move, sign = slots["size"], slots["move"], slots["sign"]
    if step.number == 1:
        np.copyto(size, hyper["learning_rate"])
    now, change = step.u, step.v
    np.sign(gradient, out=now)
    np.multiply(now, sign, out=change)  # 1 kept, -1 turned, 0 at the first step or after a turn
    np.greater(change, 0.0, out=step.mask)
    np.multiply(size, hyper["eta_plus"], out=size, where=step.mask)
    np.less(change, 0.0, out=step.mask)
    np.multiply(size, hyper["eta_minus"], out=size, where=step.mask)
    np.minimum(size, hyper["step_max"], out=size)
    np.maximum(size, hyper["step_min"], out=size)
    np.copyto(now, 0.0, where=step.mask)
    np.copyto(sign, now)
    np.multiply(move, np.negative(hyper["backtracking"]), out=change)
    np.multiply(now, size, out=move)
    np.negative(move, out=move)
    np.copyto(move, change, where=step.mask)
    np.add(theta, move, out=theta)


def quickprop(theta: Floats, gradient: Floats, slots: Slots, hyper: Knobs, step: Step) -> None:
    """Fahlman's step for each weight, with s = -g - decay w, q the s before and d the move before: to the
    minimum of the parabola through them, d s / (q - s), but never more than mu d, and ε s besides while s
    still points along d.
    """
    move, before = slots["move"], slots["slope"]
    slope, linear = step.u, step.v
    np.multiply(theta, hyper["decay"], out=slope)
    np.add(slope, gradient, out=slope)
    np.negative(slope, out=slope)
    share = np.where(np.asarray(hyper["split_epsilon"]) > 0.0, step.fan_in, 1.0)
    np.multiply(slope, hyper["learning_rate"] / share, out=linear)
    np.less(np.sign(slope) * np.sign(move), 0.0, out=step.mask)
    np.copyto(linear, 0.0, where=step.mask)
    mu = hyper["mu"]
    parabola = np.divide(slope, before - slope, out=np.zeros_like(slope), where=before != slope)
    far = slope * np.sign(move) >= mu / (1.0 + mu) * before * np.sign(move)
    np.multiply(move, np.where(far, mu, parabola), out=move)
    np.add(move, linear, out=move)
    np.copyto(before, slope)
    np.add(theta, move, out=theta)


LEARNING_RATE = Knob("learning_rate", REQUIRED, "ε, the length of the step", low=0.0, low_open=True)
_MU = Knob("mu", 0.9, "share of the velocity that is kept", low=0.0, high=1.0, high_open=True)
_EPS = Knob("eps", 1e-8, "added outside the root", low=0.0)

_ETA_MINUS = Knob(
    "eta_minus", 0.5, "factor when the sign turns", low=0.0, high=1.0, low_open=True, high_open=True
)


def _decay_rate(name: str, default: float, doc: str) -> Knob:
    return Knob(name, default, doc, low=0.0, high=1.0, high_open=True)


OPTIMIZERS: Final = Table(
    "optimizer",
    [
        Optimizer(
            "sgd",
            "w <- w - ε g",
            sgd,
            (LEARNING_RATE,),
            also_called=("gradient_descent",),
            doc="The lecture's w <- w + ε ∂log L/∂w: the batch size makes it batch, mini-batch or online.",
        ),
        Optimizer(
            "momentum",
            "v <- mu v + g, w <- w - ε v",
            momentum,
            (LEARNING_RATE, _MU),
            ("velocity",),
            doc="With a constant ε the same as v <- mu v + ε g, w <- w - v (Rumelhart et al. 1986).",
        ),
        Optimizer(
            "nesterov",
            "v <- mu v + g, w <- w - ε (g + mu v)",
            nesterov,
            (LEARNING_RATE, _MU),
            ("velocity",),
            also_called=("nag",),
            doc="Sutskever et al. 2013.",
        ),
        Optimizer(
            "rmsprop",
            "s <- rho s + (1 - rho) g², w <- w - ε g / (sqrt(s) + eps)",
            rmsprop,
            (LEARNING_RATE, _decay_rate("rho", 0.9, "how long squares are remembered"), _EPS),
            ("square",),
            doc="Tieleman and Hinton 2012.",
        ),
        Optimizer(
            "adam",
            "m <- b1 m + (1-b1) g, s <- b2 s + (1-b2) g², w <- w - ε m/(1-b1^t) / (sqrt(s/(1-b2^t)) + eps)",
            adam,
            (
                LEARNING_RATE,
                _decay_rate("beta1", 0.9, "how long gradients are remembered"),
                _decay_rate("beta2", 0.999, "how long squares are remembered"),
                _EPS,
            ),
            ("mean", "square"),
            doc="Kingma and Ba 2015; weight decay is coupled (L2), not AdamW's.",
        ),
        Optimizer(
            "rprop",
            "w <- w - size sign(g), size from ε on times eta_plus, or eta_minus when g has turned",
            rprop,
            (
                LEARNING_RATE,
                _ETA_MINUS,
                Knob("eta_plus", 1.2, "factor while the sign stays", low=1.0, low_open=True),
                Knob("step_min", 1e-6, "least step", low=0.0),
                Knob("step_max", 50.0, "largest step", low=0.0, low_open=True),
                Knob("backtracking", False, "take the last move back when the sign turns", kind=bool),
            ),
            ("size", "move", "sign"),
            doc="Riedmiller and Braun 1993 with backtracking; PyTorch's without. For full batches.",
            own_steps=True,
        ),
        Optimizer(
            "quickprop",
            "w <- w + d s/(q - s) (at most mu d) + ε s, s = -g - decay w, q and d those before",
            quickprop,
            (
                LEARNING_RATE,
                Knob("mu", 1.75, "largest growth of a step", low=0.0, low_open=True),
                Knob("decay", 1e-4, "of the weights, inside the slope", low=0.0),
                Knob("split_epsilon", True, "divide ε by the unit's number of sources", kind=bool),
            ),
            ("slope", "move"),
            doc="Fahlman 1988.",
        ),
    ],
)
