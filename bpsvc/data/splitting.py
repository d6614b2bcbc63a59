"""Which examples train and which validate."""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bpsvc import draws
from bpsvc.data.dataset import Dataset
from bpsvc.errors import DataError

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """A share `validation` of the examples (0 < share < 1) is held out, chosen by `seed`; `stratify` holds
    out the same share of every class.
    """

    validation: float
    stratify: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.validation < 1:
            raise DataError("split.validation", value=self.validation, allowed="0 < validation < 1")

    def indices(self, dataset: Dataset) -> tuple[Indices, Indices]:
        """The training and the validation examples, each in the order of the data.

        V = ⌊validation · N + ½⌋ in float64 (0.29 · 50 is a little below 14.5, so 14) are held out, never
        clamped to something possible. The order in which examples are picked is one permutation of all N, so
        runs with one split seed share it.
        Stratified: a class of n examples gives n·V/N, rounded down or up so that the sum is V (largest
        remainders first). Raises DataError when a part or, stratified, a class in training would be empty.
        """
        count = math.floor(self.validation * dataset.examples + 0.5)
        if not 0 < count < dataset.examples:
            raise DataError(
                f"split.validation {self.validation:g} of {dataset.examples} examples holds out {count}",
                allowed="at least one example on each side",
            )
        order = draws.permutation([self.seed], draws.SPLIT, 0, dataset.examples)[0]
        held_out = np.zeros(dataset.examples, dtype=bool)
        if self.stratify:
            strata = _strata(dataset)
            for stratum, share in enumerate(_shares(np.bincount(strata), count)):
                members = order[strata[order] == stratum]
                if share == len(members):
                    name = (
                        dataset.classes[stratum] if dataset.classes is not None else f"number {stratum + 1}"
                    )
                    raise DataError(
                        f"split.validation {self.validation:g} leaves class {name!r} no example to train on",
                        remedy=f"it has {len(members)}; give it more, or hold out less",
                    )
                held_out[members[:share]] = True
        else:
            held_out[order[:count]] = True
        return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _strata(dataset: Dataset) -> Indices:
    """The class of each example as 0 … k−1; rows of 0/1 targets that are equal are one class."""
    if dataset.kind == "real":
        raise DataError(
            "a stratified split needs classes or 0/1 targets; these are numbers",
            remedy="set stratify to false",
        )
    if dataset.classes is not None:
        return dataset.y[:, 0].astype(np.intp)
    _, strata = np.unique(dataset.y, axis=0, return_inverse=True)
    return cast(Indices, strata.reshape(-1))


def _shares(sizes: Indices, count: int) -> list[int]:
    """Integers within one of sizes·count/sum(sizes) that add up to `count`: largest remainders, ties to the
    first.
    """
    total = int(sizes.sum())
    shares = [int(size) * count // total for size in sizes]
    remainders = [int(size) * count % total for size in sizes]
    for stratum in sorted(range(len(shares)), key=lambda i: (-remainders[i], i))[: count - sum(shares)]:
        shares[stratum] += 1
    return shares
