"""The table of activations: the lecture's nine, and their usual relatives."""

from typing import Final

from bpsvc.nn import piecewise, smooth
from bpsvc.nn.activation import Activation
from bpsvc.registry import Table

ACTIVATIONS: Final = Table(
    "activation",
    [
        # the lecture's table of nine
        smooth.IDENTITY,
        piecewise.BINARY_STEP,
        smooth.LOGISTIC,
        smooth.TANH,
        smooth.ARCTAN,
        piecewise.RELU,
        piecewise.PRELU,
        piecewise.ELU,
        smooth.SOFTPLUS,
        # and others
        piecewise.LEAKY_RELU,
        smooth.SOFTMAX,
        smooth.SOFTSIGN,
        smooth.GELU,
        smooth.SILU,
        piecewise.SELU,
        smooth.MISH,
    ],
)

__all__ = ["ACTIVATIONS", "Activation"]
