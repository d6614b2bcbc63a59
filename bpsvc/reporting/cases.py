"""A case is a run as one experiment sees it. `runs` are given as of that experiment's own last epoch, as a
snapshot of the store hands them out: nothing is judged here that another experiment added later.
"""

import json
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ENDED: Final = "ended"
DIVERGED: Final = "diverged"
UNFINISHED: Final = "unfinished"

# How a criterion of success bounds its metric.
BOUNDS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "at_least": operator.ge,
    "below": operator.lt,
    "at_most": operator.le,
    "above": operator.gt,
}

_MEASURED: Final = (
    "initial_loss",
    "final_loss",
    "final_accuracy",
    "final_mean_abs_error",
    "final_validation_loss",
    "final_validation_accuracy",
)
_KEPT: Final = ("seed", "data", "loss", "depth", "activation", "init", "optimizer", "hidden", "output")


def judged(experiments: pd.DataFrame, runs: pd.DataFrame, epochs: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per experiment and run, in the order of experiments and run ids.

    Columns: case, horizon (the experiment's last epoch), last_epoch (how far the run is), state (ended,
    diverged, unfinished), judged (has a success criterion), solved (it was met at some epoch), held (and it
    is at the last recorded one: 1 or 0; NaN where the value there is not known), reduction, and every column
    of `runs` as `runs` has it; of those that figures and tables rely on, a missing one is NaN. `epochs` are
    the records, for criteria on what no column `final_…` of `runs` says.
    """
    order = {name: place for place, name in enumerate(experiments["experiment"])}
    rows = runs.assign(_place=runs["experiment"].map(order)).sort_values(["_place", "run_id"], kind="stable")
    rows = rows.drop(columns="_place").reset_index(drop=True)
    rows.insert(0, "case", np.arange(len(rows)))
    rows["horizon"] = rows["target_epochs"]
    rows["last_epoch"] = rows["epochs_done"]
    for column in (*_KEPT, *_MEASURED, "solved_epoch", "diverged_epoch", "seconds"):
        if column not in rows:
            rows[column] = np.nan
    status = rows["status"]
    rows["state"] = np.where(status.eq("diverged"), DIVERGED, np.where(status.eq("done"), ENDED, UNFINISHED))
    _judge(rows, experiments, epochs)
    return rows


def _judge(rows: pd.DataFrame, experiments: pd.DataFrame, epochs: pd.DataFrame | None) -> None:
    """What success means for each run, whether it came, and whether it stayed."""
    specs = {text: _loads(text) for text in rows["spec"].unique()} if "spec" in rows else {}
    wholes = {row.experiment: _loads(row.spec) for row in experiments.itertuples()}
    own = [specs.get(text, {}) for text in rows["spec"]] if specs else [{}] * len(rows)
    whole = [wholes.get(name, {}) for name in rows["experiment"]]
    criteria = [
        (a.get("success") if "success" in a else b.get("success")) or {}
        for a, b in zip(own, whole, strict=True)
    ]
    rows["judged"] = [bool(criterion) for criterion in criteria]
    rows["reduction"] = [_reduction(a) or _reduction(b) or "mean" for a, b in zip(own, whole, strict=True)]
    rows["solved_epoch"] = rows["solved_epoch"].astype(np.float64)
    rows["solved"] = rows["judged"] & rows["solved_epoch"].notna()
    rows["held"] = _held(rows, criteria, epochs)


def _held(
    rows: pd.DataFrame, criteria: list[dict[str, Any]], epochs: pd.DataFrame | None
) -> NDArray[np.float64]:
    """Which runs still meet their criterion at their last record: (runs,)."""
    metrics = np.array([criterion.get("metric", "") for criterion in criteria], dtype=object)
    held = np.where(rows["solved"] & rows["state"].ne(DIVERGED), np.nan, 0.0)
    for metric in dict.fromkeys(metrics[np.isnan(held)]):
        values = _last(rows, str(metric), epochs)
        for place in np.flatnonzero(np.isnan(held) & (metrics == metric) & ~np.isnan(values)):
            tests = (BOUNDS[name](values[place], bound) for name, bound in _bounds(criteria[place]))
            held[place] = all(tests)
    return held


def _bounds(criterion: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, criterion[name]) for name in BOUNDS if criterion.get(name) is not None]


def _last(rows: pd.DataFrame, metric: str, epochs: pd.DataFrame | None) -> NDArray[np.float64]:
    """A metric at the last record of each run, (runs,); NaN where it is not known."""
    if f"final_{metric}" in rows:
        return rows[f"final_{metric}"].to_numpy(np.float64, na_value=np.nan)
    if epochs is None or metric not in epochs:
        return np.full(len(rows), np.nan)
    mine = within_horizon(epochs[["run_id", "epoch", metric]], rows)
    last = mine.groupby("case")[metric].last()
    return rows["case"].map(last).to_numpy(np.float64, na_value=np.nan)


def within_horizon(records: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    """Records with the case they belong to, up to its horizon, case by case and in their order.

    They are large: where they are by run and epoch already, and every one belongs to the next case, as in a
    report on one experiment, the answer shares their columns.
    """
    records = _in_order(records)
    rows, counts = places(records["run_id"], cases["run_id"])
    case = np.repeat(cases["case"].to_numpy(np.int64), counts)
    within = records["epoch"].to_numpy()[rows] <= np.repeat(cases["horizon"].to_numpy(), counts)
    if not within.all():
        rows, case = rows[within], case[within]
    all_in_order = len(rows) == len(records) and bool((rows[1:] > rows[:-1]).all())
    mine = records if all_in_order else records.take(rows)
    columns = {name: mine[name].array for name in records.columns}
    return pd.DataFrame({"case": case, **columns}, copy=False)


def _in_order(records: pd.DataFrame) -> pd.DataFrame:
    keys = [name for name in ("run_id", "epoch", "layer") if name in records]
    earlier, decided = np.zeros((2, max(len(records) - 1, 0)), dtype=bool)
    for name in keys:
        step = np.diff(records[name].to_numpy())
        earlier, decided = earlier | (~decided & (step < 0)), decided | (step != 0)
    return records.sort_values(keys, kind="stable") if earlier.any() else records


def places(ordered: "pd.Series[Any]", wanted: "pd.Series[Any]") -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each of `wanted` (C,) stands in `ordered` (M,), one after the other, and how often each: (K,),
    (C,).
    """
    keys, values = ordered.to_numpy(), wanted.to_numpy()
    first = np.searchsorted(keys, values, side="left")
    counts = np.searchsorted(keys, values, side="right") - first
    before = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(first - before, counts), counts


def _loads(text: object) -> dict[str, Any]:
    loaded = json.loads(text) if isinstance(text, str) else text
    return loaded if isinstance(loaded, dict) else {}


def _reduction(spec: dict[str, Any]) -> str:
    training = spec.get("training")
    return str(
        (training.get("reduction") if isinstance(training, dict) else "") or spec.get("reduction") or ""
    )
