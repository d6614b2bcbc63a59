"""From a stored data set to the arrays of one run: encode, split, scale, in that order."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bpsvc.data.dataset import Dataset
from bpsvc.data.encoding import encode
from bpsvc.data.scaling import Scaling, fit
from bpsvc.data.splitting import Indices, Split
from bpsvc.draws import Floats


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a run trains on: `x` (N, I) and `y` (N, O) of the training part, the same for validation, or
    None without a split. The indices say which examples of the data set they are; `scaling` is what was
    applied to x.
    """

    x: Floats
    y: Floats
    validation_x: Floats | None
    validation_y: Floats | None
    scaling: Scaling | None
    training_index: Indices
    validation_index: Indices


def prepare(
    dataset: Dataset, *, output: str, split: Split | None, scale: Literal["standard"] | None
) -> Prepared:
    """The arrays for a network whose output activation is `output`; scaling is fitted on the training part
    alone.

    Raises DataError as `encode`, `Split.indices` and `scaling.fit` do.
    """
    y = encode(dataset, output)
    if split is None:
        training, validation = np.arange(dataset.examples), np.arange(0)
    else:
        training, validation = split.indices(dataset)
    x = dataset.x[training] if split is not None else dataset.x
    scaling = fit(x, dataset.features) if scale == "standard" else None

    def scaled(rows: Floats) -> Floats:
        return rows if scaling is None else scaling.apply(rows)

    return Prepared(
        x=scaled(x),
        y=y[training] if split is not None else y,
        validation_x=None if split is None else scaled(dataset.x[validation]),
        validation_y=None if split is None else y[validation],
        scaling=scaling,
        training_index=training,
        validation_index=validation,
    )
