"""The command line, run in this process from an empty folder."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bpsvc import cli


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Bpsvc = Callable[..., Ran]

TINY = {
    "name": "tiny",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 20},
    "seeds": 3,
    "sweep": {"grid": {"loss": ["log_likelihood", "squared"]}},
}


@pytest.fixture
def bpsvc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bpsvc:
    """`bpsvc("submit", "a.json")` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BPSVC_DB", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["bpsvc", *map(str, arguments)])
        capsys.readouterr()
        code = cli.run()
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


@pytest.fixture
def tiny(bpsvc: Bpsvc) -> Path:
    """A small spec in the folder."""
    path = Path("tiny.json")
    path.write_text(json.dumps(TINY))
    return path
