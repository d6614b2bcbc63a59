"""What an activation function is: a = f(z) with its derivative, and what must be known about them.

A record is all there is to know about one of them. `value` writes f(z), `derivative` writes f'(z) and may use
the saved a = f(z) ("save intermediate values"). Where f' jumps, what counts as f'(0) is a knob, by default
the lecture's: z >= 0 belongs to the right branch (frameworks mostly use the left one). Formulas hold at |z| =
1000 and are exact near 0; but the slopes of logistic and tanh are found from a, so that they are exactly 0
where a has rounded to ±1 (logistic from about z = 37, though not at z = -37; tanh from about |z| = 19).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bpsvc.nn.arrays import Floats, Knobs, Work
from bpsvc.registry import Knob

Value = Callable[[Floats, Knobs, Floats, Work], None]  # (z, knobs, out, work)
Derivative = Callable[[Floats, Floats, Knobs, Floats, Work], None]  # (z, a, knobs, out, work)
Through = Callable[[Floats, Floats, Floats, Work], None]  # (dloss/da, a, out, work)

INFINITY: Final = math.inf


@dataclass(frozen=True)
class Activation:
    """One activation function. `steepest` is the largest |f'|, against which `saturated` is judged."""

    name: str
    formula: str
    slope: str
    value: Value
    derivative: Derivative
    steepest: Callable[[Knobs], Floats | float]
    low: float
    high: float
    knobs: tuple[Knob, ...] = ()
    kinks: tuple[float, ...] = ()  # where f or f' jumps
    learned: Mapping[str, Value] = field(default_factory=dict)  # knobs that are part of theta: df/dknob
    through: Through | None = None  # the Jacobian's product, where a unit's output depends on other units
    also_called: tuple[str, ...] = ()
    doc: str = ""

    @property
    def output_only(self) -> bool:
        return self.through is not None

    def __call__(self, z: Floats, **knobs: float | Floats) -> Floats:
        """f(z) as a new array, for z of shape (D,) or (D, N)."""
        out = np.empty_like(np.asarray(z, dtype=np.float64))
        with np.errstate(all="ignore"):
            self.value(np.asarray(z, dtype=np.float64), self.with_defaults(knobs), out, Work.like(out))
        return out

    def prime(self, z: Floats, **knobs: float | Floats) -> Floats:
        """f'(z) as a new array; for softmax the diagonal of its Jacobian."""
        z = np.asarray(z, dtype=np.float64)
        a, out = self(z, **knobs), np.empty_like(z)
        with np.errstate(all="ignore"):
            self.derivative(z, a, self.with_defaults(knobs), out, Work.like(out))
        return out

    def with_defaults(self, knobs: Knobs) -> Knobs:
        return {knob.name: knobs.get(knob.name, knob.default) for knob in self.knobs}


def at_zero(default: float) -> Knob:
    return Knob("derivative_at_zero", default, "what counts as f'(0), where the derivative jumps")


def set_at_zero(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    """Writes the knob where z = 0; the engine leaves it out when every run has the right branch's value."""
    if "derivative_at_zero" in knobs:
        np.equal(z, 0.0, out=work.mask)
        np.copyto(out, knobs["derivative_at_zero"], where=work.mask)


def constant(steepest: float) -> Callable[[Knobs], float]:
    return lambda knobs: steepest


def one_or_alpha(knobs: Knobs) -> Floats | float:
    """The steeper of two branches with slopes 1 and alpha."""
    return np.maximum(1.0, np.abs(knobs["alpha"]))
