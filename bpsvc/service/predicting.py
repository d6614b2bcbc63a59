"""Predict: put examples through a trained network, with the scaling and the classes it was trained with."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bpsvc import data, nn
from bpsvc.data.labels import number_of
from bpsvc.errors import DataError
from bpsvc.service.answers import classes_of
from bpsvc.service.networks import Trained, facts, load
from bpsvc.store import Store

_FEW: Final = 5

Column = tuple[str, Sequence[Any]]


class Predicted(NamedTuple):
    """Column names and one row an example, and what is to be known of them."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    notes: tuple[str, ...]


def predict(store: Store, reference: str, file: Path | None = None, *, layers: bool = False) -> Predicted:
    """The inputs, with `layers` the hidden units, the output, the class, the target; of a run's own data that
    are split, which part an example is in.

    Without a file it is the data the run was trained on (with their targets), else the rows of a CSV file
    that has the same features, found by their headings (and their targets, if it has them), with the
    delimiter of the run's own file or commas.

    Raises:
        NotFoundError: there is no such run, or it has not begun.
        DataError: the file cannot be read or lacks a feature.
    """
    trained = load(store, reference)
    dataset = trained.dataset
    x, targets = (dataset.x, _targets(trained)) if file is None else _new_rows(store, trained, file)
    scaling = trained.prepared.scaling
    scaled = x if scaling is None else scaling.apply(x)
    activity = [a for _, a in nn.forward(trained.network, trained.theta, trained.knobs, scaled)]
    columns: list[Column] = list(zip(dataset.features, x.T.tolist(), strict=True))
    if layers:
        columns += _hidden(activity[:-1])
    columns += _outputs(trained, activity[-1])
    columns += targets
    notes = (*_diverged(store, trained), *(_unknown(trained, targets) if file else ()))
    names = _unique([name for name, _ in columns])
    return Predicted(names, list(zip(*(values for _, values in columns), strict=True)), notes)


def _diverged(store: Store, trained: Trained) -> Iterator[str]:
    row = facts(store, trained.run_id)
    if row["status"] == "diverged":
        yield f"run {trained.run_id} diverged at epoch {row['diverged_epoch']}: these are no predictions"


def _unknown(trained: Trained, targets: Sequence[Column]) -> Iterator[str]:
    """Labels that the network cannot know."""
    classes = trained.dataset.classes
    if classes is not None:
        for name, labels in targets:
            if strange := sorted({*labels} - {*classes, None}):
                known = f"no class of this run; it knows {_listed(classes)}"
                yield f"{_listed(strange)} in column {name!r}: {known}"


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(map(repr, labels[:_FEW])) + ", …" * (len(labels) > _FEW)


def _new_rows(store: Store, trained: Trained, file: Path) -> tuple[nn.Floats, list[Column]]:
    """The features of new examples (N, I) and their targets, as far as the file has them; read as the file of
    an experiment with this run, else with commas: no part of a run is how the text of its data was divided.
    """
    found = store.query(
        """SELECT spec FROM experiments JOIN experiment_runs USING (experiment)
        WHERE run_id = :run ORDER BY submitted_at DESC""",
        {"run": trained.run_id},
    )
    dataset, wrong = trained.dataset, list[DataError]()
    own = [one for (spec,) in found.rows for one in _delimiters(json.loads(spec))]
    for delimiter in dict.fromkeys([*own, ","]):
        try:
            x, given = data.read_rows(
                file, features=dataset.features, beside=dataset.targets, delimiter=delimiter
            )
        except DataError as error:
            wrong.append(error)
        else:
            said = str if dataset.classes else _number
            return x, [
                (name, [said(cell) if cell else None for cell in cells]) for name, cells in given.items()
            ]
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


def _number(cell: str) -> float | str:
    """What a cell says of a target that is a number: for a comparison by eye, so nothing is refused."""
    number = number_of(cell)
    return cell if number is None else number


def _targets(trained: Trained) -> list[Column]:
    """The targets of the run's own data; where these are split, the part of each example."""
    dataset, held_out = trained.dataset, trained.prepared.validation_index
    columns: list[Column] = list(zip(dataset.targets, dataset.y.T.tolist(), strict=True))
    if dataset.classes is not None:
        columns = [(dataset.targets[0], [dataset.classes[int(code)] for code in dataset.y[:, 0]])]
    if len(held_out):
        part = np.full(len(dataset.y), "training", dtype=object)
        part[held_out] = "validation"
        columns.append(("part", part.tolist()))
    return columns


def _unique(names: list[str]) -> list[str]:
    """Each name once: a later one that repeats gets underscores."""
    seen: set[str] = set()
    for i, name in enumerate(names):
        while name in seen:
            name += "_"
        seen.add(name)
        names[i] = name
    return names
