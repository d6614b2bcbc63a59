"""What reports are told of the data that nets were given."""

import json
from pathlib import Path

import pandas as pd
import pytest
from cli_help import Bpsvc

from bpsvc import Store
from bpsvc.service import reporting

SPEC = {
    "network": {"hidden": [3, 3], "activation": "tanh"},
    "training": {"learning_rate": 0.1, "epochs": 1},
    "seeds": 2,
}


def test_a_report_knows_how_many_and_how_large_the_inputs_are(bpsvc: Bpsvc) -> None:
    """Theory starts from the inputs as the nets see them: as stored, or standardised."""
    rows = [[1.0, 2.0, 30.0], [3.0, -2.0, 10.0], [5.0, 2.0, 20.0], [7.0, -2.0, 20.0]]
    whole = {"source": "inline", "x": rows, "y": [[0.5], [0.1], [0.2], [0.3]]}
    for name, scale in (("raw", {}), ("scaled", {"scale": "standard"})):
        Path(f"{name}.json").write_text(json.dumps({**SPEC, "name": name, "data": whole | scale}))
    shallow = {**SPEC, "name": "shallow", "data": whole, "network": {"hidden": [3], "activation": "tanh"}}
    Path("shallow.json").write_text(json.dumps(shallow))
    assert bpsvc("submit", "raw.json", "scaled.json", "shallow.json", "--processes", 1).code == 0
    with Store("bpsvc.db") as store:
        about = reporting.material(store, ["raw", "scaled", "shallow"])
    assert about.inputs is not None
    told = about.inputs.merge(about.runs[["run_id", "experiment"]], on="run_id")
    assert (told["inputs"] == 3).all()
    sizes = told.groupby("experiment")["mean_square"].agg(["count", "min", "max"])
    mean_square = (pd.DataFrame(rows) ** 2).to_numpy().mean()
    assert sizes.loc["raw@1"].tolist() == pytest.approx([2, mean_square, mean_square])
    assert sizes.loc["scaled@1"].tolist() == pytest.approx([2, 1, 1])
    assert "shallow@1" not in sizes.index, "theory has nothing to say of one hidden layer"
