"""The shell and Python examples of the README and the docs are run as they stand, each page in its own
folder.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate.pages import PAGES, ROOT
from docs.generate.tutorial import PAGE, run, shell

TOP = ROOT.parent
# What a page may show but a test cannot do: it would change the environment or the machine.
ELSEWHERE = ("make ", "pip ", "sudo ", "systemctl ", "crontab ", "journalctl ", "loginctl ")
STAYS = "bpsvc worker --watch"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def pages() -> list[Path]:
    found = [TOP / "README.md", *sorted(ROOT.glob("*.md"))]
    return [path for path in found if path != PAGE and BLOCK.search(path.read_text(encoding="utf-8"))]


def blocks(path: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(path.read_text(encoding="utf-8")) if kind == language]


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with specs and a store, as somebody has who reads the docs."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(TOP / "specs", folder / "specs")
    small = "--set seeds=4 --set training.epochs=300 --processes 1"
    shell(f"bpsvc submit specs/xor.json {small}", folder)
    return folder


@pytest.fixture
def folder(used: Path, tmp_path: Path) -> Path:
    shutil.copytree(used, tmp_path / "folder")
    return tmp_path / "folder"


@pytest.mark.slow
@pytest.mark.parametrize("page", pages(), ids=lambda path: path.name)
def test_the_examples_of_a_page_run(page: Path, folder: Path) -> None:
    for block in blocks(page, "sh"):
        lines = [line for line in block.splitlines() if not line.startswith((*ELSEWHERE, STAYS))]
        shell("\n".join(lines), folder)
    python("\n".join(blocks(page, "python")), folder)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(ROOT.glob("*.ipynb")), ids=lambda path: path.name)
def test_the_notebook_runs_from_top_to_bottom(path: Path, folder: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    python("\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"), folder)


@pytest.mark.slow
def test_the_tutorial_prints_what_it_shows(tmp_path: Path) -> None:
    shown, printed = PAGE.read_text(encoding="utf-8").splitlines(), run(tmp_path).splitlines()
    assert len(shown) == len(printed)
    counted = 0
    for old, new in zip(shown, printed, strict=True):
        assert NUMBER.sub("#", old).split() == NUMBER.sub("#", new).split()
        # How many of twenty deep nets solve it is up to a processor's last bits: the last columns of a table.
        counted = 2 if old.endswith("reached  held") else 0 if old.startswith("```") else counted
        numbers = [list(map(float, NUMBER.findall(line))) for line in (old, new)]
        for place, (a, b) in enumerate(zip(*numbers, strict=True)):
            few = 5 if place >= len(numbers[0]) - counted else 1e-6
            assert abs(a - b) <= few + 0.06 * max(abs(a), abs(b)), (old, new)


@pytest.mark.slow
def test_the_python_examples_are_typed(tmp_path: Path) -> None:
    script = tmp_path / "examples.py"
    script.write_text("\n".join(blocks(ROOT / "python.md", "python")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(script)],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_json_in_the_docs_is_json() -> None:
    for path in (TOP / "README.md", *ROOT.glob("*.md")):
        for text in re.findall(
            r"^```json\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        ):
            json.loads(text if text.startswith(("{", "[")) else f"{{{text}}}")  # or a part of a document


def test_pages_say_nothing_of_machines() -> None:
    for path in (TOP / "README.md", *ROOT.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(home|root|work|tmp|Users)/|localhost:\d", text), path.name
    assert set(PAGES) <= {path.name for path in ROOT.glob("*.md")}


def python(code: str, folder: Path) -> None:
    """Run Python in a process of its own; its complaint is the test's."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BPSVC_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**environment, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
