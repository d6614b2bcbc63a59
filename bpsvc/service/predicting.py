"""Predict: put examples through a trained network, with the scaling and the classes it was trained with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bpsvc import data, nn
from bpsvc.service.answers import classes_of
from bpsvc.service.networks import Trained, load
from bpsvc.store import Store

Column = tuple[str, Sequence[Any]]


def predict(
    store: Store, reference: str, file: Path | None = None, *, layers: bool = False
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and one row an example: the inputs, with `layers` the hidden units, the output, the class,
    the target.

    Without a file it is the data the run was trained on (with their targets), else the rows of a CSV file
    that has the same features, found by their headings.

    Raises:
        NotFoundError: there is no such run, or it has not begun.
        DataError: the file cannot be read or lacks a feature.
    """
    trained = load(store, reference)
    dataset = trained.dataset
    x = dataset.x if file is None else data.read_rows(file, features=dataset.features)
    scaling = trained.prepared.scaling
    scaled = x if scaling is None else scaling.apply(x)
    activity = [a for _, a in nn.forward(trained.network, trained.theta, trained.knobs, scaled)]
    columns: list[Column] = list(zip(dataset.features, x.T.tolist(), strict=True))
    if layers:
        columns += _hidden(activity[:-1])
    columns += _outputs(trained, activity[-1])
    if file is None:
        columns += _targets(dataset)
    return _unique([name for name, _ in columns]), list(zip(*(values for _, values in columns), strict=True))


def _hidden(activity: Sequence[nn.Floats]) -> list[Column]:
    """h1, h2 … as on the slides; with several hidden layers h1_2 is unit 2 of layer 1."""
    several = len(activity) > 1
    return [
        (f"h{layer}_{unit}" if several else f"h{unit}", values.tolist())
        for layer, a in enumerate(activity, 1)
        for unit, values in enumerate(a.T, 1)
    ]


def _outputs(trained: Trained, a: nn.Floats) -> list[Column]:
    """The output h (one for each target, or p for each class), and the class where there are classes."""
    dataset = trained.dataset
    if dataset.classes is None:
        names = ["h"] if a.shape[1] == 1 else [f"h_{target}" for target in dataset.targets]
        return list(zip(names, a.T.tolist(), strict=True))
    said = [dataset.classes[k] for k in classes_of(a)]
    if a.shape[1] == 1:
        a = np.hstack([1.0 - a, a])
    columns: list[Column] = [
        (f"p_{name}", values.tolist()) for name, values in zip(dataset.classes, a.T, strict=True)
    ]
    return [*columns, ("predicted", said)]


def _targets(dataset: data.Dataset) -> list[Column]:
    if dataset.classes is not None:
        return [(dataset.targets[0], [dataset.classes[int(code)] for code in dataset.y[:, 0]])]
    return list(zip(dataset.targets, dataset.y.T.tolist(), strict=True))


def _unique(names: list[str]) -> list[str]:
    """Each name once: a later one that repeats gets underscores."""
    seen: set[str] = set()
    for i, name in enumerate(names):
        while name in seen:
            name += "_"
        seen.add(name)
        names[i] = name
    return names
