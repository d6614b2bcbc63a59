"""The work that is measured: nets, data, initial weights. Every peer gets the very same numbers."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Weights(NamedTuple):
    """One layer of R runs: W (R, I, D), b (R, D)."""

    w: Floats
    b: Floats


class Trace(NamedTuple):
    """What is recorded: loss (E, R), each layer's gradient L2 (E, L, R).

    Full batch: of epochs 0 … E-1. Mini-batches: after every `every` epochs, on the whole training set.
    """

    loss: Floats
    gradient_l2: Floats


@dataclass(frozen=True)
class Case:
    """Plain descent on the mean log-likelihood; `every`: epochs between records; None: full batch."""

    name: str
    widths: tuple[int, ...]
    data: str = "xor"
    hidden: str = "logistic"
    output: str = "logistic"
    learning_rate: float = 0.5
    span: float = 0.5  # weights and biases from U[-span, span]
    batch_size: int | None = None
    every: int = 1
    shuffle: bool = True

    @property
    def layers(self) -> int:
        return len(self.widths) - 1

    def examples(self) -> tuple[Floats, Floats]:
        """x (N, I), y (N, O)."""
        return DATA[self.data]()

    def weights(self, runs: int) -> list[Weights]:
        rng = np.random.default_rng(1)
        return [
            Weights(
                rng.uniform(-self.span, self.span, (runs, inputs, units)),
                rng.uniform(-self.span, self.span, (runs, units)),
            )
            for inputs, units in zip(self.widths[:-1], self.widths[1:], strict=True)
        ]


def xor() -> tuple[Floats, Floats]:
    return np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])


def encoder() -> tuple[Floats, Floats]:
    return np.eye(10), np.eye(10)


def digits() -> tuple[Floats, Floats]:
    """The 1,797 handwritten digits that come with scikit-learn, 8 by 8 pixels from 0 to 1."""
    from sklearn.datasets import load_digits

    table = load_digits()
    return np.asarray(table.data, float) / 16.0, np.eye(10)[table.target]


DATA = {"xor": xor, "encoder": encoder, "digits": digits}

XOR = Case("XOR 2-2-1", (2, 2, 1))
ENCODER = Case("encoder 10-5-10", (10, 5, 10), data="encoder")
WIDER = Case("XOR 2-8-8-1", (2, 8, 8, 1))
DEEP = Case("XOR, 20 hidden layers of 10", (2, *(10,) * 20, 1))
DIGITS = Case(
    "digits 64-32-10, mini-batches of 32", (64, 32, 10), data="digits", hidden="relu", output="softmax",
    learning_rate=0.1, span=0.1, batch_size=32, every=10,
)  # fmt: skip
CASES = {case.name: case for case in (XOR, ENCODER, WIDER, DEEP, DIGITS)}
