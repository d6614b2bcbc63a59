"""`make bench`: bpsvc's engine against scikit-learn, PyTorch and JAX on this machine. Writes RESULTS.md."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.cases import XOR
from benchmarks.machine import describe
from benchmarks.measure import AGREEMENT, Measured, disagreements, measure, versions, with_profile
from benchmarks.processes import Peer, Processes
from benchmarks.results import NAMES, Growth, Sitting, markdown
from benchmarks.rows import OURS, ROWS, SEEDS

RESULTS = Path(__file__).with_name("RESULTS.md")
QUICK_SCALE = 0.1


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def growth(scale: float, most: int) -> Growth:
    """Each number of seeds in a process of its own, since the memory a process had at most never shrinks."""
    rates, memory = {}, {}
    for seeds, planned in SEEDS.items():
        if seeds > most:
            continue
        epochs = max(1, round(planned * scale))
        request = {"op": "time", "case": XOR.name, "runs": seeds, "epochs": epochs}
        with Processes() as alone:
            alone.ask([Peer(OURS, (0,))], request)
            found = alone.ask([Peer(OURS, (0,))], request)[0]
        rates[seeds] = seeds * epochs / found["cpu_s"]
        memory[seeds] = found["memory_mb"]
    return Growth(rates, memory)


def told(measured: Measured) -> str:
    ratios = ", ".join(
        f"{measured.ratio(peer):.3g} x {NAMES[peer]} (to reach {floor:g})" if peer in measured.rates else ""
        for peer, floor in measured.row.floors.items()
    )
    return f"{measured.row.name}: {ratios}"


def sit(repetitions: int, scale: float, most: int, only: str) -> Sitting:
    peers = [name for name in NAMES if name != OURS]
    rows = []
    with Processes() as processes:
        known = versions(processes, list(NAMES))
        differences = disagreements(processes, peers)
        for name, value in differences.items():
            if value > AGREEMENT:
                raise SystemExit(
                    f"{NAMES[name]} does other mathematics than bpsvc: they differ by {value:.1e}"
                )
        for row in (row for row in ROWS if only in row.name):
            rows.append(with_profile(processes, measure(processes, row, repetitions, scale), scale))
            say(told(rows[-1]))
    quiet = min((m.share for m in rows if m.row.cores == 1), default=1.0)
    busy = f"Processes had their core for {quiet:.0%} of the time or more."
    if quiet < 0.9:
        busy += " **The machine had other work, which slows what is on the clock (both cores).**"
    date = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return Sitting(date, describe(), known, repetitions, busy, differences, rows, growth(scale, most))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute, rough, writes nothing")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--only", default="", help="rows whose name contains this; writes nothing")
    options = parser.parse_args()
    quick = options.quick
    sitting = sit(
        1 if quick else options.repetitions,
        QUICK_SCALE if quick else 1.0,
        3000 if quick else 30000,
        options.only,
    )
    text = markdown(sitting)
    print(text)
    if not quick and not options.only:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
