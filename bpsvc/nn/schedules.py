"""Learning-rate schedules: the factor of ε as a pure function of how many epochs have been trained.

A function of the epoch alone needs no state: a run goes on from a checkpoint as if it had never stopped. Each
schedule may begin with a linear warm-up: 1/n, 2/n … 1 over its first n epochs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from bpsvc.nn.arrays import Floats
from bpsvc.registry import REQUIRED, Knob, Table

Factor = Callable[[int, Mapping[str, Floats]], Floats]  # (epoch, knobs each (R,)) -> (R,)

WARM_UP: Final = Knob("warm_up", 0, "epochs of linear warm-up", kind=int, low=0)


@dataclass(frozen=True)
class Schedule:
    name: str
    formula: str
    shape: Factor
    knobs: tuple[Knob, ...] = (WARM_UP,)
    also_called: tuple[str, ...] = ()
    doc: str = ""

    def factor(self, epoch: int, knobs: Mapping[str, Floats]) -> Floats:
        """What ε is multiplied by in the epoch that follows `epoch` epochs: (R,)."""
        warmth = np.minimum(1.0, (epoch + 1) / np.maximum(knobs["warm_up"], 1.0))
        product: Floats = warmth * self.shape(epoch, knobs)
        return product


def constant(epoch: int, knobs: Mapping[str, Floats]) -> Floats:
    return np.ones_like(knobs["warm_up"])


def step(epoch: int, knobs: Mapping[str, Floats]) -> Floats:
    factor: Floats = np.power(knobs["gamma"], np.floor(epoch / knobs["every"]))
    return factor


def exponential(epoch: int, knobs: Mapping[str, Floats]) -> Floats:
    factor: Floats = np.power(knobs["gamma"], float(epoch))
    return factor


def cosine(epoch: int, knobs: Mapping[str, Floats]) -> Floats:
    part = np.minimum(1.0, epoch / knobs["over"])
    factor: Floats = knobs["final"] + (1.0 - knobs["final"]) * 0.5 * (1.0 + np.cos(np.pi * part))
    return factor


_GAMMA = Knob("gamma", 0.1, "factor of each step", low=0.0, low_open=True, high=1.0)

SCHEDULES: Final = Table(
    "learning-rate schedule",
    [
        Schedule("constant", "1", constant),
        Schedule(
            "step",
            "gamma^floor(epoch / every)",
            step,
            (Knob("every", REQUIRED, "epochs between steps", kind=int, low=1), _GAMMA, WARM_UP),
        ),
        Schedule(
            "exponential",
            "gamma^epoch",
            exponential,
            (Knob("gamma", REQUIRED, "factor of each epoch", low=0.0, low_open=True, high=1.0), WARM_UP),
        ),
        Schedule(
            "cosine",
            "final + (1 - final) ½ (1 + cos(pi min(1, epoch / over)))",
            cosine,
            (
                Knob("over", REQUIRED, "epochs until it has come down", kind=int, low=1),
                Knob("final", 0.0, "factor at the end", low=0.0, high=1.0),
                WARM_UP,
            ),
            doc="Loshchilov and Hutter 2017, without restarts; `over` may differ from the horizon.",
        ),
    ],
)
