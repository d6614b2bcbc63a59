"""How long a report takes and how much memory, whole process, imports and all.

Run `python -m benchmarks.report`. XOR, two hidden layers of 4, 200 recorded epochs, 2 losses × 5 learning
rates, 1,000 and 10,000 runs (trained first, which is not measured). To reach: 1,000 runs in 10 s by the clock
and 500 MB, 10,000 runs in 60 s.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_BPSVC = (sys.executable, "-c", "from bpsvc.cli import main; main()")
_FLOORS = {1_000: "10 s, 500 MB", 10_000: "60 s"}
_RATES = [0.25, 0.5, 1.0, 2.0, 4.0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    for runs in given.runs:
        with tempfile.TemporaryDirectory(prefix="bpsvc-report-") as folder:
            train(folder, runs)
            for _ in range(given.repeat):
                measure(folder, runs)


def train(folder: str, runs: int) -> None:
    """Fill a store in `folder` with this many runs, a tenth of them for each configuration."""
    document = {
        "name": "report",
        "data": "xor",
        "network": {"hidden": [4, 4]},
        "init": {"scheme": "uniform", "range": 0.5},
        "training": {"learning_rate": 1.0, "epochs": 199},
        "seeds": runs // 10,
        "sweep": {"grid": {"loss": ["log_likelihood", "squared"], "training.learning_rate": _RATES}},
    }
    (Path(folder) / "report.json").write_text(json.dumps(document))
    subprocess.run([*_BPSVC, "submit", "report.json", "--yes", "--quiet"], cwd=folder, check=True)


def measure(folder: str, runs: int) -> None:
    """Write one report, and print seconds by the clock, CPU seconds and peak memory."""
    with (Path(folder) / "log").open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen([*_BPSVC, "report", "report"], cwd=folder, stdout=log, stderr=log)
        # What one child has used: the usage of all children together knows only the largest of them.
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit((Path(folder) / "log").read_text())
    print(
        f"{runs:,} runs: {seconds:.1f} s by the clock, {_cpu(used):.1f} s of processors, "
        f"{used.ru_maxrss / 1024:.0f} MB (to reach: {_FLOORS.get(runs, 'nothing said')})"
    )


def _cpu(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
