"""Epochs that take longer than a lease, or than the patience of whoever stops a worker."""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from contents import check, contents, one
from processes import PATIENCE_S, Nursery

pytestmark = pytest.mark.guarantee


def spec(bits: int, epochs: int, depth: int = 1) -> dict[str, Any]:
    """Online learning: an epoch has 2**bits steps."""
    return {
        "name": "slow",
        "data": {"source": "parity", "bits": bits},
        "network": {"hidden": {"depth": depth, "units": 3}},
        "training": {"learning_rate": 0.1, "epochs": epochs, "batch_size": 1},
        "seeds": 2,
    }


def test_a_lease_outlasts_its_epochs(nursery: Nursery, tmp_path: Path) -> None:
    """Those who compute are stopped, as in an epoch without end; their driver keeps what it holds."""
    (tmp_path / "slow.json").write_text(json.dumps(spec(bits=2, epochs=50)))
    nursery.bpsvc(tmp_path, "submit", "--detach", "slow.json").done()
    db, deadline = tmp_path / "bpsvc.db", time.monotonic() + PATIENCE_S
    driver = nursery.bpsvc(tmp_path, "worker", "--processes", 2, fault="stop train 1")
    try:
        while one(db, "SELECT count(*) FROM _run WHERE status = 'running'") < 2:
            assert driver.poll() is None and time.monotonic() < deadline, driver.err
        claimed = one(db, "SELECT max(lease_until) FROM _run")
        while one(db, "SELECT min(lease_until) FROM _run") <= claimed:
            assert driver.poll() is None and time.monotonic() < deadline, f"none was renewed: {driver.err}"
            time.sleep(0.05)
        assert one(db, "SELECT count(*) FROM _segment") == 0, "nothing was computed meanwhile"
    finally:
        while driver.poll() is None:  # each goes on whenever it stops
            with suppress(OSError):  # who has ended meanwhile
                for process in driver.children():
                    os.kill(process, signal.SIGCONT)
            time.sleep(0.05)
    driver.done()
    check(db)
    assert one(db, "SELECT count(*) FROM runs WHERE status = 'done'") == 2


@pytest.mark.parametrize("processes", [1, 2])
def test_a_stop_does_not_wait_for_a_very_long_epoch(nursery: Nursery, tmp_path: Path, processes: int) -> None:
    (tmp_path / "slow.json").write_text(json.dumps(spec(bits=16, epochs=5, depth=20)))
    nursery.bpsvc(tmp_path, "submit", "--detach", "slow.json").done()
    db = tmp_path / "bpsvc.db"
    worker = nursery.bpsvc(tmp_path, "worker", "--watch", "--processes", processes)
    while not one(db, "SELECT count(*) FROM _run WHERE status = 'running'"):
        assert worker.poll() is None, worker.err
        time.sleep(0.05)
    time.sleep(1.0)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 128 + signal.SIGTERM, worker.err
    assert one(db, "SELECT count(*) FROM _run WHERE status <> 'queued' OR attempts > 0") == 0
    assert "stopped" in worker.err
    assert contents(db)["epochs"] == [], "its epoch was not waited for"


def test_a_watching_worker_picks_up_work_and_ends_when_told(nursery: Nursery, tmp_path: Path) -> None:
    for name, seeds in (("first", [0, 1]), ("second", [2, 3])):
        document = spec(bits=2, epochs=50) | {"name": name, "seeds": seeds}
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    nursery.bpsvc(tmp_path, "submit", "--detach", "first.json").done()
    db = tmp_path / "bpsvc.db"
    worker = nursery.bpsvc(tmp_path, "worker", "--watch", "--processes", 1)
    for expected in (2, 4):
        deadline = time.monotonic() + PATIENCE_S
        while one(db, "SELECT count(*) FROM runs WHERE status = 'done'") < expected:
            assert worker.poll() is None, worker.err
            assert time.monotonic() < deadline
            time.sleep(0.05)
        if expected == 2:
            nursery.bpsvc(tmp_path, "submit", "--detach", "second.json").done()
    time.sleep(0.2)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 128 + signal.SIGTERM
    check(db)
