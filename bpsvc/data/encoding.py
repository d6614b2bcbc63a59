"""From a data set's targets to what the output units shall give."""

import numpy as np

from bpsvc.data.dataset import Dataset
from bpsvc.data.limits import check_size
from bpsvc.draws import Floats

_DEFAULT_OUTPUT = {"binary": "logistic", "classes": "softmax", "real": "identity"}


def default_output(dataset: Dataset) -> str:
    """The output activation when the spec names none: 0/1 targets → logistic, classes → softmax, numbers →
    identity.
    """
    return _DEFAULT_OUTPUT[dataset.kind]


def output_width(dataset: Dataset, output_activation: str) -> int:
    """O, the number of output units that `encode` asks for."""
    if dataset.classes is None:
        return len(dataset.targets)
    k = len(dataset.classes)
    return 1 if k == 2 and output_activation != "softmax" else k


def encode(dataset: Dataset, output_activation: str) -> Floats:
    """Targets for the output units, shape (N, O).

    Numbers stay as they are. k classes become one-hot rows of width k; two classes with any output but
    softmax become one column, 1 for the second class. `output_activation` is a canonical name. Raises
    DataError when the rows would pass the limit of size.
    """
    if dataset.classes is None:
        return dataset.y
    width = output_width(dataset, output_activation)
    if width == 1:
        return dataset.y
    check_size(dataset.examples, width, "the one-hot targets", remedy="use fewer examples or classes")
    rows: Floats = (dataset.y == np.arange(width)).astype(np.float64)
    return rows
