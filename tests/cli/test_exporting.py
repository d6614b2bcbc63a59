"""An export has everything, in one order, at once, and says what it is."""

import csv
import hashlib
import json
import sqlite3
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from cli_help import Once

from bpsvc.service.exporting import export
from bpsvc.store import PUBLIC, Store
from bpsvc.store.extracting import _PARTS

PROCESSES = ("--processes", "1")


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def store(bpsvc, tiny: Path, once: Once) -> Path:
    """Two experiments that share three of their runs, and the export is to be of one."""

    def make() -> None:
        assert bpsvc("submit", tiny, *PROCESSES).code == 0
        other = {**json.loads(tiny.read_text()), "name": "other", "sweep": None, "seeds": 5}
        Path("other.json").write_text(json.dumps(other))
        assert bpsvc("submit", "other.json", *PROCESSES).code == 0

    return once(make)


def test_every_public_relation_is_exported() -> None:
    assert set(_PARTS) == set(PUBLIC)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_all_rows_of_the_experiment_and_no_others(bpsvc, store: Path, form: str) -> None:
    ran = bpsvc("export", "tiny", "--format", form, "-o", "out")
    assert ran.code == 0 and ran.out.strip() == str(Path("out/tiny"))
    plain = sqlite3.connect(store)
    belongs = "run_id IN (SELECT run_id FROM experiment_runs WHERE name = 'tiny')"
    wanted = {
        "experiments": "SELECT * FROM experiments WHERE name = 'tiny'",
        "experiment_runs": "SELECT * FROM experiment_runs WHERE name = 'tiny' ORDER BY run_id",
        "runs": f"SELECT * FROM runs WHERE {belongs} ORDER BY run_id",
        "results": "SELECT * FROM results WHERE name = 'tiny' ORDER BY run_id",
        "factors": "SELECT * FROM factors WHERE experiment = 'tiny@1' ORDER BY run_id, name",
        "epochs": f"SELECT * FROM epochs WHERE {belongs} ORDER BY run_id, epoch",
        "layer_gradients": f"SELECT * FROM layer_gradients WHERE {belongs} ORDER BY run_id, epoch, layer",
        "datasets": "SELECT * FROM datasets",
        "parameters": "SELECT * FROM parameters",
        "schedules": "SELECT * FROM schedules",
        "occurrences": "SELECT * FROM occurrences",
    }
    package = json.loads(Path("out/tiny/datapackage.json").read_text())
    assert {resource["name"] for resource in package["resources"]} == set(PUBLIC) == set(wanted)
    for resource in package["resources"]:
        rows = plain.execute(wanted[resource["name"]]).fetchall()
        path = Path("out/tiny") / resource["path"]
        if form == "jsonl":
            found = [tuple(json.loads(line).values()) for line in path.read_text().splitlines()]
            assert found == rows
        else:
            with path.open(newline="") as file:
                heading, *cells = csv.reader(file)
            assert tuple(heading) == PUBLIC[resource["name"]].names
            assert cells == [["" if cell is None else str(cell) for cell in row] for row in rows]
        assert resource["rows"] == len(rows)
    plain.close()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_same_store_gives_the_same_bytes(bpsvc, store: Path, form: str) -> None:
    for folder in ("a", "b"):
        assert bpsvc("export", "tiny", "other", "--format", form, "-o", folder).code == 0
    assert digests(Path("a")) == digests(Path("b"))
    again = digests(Path("a"))
    assert bpsvc("export", "tiny", "other", "--format", form, "-o", "a").code == 0
    assert digests(Path("a")) == again


def test_a_condition_chooses_runs(bpsvc, store: Path) -> None:
    assert bpsvc("export", "tiny", "--where", "loss = 'squared' AND seed < 2", "--format", "jsonl").code == 0
    rows = [json.loads(line) for line in Path("exports/tiny/runs.jsonl").read_text().splitlines()]
    assert [(row["loss"], row["seed"]) for row in rows] == [("squared", 0), ("squared", 1)]
    runs = {row["run_id"] for row in rows}
    for name in ("epochs", "layer_gradients", "factors", "experiment_runs"):
        lines = Path(f"exports/tiny/{name}.jsonl").read_text().splitlines()
        assert {json.loads(line)["run_id"] for line in lines} == runs
    assert bpsvc("export", "tiny", "--where", "1; DROP TABLE epochs").code == 2


def test_weights_and_data_are_exact(bpsvc, store: Path) -> None:
    assert bpsvc("export", "tiny").code == 0
    with np.load("exports/tiny/weights.npz") as weights:
        assert {name.split("/")[0] for name in weights} == {f"run_{run}" for run in range(1, 7)}
        for run in (1, 6):
            known = bpsvc("weights", run, "--json").json
            assert weights[f"run_{run}/epoch"] == known["epoch"] == 20
            for number, layer in enumerate(known["layers"], 1):
                assert weights[f"run_{run}/layer_{number}/weights"].tolist() == layer["weights"]
                assert weights[f"run_{run}/layer_{number}/bias"].tolist() == layer["bias"]
    (path,) = Path("exports/tiny/data").iterdir()
    with np.load(path) as data:
        assert data["x"].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
        assert data["y"].tolist() == [[0], [1], [1], [0]]
        assert data["features"].tolist() == ["x1", "x2"]


def test_the_dictionary_says_what_every_column_means(bpsvc, store: Path) -> None:
    assert bpsvc("export", "tiny").code == 0
    page = Path("exports/tiny/README.md").read_text()
    for relation in PUBLIC.values():
        assert f"## {relation.name}" in page
        assert all(f"| `{column.name}` |" in page for column in relation.columns)


def test_text_is_no_formula_in_csv_and_exact_in_jsonl(bpsvc, tiny: Path) -> None:
    evil = {"name": "=1+1", "description": "@SUM(A1)", "seeds": 1, "sweep": None}
    Path("evil.json").write_text(json.dumps({**json.loads(tiny.read_text()), **evil}))
    assert bpsvc("submit", "evil.json", *PROCESSES).code == 0
    table = Path(bpsvc("export", "=1+1", "--format", "csv").out.strip()) / "experiments.csv"
    lines = Path(bpsvc("export", "=1+1", "--format", "jsonl").out.strip()) / "experiments.jsonl"
    assert table.parent == lines.parent and table.parent.parent == Path("exports")
    assert not table.exists()
    assert json.loads(lines.read_text())["name"] == "=1+1"
    bpsvc("export", "=1+1", "--format", "csv")
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert row["name"] == "'=1+1" and row["description"] == "'@SUM(A1)"


def test_nothing_else_is_replaced_and_nothing_is_left_half_done(bpsvc, store: Path) -> None:
    Path("out/tiny").mkdir(parents=True)
    Path("out/tiny/thesis.tex").write_text("mine")
    assert bpsvc("export", "tiny", "-o", "out").code == 2
    assert bpsvc("export", "tinny", "-o", "out").code == 3
    assert [path.name for path in Path("out").rglob("*")] == ["tiny", "thesis.tex"]


def test_parquet_says_what_to_install(bpsvc, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ran = bpsvc("export", "tiny", "--format", "parquet")
    assert ran.code == 2 and "bpsvc[parquet]" in ran.err and not Path("exports/tiny").exists()


def test_batches_do_not_show(bpsvc, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bpsvc("export", "tiny", "-o", "whole").code == 0
    monkeypatch.setattr("bpsvc.store.extracting._BATCH", 7)
    with Store(store) as opened:
        done = export(opened, ["tiny"], Path("pieces"))
    assert digests(Path("whole")) == digests(Path("pieces"))
    assert (done.runs, done.rows["epochs"], done.rows["layer_gradients"]) == (6, 6 * 21, 6 * 21 * 2)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(bpsvc, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """50,000 rows of twelve values would take more than 12 MB; a batch of them takes about 3."""
    monkeypatch.setattr("bpsvc.store.extracting._BATCH", 1_250)
    plain = sqlite3.connect(store)
    plain.execute("""
        WITH RECURSIVE n (x) AS (SELECT 1000 UNION ALL SELECT x + 1 FROM n WHERE x < 50999)
        INSERT INTO epochs (run_id, epoch, loss, log_likelihood, gradient_l2)
        SELECT 1, x, 0.5 / x, -2.0 / x, 0.1 / x FROM n
    """)
    plain.commit()
    plain.close()
    with Store(store) as opened:
        tracemalloc.start()
        try:
            done = export(opened, ["tiny"], Path("large"))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert done.rows["epochs"] == 50_000 + 6 * 21
    assert peak < 6e6
