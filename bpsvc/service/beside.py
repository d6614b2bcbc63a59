"""Experiments beside each other: a value of every factor for every run, and what else differs."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from bpsvc.errors import UsageError
from bpsvc.registry import did_you_mean
from bpsvc.spec import ABSENT, Choice, RunLayer, RunSpec, get, labels_of, values_of

EXPERIMENT: Final = "experiment"
Layers = Sequence[RunLayer]


def _alike(values: Sequence[Any]) -> Any:
    """The value that they all are; all of them where they differ."""
    if not values:
        return ABSENT
    return values[0] if all(value == values[0] for value in values) else tuple(values)


# What a spec says of its network, read from the layers that a run has.
_NETWORK: Final[Mapping[str, Callable[[Layers], Any]]] = {
    "network.hidden.depth": lambda layers: len(layers) - 1,
    "network.hidden.units": lambda layers: _alike([layer.units for layer in layers[:-1]]),
    "network.hidden": lambda layers: [layer.units for layer in layers[:-1]],
    "network.activation": lambda layers: _alike([layer.activation for layer in layers[:-1]]),
    "network.output": lambda layers: layers[-1].activation,
    "network.bias": lambda layers: _alike([layer.bias for layer in layers]),
}


def value_at(run: RunSpec, path: str) -> Any:
    """What a run's spec has at a path, which may be one of the short forms of `network`; else ABSENT."""
    for form, read in _NETWORK.items():
        if path == form:
            return read(run.network.layers)
        if path.startswith(f"{form}."):
            return get(read(run.network.layers), path.removeprefix(f"{form}."))
    return get(run, path)


def completed(runs: pd.DataFrame, factors: pd.DataFrame) -> pd.DataFrame:
    """`runs` with a value of every factor for every run: an experiment that does not sweep it has it in its
    spec.

    Names with knobs are told apart by every knob in which they differ here, be it at its default.
    """
    specs = _specs(runs)
    columns: dict[str, list[Any]] = {}
    for label, group in factors.groupby("label", sort=False):
        path = str(group["name"].iloc[0])
        elsewhere = set(group.loc[group["name"] != path, "experiment"])
        found = {text: value_at(run, path) for text, run in specs.items()}
        told = dict(zip(found, values_of(list(found.values())), strict=True))
        own = [isinstance(value, Choice) for value in found.values()]
        columns[str(label)] = [
            stored
            if experiment in elsewhere or told[text] is None or (known and not any(own))
            else told[text]
            for stored, known, experiment, text in zip(
                runs[label], runs[label].notna(), runs[EXPERIMENT], runs["spec"], strict=True
            )
        ]
    return runs.assign(**{label: _typed(column) for label, column in columns.items()})


def settings(runs: pd.DataFrame, factors: pd.DataFrame) -> pd.DataFrame:
    """In what experiments differ though none of them sweeps it: experiment, name (the path), label, value."""
    specs = _specs(runs)
    paths = dict.fromkeys(path for run in specs.values() for path in _paths(run))
    values = {path: {text: value_at(run, path) for text, run in specs.items()} for path in paths}
    told = {
        path: runs["spec"].map(dict(zip(found, values_of(list(found.values())), strict=True)))
        for path, found in values.items()
    }
    told = {"data": runs["data"], **told, "training.epochs": runs["target_epochs"]}
    swept = set(factors["name"])
    rows = []
    for path, column in told.items():
        each = column.astype(object).where(column.notna(), None).groupby(runs[EXPERIMENT], sort=False)
        within = each.nunique(dropna=False)
        firsts = each.agg(lambda values: values.iloc[0])
        covered = any(path == one or one.startswith(f"{path}.") for one in swept)
        if not covered and within.max() == 1 and firsts.nunique(dropna=False) > 1:
            rows += [(experiment, path, value) for experiment, value in firsts.items()]
    frame = pd.DataFrame(rows, columns=[EXPERIMENT, "name", "value"])
    frame.insert(2, "label", frame["name"].map(labels_of(dict.fromkeys(frame["name"]))))
    return frame


def told_apart(
    runs: pd.DataFrame, factors: pd.DataFrame, differing: pd.DataFrame, by: Sequence[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """`runs` with the columns by which they are told apart, and the names of those: the experiment (of
    several) and all factors, or those that are named `by` path or label, which may also be what differs
    between experiments.

    Raises:
        UsageError: nothing of that name varies here.
    """
    several = runs[EXPERIMENT].nunique() > 1
    swept = dict(zip(factors["label"], factors["label"], strict=True))
    if not by:
        return runs, (*([EXPERIMENT] if several else []), *swept)
    varying = pd.concat([factors[["name", "label"]], differing[["name", "label"]]])
    known = {EXPERIMENT: EXPERIMENT} if several else {}
    known |= dict(zip(varying["label"], varying["label"], strict=True))
    known |= dict(zip(varying["name"], varying["label"], strict=True))
    for name in by:
        if name not in known:
            labels = dict.fromkeys(known.values())
            raise UsageError(
                f"{name} is not swept here" + (", nor does it differ between experiments" if several else ""),
                allowed=", ".join(labels) or "nothing is",
                remedy=did_you_mean(name, labels),
            )
    for label, group in differing[~differing["label"].isin(list(swept))].groupby("label", sort=False):
        values = group.set_index(EXPERIMENT)["value"]
        runs = runs.assign(**{str(label): _typed(list(runs[EXPERIMENT].map(values)))})
    return runs, tuple(dict.fromkeys(known[name] for name in by))


def drawn(experiments: pd.DataFrame, factors: pd.DataFrame) -> frozenset[str]:
    """The labels of the factors whose values an experiment draws at random."""
    blocks: list[dict[str, Any]] = []
    for text in experiments["spec"]:
        sweep = json.loads(text).get("sweep") or []
        blocks += sweep if isinstance(sweep, list) else [sweep]
    paths = {path for block in blocks for path in (block.get("random") or {}).get("axes", ())}
    return frozenset(factors.loc[factors["name"].isin(paths), "label"])


def _paths(run: RunSpec) -> Iterator[str]:
    """What two specs are compared in."""
    yield from ("network.hidden", "network.activation", "network.output", "network.bias", "init", "loss")
    for section in ("data", "training"):
        yield from (f"{section}.{name}" for name in type(getattr(run, section)).model_fields)
    yield "success"


def _specs(runs: pd.DataFrame) -> dict[str, RunSpec]:
    return {str(text): RunSpec.from_canonical(text) for text in runs["spec"].unique()}


def _typed(values: list[Any]) -> "pd.Series[Any]":
    return pd.Series(values, dtype=object).infer_objects()
