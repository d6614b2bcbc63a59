"""The tables: everything is counted, and nothing is a number of survivors."""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bpsvc.reporting import TABLES, Material, summary
from bpsvc.reporting.plateaus import LEVELS, SOLVED, stuck
from bpsvc.reporting.summary import losses, pace, paired, plateaus, solved
from bpsvc.reporting.tables import words


def test_comparison_counts_every_run(xor: Material) -> None:
    table = TABLES["comparison"].prepare(xor).set_index("configuration")
    assert list(table.index) == [
        "log_likelihood · learning_rate 1",
        "squared · learning_rate 1",
        "squared · learning_rate 4",
    ]
    for (name, rate), runs in xor.runs.groupby(["loss", "learning_rate"]):
        row = table.loc[f"{name} · learning_rate {rate:g}"]
        assert (row["runs"], row["ended"], row["unfinished"], row["diverged"]) == (10, 10, 0, 0)
        assert row["solved"] == runs["solved_epoch"].notna().sum()
        epochs = np.sort(runs["solved_epoch"].fillna(np.inf))
        assert row["epochs_median"] == (epochs[4] + epochs[5]) / 2
        assert_allclose(row["median_final_loss"], runs["final_loss"].median())
        assert math.isnan(row["signal_ratio"]), "one hidden layer has no first and last"


def test_squared_loss_needs_about_four_times_the_epochs(xor: Material) -> None:
    table = TABLES["comparison"].prepare(xor).set_index("configuration")["epochs_median"]
    assert table["squared · learning_rate 1"] / table["log_likelihood · learning_rate 1"] > 3
    assert 0.8 < table["squared · learning_rate 4"] / table["log_likelihood · learning_rate 1"] < 1.2


def test_unsolved_are_written_as_later(xor: Material) -> None:
    table = TABLES["comparison"]
    runs = xor.runs.assign(solved_epoch=xor.runs["solved_epoch"].where(xor.runs["seed"] < 3))
    numbers = table.prepare(dataclasses.replace(xor, runs=runs))
    assert (numbers["epochs_median"] == np.inf).all()
    shown = table.present(numbers)
    assert shown["epochs until reached: median (quartiles)"].str.startswith("> 3,000").all()
    assert shown["reached (95 % interval)"].iloc[0] == "3 of 10: 30 % (11–60 %)"


def test_diverged_and_unfinished_are_counted(exploding: Material) -> None:
    numbers = TABLES["comparison"].prepare(exploding)
    lost = exploding.runs.groupby("learning_rate")["status"].agg(lambda s: int((s == "diverged").sum()))
    assert numbers["diverged"].tolist() == lost.tolist()
    assert numbers["median_final_loss"].iloc[1] == np.inf
    shown = TABLES["comparison"].present(numbers)
    assert shown["median final loss (95 % interval)"].iloc[1] == "diverged"
    runs = exploding.runs.copy()
    runs.loc[0, ["status", "epochs_done", "outcome"]] = ["queued", 0, None]
    again = TABLES["comparison"].prepare(dataclasses.replace(exploding, runs=runs))
    assert again["unfinished"].tolist() == [1, 0]
    assert again["ended"].tolist() == [7, 8]


def test_signal_ratio_is_first_over_last_hidden_layer(vanishing: Material) -> None:
    table = TABLES["comparison"].prepare(vanishing).set_index("configuration")
    start = vanishing.layers[vanishing.layers["epoch"] == 0]
    runs = vanishing.runs[(vanishing.runs["activation"] == "logistic") & (vanishing.runs["depth"] == 10)]
    ratios = [
        start[(start["run_id"] == run) & (start["layer"] == 1)]["delta_rms"].item()
        / start[(start["run_id"] == run) & (start["layer"] == 10)]["delta_rms"].item()
        for run in runs["run_id"]
    ]
    assert_allclose(table.loc["logistic · learning_rate 1 · depth 10", "signal_ratio"], np.median(ratios))
    assert table.loc["logistic · learning_rate 1 · depth 10", "signal_ratio"] < 1e-3


def test_failures_stand_at_their_levels(xor: Material) -> None:
    table = TABLES["failures"].prepare(xor)
    ends = [*(level.outputs for level in LEVELS), SOLVED, "elsewhere", "diverged", "unfinished"]
    assert (table[ends].sum(axis=1) == table["runs"]).all()
    assert table[SOLVED].sum() == xor.runs["final_accuracy"].eq(1).sum()
    labels = stuck(xor.cases)
    for level in LEVELS:
        for case in xor.cases[labels == level.outputs].itertuples():
            height = level.squared if case.loss == "squared" else level.log_likelihood
            assert abs(4 * case.final_loss / height - 1) <= 0.03
    assert labels.isin([level.outputs for level in LEVELS]).any(), "the fixture has a stuck run"


def test_levels_are_those_of_the_outputs() -> None:
    targets = np.array([0, 1, 1, 0.0])
    outputs = {
        "all four at ½": [0.5] * 4,
        "one right, three at ⅔ or ⅓": [0, 2 / 3, 2 / 3, 2 / 3],
        "two right, two at ½": [0, 0.5, 1, 0.5],
    }
    for level in LEVELS:
        h = np.array(outputs[level.outputs])
        likelihood = np.where(targets == 1, h, 1 - h)
        assert_allclose(-np.log(likelihood).sum(), level.log_likelihood)
        assert_allclose(0.5 * ((targets - h) ** 2).sum(), level.squared)


@pytest.mark.parametrize(
    "value, text",
    [
        (0.00104, "0.00104"),
        (12.34, "12.3"),
        (2.13e-5, "2.13e−5"),
        (100.0, "100"),
        (0.0, "0.00"),
        (-1.5, "−1.50"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert words.figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(32.5, "32.5"), (33.5, "33.5"), (1054.0, "1,054"), (1054.5, "1,054.5"), (32.25, "32"), (math.nan, "–")],
)
def test_a_median_between_two_counts_is_not_rounded(value: float, text: str) -> None:
    assert words.whole(value) == words.later(value, 100) == text


def test_shares_near_the_ends_are_not_rounded_away() -> None:
    assert words.percent(0.996) == "99.6 %"
    assert words.percent(1.0) == "100 %"
    assert words.percent_range(0.787, 0.9815) == "79–98 %"


def test_summary_speaks_in_numbers(
    xor: Material, vanishing: Material, exploding: Material, clouds: Material
) -> None:
    text = " ".join(summary(xor))
    assert text.startswith(
        "xor@1: 30 runs, 3 configurations (loss × learning_rate) with 10 seeds each, on xor"
    )
    assert "On a plateau at the end" in text
    assert "seed" in text
    assert "logistic · learning_rate 1 · depth 10: 0." in " ".join(summary(vanishing))
    assert "Diverged: " in " ".join(summary(exploding))
    assert "Median validation accuracy" in " ".join(summary(clouds))


def row(name: str, solved: int, ended: int = 30, epochs: float = 100.0) -> dict[str, Any]:
    share = solved / ended if ended else math.nan
    of = {"judged": ended, "solved": solved, "solved_share": share, "solved_low": 0.5, "solved_high": 0.9}
    pace = {"epochs_median": epochs, "epochs_low": 80.0, "epochs_high": 120.0, "horizon": 1000}
    kept = {key.replace("solved", "held"): value for key, value in of.items()}
    return {"configuration": name, "ended": ended, "untrained": 0, **of, **kept, **pace}


def lost(name: str, reached: int, held: int) -> dict[str, Any]:
    return row(name, reached) | {"held": held, "held_share": held / 30}


@pytest.mark.parametrize(
    "rows, said",
    [
        ([row("a", 28)], ["Reached: 28 of 30 (93 %, 95 % interval 50–90 %)."]),
        ([row("a", 30), row("b", 30)], ["Reached: 60 of 60 ended runs."]),
        ([row("a", 0), row("b", 0, 1)], ["Reached: 0 of 31 ended runs."]),
        ([row("a", 0, 1)], ["Reached: 0 of 1 ended run."]),
        (
            [row("a", 15), row("b", 15), row("c", 0, 0)],
            ["Both configurations reached the same share: 15 of 30 each (50 %, 95 % interval 50–90 %)."],
        ),
        (
            [row("a", 30), row("b", 30), row("c", 3)],
            [
                "Most often reached: a; b, 30 of 30 each (100 %, 95 % interval 50–90 %).",
                "Least often: c, 3 of 30 (10 %, 95 % interval 50–90 %).",
            ],
        ),
        (
            [row("a", 30), row("b", 10, 10), row("c", 0), row("d", 0, 5)],
            ["Most often reached: a; b, 100 % each.", "Never reached: c; d, 0 % each."],
        ),
        ([row("a", 0, 0)], []),
        (
            [lost("a", 28, 3), row("b", 20)],
            [
                "Reached at some epoch by 48 of 60 ended runs, held at the end by 23.",
                "Reached, then lost: 25 runs (25 of a).",
                "Most often held at the end: b, 20 of 30 (67 %, 95 % interval 50–90 %).",
                "Least often: a, 3 of 30 (10 %, 95 % interval 50–90 %).",
            ],
        ),
        (
            [lost("a", 28, 3), row("b", 20) | {"held": math.nan, "held_share": math.nan}],
            [
                "Reached at some epoch by 48 of 60 ended runs, held at the end by 3; of 30 the end is not "
                "known.",
                "Reached, then lost: 25 runs (25 of a).",
                "Held at the end: 3 of 30 (10 %, 95 % interval 50–90 %).",
            ],
        ),
        (
            [lost("a", 1, 0)],
            [
                "Reached at some epoch by 1 of 30 ended runs, held at the end by 0.",
                "Reached, then lost: 1 run (1 of a).",
            ],
        ),
    ],
)
def test_what_is_said_of_success(rows: list[dict[str, Any]], said: list[str]) -> None:
    assert solved(rows) == said


def test_what_is_said_of_the_pace() -> None:
    late, counted = "median > 1,000 epochs", "until first reached (the others counted as later)"
    one, fast = f"median 100 epochs (95 % interval 80 to 120) {counted}", f"median 100 epochs {counted}"
    assert pace([row("a", 3)]) == [f"Pace: {one}."]
    assert pace([row("a", 3), row("b", 5)]) == [f"Pace: {fast} in each of 2 configurations."]
    assert pace([row("a", 3, epochs=np.inf)]) == []
    rows = [row("a", 3), row("b", 5), row("c", 1, epochs=np.inf), row("d", 0, epochs=np.inf)]
    assert pace(rows) == [f"Fastest: a; b, {fast}; slowest: c; d, {late}."]


def test_luck_is_not_speed() -> None:
    lucky = row("a", 30, epochs=0.0) | {"untrained": 16}
    said = pace([lucky, row("b", 30)])
    assert said[0] == "Met before any training: 16 runs (16 of a)."
    assert said[1].startswith("Pace: median 100 epochs")
    assert pace([lucky]) == said[:1]


def test_comparisons_have_an_interval_and_p_or_are_undecided(xor: Material) -> None:
    decided = paired(xor)
    assert len(decided) == 2 and all("p = 0.0039 after Holm's correction" in text for text in decided)
    later = xor.runs["solved_epoch"].fillna(2999.0)
    told = paired(dataclasses.replace(xor, runs=xor.runs.assign(solved_epoch=later)))
    assert len(told) == 2 and all("(median of 10 pairs, 95 % interval " in text for text in told)
    scrambled = later.where(xor.runs["seed"] % 2 == 0, 5000 - later)
    said = paired(dataclasses.replace(xor, runs=xor.runs.assign(solved_epoch=scrambled)))
    assert len(said) == 1
    assert said[0].startswith("Seed by seed, 2 of 2 comparisons of epochs until first reached are undecided")


def test_who_has_not_left_the_start_is_not_called_stuck(xor: Material) -> None:
    level = np.where(xor.runs["loss"].eq("squared"), LEVELS[0].squared, LEVELS[0].log_likelihood) / 4
    runs = xor.runs.assign(
        initial_loss=level * np.where(xor.runs["seed"] < 2, 1.0, 1.5),
        final_loss=np.where(xor.runs["seed"] < 3, level, 0.0),
        final_accuracy=np.where(xor.runs["seed"] < 3, 0.5, 1.0),
        solved_epoch=np.where(xor.runs["seed"] < 1, 9.0, np.nan),
    )
    (said,) = plateaus(dataclasses.replace(xor, runs=runs))
    assert (
        "9 runs (9 with the outputs for all four at ½, 3 of which started there and may not have left it yet)"
        in said
    )


def test_what_is_said_of_losses(clouds: Material) -> None:
    ends = {"median_final_loss_low": 0.4, "median_final_loss_high": 0.6, "diverged": 0, "ended": 20}
    rows = [{"configuration": name, "loss": "squared", "median_final_loss": 0.5, **ends} for name in "abc"]
    assert losses(clouds, rows) == ["Median final loss (squared): 0.500 in each of 3 configurations."]
    assert losses(clouds, rows[:1]) == ["Median final loss (squared): 0.500 (95 % interval 0.400 to 0.600)."]
    blown = [*rows, {**rows[0], "configuration": "d", "median_final_loss": np.inf}]
    assert losses(clouds, blown) == [
        "Lowest median final loss (squared): a; b; c with 0.500; highest: d, half of whose runs diverged."
    ]
    assert losses(clouds, blown[3:]) == []
    some = [rows[0], {**rows[0], "configuration": "d", "median_final_loss": 0.7, "diverged": 9}]
    assert losses(clouds, some)[0].endswith(" (diverged, counted as worse than any: 9 of 20 of d).")


def test_summary_of_nothing(xor: Material) -> None:
    nothing = dataclasses.replace(
        xor, runs=xor.runs.iloc[:0], epochs=xor.epochs.iloc[:0], layers=xor.layers.iloc[:0]
    )
    assert summary(nothing) == ["There are no runs."]
    queued = xor.runs.assign(status="queued", epochs_done=0, outcome=None, solved_epoch=np.nan)
    waiting = dataclasses.replace(xor, runs=queued, epochs=xor.epochs.iloc[:0], layers=xor.layers.iloc[:0])
    assert "No run has ended yet (30 queued): there is nothing to conclude." in summary(waiting)
    pd.testing.assert_series_equal(waiting.cases["state"], pd.Series(["unfinished"] * 30, name="state"))
