"""Predict: put examples through a trained network, with the scaling and the classes it was trained with."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bpsvc import data, nn
from bpsvc.errors import DataError
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
    that has the same features, found by their headings, with the delimiter of the run's own file or commas.

    Raises:
        NotFoundError: there is no such run, or it has not begun.
        DataError: the file cannot be read or lacks a feature.
    """
    trained = load(store, reference)
    dataset = trained.dataset
    x = dataset.x if file is None else _new_rows(store, trained, file)
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


def _new_rows(store: Store, trained: Trained, file: Path) -> nn.Floats:
    """The features of new examples (N, I), read as the file of an experiment with this run, else with commas:
    no part of a run is how the text of its data was divided.
    """
    found = store.query(
        """SELECT spec FROM experiments JOIN experiment_runs USING (experiment)
        WHERE run_id = :run ORDER BY submitted_at DESC""",
        {"run": trained.run_id},
    )
    wrong: list[DataError] = []
    own = [one for (spec,) in found.rows for one in _delimiters(json.loads(spec))]
    for delimiter in dict.fromkeys([*own, ","]):
        try:
            return data.read_rows(file, features=trained.dataset.features, delimiter=delimiter)
        except DataError as error:
            wrong.append(error)
    raise wrong[0]


def _delimiters(part: Any) -> Iterator[str]:
    """Every delimiter that a spec names: in `data`, or where the sweep varies it."""
    if isinstance(part, list):
        for item in part:
            yield from _delimiters(item)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name in ("delimiter", "data.delimiter"):
                yield from value if isinstance(value, list) else [value]
            else:
                yield from _delimiters(value)


def _hidden(activity: Sequence[nn.Floats]) -> list[Column]:
    """h1, h2 … numbered through the network, as on the slides and in `trace` and `weights`."""
    units = [unit for a in activity for unit in a.T.tolist()]
    return [(f"h{number}", values) for number, values in enumerate(units, 1)]


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
