"""What docs/extending.md says is enough is enough: its two records are added to a copy of bpsvc, and used."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate.pages import ROOT

TOP = ROOT.parent
pytestmark = pytest.mark.slow
SPEC = {
    "name": "bump",
    "data": "xor",
    "network": {"hidden": [3], "activation": "gaussian"},
    "init": {"scheme": "uniform", "range": 1.0},
    "training": {"learning_rate": 0.5, "epochs": 300},
    "seeds": 5,
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with what the page adds, and a spec that names it."""
    top = tmp_path_factory.mktemp("extended")
    for name in ("bpsvc", "migrations", "specs"):
        shutil.copytree(TOP / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    page = (ROOT / "extending.md").read_text(encoding="utf-8")
    activation, figure = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    with (top / "bpsvc/nn/smooth.py").open("a", encoding="utf-8") as file:
        file.write(activation)
    put(top / "bpsvc/nn/activations.py", "        smooth.MISH,\n", "        smooth.GAUSSIAN,\n")
    (room,) = re.findall(r"a module of `(bpsvc/\w+/figures)`", page)
    (top / room / "first_layer.py").write_text(figure, encoding="utf-8")
    table = top / room / "__init__.py"
    put(table, "_ALL = [\n", "    FIRST_LAYER,\n")
    record = f"from {room.replace('/', '.')}.first_layer import FIRST_LAYER\n"
    put(table, "from typing import Final\n", f"\n{record}")
    (top / "bump.json").write_text(json.dumps(SPEC))
    return top


def put(path: Path, after: str, text: str) -> None:
    before = path.read_text(encoding="utf-8")
    assert before.count(after) == 1
    path.write_text(before.replace(after, after + text), encoding="utf-8")


def bpsvc(top: Path, *arguments: str) -> str:
    code = "import sys; from bpsvc.cli import run; sys.exit(run())"
    environment = {**os.environ, "PYTHONPATH": str(top), "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=top,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_new_activation_is_a_choice_with_a_right_derivative(copy: Path) -> None:
    assert "gaussian" in bpsvc(copy, "schema")
    checks = json.loads(bpsvc(copy, "gradcheck", "bump.json", "--json"))
    assert checks and all(check["ok"] for check in checks if "ok" in check)
    assert "gaussian" in json.dumps(checks)


def test_runs_learn_with_it_and_reports_have_the_new_figure(copy: Path) -> None:
    bpsvc(copy, "submit", "bump.json", "--processes", "1")
    (row,) = json.loads(
        bpsvc(copy, "query", "SELECT activation, count(solved_epoch) AS solved FROM runs", "--format", "json")
    )
    assert row["activation"] == "gaussian" and row["solved"] >= 3
    page = Path(bpsvc(copy, "report").strip())
    page = page if page.is_absolute() else copy / page
    data = (page.parent / "figures/first_layer.csv").read_text().splitlines()
    assert data[0] == "run_id,weight_l2,final_loss" and len(data) == 6
    assert (page.parent / "figures/first_layer.svg").exists()
    assert "Each dot is one of 5 runs" in page.read_text(encoding="utf-8")
