"""A case is a run as one experiment sees it: judged at that experiment's epochs, whatever another experiment
added later.
"""

import json
from typing import Any, Final

import numpy as np
import pandas as pd

ENDED: Final = "ended"
DIVERGED: Final = "diverged"
UNFINISHED: Final = "unfinished"

# The value of a run at its end, from its last record where the run went on for another experiment.
_FINAL: Final = {
    "final_loss": "loss",
    "final_accuracy": "accuracy",
    "final_mean_abs_error": "mean_abs_error",
    "final_validation_loss": "validation_loss",
    "final_validation_accuracy": "validation_accuracy",
}
# For rows of `runs` that are already as of their horizon, as a snapshot of the store gives them.
NO_RECORDS: Final = pd.DataFrame({"run_id": [], "epoch": []}, dtype=np.int64)

_KEPT: Final = ("seed", "data", "loss", "depth", "activation", "init", "optimizer", "hidden", "output")


def judged(experiments: pd.DataFrame, runs: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    """One row per experiment and run, in the order of experiments and run ids.

    Columns: case, experiment, run_id, status, seed, data, loss, reduction, depth, activation, horizon, state
    (ended, diverged, unfinished), judged (has a success criterion), solved, solved_epoch (NaN: not by the
    horizon), last_epoch, final_* at the horizon, log_likelihood (final, summed over examples), seconds, and
    every other column of `runs` as `runs` has it.
    """
    order = {name: place for place, name in enumerate(experiments["experiment"])}
    rows = runs.assign(_place=runs["experiment"].map(order)).sort_values(["_place", "run_id"], kind="stable")
    rows = rows.drop(columns="_place").reset_index(drop=True)
    rows.insert(0, "case", np.arange(len(rows)))
    rows["horizon"] = rows["target_epochs"]
    rows["last_epoch"] = rows[["epochs_done", "horizon"]].min(axis=1)
    for column in (*_KEPT, *_FINAL, "solved_epoch", "diverged_epoch", "seconds"):
        if column not in rows:
            rows[column] = np.nan
    _judge(rows, experiments)
    _end(rows, epochs)
    return rows


def _judge(rows: pd.DataFrame, experiments: pd.DataFrame) -> None:
    """State and success at the horizon."""
    diverged = rows["status"].eq("diverged") & ~(rows["diverged_epoch"] > rows["horizon"])
    ended = rows["status"].isin(["done", "diverged"]) | (rows["epochs_done"] >= rows["horizon"])
    rows["state"] = np.where(diverged, DIVERGED, np.where(ended, ENDED, UNFINISHED))
    specs = {text: _loads(text) for text in rows["spec"].unique()} if "spec" in rows else {}
    wholes = {row.experiment: _loads(row.spec) for row in experiments.itertuples()}
    own = [specs.get(text, {}) for text in rows["spec"]] if specs else [{}] * len(rows)
    whole = [wholes.get(name, {}) for name in rows["experiment"]]
    rows["judged"] = [
        bool(a.get("success") if "success" in a else b.get("success"))
        for a, b in zip(own, whole, strict=True)
    ]
    rows["reduction"] = [_reduction(a) or _reduction(b) or "mean" for a, b in zip(own, whole, strict=True)]
    rows["solved_epoch"] = (
        rows["solved_epoch"].astype(np.float64).where(rows["solved_epoch"] <= rows["horizon"])
    )
    rows["solved"] = rows["judged"] & rows["solved_epoch"].notna()


def _end(rows: pd.DataFrame, epochs: pd.DataFrame) -> None:
    """Final values at the horizon: those of `runs`, or of the last record where the run went on beyond it."""
    ordered = epochs.sort_values(["run_id", "epoch"], kind="stable")
    joined = ordered.merge(rows[["case", "run_id", "horizon"]], on="run_id")
    last = joined[joined["epoch"] <= joined["horizon"]].groupby("case").tail(1).set_index("case")
    beyond = (rows["epochs_done"] > rows["horizon"]).to_numpy()
    for final, column in _FINAL.items():
        if column in last:
            recorded = last[column].reindex(rows["case"]).to_numpy(np.float64)
            stored = rows[final].to_numpy(np.float64, na_value=np.nan)
            rows[final] = np.where(beyond, recorded, stored)
    likelihood = last["log_likelihood"] if "log_likelihood" in last else pd.Series(dtype=np.float64)
    rows["log_likelihood"] = likelihood.reindex(rows["case"]).to_numpy(np.float64)


def within_horizon(records: pd.DataFrame, cases: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Records with the case they belong to, up to its horizon, in the given order."""
    about = cases[["run_id", "case", "configuration", "depth", "horizon"]]
    joined = records.merge(about, on="run_id")
    joined = joined[joined["epoch"] <= joined["horizon"]].drop(columns="horizon")
    return joined.sort_values(order, kind="stable").reset_index(drop=True)


def _loads(text: object) -> dict[str, Any]:
    loaded = json.loads(text) if isinstance(text, str) else text
    return loaded if isinstance(loaded, dict) else {}


def _reduction(spec: dict[str, Any]) -> str:
    training = spec.get("training")
    return str(
        (training.get("reduction") if isinstance(training, dict) else "") or spec.get("reduction") or ""
    )
