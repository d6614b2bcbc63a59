"""Terminals, pipes, locales and closed streams: whole processes, and a pseudo-terminal where one matters."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from cli_help import TINY

from bpsvc.service import describing, submitting
from bpsvc.store import Store

BPSVC = (sys.executable, "-c", "from bpsvc.cli import main; main()")
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a spec and a store in which its runs wait."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "tiny.json").write_text(json.dumps(TINY))
    spec = json.dumps({**TINY, "training": {"learning_rate": 1.0, "epochs": 4000}, "record": {"every": 100}})
    (folder / "long.json").write_text(spec)
    with Store(folder / "bpsvc.db", mode="create") as store:
        submitting.submit(store, describing.read([folder / "tiny.json"]))
    return folder


def environment(**changes: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("BPSVC_DB", "NO_COLOR", "COLUMNS")}
    return {**kept, **changes}


def piped(folder: Path, command: str, **changes: str) -> subprocess.CompletedProcess[bytes]:
    """A line of shell, in which `bpsvc` is ours."""
    ours = " ".join(f"'{word}'" for word in BPSVC)
    script = f'set -o pipefail; bpsvc() {{ {ours} "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )


def on_terminal(
    folder: Path, *arguments: str, typed: bytes = b"", columns: int = 80, **changes: str
) -> tuple[int, str]:
    """The exit code of a command on a terminal of so many columns, and all that appeared there."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(folder)
        shown = environment(TERM="xterm-256color", COLUMNS=str(columns), **changes)
        os.execve(sys.executable, [*BPSVC, *arguments], shown)
    shown_bytes, deadline = b"", time.monotonic() + 300
    while time.monotonic() < deadline:
        if typed and b"[y/N]" in shown_bytes:
            os.write(master, typed)
            typed = b""
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown_bytes += piece
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown_bytes.decode()


MANY = "query 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 90000) SELECT x FROM c'"


@pytest.mark.slow
def test_a_closed_pipe_ends_quietly(folder: Path) -> None:
    done = piped(folder, f"bpsvc {MANY} -q --format csv | head -1")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"x\n", b"")
    nobody = piped(folder, "bpsvc submit -q --dry-run tiny.json | true; exit ${PIPESTATUS[0]}")
    assert (nobody.returncode, nobody.stderr) == (0, b"")


@pytest.mark.slow
def test_training_goes_on_when_nobody_listens(folder: Path) -> None:
    count = "query -q \"SELECT count(*) FROM runs WHERE status = 'done'\" --format csv --db"
    for name, deaf in (("pipe", "2>&1 >/dev/null | true"), ("full", "2>/dev/full")):
        done = piped(folder, f"bpsvc submit tiny.json --db {name}.db --processes 1 {deaf}")
        assert done.returncode == 0
        assert piped(folder, f"bpsvc {count} {name}.db").stdout.endswith(b"\n6\n")
    wrong = ("show 99", 3), ("status --db none.db", 4), ("sumbit", 2), ("submit none.json", 2)
    for command, code in wrong:
        assert piped(folder, f"bpsvc {command} 2>/dev/full").returncode == code, command


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams(folder: Path, closed: str) -> None:
    assert piped(folder, f"bpsvc status {closed}").returncode == 0


@pytest.mark.slow
def test_an_empty_standard_input_is_no_spec(folder: Path) -> None:
    for stdin in ("<&-", "</dev/null"):
        done = piped(folder, f"bpsvc submit - {stdin}")
        assert done.returncode == 2
        assert b"<stdin>:1:1: the spec is empty" in done.stderr


@pytest.mark.slow
def test_a_spec_from_a_pipe(folder: Path) -> None:
    done = piped(folder, "cat tiny.json | bpsvc submit --dry-run - --db none.db")
    assert done.returncode == 0 and done.stdout.startswith(b"tiny: 6 runs of 20 epochs")


@pytest.mark.slow
def test_a_full_disk_is_told_in_a_line(folder: Path) -> None:
    done = piped(folder, "bpsvc status > /dev/full")
    assert (done.returncode, done.stderr) == (4, b"bpsvc: No space left on device\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=str,
)
def test_locales_that_cannot_spell(folder: Path, locale: Mapping[str, str]) -> None:
    table = piped(folder, "bpsvc status -q", **locale)
    assert table.returncode == 0 and table.stderr == b""
    assert b"tiny@1" in table.stdout
    error = piped(
        folder, "bpsvc validate tiny.json --set x; bpsvc submit tiny.json --set init=xavierß", **locale
    )
    assert error.returncode == 2
    assert b"Traceback" not in error.stderr and b"bug" not in error.stderr
    if "PYTHONIOENCODING" in locale:
        trace = piped(folder, "bpsvc trace tiny.json", **locale).stdout
        assert b"\\" not in trace and b"delta(h1)" in trace and b"epsilon = " in trace
        lines = trace.splitlines()
        (head,) = (i for i, line in enumerate(lines) if b"delta(h1)" in line)
        assert len(lines[head]) == len(lines[head + 1]), "headings stand above their numbers"
        assert b"----------  ----" in table.stdout


@pytest.mark.slow
def test_rm_asks_only_somebody_who_is_there(folder: Path) -> None:
    for stdin in ("<&-", "< <(echo y)"):
        done = piped(folder, f"bpsvc rm tiny {stdin}")
        assert done.returncode == 2
        assert b"say --yes if it is meant" in done.stderr
    code, shown = on_terminal(folder, "rm", "tiny", typed=b"n\n")
    assert code == 1 and "nothing is deleted" in shown
    code, shown = on_terminal(folder, "rm", "tiny", typed=b"\x03")
    assert code == 130 and "Traceback" not in shown
    assert piped(folder, "bpsvc runs tiny -q").stdout.count(b"\n") == 2 + 6
    piped(folder, "bpsvc submit tiny.json --detach --db gone.db")
    code, shown = on_terminal(folder, "rm", "tiny", "--db", "gone.db", typed=b"y\n")
    assert code == 0 and "deleted tiny@1 with 6 runs" in shown


@pytest.mark.slow
def test_bars_stand_on_terminals_only(folder: Path) -> None:
    arguments = ("submit", "long.json", "--processes", "1", "--db")
    code, shown = on_terminal(folder, *arguments, "bar.db")
    assert code == 0 and "\x1b[" in shown and "training" in shown
    assert "6 runs, 6 done" in _ESCAPE.sub("", shown)
    code, shown = on_terminal(folder, *arguments, "hush.db", "--quiet")
    assert (code, shown) == (0, "")
    done = piped(folder, f"bpsvc {' '.join(arguments)} plain.db")
    assert done.returncode == 0 and b"\x1b" not in done.stderr and b"\r" not in done.stderr


@pytest.mark.slow
def test_no_color_means_no_color(folder: Path) -> None:
    code, shown = on_terminal(
        folder, "submit", "long.json", "--processes", "1", "--db", "grey.db", NO_COLOR="1"
    )
    assert code == 0
    assert not re.search(r"\x1b\[[0-9;]*(3[0-9]|38;|9[0-7])[0-9;]*m", shown)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 100])
def test_tables_fit_the_terminal(folder: Path, columns: int) -> None:
    code, shown = on_terminal(folder, "show", "1", "--quiet", columns=columns)
    assert code == 0
    assert max(map(len, shown.splitlines())) <= columns and "…" in shown
    code, shown = on_terminal(folder, "examples", "-q", columns=columns)
    assert code == 0 and max(map(len, shown.splitlines())) <= columns
    whole = piped(folder, "bpsvc show 1 -q").stdout.decode()
    assert max(map(len, whole.splitlines())) > columns, "what goes into a pipe is not cut"


@pytest.mark.slow
def test_exit_codes(folder: Path) -> None:
    for command, code in (
        ("status", 0),
        ("rm tiny", 2),
        ("show 99", 3),
        ("status --db none.db", 4),
        ("sumbit", 2),
        ("", 2),
    ):
        assert piped(folder, f"bpsvc {command}").returncode == code, command
