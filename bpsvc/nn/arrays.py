"""The array types of the engine, and the scratch space that elementwise functions may use.

Inside the engine arrays stand units first, examples second: `(D, N)` for one run. A layout puts the run axis
R after them or before them (`layout.py`); elementwise functions need not know which.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]

# Knobs by name: numbers, or arrays that broadcast against the pre-activations (one value per run).
Knobs = Mapping[str, Floats | float]


class Work(NamedTuple):
    """Scratch of the shape of z (and `row`: the same with one unit); the units stand along axis `units`.

    `zero` is 0 in the shape of z: comparing with an array is quicker than with a number.
    """

    u: Floats
    v: Floats
    mask: Bools
    row: Floats
    zero: Floats
    units: int

    @classmethod
    def like(cls, z: Floats, units: int = 0) -> "Work":
        return Pool(z.size).work(z.shape, units)


class Pool:
    """Scratch that layers share, since none keeps anything in it: less memory to have in the cache."""

    def __init__(self, size: int) -> None:
        self._u, self._v, self._row, self._zero = (
            np.empty(size),
            np.empty(size),
            np.empty(size),
            np.zeros(size),
        )
        self._mask = np.empty(size, dtype=bool)

    def work(self, shape: tuple[int, ...], units: int) -> Work:
        size, row = math.prod(shape), list(shape)
        row[units] = 1
        u, v = self._u[:size].reshape(shape), self._v[:size].reshape(shape)
        one = self._row[: math.prod(row)].reshape(row)
        mask, zero = self._mask[:size].reshape(shape), self._zero[:size].reshape(shape)
        return Work(u, v, mask, one, zero, units)
