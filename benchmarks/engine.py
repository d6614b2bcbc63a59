"""Where the engine's time goes: `python -m benchmarks.engine [case] [runs]`, one core, BLAS threads 1.

Each part of an epoch is timed on its own, warm, as the least of many short repetitions (so that a busy
machine shows less); then whole epochs without and with records; then both layouts and several widths of a
chunk, from which `bpsvc.nn.layout.TINY` and the bytes in `bpsvc.nn.training` were set.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.cases import CASES, Case
from benchmarks.peers import ours
from bpsvc import nn
from bpsvc.nn import layout, training
from bpsvc.nn.lanes import Lanes
from bpsvc.nn.network import LayerParameters

FEW = ("loss", "gradient_l2")


def least(work: Callable[[], object], repetitions: int = 9, each_s: float = 0.02) -> float:
    """Seconds of processor time of one call: the least over short series of calls."""
    work()
    begun = time.process_time()
    work()
    calls = max(1, round(each_s / max(time.process_time() - begun, 1e-6)))
    times = []
    for _ in range(repetitions):
        begun = time.process_time()
        for _ in range(calls):
            work()
        times.append((time.process_time() - begun) / calls)
    return min(times)


def problem(case: Case, runs: int) -> tuple[nn.Problem, np.ndarray]:
    given = replace(ours.problem(case, runs), series=FEW)
    return given, given.network.pack([LayerParameters(layer.w, layer.b) for layer in case.weights(runs)])


def parts(case: Case, runs: int) -> dict[str, float]:
    """Microseconds of each part of an epoch, for a chunk of `runs`."""
    given, theta = problem(case, runs)
    slots = {name: np.zeros_like(theta) for name in Lanes.slot_names(given)}
    with np.errstate(all="ignore"):
        lanes = Lanes(given, theta, slots)
        lanes.evaluate()
        still = lanes.parameters.theta.copy()

        def update() -> None:
            lanes.descent.step(0, 1)
            np.copyto(lanes.parameters.theta, still)

        work = {
            "forward": lambda: lanes.full.forward(lanes.x),
            "loss": lambda: lanes.full.judge(lanes.y),
            "backward": lambda: lanes.full.backward(lanes.x, lanes.y),
            "update (and its undoing)": update,
            "all finite?": lanes.diverged,
            "series": lanes.series,
        }
        return {name: 1e6 * least(call) for name, call in work.items()}


def epoch(case: Case, runs: int, every: int) -> float:
    """Run-epochs a second of whole segments, the cost of beginning one left out."""
    given, theta = problem(case, runs)
    given = replace(given, cadence=nn.Cadence(every))
    state, _ = nn.start(given, theta)
    short = case.every
    long = short + max(1, round(0.2 / least(lambda: nn.advance(given, state, short), 3)) * case.every)
    seconds = [least(lambda n=n: nn.advance(given, state, n), 5, 0.0) for n in (short, long)]
    return runs * (long - short) / (seconds[1] - seconds[0])


def main(name: str, runs: int) -> None:
    case = CASES[name]
    print(f"{name}, {runs:,} runs, {problem(case, runs)[0].layout.name}")
    for part, microseconds in parts(case, runs).items():
        print(f"  {part:28s} {microseconds:9.1f} µs  {1e3 * microseconds / runs:7.2f} ns a run")
    print(f"  {'epochs, few records':28s} {epoch(case, runs, 10**9):12,.0f} run-epochs/s")
    print(f"  {'epochs, all recorded':28s} {epoch(case, runs, case.every):12,.0f} run-epochs/s")
    chosen, width = layout.TINY, training.chunk_width
    for tiny in (0, 10**9):
        layout.TINY = tiny
        for lanes in (runs // 8, runs // 4, runs // 2, runs):
            training.chunk_width = lambda given, lanes=lanes: max(2, lanes)
            speed = epoch(case, runs, case.every)
            print(
                f"  {problem(case, runs)[0].layout.name:12s} {lanes:6,} at a time {speed:12,.0f} run-epochs/s"
            )
    layout.TINY, training.chunk_width = chosen, width


if __name__ == "__main__":
    with threadpool_limits(1):
        main(*(sys.argv[1:2] or ["XOR 2-2-1"]), int((sys.argv[2:3] or ["1000"])[0]))
