"""G9: a run that leaves the numbers ends as diverged, with epoch and layer; its companions do not notice."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from contents import check, contents
from processes import Nursery

pytestmark = pytest.mark.guarantee

HEALTHY = [0.01, 0.05, 0.1]


def spec(
    activation: str, loss: str, rates: list[float], low: float = -0.5, high: float = 0.5
) -> dict[str, Any]:
    return {
        "name": "stack",
        "data": "xor",
        "network": {"hidden": [3, 3], "activation": activation, "output": "identity"},
        "init": {"scheme": "uniform", "low": low, "high": high},
        "loss": loss,
        "training": {"learning_rate": 0.1, "epochs": 60},
        "seeds": 4,
        "sweep": {"grid": {"training.learning_rate": rates}},
        "success": None,
    }


def trained(nursery: Nursery, folder: Path, document: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / "stack.json").write_text(json.dumps(document))
    nursery.work(folder, "stack.json").done()
    check(folder / "bpsvc.db")
    return folder / "bpsvc.db"


@pytest.mark.parametrize(
    ("activation", "rate"), [("relu", 1e6), ("identity", 1e6), ("relu", 1e300), ("softplus", 1e200)]
)
def test_divergence_is_a_result(nursery: Nursery, tmp_path: Path, activation: str, rate: float) -> None:
    db = trained(nursery, tmp_path / "mixed", spec(activation, "squared", [*HEALTHY, rate]))
    healthy = contents(trained(nursery, tmp_path / "healthy", spec(activation, "squared", HEALTHY)))
    with closing(sqlite3.connect(db)) as connection:
        rows = connection.execute(
            """
            SELECT run_key, status, outcome, diverged_epoch, diverged_layer, epochs_done, error FROM runs
            WHERE learning_rate = ?
            """,
            (rate,),
        ).fetchall()
    assert len(rows) == 4
    for _, status, outcome, epoch, layer, epochs_done, error in rows:
        assert (status, outcome, error) == ("diverged", "diverged", None)
        assert 1 <= epoch == epochs_done < 60 and layer in (1, 2, 3)
    mixed, lost = contents(db), {row[0] for row in rows}
    assert {name: [row for row in rows if row[0] not in lost] for name, rows in mixed.items()} == healthy


def test_certainty_is_no_divergence(nursery: Nursery, tmp_path: Path) -> None:
    """p is 0 or 1 to the last bit, half of them wrong: the loss comes from the logit, and stays finite."""
    document = spec("tanh", "log_likelihood", [*HEALTHY, 500.0], low=300.0, high=900.0)
    document["network"]["output"] = "logistic"
    db = trained(nursery, tmp_path / "certain", document)
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT DISTINCT status FROM runs").fetchall() == [("done",)]
        (nulls, largest) = connection.execute(
            "SELECT sum(loss IS NULL), max(max_error) FROM epochs"
        ).fetchone()
    assert (nulls, largest) == (0, 1.0)
