"""Expectations and the history of a schedule: counted over all runs, none the better for a run that dropped
out.
"""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bpsvc.reporting import FIGURES, TABLES, Material, data, expectations, figure, history, judged
from bpsvc.reporting.history import COLUMNS

VALUES = (0.5, 0.9, np.nan, 0.7)
TABLE = [
    # metric             statistic  bound              value     met
    ("final_accuracy", "mean", {"at_least": 0.0}, -math.inf, False),
    ("final_accuracy", "median", {"at_least": 0.6}, 0.6, True),
    ("final_accuracy", "median", {"at_least": 0.61}, 0.6, False),
    ("final_accuracy", "median", {"below": 0.8}, 0.8, False),
    ("final_accuracy", "median", {"below": 0.81}, 0.8, True),
    ("final_accuracy", "min", {"at_least": -1e9}, -math.inf, False),
    ("final_accuracy", "max", {"at_least": 0.9}, 0.9, True),
    ("final_accuracy", "max", {"below": 1e9}, math.inf, False),
    ("final_accuracy", "min", {"below": 0.51}, 0.5, True),
    ("solved", "mean", {"at_least": 0.5}, 0.5, True),
    ("solved", "mean", {"at_least": 0.51}, 0.5, False),
    ("solved_epoch", "median", {"below": 10}, math.inf, False),
    ("final_validation_accuracy", "median", {"at_least": 0.0}, -math.inf, False),
]


def four(**changes: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    """An experiment with four ended runs, two of them solved, one without an accuracy; and a fifth that goes
    on.
    """
    spec = {"success": {"metric": "accuracy", "at_least": 1.0}, **changes}
    experiments = pd.DataFrame({"experiment": ["e@1"], "spec": [json.dumps(spec)]})
    runs = pd.DataFrame(
        {
            "experiment": "e@1",
            "run_id": range(5),
            "status": ["done", "done", "diverged", "done", "running"],
            "epochs_done": [10, 10, 3, 10, 4],
            "target_epochs": 10,
            "solved_epoch": [5.0, 7.0, np.nan, np.nan, 2.0],
            "diverged_epoch": [np.nan, np.nan, 3.0, np.nan, np.nan],
            "final_accuracy": [*VALUES, 0.0],
            "loss": "squared",
            "final_loss": [0.1, 0.2, np.nan, 0.4, 9.0],
            "seconds": [1.0, 2.0, 3.0, 4.0, 5.0],
        }
    )
    return experiments, runs


@pytest.mark.parametrize(("metric", "statistic", "bound", "value", "met"), TABLE)
def test_expectations(metric: str, statistic: str, bound: dict[str, float], value: float, met: bool) -> None:
    experiments, runs = four(expect=[{"metric": metric, "statistic": statistic, **bound}])
    cases = judged(experiments, runs)
    (verdict,) = expectations(experiments, cases)
    assert verdict.value == pytest.approx(value)
    assert verdict.met is met
    assert verdict.runs == 4
    assert ("holds" in str(verdict)) == met or "does not hold" in str(verdict)


def test_a_failed_run_counts_as_worse_than_any() -> None:
    experiments, runs = four(expect=[{"metric": "final_loss", "statistic": "max", "below": 1.0}])
    for status, met in (("cancelled", True), ("failed", False)):
        rest = runs[runs["run_id"] != 2].assign(final_loss=0.1)
        rest.loc[rest["run_id"] == 4, "status"] = status
        (verdict,) = expectations(experiments, judged(experiments, rest))
        assert verdict.met is met
        assert verdict.missing == (0 if met else 1)


def test_nothing_holds_before_a_run_has_ended() -> None:
    bounds = [{"at_least": -1e9}, {"below": 1e9}]
    expect = [
        {"metric": "final_loss", "statistic": name, **bound}
        for name in ("mean", "median", "min")
        for bound in bounds
    ]
    experiments, runs = four(expect=expect)
    waiting = runs.assign(status="queued", epochs_done=0, diverged_epoch=np.nan)
    cases = judged(experiments, waiting)
    found = expectations(experiments, cases)
    assert [verdict.met for verdict in found] == [False] * 6
    assert all(math.isnan(verdict.value) for verdict in found)


def test_history_counts_every_run() -> None:
    experiments, runs = four()
    occurrences = pd.DataFrame(
        {"instant": ["2026-02-01T00:00Z", "2026-01-01T00:00Z"], "experiment": ["e@1", "e@1"]}
    )
    frame = history(occurrences, experiments, runs)
    assert tuple(frame.columns) == COLUMNS
    assert list(frame["instant"]) == ["2026-01-01T00:00Z", "2026-02-01T00:00Z"]
    row = frame.iloc[0]
    assert (row["runs"], row["ended"], row["diverged"], row["judged"], row["solved"]) == (5, 4, 1, 4, 2)
    assert row["share"] == 0.5
    assert row["share_low"] < 0.5 < row["share_high"]
    assert (row["final_loss_q1"], row["final_loss"]) == pytest.approx((0.175, 0.3))
    assert math.isinf(row["final_loss_q3"])
    assert row["seconds"] == 3.0


def test_losses_do_not_share_a_row(scheduled: Material) -> None:
    frame = data(scheduled, "drift")
    assert frame.groupby("occurrence")["loss"].nunique().eq(2).all()
    assert frame["occurrence"].nunique() == 8
    for _, rows in frame.groupby("loss"):
        assert rows["final_loss"].is_monotonic_increasing
        assert rows["seconds"].is_monotonic_increasing


def test_several_occurrences_of_a_day_are_told_apart(scheduled: Material) -> None:
    frame = data(scheduled, "drift")
    daily = [tick.get_text() for tick in figure(frame, "drift").axes[-1].get_xticklabels()]
    assert daily[0] == "03-01"
    assert daily[-1] == "03-08"
    hourly = frame.assign(instant=[f"2026-03-01T{number:02}:00:00.000Z" for number in frame["occurrence"]])
    times = [tick.get_text() for tick in figure(hourly, "drift").axes[-1].get_xticklabels()]
    assert times == ["03-01 01:00", "03-01 05:00", "03-01 08:00"]


def test_the_report_of_an_occurrence_says_what_was_expected(scheduled: Material) -> None:
    table = TABLES["expected"]
    assert table.applies(scheduled)
    shown = table.present(table.prepare(scheduled))
    assert list(shown["holds"])[2] == "no"
    assert "mean of solved at least 0.1" in shown["expected"].iloc[0]
    first = TABLES["occurrences"].present(TABLES["occurrences"].prepare(scheduled)).iloc[0]
    assert first["occurrence (UTC)"] == "2026-03-08 02:00"


def test_without_history_and_expectations_nothing_is_shown(scheduled: Material, xor: Material) -> None:
    assert not FIGURES["drift"].applies(xor)
    assert not TABLES["occurrences"].applies(xor)
    assert not TABLES["expected"].applies(xor)
    assert not FIGURES["drift"].applies(replace(scheduled, history=None))
