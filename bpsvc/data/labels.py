"""Class labels: their order and their codes.

The order is that of the numbers when all labels are numbers, else that of the text: it follows from the
labels alone, so shuffled rows have the same classes.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from bpsvc.data.limits import CLASSES
from bpsvc.data.names import fault_of, shown
from bpsvc.draws import Floats
from bpsvc.errors import DataError


def number_of(text: str) -> float | None:
    """The number that `text` writes (ASCII, decimal point, no `_`; may be infinite or NaN), None when it
    writes none.
    """
    text = text.strip()
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def ordered(labels: Iterable[str]) -> tuple[str, ...]:
    """The different labels in their order. DataError for one class, too many, an unprintable label, or `1`
    beside `1.0`.
    """
    labels = set(labels)
    if len(labels) < 2:
        raise DataError(
            f"every example has the class {shown(next(iter(labels), ''))}", allowed="at least two classes"
        )
    if len(labels) > CLASSES:
        raise DataError(
            f"the target has {len(labels):,} different labels",
            allowed=f"at most {CLASSES:,}",
            remedy="is it an identifier, or a number? choose another target",
        )
    for label in sorted(labels):
        if fault := fault_of(label):
            raise DataError(f"the label {shown(label)} {fault}")
    numbers = {label: number_of(label) for label in labels}
    if all(number is not None and math.isfinite(number) for number in numbers.values()):
        order = sorted(labels, key=lambda label: (numbers[label], label))
        for one, two in pairwise(order):
            if numbers[one] == numbers[two]:
                raise DataError(
                    f"the labels {one!r} and {two!r} are the same number", remedy="write them alike"
                )
        return tuple(order)
    return tuple(sorted(labels))


def codes_of(labels: Sequence[str]) -> tuple[Floats, tuple[str, ...]]:
    """Codes 0 … k−1 of shape (N, 1) and the k classes."""
    classes = ordered(labels)
    code = {label: i for i, label in enumerate(classes)}
    return np.fromiter((code[label] for label in labels), np.float64, len(labels))[:, None], classes
