"""Random coordinates for generators, and the rounding that makes their digests the same on every machine.

The last bit of a sine or logarithm depends on the processor and the version of numpy; a digest would show
it, and with it the identity of every run on that data. So generated coordinates are rounded to nine decimals,
far below what training sees: a last bit that differs then shows in one coordinate of 5 million near 1, but
already in one of eight near 10⁶, where only the largest noise or spread leads.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from bpsvc import draws
from bpsvc.data.dataset import Dataset
from bpsvc.data.names import numbered
from bpsvc.draws import Floats

DECIMALS: Final = 9


def uniforms(seed: int, which: int, shape: tuple[int, int]) -> Floats:
    """Uniform on [0, 1). Rows come one after the other, so fewer examples are the first of more."""
    table: Floats = draws.uniform([seed], draws.DATA, which, shape[0] * shape[1]).reshape(shape)
    return table


def normals(seed: int, which: int, shape: tuple[int, int]) -> Floats:
    """Standard normal, rows as in `uniforms`."""
    table: Floats = draws.normal([seed], draws.DATA, which, shape[0] * shape[1]).reshape(shape)
    return table


def generated(x: Floats, y: Floats, classes: Sequence[str] | None = None) -> Dataset:
    """The data set of coordinates `x` (N, I) and targets `y` (N,) or (N, T), both rounded, columns named x1
    … and y …
    """
    y = y.reshape(len(x), -1)
    return Dataset(
        np.round(x, DECIMALS),
        np.round(y, DECIMALS),
        numbered("x", x.shape[1]),
        numbered("y", y.shape[1]),
        None if classes is None else tuple(classes),
    )


def alternating(examples: int, classes: int = 2) -> Floats:
    """Classes 0, 1, … k−1, 0, 1 …: balanced within one, and mixed for training in the data's order. Shape
    (N,).
    """
    return (np.arange(examples) % classes).astype(np.float64)
