"""A regression with a validation split is judged by what it was not trained on, and says so."""

import html
import json
from pathlib import Path

import numpy as np
import pandas as pd
from cli_help import Bpsvc

from bpsvc import Store

SPEC = {
    "name": "sine",
    "data": {"source": "sine", "examples": 30, "split": {"validation": 0.3}},
    "network": {"hidden": [5], "activation": "tanh"},
    "init": "glorot_normal",
    "training": {"optimizer": "adam", "learning_rate": 0.01, "epochs": 100},
    "seeds": 6,
    "sweep": {"grid": {"training.learning_rate": [0.003, 0.05]}},
    "record": {"every": 10},
}


def test_validation_loss_is_in_table_sentence_and_figures(bpsvc: Bpsvc) -> None:
    Path("sine.json").write_text(json.dumps(SPEC))
    assert bpsvc("submit", "sine.json", "--processes", 1).code == 0
    page = Path(bpsvc("report", "sine", "--format", "csv").out.strip())
    with Store("bpsvc.db") as store:
        runs, epochs = store.runs("sine"), store.epochs("sine")
    finals = runs.groupby("learning_rate")["final_validation_loss"].median()
    table = pd.read_csv(page.parent / "tables" / "comparison.csv").set_index("learning_rate")
    np.testing.assert_allclose(table["median_validation_loss"], finals.loc[table.index])
    assert (table["median_validation_loss"] != table["median_final_loss"]).all()
    best = finals.idxmin()
    said = f"Lowest median final validation loss (squared): learning_rate {best}"
    text = html.unescape(page.read_text())
    assert said in text and "median final validation loss (95 % interval)" in text

    drawn = pd.read_csv(page.parent / "figures" / "validation_loss.csv")
    assert set(drawn["of"]) == {"training", "validation"}
    of_best = epochs[epochs["run_id"].isin(runs.loc[runs["learning_rate"] == best, "run_id"])]
    shown = drawn[(drawn["of"] == "validation") & drawn["configuration"].str.contains(str(best))]
    wanted = of_best.groupby("epoch")["validation_loss"].median().loc[shown["epoch"]]
    np.testing.assert_allclose(shown["median"], wanted)
    pairs = pd.read_csv(page.parent / "figures" / "paired.csv")
    assert set(pairs["outcome"]) == {"final validation loss"}
