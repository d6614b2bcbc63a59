"""Networks, backpropagation and training, on numpy arrays alone: pure functions, no I/O, no clock, no global
random state.
"""

from typing import Final

from bpsvc.nn.activations import ACTIVATIONS, Activation
from bpsvc.nn.arrays import Floats
from bpsvc.nn.cadence import Cadence, Criterion, Stop
from bpsvc.nn.checking import GradCheck, LayerCheck, gradcheck
from bpsvc.nn.initializers import INITIALIZERS, Initializer, initialize
from bpsvc.nn.losses import LOSSES, Loss
from bpsvc.nn.network import Layer, LayerParameters, Network, forward
from bpsvc.nn.notation import Parameter, parameters
from bpsvc.nn.optimizers import OPTIMIZERS, Optimizer
from bpsvc.nn.problem import Problem
from bpsvc.nn.records import (
    EPOCH_SERIES,
    EXTRA_EPOCH_SERIES,
    EXTRA_LAYER_SERIES,
    LAYER_SERIES,
    Records,
    join,
)
from bpsvc.nn.schedules import SCHEDULES, Schedule
from bpsvc.nn.state import NEVER, Outcome, State, concatenate
from bpsvc.nn.tracing import LayerTrace, StepTrace, trace
from bpsvc.nn.training import advance, start

# The version of the numerics: part of every run's identity. Raise it when the same run would give other bits.
NUMERICS: Final = 1

__all__ = [
    "ACTIVATIONS",
    "EPOCH_SERIES",
    "EXTRA_EPOCH_SERIES",
    "EXTRA_LAYER_SERIES",
    "INITIALIZERS",
    "LAYER_SERIES",
    "LOSSES",
    "NEVER",
    "NUMERICS",
    "OPTIMIZERS",
    "SCHEDULES",
    "Activation",
    "Cadence",
    "Criterion",
    "Floats",
    "GradCheck",
    "Initializer",
    "Layer",
    "LayerCheck",
    "LayerParameters",
    "LayerTrace",
    "Loss",
    "Network",
    "Optimizer",
    "Outcome",
    "Parameter",
    "Problem",
    "Records",
    "Schedule",
    "State",
    "StepTrace",
    "Stop",
    "advance",
    "concatenate",
    "forward",
    "gradcheck",
    "initialize",
    "join",
    "parameters",
    "start",
    "trace",
]
