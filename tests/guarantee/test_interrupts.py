"""Ctrl-C, SIGTERM and kill -9 in the middle: the same command goes on, and the bits come out the same."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.guarantee

EPOCHS = 250_000  # several segments
SPEC = {
    "name": "long",
    "data": "xor",
    "network": {"hidden": [3]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 0.5, "epochs": EPOCHS},
    "record": {"every": 500},
    "seeds": 4,
}
BPSVC = [sys.executable, "-c", "from bpsvc.cli import main; main()"]


def start(*arguments: str, folder: Path, pause: bool = False) -> subprocess.Popen[str]:
    """Run a command; with `pause` it stops itself (SIGSTOP) right after its first commit of a segment."""
    return subprocess.Popen(
        [*BPSVC, *arguments],
        cwd=folder,
        env={**os.environ, "BPSVC_FAULT": "stop committed 1" if pause else ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def committed(db: Path) -> int:
    """Epochs in the store, 0 while there is none."""
    try:
        with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT coalesce(sum(epochs_done), 0) FROM runs").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def wait_for_the_pause(process: subprocess.Popen[str]) -> None:
    stat, deadline = Path(f"/proc/{process.pid}/stat"), time.monotonic() + 60
    while stat.read_text().rpartition(")")[2].split()[0] != "T":
        assert process.poll() is None, "it ended before its first segment was committed"
        assert time.monotonic() < deadline, "no segment was committed"
        time.sleep(0.02)


def contents(db: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(db) as connection:
        return [
            *connection.execute("SELECT * FROM epochs ORDER BY run_id, epoch"),
            *connection.execute("SELECT * FROM layer_gradients ORDER BY run_id, epoch, layer"),
            *connection.execute("SELECT run_id, status, outcome, epochs_done, final_loss FROM runs"),
        ]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "long.json").write_text(json.dumps(SPEC))
    process = start("submit", "long.json", "--processes", "1", folder=folder)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return contents(folder / "bpsvc.db")


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_the_same_command_goes_on_to_the_same_bits(
    tmp_path: Path, number: signal.Signals, code: int, processes: str, uninterrupted: list[tuple[object, ...]]
) -> None:
    (tmp_path / "long.json").write_text(json.dumps(SPEC))
    command = ("submit", "long.json", "--processes", processes)
    process = start(*command, folder=tmp_path, pause=True)
    wait_for_the_pause(process)
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == code, err
    done = committed(tmp_path / "bpsvc.db")
    assert 0 < done < 4 * EPOCHS, "it was to be stopped in the middle"
    if number is not signal.SIGKILL:
        assert "the same command goes on from here" in err
        status = subprocess.run(
            [*BPSVC, "status", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        (row,) = json.loads(status.stdout)
        assert row["running"] == 0, "everything claimed is released"
    began = time.monotonic()
    again = start(*command, folder=tmp_path)
    _, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert "long@1: 0 new runs" in err
    assert contents(tmp_path / "bpsvc.db") == uninterrupted
    assert time.monotonic() - began < 60


def test_no_process_outlives_a_killed_driver(tmp_path: Path) -> None:
    (tmp_path / "long.json").write_text(json.dumps(SPEC))
    process = start("submit", "long.json", "--processes", "2", folder=tmp_path, pause=True)
    wait_for_the_pause(process)
    children = _children(process.pid)
    assert children
    process.kill()
    process.communicate(timeout=10)
    deadline = time.monotonic() + 5
    while any(_alive(child) for child in children):
        assert time.monotonic() < deadline, "a pool process outlived its driver"
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
