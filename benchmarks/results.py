"""Measurements as Markdown: the table of issue 3 with each floor beside what was reached."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measure import AGREEMENT, Measured
from benchmarks.rows import JAX, OURS

NAMES = {OURS: "bpsvc", "jax_peer": "JAX", "sklearn_peer": "scikit-learn", "torch_peer": "PyTorch"}


@dataclass(frozen=True)
class Growth:
    """Run-epochs a second, and the most memory the process ever had, by the number of seeds."""

    rates: Mapping[int, float]
    memory_mb: Mapping[int, float]

    @property
    def unevenness(self) -> float:
        """The largest rate over the smallest from 1,000 seeds on: 1 is linear cost."""
        rates = [rate for seeds, rate in self.rates.items() if seeds >= 1000]
        return max(rates) / min(rates)


@dataclass(frozen=True)
class Sitting:
    """One sitting at one machine."""

    date: str
    machine: str
    versions: Mapping[str, str]
    repetitions: int
    busy: str
    differences: Mapping[str, float]
    rows: Sequence[Measured]
    growth: Growth | None = None


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows: Sequence[Measured]) -> Iterator[str]:
    yield "| work | bpsvc, run-epochs/s | against | run-epochs/s | ratio | to reach | |"
    yield "|---|---:|---|---:|---:|---:|---|"
    for measured in rows:
        for peer, floor in measured.row.floors.items():
            yield line(measured, peer, floor)


def line(measured: Measured, peer: str, floor: float) -> str:
    start = f"| {measured.row.name} | {number(measured.rates[OURS])} | "
    if peer in measured.missing:
        return start + f"{NAMES[peer]} | not installed on this machine | – | {floor:g} | not measured |"
    name = f"{NAMES[peer]}, warm" if peer == JAX else NAMES[peer]
    ratio = measured.ratio(peer)
    verdict = "reached" if ratio >= floor else "**not reached**"
    return start + f"{name} | {number(measured.rates[peer])} | {number(ratio)} | {floor:g} | {verdict} |"


def compiling(rows: Sequence[Measured]) -> Iterator[str]:
    yield "| work | JAX compiles, s | then trains, s | bpsvc / JAX with compiling |"
    yield "|---|---:|---:|---:|"
    for measured in rows:
        if JAX in measured.rates:
            yield (
                f"| {measured.row.name} | {measured.compile_s:.2f} | {measured.jax_s:.2f} | "
                f"{number(measured.ratio_with_compiling)} |"
            )


def growing(growth: Growth) -> Iterator[str]:
    yield "| seeds | run-epochs/s | memory at most, MB |"
    yield "|---:|---:|---:|"
    for seeds, rate in growth.rates.items():
        yield f"| {seeds:,} | {number(rate)} | {growth.memory_mb[seeds]:,.0f} |"
    yield ""
    yield f"From 1,000 seeds on the fastest is {growth.unevenness:.2f} times the slowest (1: exactly linear)."


def profiles(rows: Sequence[Measured]) -> Iterator[str]:
    """Where our time goes in the rows that miss a floor on one core (both cores do the same work twice)."""
    yield "Share of bpsvc's time by function (its own lines only), where a floor is not reached:"
    yield ""
    for measured in rows:
        if measured.profile and measured.row.cores == 1:
            parts = (f"`{at.where}` {at.share:.0%} ({at.calls:,} calls)" for at in measured.profile)
            yield f"- {measured.row.name}: {', '.join(parts)}"


def markdown(sitting: Sitting) -> str:
    differences = ", ".join(f"{NAMES[peer]} {value:.0e}" for peer, value in sitting.differences.items())
    lines = [
        "# Against other programs",
        "",
        "Written by `make bench`; figures are of one sitting on one machine, and another machine has others.",
        "",
        f"- {sitting.date}; {sitting.machine}",
        f"- {'; '.join(sitting.versions.values())}",
        f"- Medians of {sitting.repetitions} repetitions in turns. {sitting.busy}",
        "- Same mathematics, float64, plain descent on the log-likelihood from the same weights; loss and",
        "  each layer's gradient L2 recorded at every epoch (mini-batches: on the full training set after",
        f"  every 10). Largest difference from ours in 20 epochs ({AGREEMENT:g} allowed): {differences}.",
        "- One core: processor time of a process bound to it. Both cores: time on the clock; ours are two",
        "  processes with half the runs each, JAX is one process with both cores. scikit-learn and PyTorch",
        "  train run after run.",
        "",
        *table(sitting.rows),
        "",
        "What compiling adds, for a sweep that is trained once:",
        "",
        *compiling(sitting.rows),
    ]
    if any(measured.profile for measured in sitting.rows):
        lines += ["", *profiles(sitting.rows)]
    if sitting.growth:
        lines += ["", "Cost against the number of seeds (XOR 2-2-1, one core, bpsvc alone):", ""]
        lines += growing(sitting.growth)
    return "\n".join(lines) + "\n"
