"""Arrays given in the spec or in Python."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpsvc.data.dataset import Dataset
from bpsvc.data.labels import codes_of
from bpsvc.data.limits import EXACT, check_exact
from bpsvc.data.names import numbered
from bpsvc.draws import Floats
from bpsvc.errors import DataError


def from_arrays(
    x: Any,
    y: Any,
    *,
    features: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
) -> Dataset:
    """A data set from nested lists or arrays: `x` (N, I) numbers; `y` (N, T) or (N,) numbers, or (N,) class
    labels (text).

    Columns are called x1 … xI and y (or y1 … yT) unless named. Raises DataError for ragged rows, anything
    that is not a finite number or that float64 would round, and shapes that do not fit.
    """
    inputs = _numbers("x", x, dimensions=(2,))
    labels = _labels(y)
    if labels is None:
        outputs, classes = _numbers("y", y, dimensions=(1, 2)), None
    else:
        outputs, classes = codes_of(labels)
    outputs = outputs.reshape(len(outputs), -1)
    return Dataset(
        inputs,
        outputs,
        tuple(features) if features is not None else numbered("x", inputs.shape[1]),
        tuple(targets) if targets is not None else numbered("y", outputs.shape[1]),
        classes,
    )


def _labels(y: Any) -> list[str] | None:
    """The labels when `y` is a flat sequence of text (or rows of one text each), None when it is not."""
    values = y.tolist() if isinstance(y, np.ndarray) else y
    if not isinstance(values, (list, tuple)) or not values:
        return None
    flat = [row[0] if isinstance(row, (list, tuple)) and len(row) == 1 else row for row in values]
    return flat if all(isinstance(value, str) for value in flat) else None


def _numbers(name: str, values: Any, dimensions: tuple[int, ...]) -> Floats:
    """`values` as float64 with one of the numbers of `dimensions`, never through text or objects."""
    array: NDArray[Any]
    if isinstance(values, np.ndarray):
        array = values
    else:
        _check_rows(name, values)
        try:
            array = np.array(values)
        except (ValueError, OverflowError) as error:
            raise DataError(f"{name} is no table of numbers", allowed="rows of equal length") from error
    if array.dtype.kind not in "biuf" or not array.size:
        raise DataError(f"{name} is no table of numbers", allowed="at least one row of finite numbers")
    if array.ndim not in dimensions:
        shape = "(examples, features)" if name == "x" else "(examples, targets) or (examples,)"
        raise DataError(f"{name} has shape {array.shape}", allowed=shape)
    check_exact(array, name)
    return array.astype(np.float64)


def _check_rows(name: str, values: Any) -> None:
    """Names the first row that is ragged or holds something else than numbers: numpy would not say which."""
    if not isinstance(values, (list, tuple)):
        raise DataError(f"{name} is {type(values).__name__}, not a list of rows")
    width = None
    for i, row in enumerate(values, 1):
        cells = row if isinstance(row, (list, tuple)) else [row]
        if width is not None and len(cells) != width:
            raise DataError(f"{name}, row {i}: {len(cells)} numbers, the first row has {width}")
        width = len(cells)
        for cell in cells:
            if not _is_number(cell):
                raise DataError(f"{name}, row {i}: {cell!r:.40} is not a number")
            if isinstance(cell, (int, np.integer)) and not -EXACT <= cell <= EXACT:
                what = f"{name}, row {i}: an integer that float64 cannot hold"
                raise DataError(what, allowed="-2**53 to 2**53")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
