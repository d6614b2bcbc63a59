"""Reached once and held at the end are two things, and a report says both."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from bpsvc.reporting import TABLES, Material, data, judged
from bpsvc.reporting.plateaus import LEVELS, SOLVED, stuck

FIRST = "log_likelihood · learning_rate 1"


@pytest.fixture(scope="module")
def lost(xor: Material) -> Material:
    """XOR, of which seed 0 of each configuration met the criterion early and ended on a plateau."""
    runs = xor.runs.copy()
    here = runs["seed"].eq(0)
    squared = runs["loss"].eq("squared")
    runs.loc[here, "solved_epoch"] = 7.0
    runs.loc[here, "final_accuracy"] = 0.75
    runs.loc[here, "final_loss"] = np.where(
        squared[here], LEVELS[2].squared / 4, LEVELS[2].log_likelihood / 4
    )
    return dataclasses.replace(xor, runs=runs)


def test_a_run_that_lost_it_has_reached_and_not_held(lost: Material) -> None:
    table = TABLES["comparison"].prepare(lost).set_index("configuration")
    for (loss, rate), runs in lost.runs.groupby(["loss", "learning_rate"]):
        row = table.loc[f"{loss} · learning_rate {rate:g}"]
        assert row["solved"] == runs["solved_epoch"].notna().sum()
        assert row["held"] == runs["final_accuracy"].eq(1).sum() < row["solved"]
        assert row["held_low"] < row["held_share"] < row["solved_share"]
    shown = TABLES["comparison"].present(TABLES["comparison"].prepare(lost))
    reached, held = shown["reached (95 % interval)"], shown["held at the end (95 % interval)"]
    assert all(a.endswith(" %)") and " of 10: " in a for a in [*reached, *held])
    assert (reached != held).all()


def test_where_runs_ended_is_judged_by_where_they_ended(lost: Material) -> None:
    ends = stuck(lost.cases)
    assert (ends[lost.cases["seed"].eq(0)] == LEVELS[2].outputs).all()
    assert (ends.eq(SOLVED) == lost.cases["final_accuracy"].eq(1)).all()
    table = TABLES["failures"].prepare(lost)
    assert table[SOLVED].sum() == lost.runs["final_accuracy"].eq(1).sum()


def test_the_curve_of_success_says_how_many_held(lost: Material) -> None:
    frame = data(lost, "solved")
    last = frame[frame["configuration"] == FIRST].iloc[-1]
    runs = lost.runs[lost.runs["loss"].eq("log_likelihood")]
    assert last["solved"] == runs["solved_epoch"].notna().sum()
    assert last["held"] == runs["final_accuracy"].eq(1).sum()


@pytest.mark.parametrize(
    "bound, met",
    [({"at_least": 0.5}, True), ({"below": 0.5}, False), ({"at_most": 0.5}, True), ({"above": 0.5}, False)],
)
def test_a_criterion_on_what_runs_do_not_say_is_judged_by_the_last_record(
    xor: Material, bound: dict[str, float], met: bool
) -> None:
    spec = [
        json.dumps({**json.loads(text), "success": {"metric": "max_error", **bound}})
        for text in xor.runs["spec"]
    ]
    runs = xor.runs.assign(spec=spec, solved_epoch=1.0)
    epochs = xor.epochs.assign(max_error=0.9)
    last = epochs.groupby("run_id")["epoch"].transform("max") == epochs["epoch"]
    epochs.loc[last, "max_error"] = 0.5
    cases = judged(xor.experiments, runs, epochs)
    assert cases["held"].eq(met).all()
    assert judged(xor.experiments, runs)["held"].isna().all(), "without records nobody knows"
    table = dataclasses.replace(xor, runs=runs, epochs=epochs.drop(columns="max_error"))
    shown = TABLES["comparison"].present(TABLES["comparison"].prepare(table))
    assert (shown["held at the end (95 % interval)"] == "–").all()


def test_a_diverged_run_has_not_held(exploding: Material) -> None:
    cases = exploding.cases.assign(solved_epoch=3.0)
    again = judged(exploding.experiments, cases.drop(columns="case"))
    gone = again["state"].eq("diverged")
    assert gone.any()
    assert again.loc[gone, "held"].eq(0).all()


def test_what_was_met_untrained_is_counted_apart(xor: Material) -> None:
    epochs = xor.runs["solved_epoch"].mask(xor.runs["seed"] < 2, 0.0)
    table = TABLES["comparison"].prepare(dataclasses.replace(xor, runs=xor.runs.assign(solved_epoch=epochs)))
    assert table["untrained"].tolist() == [2, 2, 2]
    assert "6 runs met it before any training" in TABLES["comparison"].note(table)


def test_factors_act_on_how_runs_end(many: Material) -> None:
    frame = data(many, "effects").set_index(["first", "level"])
    for level, rate in (("tanh", 0.05), ("logistic", 1)):
        runs = many.runs[many.runs["activation"] == level]
        assert (
            frame.loc[("activation with learning_rate", f"{level} · {rate}"), "value"]
            == pd.Series(runs["final_accuracy"].eq(1)).mean()
        )
