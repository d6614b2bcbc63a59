"""The command line, run in this process from an empty folder."""

import json
import sys
from pathlib import Path

import pytest
from cli_help import TINY, Bpsvc, Ran

from bpsvc import cli


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
