"""Measuring: everybody does the same mathematics (checked first), in turns, several times; medians count.

On one core what counts is the processor time of the process, which other programs on the machine hardly
change; on both cores it is the time on the clock, until the last of our two processes has done its half.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmarks.cases import CASES
from benchmarks.processes import Answer, Peer, Processes, middle
from benchmarks.profiling import Line
from benchmarks.rows import OURS, Row

AGREEMENT = 1e-7


@dataclass(frozen=True)
class Measured:
    """Run-epochs a second of each who took part; why not, for each who did not."""

    row: Row
    rates: dict[str, float]
    missing: dict[str, str] = field(default_factory=dict)
    compile_s: float = 0.0
    jax_s: float = 0.0
    profile: Sequence[Line] = ()  # of ours, when a floor is missed
    share: float = 1.0  # of the time on the clock that processes had their core, at the worst

    def ratio(self, peer: str) -> float:
        return self.rates[OURS] / self.rates[peer]

    @property
    def missed(self) -> bool:
        return any(self.ratio(peer) < floor for peer, floor in self.row.floors.items() if peer in self.rates)

    @property
    def ratio_with_compiling(self) -> float:
        """Ours over JAX when JAX must compile first, as for a sweep that is trained once."""
        return self.ratio("jax_peer") * (1.0 + self.compile_s / self.jax_s)


def members(row: Row, name: str) -> list[Peer]:
    """The processes that do a peer's work: of ours, one on each core."""
    if name == OURS:
        return [Peer(OURS, (core,)) for core in range(row.cores)]
    return [Peer(name, tuple(range(row.cores)))]


def measure(processes: Processes, row: Row, repetitions: int, scale: float) -> Measured:
    """Repetitions in turns: ours, each peer, ours, each peer …"""
    answers: dict[str, list[Answer]] = {name: [] for name in (OURS, *row.peers)}
    missing: dict[str, str] = {}
    for repetition in range(repetitions + 1):  # the first one warms up
        for name, kept in answers.items():
            if name in missing:
                continue
            found = once(processes, row, name, scale)
            if "missing" in found:
                missing[name] = found["missing"]
            elif repetition:
                kept.append(found)
    key = "cpu_s" if row.cores == 1 else "wall_s"
    rates = {}
    for name, kept in answers.items():
        if kept:
            runs, epochs = row.amount(name, scale)
            rates[name] = runs * epochs / middle(kept, key)
    share = min(answer["cpu_s"] / answer["wall_s"] for kept in answers.values() for answer in kept)
    jax = answers.get("jax_peer")
    if not jax:
        return Measured(row, rates, missing, share=share)
    return Measured(row, rates, missing, middle(jax, "compile_s"), middle(jax, key), share=share)


def once(processes: Processes, row: Row, name: str, scale: float) -> Answer:
    peers = members(row, name)
    runs, epochs = row.amount(name, scale)
    request = {"op": "time", "case": row.case.name, "runs": runs // len(peers), "epochs": epochs}
    found = processes.ask(peers, request)
    slowest = max(found, key=lambda answer: answer.get("wall_s", 0.0))
    return next((answer for answer in found if "missing" in answer), slowest)


def with_profile(processes: Processes, measured: Measured, scale: float) -> Measured:
    """The same, and where our time goes if a floor was missed."""
    if not measured.missed:
        return measured
    runs, epochs = measured.row.amount(OURS, scale)
    request = {"op": "profile", "case": measured.row.case.name, "runs": runs, "epochs": epochs}
    (found,) = processes.ask([Peer(OURS, (0,))], request)
    return replace(measured, profile=[Line(*line) for line in found["lines"]])


def versions(processes: Processes, names: Sequence[str]) -> dict[str, str]:
    found = {name: processes.ask([Peer(name, (0,))], {"op": "version"})[0] for name in names}
    return {name: answer.get("version", "not installed on this machine") for name, answer in found.items()}


def disagreements(processes: Processes, names: Sequence[str]) -> dict[str, float]:
    """By peer: the largest relative difference from ours in loss and gradient norms, over every case.

    Norms count relative to the largest of their epoch: deep down they cancel to almost nothing.
    """
    worst: dict[str, float] = {}
    for case in CASES:
        request = {"op": "trace", "case": case, "runs": 2, "epochs": 20, "shuffle": False}
        ours = processes.ask([Peer(OURS, (0,))], request)[0]
        for name in names:
            theirs = processes.ask([Peer(name, (0,))], request)[0]
            if "missing" not in theirs:
                worst[name] = max(worst.get(name, 0.0), difference(ours, theirs))
    return worst


def difference(ours: dict[str, Any] | Answer, theirs: Answer) -> float:
    loss, norms = (np.asarray(theirs[key]) for key in ("loss", "gradient_l2"))
    by_loss = np.max(np.abs(np.asarray(ours["loss"]) / loss - 1.0))
    scale = np.max(norms, axis=1, keepdims=True)
    return float(max(by_loss, np.max(np.abs(np.asarray(ours["gradient_l2"]) - norms) / scale)))
