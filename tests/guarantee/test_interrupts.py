"""Ctrl-C, SIGTERM, a closed terminal and kill -9 in the middle: the same command goes on, and the bits
come out the same.
"""

import json
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from processes import PATIENCE_S, Nursery

pytestmark = pytest.mark.guarantee

EPOCHS = 40_000
# As many stacks as cannot all be in flight, so that after one commit there is more to do on any machine.
SPEC = {
    "name": "long",
    "data": "xor",
    "network": {"hidden": [3]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 0.5, "epochs": EPOCHS},
    "record": {"every": 500},
    "seeds": 1,
    "sweep": {"grid": {"network.activation": ["logistic", "tanh", "arctan", "softsign"]}},
}
PAUSE = "stop committed 1"  # SIGSTOP to itself right after its first commit of a segment


def committed(db: Path) -> int:
    """Epochs in the store, 0 while there is none."""
    try:
        with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT coalesce(sum(epochs_done), 0) FROM runs").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def contents(db: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(db) as connection:
        return [
            *connection.execute("SELECT * FROM epochs ORDER BY run_id, epoch"),
            *connection.execute("SELECT * FROM layer_gradients ORDER BY run_id, epoch, layer"),
            *connection.execute("SELECT run_id, status, outcome, epochs_done, final_loss FROM runs"),
        ]


@pytest.fixture(scope="module")
def uninterrupted(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "long.json").write_text(json.dumps(SPEC))
    nursery.bpsvc(folder, "submit", "long.json", "--processes", "1").done()
    return contents(folder / "bpsvc.db")


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_the_same_command_goes_on_to_the_same_bits(
    nursery: Nursery,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
    processes: str,
    uninterrupted: list[tuple[object, ...]],
) -> None:
    (tmp_path / "long.json").write_text(json.dumps(SPEC))
    command = ("submit", "long.json", "--processes", processes)
    child = nursery.bpsvc(tmp_path, *command, fault=PAUSE)
    child.paused()
    child.signal(number)
    if number in (signal.SIGINT, signal.SIGHUP):  # a terminal tells all of its processes
        for one in child.children():
            os.kill(one, number)
    child.signal(signal.SIGCONT)
    assert child.wait() == code, child.err
    done = committed(tmp_path / "bpsvc.db")
    assert 0 < done < 4 * EPOCHS, "it was to be stopped in the middle"
    if number is not signal.SIGKILL:
        assert "the same command goes on from here" in child.err
        status = nursery.bpsvc(tmp_path, "status", "--json")
        status.done()
        (row,) = json.loads((tmp_path / f"out{status.pid}").read_text())
        assert row["running"] == 0, "everything claimed is released"
    again = nursery.bpsvc(tmp_path, *command)
    again.done()
    assert "long@1: 0 new runs" in again.err
    assert contents(tmp_path / "bpsvc.db") == uninterrupted


def test_no_process_outlives_a_killed_driver(nursery: Nursery, tmp_path: Path) -> None:
    (tmp_path / "long.json").write_text(json.dumps(SPEC))
    driver = nursery.bpsvc(tmp_path, "submit", "long.json", "--processes", "2", fault=PAUSE)
    driver.paused()
    children = driver.children()
    assert children
    driver.signal(signal.SIGKILL)
    driver.killed()
    deadline = time.monotonic() + PATIENCE_S
    while any(_alive(child) for child in children):
        assert time.monotonic() < deadline, "a pool process outlived its driver"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
