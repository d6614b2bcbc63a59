"""Talking with the peers' processes: each has its cores, waits for requests and answers them."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from types import TracebackType
from typing import Any, NamedTuple, Self

Answer = Mapping[str, Any]


class Peer(NamedTuple):
    """Which program, and on which cores."""

    name: str
    cores: tuple[int, ...]


class Processes:
    """Peers by name and cores, started when first asked; those who are not asked wait."""

    def __init__(self) -> None:
        self.running: dict[Peer, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()

    def ask(self, peers: Sequence[Peer], request: Answer) -> list[Answer]:
        """The answers of all of them, who work side by side."""
        for peer in peers:
            self._send(peer, request)
        return [self._answer(peer) for peer in peers]

    def _send(self, peer: Peer, request: Answer) -> None:
        if peer not in self.running:
            command = [sys.executable, "-m", "benchmarks.child", peer.name, ",".join(map(str, peer.cores))]
            self.running[peer] = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        pipe = self.running[peer].stdin
        assert pipe is not None
        pipe.write(json.dumps(request) + "\n")
        pipe.flush()

    def _answer(self, peer: Peer) -> Answer:
        pipe = self.running[peer].stdout
        assert pipe is not None
        line = pipe.readline()
        if not line:
            raise RuntimeError(f"the process of {peer.name} ended without an answer")
        found: Answer = json.loads(line)
        return found


def middle(answers: Sequence[Answer], key: str) -> float:
    return median(float(answer[key]) for answer in answers)
