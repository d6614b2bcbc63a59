"""Judge runs by their records, without training: by another criterion of success, or all at the same epochs.

Training looks for success at every epoch with a full batch, but only at recorded ones with mini-batches or
on validation data. Who is looked at more often is seen to succeed sooner: runs that are to be compared are
judged at the recorded epochs that they share.
"""

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpsvc.errors import UsageError
from bpsvc.nn import Cadence
from bpsvc.reporting import Material
from bpsvc.reporting.cases import BOUNDS
from bpsvc.wording import plural

_SIGNS: Final[Mapping[str, str]] = {"<=": "at_most", "<": "below", ">=": "at_least", ">": "above"}
_CONDITION: Final = re.compile(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*")


def rejudged(material: Material, condition: str) -> Material:
    """The material with runs solved at the first recorded epoch at which `condition` holds, such as
    `loss<=0.05`: of the epochs that all runs share.

    Raises:
        UsageError: the condition is none, or its metric is not recorded.
    """
    metric, how, bound = _parsed(condition, material.epochs)
    success = {"metric": metric, how: bound}
    runs = material.runs.assign(spec=[_with_success(text, success) for text in material.runs["spec"]])
    note = f" Judged anew: solved means {condition.strip()} at a recorded epoch."
    experiments = material.experiments.assign(
        description=[f"{text or ''}{note}".strip() for text in material.experiments["description"]]
    )
    cadences = {_cadence(json.loads(text)) for text in runs["spec"].unique()}
    about = replace(material, runs=runs, experiments=experiments, notes=())
    return _by_records(about, cadences, said=len(cadences) > 1)


def alike(material: Material) -> Material:
    """The material with all runs judged at the recorded epochs that they share, where some were looked at
    more often than others; else as it is.
    """
    horizon = int(material.runs["target_epochs"].max()) if len(material.runs) else 0
    specs = [json.loads(text) for text in material.runs["spec"].unique()]
    judged = [spec for spec in specs if spec.get("success")]
    if len({_resolution(spec, horizon) for spec in judged}) < 2:
        return material
    return _by_records(material, {_cadence(spec) for spec in judged}, said=True)


def _cadence(spec: Mapping[str, Any]) -> Cadence:
    return Cadence(spec.get("record", {}).get("every", 1))


def _resolution(spec: Mapping[str, Any], horizon: int) -> Cadence:
    """The epochs at which training looked for success."""
    looked, every = _cadence(spec), Cadence(1)
    in_training = "batch_size" not in spec["training"] and not spec["success"]["metric"].startswith("valid")
    return every if in_training or looked.count(0, horizon) == horizon else looked


def _by_records(material: Material, cadences: Collection[Cadence], *, said: bool) -> Material:
    """Solved at the first epoch of all cadences at which the record meets the run's criterion.

    A run that ends between two such epochs and meets it stays as it is: it is solved at the next of them, or,
    where its experiment ends before, at its last.
    """
    runs, epochs = material.runs, material.epochs
    shared = np.array([epoch for epoch in np.unique(epochs["epoch"]) if _shared(int(epoch), cadences)])
    solved = pd.Series(np.nan, index=runs.index)
    for text, rows in runs.groupby("spec", sort=False):
        criterion = json.loads(str(text)).get("success")
        if not criterion:
            continue
        last = rows["epochs_done"].where(rows["status"].isin(["done", "diverged"]))
        if criterion["metric"] in epochs:
            mine = epochs[epochs["run_id"].isin(rows["run_id"])]
            met = mine[_met(mine, criterion)]
            first = met[met["epoch"].isin(shared)].groupby("run_id")["epoch"].min()
            early = rows["run_id"].map(first).astype(np.float64)
            at_end = pd.MultiIndex.from_arrays([rows["run_id"], last]).isin(
                pd.MultiIndex.from_frame(met[["run_id", "epoch"]])
            )
            last = last.where(at_end)
        else:  # of the metrics of validation data not all are recorded
            early, last = pd.Series(np.nan, index=rows.index), rows["solved_epoch"]
        target = rows["target_epochs"].astype(np.float64)
        late = last.map(lambda epoch: _next(epoch, cadences), na_action="ignore").astype(np.float64)
        late = late.where(late <= target, last.astype(np.float64))
        # What the records of another experiment, which went on further, show does not count here.
        solved[rows.index] = early.where(early <= target).fillna(np.inf).clip(upper=late.fillna(np.inf))
    runs = runs.assign(solved_epoch=solved.replace(np.inf, np.nan))
    notes = (*material.notes, _NOTE.format(_counted(shared))) if said else material.notes
    return replace(material, runs=runs, notes=notes)


_NOTE: Final = (
    "Epochs until the criterion was first reached are counted at {}: with a full batch training looks for it "
    "at every epoch, with mini-batches or on validation data at recorded ones alone, and who is looked at "
    "more often would seem to be quicker."
)


def _counted(shared: NDArray[np.int64]) -> str:
    first = ", ".join(f"{epoch:,}" for epoch in shared[:4])
    whole = first if len(shared) <= 4 else f"{first} … {shared[-1]:,}"
    return f"the {plural(len(shared), 'recorded epoch')} that all runs share ({whole}), or at a run's last"


def _met(epochs: pd.DataFrame, criterion: Mapping[str, Any]) -> NDArray[np.bool_]:
    values = epochs[criterion["metric"]].to_numpy(np.float64, na_value=np.nan)
    bounds = [BOUNDS[how](values, criterion[how]) for how in BOUNDS if criterion.get(how) is not None]
    both: NDArray[np.bool_] = np.all(bounds, axis=0)
    return both


def _shared(epoch: int, cadences: Collection[Cadence]) -> bool:
    return all(cadence.records(epoch) for cadence in cadences)


def _next(epoch: float, cadences: Collection[Cadence]) -> int:
    """The first epoch of all cadences from `epoch` on."""
    at = int(epoch)
    while not _shared(at, cadences):
        at = max(cadence.neighbours(at)[1] for cadence in cadences)
    return at


def _parsed(condition: str, epochs: pd.DataFrame) -> tuple[str, str, float]:
    match = _CONDITION.fullmatch(condition)
    metrics = [name for name in epochs.columns if name not in ("run_id", "epoch")]
    if match is None:
        raise UsageError(
            "a criterion is a metric, < <= > or >=, and a number", value=condition, allowed="loss<=0.05"
        )
    metric, sign, number = match.groups()
    if metric not in metrics:
        raise UsageError(f"{metric} is not recorded", allowed=", ".join(metrics))
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise UsageError("the bound is not a finite number", value=number)
    return metric, _SIGNS[sign], bound


def _with_success(text: str, success: Mapping[str, object]) -> str:
    return json.dumps({**json.loads(text), "success": success})
