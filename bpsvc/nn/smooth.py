"""Smooth activations, each with its record: the formulas of the lecture's table, and softmax for outputs."""

import math
from typing import Final

import numpy as np

from bpsvc.nn.activation import INFINITY, Activation, constant
from bpsvc.nn.arrays import Floats, Knobs, Work
from bpsvc.registry import Knob

_ONE: Final = np.array(1.0)  # as an array: turning a number into one takes longer than a tiny layer

# identity: f = z


def identity(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.copyto(out, z)


def identity_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    out.fill(1.0)


IDENTITY = Activation(
    name="identity",
    formula="z",
    slope="1",
    value=identity,
    derivative=identity_slope,
    steepest=constant(1.0),
    low=-INFINITY,
    high=INFINITY,
    also_called=("linear",),
)

# logistic: f = 1 / (1 + e^-z), f' = f (1 - f)


def logistic(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.negative(z, out=out)
    np.exp(out, out=out)  # overflows to inf below z = -709.8, where f < 1e-308 becomes 0
    np.add(out, _ONE, out=out)
    np.divide(_ONE, out, out=out)  # `reciprocal` takes far longer


def logistic_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.subtract(_ONE, a, out=out)
    np.multiply(out, a, out=out)
    if "derivative_offset" in knobs:
        np.add(out, knobs["derivative_offset"], out=out)


LOGISTIC = Activation(
    name="logistic",
    formula="1 / (1 + e^-z)",
    slope="f (1 - f)",
    value=logistic,
    derivative=logistic_slope,
    steepest=lambda knobs: 0.25 + knobs.get("derivative_offset", 0.0),
    low=0.0,
    high=1.0,
    knobs=(Knob("derivative_offset", 0.0, "added to f' on the way back (Fahlman 1988: 0.1)", low=0.0),),
    also_called=("sigmoid",),
)

# tanh: f' = 1 - f²


def tanh(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.tanh(z, out=out)


def tanh_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.multiply(a, a, out=out)
    np.subtract(1.0, out, out=out)


TANH = Activation(
    name="tanh",
    formula="tanh z",
    slope="1 - f²",
    value=tanh,
    derivative=tanh_slope,
    steepest=constant(1.0),
    low=-1.0,
    high=1.0,
)

# arctan: f' = 1 / (1 + z²)


def arctan(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.arctan(z, out=out)


def arctan_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.multiply(z, z, out=out)
    np.add(out, 1.0, out=out)
    np.divide(_ONE, out, out=out)


ARCTAN = Activation(
    name="arctan",
    formula="atan z",
    slope="1 / (1 + z²)",
    value=arctan,
    derivative=arctan_slope,
    steepest=constant(1.0),
    low=-math.pi / 2,
    high=math.pi / 2,
    also_called=("atan",),
)

# softplus: f = ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|), f' = logistic(z)


def softplus(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.abs(z, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    np.maximum(z, work.zero, out=work.u)
    np.add(out, work.u, out=out)


def softplus_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    logistic(z, knobs, out, work)


SOFTPLUS = Activation(
    name="softplus",
    formula="ln(1 + e^z)",
    slope="1 / (1 + e^-z)",
    value=softplus,
    derivative=softplus_slope,
    steepest=constant(1.0),
    low=0.0,
    high=INFINITY,
)

# softsign: f = z / (1 + |z|), f' = 1 / (1 + |z|)²


def softsign(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.abs(z, out=out)
    np.add(out, 1.0, out=out)
    np.divide(z, out, out=out)


def softsign_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.abs(z, out=out)
    np.add(out, 1.0, out=out)
    np.divide(_ONE, out, out=out)
    np.multiply(out, out, out=out)


SOFTSIGN = Activation(
    name="softsign",
    formula="z / (1 + |z|)",
    slope="1 / (1 + |z|)²",
    value=softsign,
    derivative=softsign_slope,
    steepest=constant(1.0),
    low=-1.0,
    high=1.0,
)

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


GELU = Activation(
    name="gelu",
    formula="z Phi(z)",
    slope="Phi(z) + z phi(z)",
    value=gelu,
    derivative=gelu_slope,
    steepest=constant(1.128904145185952),
    low=-0.17,
    high=INFINITY,
    doc="The exact one, not its tanh approximation.",
)

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


SILU = Activation(
    name="silu",
    formula="z s(z), s logistic",
    slope="s (1 + z (1 - s))",
    value=silu,
    derivative=silu_slope,
    steepest=constant(1.0998393194985521),
    low=-0.2785,
    high=INFINITY,
    also_called=("swish",),
)

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


MISH = Activation(
    name="mish",
    formula="z t(z), t = tanh(ln(1 + e^z))",
    slope="t + z (1 - t²) s, s logistic",
    value=mish,
    derivative=mish_slope,
    steepest=constant(1.0884881481783585),
    low=-0.30885,
    high=INFINITY,
)

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


SOFTMAX = Activation(
    name="softmax",
    formula="e^z_k / sum_j e^z_j",
    slope="f_k ([j = k] - f_j)",
    value=softmax,
    derivative=logistic_slope,
    steepest=constant(0.25),
    low=0.0,
    high=1.0,
    through=softmax_through,
    doc="Output layer only: a distribution over classes.",
)
