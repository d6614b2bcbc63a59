"""bpsvc status: what waits and runs, who works on it, live."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_help import Bpsvc

from bpsvc.store import Store, owner


def test_who_trains_what(bpsvc: Bpsvc, tiny: Path) -> None:
    assert bpsvc("submit", "--detach", tiny).code == 0
    assert bpsvc("status", "--workers", "--json").json == []
    assert "worker" not in bpsvc("status").out
    with Store("bpsvc.db", mode="write") as store:
        store.leases.claim(owner(), limit=2)
        store.leases.claim("elsewhere/boot/ns/17/99", limit=1)
    mine, other = sorted(bpsvc("status", "--workers", "--json").json, key=lambda row: -row["runs"])
    assert (mine["runs"], mine["epochs_left"], mine["gone"]) == (2, 40, False)
    assert (other["worker"], other["epochs_per_s"], other["eta_s"]) == ("elsewhere, process 17", 0, None)
    table = bpsvc("status").out
    assert "tiny@1" in table and f"process {os.getpid()}" in table and "elsewhere, process 17" in table
    assert "tiny@1" not in bpsvc("status", "--workers").out
    (row,) = bpsvc("status", "--json").json
    assert (row["running"], row["epochs_done"], row["epochs_to_do"], row["epochs_left"]) == (3, 0, 120, 120)
    assert row["eta_s"] is None
    assert "epochs_left" in table and "epochs_to_do" not in table, "people take a total for what remains"


def test_watching_needs_a_terminal(bpsvc: Bpsvc, tiny: Path) -> None:
    assert bpsvc("submit", "--detach", tiny).code == 0
    for more in ((), ("--json",)):
        ran = bpsvc("status", "--watch", *more)
        assert ran.code == 2 and "terminal" in ran.err


@pytest.mark.slow
def test_live(bpsvc: Bpsvc, tiny: Path) -> None:
    """On a terminal the table follows what happens, until Ctrl-C."""
    assert bpsvc("submit", "--detach", tiny).code == 0
    near, far = pty.openpty()
    code = "from bpsvc.cli import main; main()"
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    watching = subprocess.Popen(
        [sys.executable, "-c", code, "status", "--watch"], stdout=far, stderr=far, stdin=far, env=environment
    )
    try:
        _until(near, "tiny@1")
        with Store("bpsvc.db", mode="write") as store:
            store.leases.claim("elsewhere/boot/ns/17/99", limit=1)
        _until(near, "elsewhere, process 17")
        watching.send_signal(signal.SIGINT)
        assert watching.wait(300) == 130
    finally:
        watching.kill()
        watching.wait()
        os.close(near)
        os.close(far)
    assert json.loads(bpsvc("status", "--json").out)[0]["running"] == 1


def _until(terminal: int, text: str) -> None:
    shown, deadline = "", time.monotonic() + 300
    while text not in shown:
        assert time.monotonic() < deadline, shown
        if select.select([terminal], [], [], 0.5)[0]:
            shown += os.read(terminal, 65536).decode(errors="replace")
