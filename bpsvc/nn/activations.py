"""Activation functions a = f(z), each with its derivative: the lecture's table of nine, and its usual
relatives.

A record is all there is to know about one of them. `value` writes f(z), `derivative` writes f'(z) and may use
the saved a = f(z) ("save intermediate values"). Where f' jumps, what counts as f'(0) is a knob, by default
the lecture's: z >= 0 belongs to the right branch (frameworks mostly use the left one). Formulas hold at |z| =
1000 and are exact near 0.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bpsvc.nn.arrays import Floats, Knobs, Work
from bpsvc.registry import Knob, Table

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
    learned: Mapping[str, Value] = field(
        default_factory=dict
    )  # learned knob -> df/dknob; its value is in theta
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


def at_zero(default: float = 1.0) -> Knob:
    return Knob("derivative_at_zero", default, "what counts as f'(0), where the derivative jumps")


def _set_at_zero(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    """Writes the knob where z = 0. The engine leaves the knob out when every run has the right branch's
    value.
    """
    if "derivative_at_zero" in knobs:
        np.equal(z, 0.0, out=work.mask)
        np.copyto(out, knobs["derivative_at_zero"], where=work.mask)


# identity: f = z


def identity(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.copyto(out, z)


def identity_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    out.fill(1.0)


# binary step: f = 1 from z = 0 on, else 0


def binary_step(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.heaviside(z, 1.0, out=out)


def binary_step_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    out.fill(0.0)


# logistic: f = 1 / (1 + e^-z), f' = f (1 - f)


def logistic(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.negative(z, out=out)
    np.exp(out, out=out)  # overflows to inf below z = -709.8, where f < 1e-308 becomes 0
    np.add(out, 1.0, out=out)
    np.reciprocal(out, out=out)


def logistic_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.subtract(1.0, a, out=out)
    np.multiply(out, a, out=out)
    if "derivative_offset" in knobs:
        np.add(out, knobs["derivative_offset"], out=out)


# tanh: f' = 1 - f²


def tanh(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.tanh(z, out=out)


def tanh_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.multiply(a, a, out=out)
    np.subtract(1.0, out, out=out)


# arctan: f' = 1 / (1 + z²)


def arctan(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.arctan(z, out=out)


def arctan_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.multiply(z, z, out=out)
    np.add(out, 1.0, out=out)
    np.reciprocal(out, out=out)


# relu: f = max(0, z), f' = 0 or 1


def relu(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.maximum(z, 0.0, out=out)


def relu_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.heaviside(z, knobs.get("derivative_at_zero", 1.0), out=out)


# leaky_relu and prelu: f = z or alpha z, f' = 1 or alpha


def leaky_relu(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.minimum(z, 0.0, out=work.u)
    np.multiply(work.u, knobs["alpha"], out=work.u)
    np.maximum(z, 0.0, out=out)
    np.add(out, work.u, out=out)


def leaky_relu_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    out.fill(1.0)
    np.less(z, 0.0, out=work.mask)
    np.copyto(out, knobs["alpha"], where=work.mask)
    _set_at_zero(z, knobs, out, work)


def negative_part(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    """df/dalpha of prelu: min(0, z)."""
    np.minimum(z, 0.0, out=out)


# elu: f = z or alpha (e^z - 1), f' = 1 or f + alpha


def elu(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.minimum(z, 0.0, out=work.u)
    np.expm1(work.u, out=work.u)
    np.multiply(work.u, knobs["alpha"], out=work.u)
    np.maximum(z, 0.0, out=out)
    np.add(out, work.u, out=out)


def elu_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    out.fill(1.0)
    np.add(a, knobs["alpha"], out=work.u)
    np.less(z, 0.0, out=work.mask)
    np.copyto(out, work.u, where=work.mask)
    _set_at_zero(z, knobs, out, work)


# selu: lambda elu(z; alpha), the constants of Klambauer et al. 2017

SELU_SCALE: Final = 1.0507009873554805
SELU_ALPHA: Final = 1.6732632423543772


def selu(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    elu(z, {"alpha": SELU_ALPHA}, out, work)
    np.multiply(out, SELU_SCALE, out=out)


def selu_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    out.fill(SELU_SCALE)
    np.add(a, SELU_SCALE * SELU_ALPHA, out=work.u)
    np.less(z, 0.0, out=work.mask)
    np.copyto(out, work.u, where=work.mask)
    _set_at_zero(z, knobs, out, work)


# softplus: f = ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|), f' = logistic(z)


def softplus(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.abs(z, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    np.maximum(z, 0.0, out=work.u)
    np.add(out, work.u, out=out)


def softplus_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    logistic(z, knobs, out, work)


# softsign: f = z / (1 + |z|), f' = 1 / (1 + |z|)²


def softsign(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.abs(z, out=out)
    np.add(out, 1.0, out=out)
    np.divide(z, out, out=out)


def softsign_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.abs(z, out=out)
    np.add(out, 1.0, out=out)
    np.reciprocal(out, out=out)
    np.multiply(out, out, out=out)


# gelu, the exact one: f = z Phi(z), f' = Phi(z) + z phi(z); numpy has no erf, so one unit at a time through
# math.erfc

_erfc = np.frompyfunc(math.erfc, 1, 1)


def _normal_cdf(z: Floats, out: Floats) -> None:
    np.divide(z, -math.sqrt(2.0), out=out)
    np.copyto(out, _erfc(out), casting="unsafe")  # erfc keeps the lower tail, 1 + erf would not
    np.multiply(out, 0.5, out=out)


def gelu(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    _normal_cdf(z, out)
    np.multiply(out, z, out=out)


def gelu_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.multiply(z, z, out=work.u)
    np.multiply(work.u, -0.5, out=work.u)
    np.exp(work.u, out=work.u)
    np.multiply(work.u, z, out=work.u)
    np.multiply(work.u, 1.0 / math.sqrt(2.0 * math.pi), out=work.u)
    _normal_cdf(z, out)
    np.add(out, work.u, out=out)


# silu: f = z s, f' = s (1 + z (1 - s)), s = logistic(z)


def silu(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    logistic(z, knobs, out, work)
    np.multiply(out, z, out=out)


def silu_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    logistic(z, knobs, work.u, work)
    np.subtract(1.0, work.u, out=out)
    np.multiply(out, z, out=out)
    np.add(out, 1.0, out=out)
    np.multiply(out, work.u, out=out)


# mish: f = z t, f' = t + z (1 - t²) s, t = tanh(softplus(z)), s = logistic(z)


def mish(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    softplus(z, knobs, out, work)
    np.tanh(out, out=out)
    np.multiply(out, z, out=out)


def mish_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    softplus(z, knobs, work.v, work)
    np.tanh(work.v, out=work.v)
    np.multiply(work.v, work.v, out=out)
    np.subtract(1.0, out, out=out)
    np.multiply(out, z, out=out)
    logistic(z, knobs, work.u, work)
    np.multiply(out, work.u, out=out)
    np.add(out, work.v, out=out)


# softmax over the units: f_k = e^z_k / sum_j e^z_j, df_k/dz_j = f_k ([j = k] - f_j)


def softmax(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.maximum.reduce(z, axis=work.units, keepdims=True, out=work.row)
    np.subtract(z, work.row, out=out)
    np.exp(out, out=out)
    np.add.reduce(out, axis=work.units, keepdims=True, out=work.row)
    np.divide(out, work.row, out=out)


def softmax_through(g: Floats, a: Floats, out: Floats, work: Work) -> None:
    """sum_k g_k df_k/dz_j = f_j (g_j - sum_k g_k f_k)."""
    np.multiply(g, a, out=work.v)
    np.add.reduce(work.v, axis=work.units, keepdims=True, out=work.row)
    np.subtract(g, work.row, out=out)
    np.multiply(out, a, out=out)


def _constant(steepest: float) -> Callable[[Knobs], float]:
    return lambda knobs: steepest


def _one_or_alpha(knobs: Knobs) -> Floats | float:
    return np.maximum(1.0, np.abs(knobs["alpha"]))


_OFFSET = Knob(
    "derivative_offset", 0.0, "added to f' when the signal passes back (Fahlman 1988 used 0.1)", low=0.0
)
_LEAK = Knob("alpha", 0.01, "slope for z < 0", low=0.0, high=1.0, low_open=True, high_open=True)
_LEARNED = Knob("alpha", 0.25, "slope for z < 0 to begin with: it is learned, one for the layer")
_ELU_ALPHA = Knob("alpha", 1.0, "minus the value at z = -infinity", low=0.0, low_open=True)


ACTIVATIONS: Final = Table(
    "activation",
    [
        Activation(
            "identity",
            "z",
            "1",
            identity,
            identity_slope,
            _constant(1.0),
            -INFINITY,
            INFINITY,
            also_called=("linear",),
        ),
        Activation(
            "binary_step",
            "0 if z < 0, 1 if z >= 0",
            "0",
            binary_step,
            binary_step_slope,
            _constant(0.0),
            0.0,
            1.0,
            kinks=(0.0,),
            also_called=("step", "heaviside"),
            doc="No gradient passes through it: for the lecture's hand-set weights.",
        ),
        Activation(
            "logistic",
            "1 / (1 + e^-z)",
            "f (1 - f)",
            logistic,
            logistic_slope,
            lambda knobs: 0.25 + knobs.get("derivative_offset", 0.0),
            0.0,
            1.0,
            knobs=(_OFFSET,),
            also_called=("sigmoid",),
        ),
        Activation("tanh", "tanh z", "1 - f²", tanh, tanh_slope, _constant(1.0), -1.0, 1.0),
        Activation(
            "arctan",
            "atan z",
            "1 / (1 + z²)",
            arctan,
            arctan_slope,
            _constant(1.0),
            -math.pi / 2,
            math.pi / 2,
            also_called=("atan",),
        ),
        Activation(
            "relu",
            "max(0, z)",
            "0 if z < 0, 1 if z >= 0",
            relu,
            relu_slope,
            _constant(1.0),
            0.0,
            INFINITY,
            knobs=(at_zero(),),
            kinks=(0.0,),
        ),
        Activation(
            "leaky_relu",
            "alpha z if z < 0, z if z >= 0",
            "alpha if z < 0, 1 if z >= 0",
            leaky_relu,
            leaky_relu_slope,
            _one_or_alpha,
            -INFINITY,
            INFINITY,
            knobs=(_LEAK, at_zero()),
            kinks=(0.0,),
        ),
        Activation(
            "prelu",
            "alpha z if z < 0, z if z >= 0, alpha learned",
            "alpha if z < 0, 1 if z >= 0",
            leaky_relu,
            leaky_relu_slope,
            _one_or_alpha,
            -INFINITY,
            INFINITY,
            knobs=(_LEARNED, at_zero()),
            kinks=(0.0,),
            learned={"alpha": negative_part},
        ),
        Activation(
            "elu",
            "alpha (e^z - 1) if z < 0, z if z >= 0",
            "f + alpha if z < 0, 1 if z >= 0",
            elu,
            elu_slope,
            _one_or_alpha,
            -INFINITY,
            INFINITY,
            knobs=(_ELU_ALPHA, at_zero()),
            kinks=(0.0,),
        ),
        Activation(
            "softplus",
            "ln(1 + e^z)",
            "1 / (1 + e^-z)",
            softplus,
            softplus_slope,
            _constant(1.0),
            0.0,
            INFINITY,
        ),
        Activation(
            "softmax",
            "e^z_k / sum_j e^z_j",
            "f_k ([j = k] - f_j)",
            softmax,
            logistic_slope,
            _constant(0.25),
            0.0,
            1.0,
            through=softmax_through,
            doc="Output layer only: a distribution over classes.",
        ),
        Activation(
            "softsign", "z / (1 + |z|)", "1 / (1 + |z|)²", softsign, softsign_slope, _constant(1.0), -1.0, 1.0
        ),
        Activation(
            "gelu",
            "z Phi(z)",
            "Phi(z) + z phi(z)",
            gelu,
            gelu_slope,
            _constant(1.128904145185952),
            -0.17,
            INFINITY,
            doc="The exact one, not its tanh approximation.",
        ),
        Activation(
            "silu",
            "z s(z), s logistic",
            "s (1 + z (1 - s))",
            silu,
            silu_slope,
            _constant(1.0998393194985521),
            -0.2785,
            INFINITY,
            also_called=("swish",),
        ),
        Activation(
            "selu",
            "1.0507 elu(z; alpha 1.6733)",
            "f + 1.7581 if z < 0, 1.0507 if z >= 0",
            selu,
            selu_slope,
            _constant(SELU_SCALE * SELU_ALPHA),
            -SELU_SCALE * SELU_ALPHA,
            INFINITY,
            knobs=(at_zero(SELU_SCALE),),
            kinks=(0.0,),
        ),
        Activation(
            "mish",
            "z tanh(ln(1 + e^z))",
            "t + z (1 - t²) s",
            mish,
            mish_slope,
            _constant(1.0884881481783585),
            -0.30885,
            INFINITY,
        ),
    ],
)
