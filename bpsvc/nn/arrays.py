"""The array types of the engine, and the scratch space that elementwise functions may use.

Inside the engine arrays stand units first, examples second: `(D, N)` for one run. A layout puts the run axis
R after them or before them (`layout.py`); elementwise functions need not know which.
"""

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
    """Scratch of the shape of z (and `row`: the same with one unit); `units` is the axis along which the
    units stand.
    """

    u: Floats
    v: Floats
    mask: Bools
    row: Floats
    units: int

    @classmethod
    def like(cls, z: Floats, units: int = 0) -> "Work":
        row = list(z.shape)
        row[units] = 1
        return cls(np.empty_like(z), np.empty_like(z), np.empty(z.shape, bool), np.empty(row), units)
