"""Boolean functions with all their cases, rows in the order of binary counting: 00, 01, 10, 11 (x1 is the
leading bit).

The order matters to online training and to bit-exactness; the lecture shows both this one and 00, 10, 01, 11.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpsvc.data.dataset import Dataset
from bpsvc.data.limits import check_size
from bpsvc.data.names import numbered
from bpsvc.data.source import Source
from bpsvc.draws import Floats
from bpsvc.registry import Knob

MOST_BITS = 16


def cases(bits: int) -> Floats:
    """All patterns of `bits` bits: shape (2**bits, bits)."""
    check_size(2**bits, bits + 1, "the truth table")
    shifts = np.arange(bits - 1, -1, -1)
    return ((np.arange(2**bits)[:, None] >> shifts) & 1).astype(np.float64)


def truth_table(x: Floats, y: NDArray[Any]) -> Dataset:
    """The data set of patterns `x` (N, I) and outputs `y` (N,) or (N, T)."""
    y = y.astype(np.float64).reshape(len(x), -1)
    return Dataset(x, y, numbered("x", x.shape[1]), numbered("y", y.shape[1]), truth_table=True)


def parity(bits: int) -> Dataset:
    """1 when the number of ones is odd."""
    x = cases(bits)
    return truth_table(x, x.sum(axis=1) % 2)


def majority(bits: int) -> Dataset:
    """1 when more than half of the bits are ones."""
    x = cases(bits)
    return truth_table(x, x.sum(axis=1) > bits / 2)


def symmetry(bits: int) -> Dataset:
    """1 when the pattern reads the same from both ends."""
    x = cases(bits)
    return truth_table(x, (x == x[:, ::-1]).all(axis=1))


def encoder(size: int) -> Dataset:
    """The n patterns with a single one, each to be reproduced."""
    check_size(size, 2 * size, "the encoder")
    return truth_table(np.eye(size), np.eye(size))


def _gate(name: str, function: Callable[[Floats], NDArray[np.bool_]], doc: str) -> Source:
    """A function of two bits; `function` gets the number of ones in each row."""

    def build() -> Dataset:
        x = cases(2)
        return truth_table(x, function(x.sum(axis=1)))

    return Source(name, doc, build, truth_table=True)


def _bits(default: int, least: int = 2) -> Knob:
    return Knob(
        "bits", default, "number of inputs; there are 2**bits examples", int, low=least, high=MOST_BITS
    )


TRUTH_TABLES = (
    _gate("xor", lambda ones: ones == 1, "exclusive or of two bits: the lecture's 4 examples"),
    _gate("and", lambda ones: ones == 2, "1 when both bits are: a line separates it"),
    _gate("or", lambda ones: ones > 0, "1 when any bit is: a line separates it"),
    _gate("nand", lambda ones: ones < 2, "the opposite of and"),
    _gate("nor", lambda ones: ones == 0, "the opposite of or"),
    Source(
        "parity", "1 when the number of ones is odd; 2 bits are xor", parity, (_bits(3),), truth_table=True
    ),
    Source("majority", "1 when more than half of the bits are", majority, (_bits(3),), truth_table=True),
    Source(
        "symmetry",
        "1 when the pattern reads the same from both ends: 6 bits are the task of Rumelhart, Hinton "
        "and Williams, Nature 323 (1986), Fig. 1",
        symmetry,
        (_bits(6),),
        truth_table=True,
    ),
    Source(
        "encoder",
        "n patterns with a single one, to be reproduced through a bottleneck: 8-3-8 of PDP (1986), "
        "10-5-10 of Fahlman (1988)",
        encoder,
        (Knob("size", 8, "n: number of inputs, outputs and examples", int, low=2, high=1_000),),
        truth_table=True,
    ),
)
