"""Losses: what training descends, as a function of outputs a and targets y, with its derivative.

The lecture *ascends* the log-likelihood; here `loss` = -log L and training *descends*: the same step, stated
once, here. A loss is a sum of terms over outputs and examples; `reduction` says whether examples are then
averaged (the lecture's 1/N).

With its own output activation a likelihood has an exact, *fused* form: the term from the pre-activation z,
and the output signal dterm/dz = a - y ("h(1-h)(y/h - (1-y)/(1-h))" simplifies to y - h), which neither
divides by zero nor loses the tail when h rounds to 0 or 1. Every other pair goes through dterm/da times
f'(z).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bpsvc.nn.arrays import Floats, Knobs, Work
from bpsvc.registry import Knob, Table

Function = Callable[[Floats, Floats, Knobs, Floats, Work], None]  # (a, y, knobs, out, work)
FusedValue = Callable[[Floats, Floats, Floats, Work], None]  # (z, y, out, work)
FusedDelta = Callable[[Floats, Floats, Floats], None]  # (a, y, out)


@dataclass(frozen=True)
class Fused:
    """A loss and an output activation taken together: the term from z, and dterm/dz."""

    value: FusedValue
    delta: FusedDelta


@dataclass(frozen=True)
class Term:
    """What one output of one example adds to the loss, and its derivative by a. `fused` pairs by output
    activation.
    """

    value: Function
    derivative: Function
    fused: Mapping[str, Fused] = field(default_factory=dict)


@dataclass(frozen=True)
class Loss:
    """A loss: one term for every output activation, or one for each that it knows."""

    name: str
    formula: str
    term: Term | None = None  # for any output activation
    terms: Mapping[str, Term] = field(default_factory=dict)  # by output activation
    knobs: tuple[Knob, ...] = ()
    also_called: tuple[str, ...] = ()
    doc: str = ""

    def for_output(self, activation: str) -> Term | None:
        """The term for this output activation, None when they do not go together."""
        return self.terms.get(activation, self.term)


def difference(a: Floats, y: Floats, out: Floats) -> None:
    """dterm/dz of every canonical pair: a - y, the lecture's y - h with the sign of descent."""
    np.subtract(a, y, out=out)


# Bernoulli: -log p(y) = -(y ln a + (1 - y) ln(1 - a)) = max(z, 0) - y z + ln(1 + e^-|z|)


def bernoulli(a: Floats, y: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.log(a, out=out)
    np.multiply(out, y, out=out)
    np.negative(a, out=work.u)
    np.log1p(work.u, out=work.u)
    np.subtract(1.0, y, out=work.v)
    np.multiply(work.u, work.v, out=work.u)
    np.add(out, work.u, out=out)
    np.negative(out, out=out)


def bernoulli_derivative(a: Floats, y: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    """-(y/a - (1 - y)/(1 - a))."""
    np.subtract(1.0, y, out=out)
    np.subtract(1.0, a, out=work.u)
    np.divide(out, work.u, out=out)
    np.divide(y, a, out=work.u)
    np.subtract(out, work.u, out=out)


def bernoulli_fused(z: Floats, y: Floats, out: Floats, work: Work) -> None:
    np.maximum(z, work.zero, out=work.u)
    np.multiply(y, z, out=work.v)
    np.subtract(work.u, work.v, out=work.u)  # exactly 0 on the right side: the tail is left to log1p
    np.abs(z, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    np.add(out, work.u, out=out)


# Categorical: -log p(y) = -sum_k y_k ln a_k, ln a_k = z_k - max z - ln sum_j e^(z_j - max z)


def categorical(a: Floats, y: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.log(a, out=out)
    np.multiply(out, y, out=out)
    np.negative(out, out=out)


def categorical_derivative(a: Floats, y: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.divide(y, a, out=out)
    np.negative(out, out=out)


def categorical_fused(z: Floats, y: Floats, out: Floats, work: Work) -> None:
    np.maximum.reduce(z, axis=work.units, keepdims=True, out=work.row)
    np.subtract(z, work.row, out=work.u)
    np.exp(work.u, out=out)
    np.add.reduce(out, axis=work.units, keepdims=True, out=work.row)
    np.log(work.row, out=work.row)
    np.subtract(work.row, work.u, out=out)
    np.multiply(out, y, out=out)


# Squared: ½ (a - y)²; Gaussian of variance 1: the same, its constant ½ ln 2π an output left away


def squared(a: Floats, y: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.subtract(a, y, out=out)
    np.multiply(out, out, out=out)
    np.multiply(out, 0.5, out=out)


def squared_derivative(a: Floats, y: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.subtract(a, y, out=out)
    if "atanh_error" in knobs:
        np.greater(np.broadcast_to(knobs["atanh_error"], out.shape), 0.0, out=work.mask)
        np.copyto(out, _atanh_error(out, work.u), where=work.mask)


def _atanh_error(d: Floats, out: Floats) -> Floats:
    """Fahlman's error ln((1 + d) / (1 - d)), cut at ±17: large where an output is quite wrong."""
    np.minimum(d, 1.0, out=out)
    np.maximum(out, -1.0, out=out)
    np.arctanh(out, out=out)
    np.multiply(out, 2.0, out=out)
    np.minimum(out, 17.0, out=out)
    np.maximum(out, -17.0, out=out)
    return out


def squared_fused(z: Floats, y: Floats, out: Floats, work: Work) -> None:
    squared(z, y, {}, out, work)


# Huber: ½ r² while |r| <= d, then d (|r| - d/2), r = a - y; derivative: r clipped to [-d, d]


def huber(a: Floats, y: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    """With c = min(|r|, d): c |r| - c²/2, which is both branches at once."""
    np.subtract(a, y, out=work.u)
    np.abs(work.u, out=work.u)
    np.minimum(work.u, knobs["delta"], out=work.v)
    np.multiply(work.v, 0.5, out=out)
    np.subtract(work.u, out, out=out)
    np.multiply(out, work.v, out=out)


def huber_derivative(a: Floats, y: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.subtract(a, y, out=out)
    np.minimum(out, knobs["delta"], out=out)
    np.maximum(out, np.negative(knobs["delta"]), out=out)


LOSSES: Final = Table(
    "loss",
    [
        Loss(
            "log_likelihood",
            "-log L: Bernoulli for logistic, categorical for softmax, Gaussian for identity outputs",
            terms={
                "logistic": Term(
                    bernoulli, bernoulli_derivative, {"logistic": Fused(bernoulli_fused, difference)}
                ),
                "softmax": Term(
                    categorical, categorical_derivative, {"softmax": Fused(categorical_fused, difference)}
                ),
                "identity": Term(squared, squared_derivative, {"identity": Fused(squared_fused, difference)}),
            },
            doc="The Gaussian's additive constant, ½ ln 2π for each output of each example, is left away.",
        ),
        Loss(
            "squared",
            "½ sum over outputs of (a - y)²",
            Term(squared, squared_derivative),
            knobs=(
                Knob(
                    "atanh_error", False, "pass back ln((1+d)/(1-d)) for d = a - y (Fahlman 1988)", kind=bool
                ),
            ),
        ),
        Loss(
            "huber",
            "½ r² if |r| <= delta, else delta (|r| - delta/2), r = a - y, summed over outputs",
            Term(huber, huber_derivative),
            knobs=(Knob("delta", 1.0, "where it turns from square to straight", low=0.0, low_open=True),),
            doc="Any differentiable loss will do; this one does not mind outliers.",
        ),
    ],
)

LIKELIHOOD: Final = LOSSES["log_likelihood"]
