"""Activations with a kink at 0, each with its record; z >= 0 is the right branch unless a knob says no."""

from typing import Final

import numpy as np

from bpsvc.nn.activation import INFINITY, Activation, at_zero, constant, one_or_alpha, set_at_zero
from bpsvc.nn.arrays import Floats, Knobs, Work
from bpsvc.registry import Knob

# binary step: f = 1 from z = 0 on, else 0


def binary_step(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.greater_equal(z, work.zero, out=out)


def binary_step_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    out.fill(0.0)


BINARY_STEP = Activation(
    name="binary_step",
    formula="0 if z < 0, 1 if z >= 0",
    slope="0",
    value=binary_step,
    derivative=binary_step_slope,
    steepest=constant(0.0),
    low=0.0,
    high=1.0,
    kinks=(0.0,),
    also_called=("step", "heaviside"),
    doc="No gradient passes through it: for the lecture's hand-set weights.",
)

# relu: f = max(0, z), f' = 0 or 1


def relu(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.maximum(z, work.zero, out=out)


def relu_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.greater_equal(z, work.zero, out=out)
    set_at_zero(z, knobs, out, work)


RELU = Activation(
    name="relu",
    formula="max(0, z)",
    slope="0 if z < 0, 1 if z >= 0",
    value=relu,
    derivative=relu_slope,
    steepest=constant(1.0),
    low=0.0,
    high=INFINITY,
    knobs=(at_zero(1.0),),
    kinks=(0.0,),
)

# leaky_relu and prelu: f = z or alpha z, f' = 1 or alpha


def leaky_relu(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.minimum(z, work.zero, out=work.u)
    np.multiply(work.u, knobs["alpha"], out=work.u)
    np.maximum(z, work.zero, out=out)
    np.add(out, work.u, out=out)


def leaky_relu_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.greater_equal(z, work.zero, out=out)
    np.subtract(1.0, out, out=work.u)
    np.multiply(work.u, knobs["alpha"], out=work.u)
    np.add(out, work.u, out=out)
    set_at_zero(z, knobs, out, work)


def negative_part(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    """df/dalpha of prelu: min(0, z)."""
    np.minimum(z, work.zero, out=out)


LEAKY_RELU = Activation(
    name="leaky_relu",
    formula="alpha z if z < 0, z if z >= 0",
    slope="alpha if z < 0, 1 if z >= 0",
    value=leaky_relu,
    derivative=leaky_relu_slope,
    steepest=one_or_alpha,
    low=-INFINITY,
    high=INFINITY,
    knobs=(
        Knob("alpha", 0.01, "slope for z < 0", low=0.0, high=1.0, low_open=True, high_open=True),
        at_zero(1.0),
    ),
    kinks=(0.0,),
)

PRELU = Activation(
    name="prelu",
    formula="alpha z if z < 0, z if z >= 0",
    slope="alpha if z < 0, 1 if z >= 0",
    value=leaky_relu,
    derivative=leaky_relu_slope,
    steepest=one_or_alpha,
    low=-INFINITY,
    high=INFINITY,
    knobs=(
        Knob("alpha", 0.25, "slope for z < 0 to begin with: it is learned, one for the layer"),
        at_zero(1.0),
    ),
    kinks=(0.0,),
    learned={"alpha": negative_part},
    doc="He et al. 2015; alpha is learned.",
)

# elu: f = z or alpha (e^z - 1), f' = 1 or f + alpha


def elu(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.minimum(z, work.zero, out=work.u)
    np.expm1(work.u, out=work.u)
    np.multiply(work.u, knobs["alpha"], out=work.u)
    np.maximum(z, work.zero, out=out)
    np.add(out, work.u, out=out)


def elu_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.greater_equal(z, work.zero, out=out)
    np.subtract(1.0, out, out=work.u)
    np.add(a, knobs["alpha"], out=work.v)
    np.multiply(work.u, work.v, out=work.u)
    np.add(out, work.u, out=out)
    set_at_zero(z, knobs, out, work)


ELU = Activation(
    name="elu",
    formula="alpha (e^z - 1) if z < 0, z if z >= 0",
    slope="f + alpha if z < 0, 1 if z >= 0",
    value=elu,
    derivative=elu_slope,
    steepest=one_or_alpha,
    low=-INFINITY,
    high=INFINITY,
    knobs=(Knob("alpha", 1.0, "minus the value at z = -infinity", low=0.0, low_open=True), at_zero(1.0)),
    kinks=(0.0,),
)

# selu: lambda elu(z; alpha), the constants of Klambauer et al. 2017

SELU_SCALE: Final = 1.0507009873554805
SELU_ALPHA: Final = 1.6732632423543772


def selu(z: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    elu(z, {"alpha": SELU_ALPHA}, out, work)
    np.multiply(out, SELU_SCALE, out=out)


def selu_slope(z: Floats, a: Floats, knobs: Knobs, out: Floats, work: Work) -> None:
    np.greater_equal(z, work.zero, out=out)
    np.subtract(1.0, out, out=work.u)
    np.add(a, SELU_SCALE * SELU_ALPHA, out=work.v)
    np.multiply(work.u, work.v, out=work.u)
    np.multiply(out, SELU_SCALE, out=out)
    np.add(out, work.u, out=out)
    set_at_zero(z, knobs, out, work)


SELU = Activation(
    name="selu",
    formula="1.0507 elu(z; alpha 1.6733)",
    slope="f + 1.7581 if z < 0, 1.0507 if z >= 0",
    value=selu,
    derivative=selu_slope,
    steepest=constant(SELU_SCALE * SELU_ALPHA),
    low=-SELU_SCALE * SELU_ALPHA,
    high=INFINITY,
    knobs=(at_zero(SELU_SCALE),),
    kinks=(0.0,),
    doc="Klambauer et al. 2017.",
)
