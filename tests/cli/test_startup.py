"""What is loaded, and what is not: starting must stay quick (benchmarks/startup.py has the times)."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_help import TINY, Bpsvc

from bpsvc.cli import habits, scheduling, starting, words
from bpsvc.schedule import Missed, Overlap

HEAVY = {"numpy", "pandas", "matplotlib", "sqlalchemy", "alembic", "pydantic", "jinja2", "asyncio", "rich"}


def loaded(code: str, *arguments: str, **environment: str) -> set[str]:
    """The heavy modules that a fresh Python has loaded after `code`."""
    script = f"import sys\nsys.argv = ['bpsvc', *{arguments!r}]\n{code}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    return HEAVY & set(done.stderr.split())


def test_the_check_can_fail() -> None:
    assert loaded("import numpy, pydantic") >= {"numpy", "pydantic"}


def test_import_and_help_load_nothing_heavy() -> None:
    assert loaded("import bpsvc") == set()
    run = "from bpsvc.cli import run\nassert run() == 0"
    assert loaded(run, "--help") == set()
    for command in ("schedule", "submit"):
        assert loaded(run, command, "--help") <= {"pydantic"}  # typer's own


def test_the_package_is_a_command_and_lists_its_names() -> None:
    asked = [sys.executable, "-m", "bpsvc", "--version"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.startswith("bpsvc ")
    listing = "import bpsvc\nassert {'Store', 'Training', 'report', 'submit', 'train'} <= set(dir(bpsvc))"
    assert loaded(listing) == set()


def test_a_dry_run_without_a_store_loads_no_database(tmp_path: Path) -> None:
    (tmp_path / "tiny.json").write_text(json.dumps(TINY))
    run = "from bpsvc.cli import run\nassert run() == 0"
    arguments = ("submit", "--dry-run", str(tmp_path / "tiny.json"), "--db", str(tmp_path / "none.db"))
    assert loaded(run, *arguments) == {"numpy", "pydantic"}


@pytest.mark.parametrize("module", ["typer", "bpsvc.cli.app", "pydantic", "bpsvc.service.planning", "numpy"])
def test_interrupted_while_it_loads_it_says_so_in_a_line(tmp_path: Path, module: str) -> None:
    (tmp_path / "tiny.json").write_text(json.dumps(TINY))
    script = f"""
import os, signal, sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.argv = ["bpsvc", "submit", "--dry-run", "tiny.json"]
from bpsvc.cli import main
sys.meta_path.insert(0, Interrupting())
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "bpsvc: interrupted\n")


def test_completion_for_bash_loads_nothing(tmp_path: Path) -> None:
    run = "from bpsvc.cli import run\nassert run() == 0\nassert 'typer' not in sys.modules"
    shell = {"_BPSVC_COMPLETE": "complete_bash", "COMP_WORDS": "bpsvc show ", "COMP_CWORD": "2"}
    assert loaded(run, BPSVC_DB=str(tmp_path / "none.db"), **shell) == set()


@pytest.fixture
def stored(bpsvc: Bpsvc, tiny: Path) -> None:
    """Two experiments of six runs each, and a schedule."""
    Path("other.json").write_text(json.dumps({**TINY, "name": "it's $(other)"}))
    assert bpsvc("submit", "--detach", tiny, "other.json", "--set", "training.learning_rate=0.5").code == 0
    assert bpsvc("submit", "--detach", tiny).code == 0
    assert bpsvc("schedule", "add", tiny, "--cron", "0 2 * * *").code == 0


def completed(bpsvc: Bpsvc, monkeypatch: pytest.MonkeyPatch, line: str) -> list[str]:
    """What bash is told after `line` and Tab."""
    monkeypatch.setenv("_BPSVC_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    ran = bpsvc()
    assert ran.code == 0 and ran.err == ""
    return ran.out.splitlines()


@pytest.mark.usefixtures("stored")
def test_the_shell_completes(bpsvc: Bpsvc, monkeypatch: pytest.MonkeyPatch) -> None:
    def complete(line: str) -> list[str]:
        return completed(bpsvc, monkeypatch, line)

    assert complete("bpsvc show ") == ["@last", *map(str, range(12, 0, -1))]
    assert complete("bpsvc weights 1") == ["12", "11", "10", "1"]
    assert complete("bpsvc report ti") == ["tiny", "tiny@1", "tiny@2"]
    assert complete("bpsvc rm *") == []
    assert complete("bpsvc schedule pause ") == ["tiny"]
    assert complete("bpsvc examples xor_by") == ["xor_by_hand"]
    assert "submit" in complete("bpsvc sub")
    assert "--dry-run" in complete("bpsvc submit --dr")


@pytest.mark.usefixtures("stored")
def test_typer_completes_as_we_do(bpsvc: Bpsvc, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = words.for_bash
    for command in words.ARGUMENTS:
        monkeypatch.setattr(words, "for_bash", quick)
        ours = completed(bpsvc, monkeypatch, f"bpsvc {command} ")
        assert ours
        monkeypatch.setattr(words, "for_bash", lambda environment: None)
        assert completed(bpsvc, monkeypatch, f"bpsvc {command} ") == ours, command


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 200])
def test_completion_has_no_words_for_trouble(
    bpsvc: Bpsvc, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    assert completed(bpsvc, monkeypatch, "bpsvc report ") == []
    Path("bpsvc.db").write_bytes(content)
    assert completed(bpsvc, monkeypatch, "bpsvc report ") == []
    assert Path("bpsvc.db").read_bytes() == content


def test_the_words_of_schedules_are_those_of_the_room() -> None:
    assert [*scheduling.Missed] == [*Missed]
    assert [*scheduling.Overlap] == [*Overlap]


def test_an_interrupt_that_comes_out_as_another_exception_is_one_still() -> None:
    """As pydantic makes it of one that strikes while it builds a model."""

    def doctor() -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)
        except KeyboardInterrupt:
            raise ValueError("no model") from None
        return 0

    before = signal.getsignal(signal.SIGINT)
    starting.begins()
    try:
        with pytest.raises(habits.Interrupted):
            habits.command("doctor", doctor)()
    finally:
        signal.signal(signal.SIGINT, before)
