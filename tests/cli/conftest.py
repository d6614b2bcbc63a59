"""The command line, run in this process from an empty folder."""

import functools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer.main
from cli_help import TINY, Bpsvc, Once, Ran

from bpsvc import cli


@pytest.fixture(scope="session", autouse=True)
def _commands_built_once() -> Iterator[None]:
    """Typer builds all commands anew for each command line: most of the time of a test that runs many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))
        yield


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


@pytest.fixture(scope="session")
def _stores() -> dict[str, bytes]:
    return {}


@pytest.fixture
def once(bpsvc: Bpsvc, _stores: dict[str, bytes]) -> Once:
    """`once(make)`: the store that `make` leaves in the folder, made the first time and copied thereafter."""

    def copied(make: Callable[[], None]) -> Path:
        key, path = f"{make.__module__}.{make.__qualname__}", Path("bpsvc.db")
        if key not in _stores:
            make()
            assert not Path("bpsvc.db-wal").exists(), "all of it is in one file"
            _stores[key] = path.read_bytes()
        path.write_bytes(_stores[key])
        return path

    return copied


@pytest.fixture
def tiny(bpsvc: Bpsvc) -> Path:
    """A small spec in the folder."""
    path = Path("tiny.json")
    path.write_text(json.dumps(TINY))
    return path
