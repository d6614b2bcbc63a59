"""Real bpsvc processes for the tests that kill them."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Of a test with a process; machines may be busy.
PATIENCE_S = float(os.environ.get("BPSVC_PATIENCE_S", "600"))
# So short a lease leaves no segment time for more than an epoch, however quick the machine.
TINY_LEASE_S = 1e-6


class Nursery:
    """Starts processes that have loaded bpsvc already; see `nursery`."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("nursery.py"))]
        self._mother = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def work(self, folder: Path, *specs: str, lease_s: float = 15.0, **more: Any) -> "Child":
        """Submit specs of the folder, then train all that waits in its `bpsvc.db`."""
        return self._start(folder, specs=specs, lease_s=lease_s, **more)

    def bpsvc(self, folder: Path, *command: object, **more: Any) -> "Child":
        """Run a command line."""
        return self._start(folder, command=[str(word) for word in command], **more)

    def ask(self, **request: Any) -> Any:
        assert self._mother.stdin is not None
        self._mother.stdin.write(json.dumps(request) + "\n")
        self._mother.stdin.flush()
        return self._answer()

    def close(self) -> None:
        self._mother.communicate(timeout=PATIENCE_S)

    def _start(self, folder: Path, **request: Any) -> "Child":
        return Child(self, folder, self.ask(folder=str(folder), **request))

    def _answer(self) -> Any:
        assert self._mother.stdout is not None
        return json.loads(self._mother.stdout.readline())


@dataclass(frozen=True)
class Child:
    """One process of the nursery."""

    nursery: Nursery
    folder: Path
    pid: int

    def poll(self) -> int | None:
        """Its exit code (negative: the signal that killed it), or None while it lives."""
        code: int | None = self.nursery.ask(poll=self.pid)
        return code

    def wait(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while (code := self.poll()) is None:
            assert time.monotonic() < deadline, f"it takes too long: {self.err}"
            time.sleep(0.005)
        return code

    def done(self) -> None:
        """Wait for it to end well."""
        code = self.wait()
        assert code == 0, f"exit code {code}: {self.err}"

    def killed(self) -> None:
        """Wait for it to be killed."""
        assert self.wait() == -signal.SIGKILL, self.err

    def paused(self) -> None:
        """Wait until it has stopped itself."""
        stat, deadline = Path(f"/proc/{self.pid}/stat"), time.monotonic() + PATIENCE_S
        while stat.read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < deadline, f"it did not stop: {self.err}"
            time.sleep(0.005)

    def children(self) -> list[int]:
        """The processes it has started and that live."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(pid) for thread in threads for pid in thread.read_text().split()]

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    @property
    def err(self) -> str:
        return (self.folder / f"err{self.pid}").read_text()
