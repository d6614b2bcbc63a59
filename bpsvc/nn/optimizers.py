"""Optimizers: what a step does with the gradient. A record is a pair (slots, update), as in optax.

theta, gradient and slots are flat and have one shape, (P, R) or (R, P); hyper-parameters broadcast against
it. `update` writes the new theta and slots in place: all gradients were computed before any of it happens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from bpsvc.nn.arrays import Floats, Knobs
from bpsvc.registry import REQUIRED, Knob, Table


@dataclass(frozen=True)
class Step:
    """What an update may know besides theta and gradient: `count` is 1 for a run's first update; u, v are
    scratch.
    """

    count: int
    u: Floats
    v: Floats


Update = Callable[[Floats, Floats, Mapping[str, Floats], Knobs, Step], None]


@dataclass(frozen=True)
class Optimizer:
    """`slots` are the arrays it keeps from step to step, with the value they start from."""

    name: str
    formula: str
    update: Update
    knobs: tuple[Knob, ...]
    slots: Mapping[str, float]
    also_called: tuple[str, ...] = ()
    doc: str = ""

    def init(self, theta: Floats) -> dict[str, Floats]:
        """The slots before the first update, each of theta's shape."""
        return {name: np.full_like(theta, value) for name, value in self.slots.items()}


def sgd(theta: Floats, gradient: Floats, slots: Mapping[str, Floats], hyper: Knobs, step: Step) -> None:
    np.multiply(gradient, hyper["learning_rate"], out=step.u)
    np.subtract(theta, step.u, out=theta)


LEARNING_RATE = Knob("learning_rate", REQUIRED, "ε, the length of the step", low=0.0, low_open=True)

OPTIMIZERS: Final = Table(
    "optimizer",
    [
        Optimizer(
            "sgd",
            "w <- w - ε g",
            sgd,
            (LEARNING_RATE,),
            {},
            also_called=("gradient_descent",),
            doc="The lecture's step: w <- w + ε ∂log L/∂w, since g = -∂log L/∂w.",
        ),
    ],
)
