"""How fast everything together records: spec in, rows out, whole process, imports and all.

Run `python -m benchmarks.throughput`. 1,000 runs of XOR, every epoch recorded, 20 values each (6 of the
epoch, since XOR has no validation part, and 7 of each of 2 layers). To reach: 2.5 million values a second,
less than 500 MB of memory.
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

VALUES = 20
_BPSVC = "import sys; from bpsvc.cli import main; main()"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--epochs", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    document = {
        "name": "throughput",
        "data": "xor",
        "network": {"hidden": [2]},
        "init": {"scheme": "uniform", "range": 0.5},
        "training": {"learning_rate": 1.0, "epochs": given.epochs},
        "seeds": given.runs,
    }
    values = given.runs * (given.epochs + 1) * VALUES
    print(f"{given.runs:,} runs × {given.epochs:,} epochs × {VALUES} values, {given.processes} processes")
    for _ in range(given.repeat):
        measure(document, given.processes, values)


def measure(document: dict[str, object], processes: int, values: int) -> None:
    """Submit once, and print values a second by the clock, CPU seconds and peak memory of the driver."""
    with tempfile.TemporaryDirectory(prefix="bpsvc-throughput-") as folder:
        (Path(folder) / "throughput.json").write_text(json.dumps(document))
        command = [sys.executable, "-c", _BPSVC, "submit", "throughput.json", "--yes", "--verbose"]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [*command, "--processes", str(processes)], cwd=folder, capture_output=True, text=True, check=True
        )
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        size = sum(path.stat().st_size for path in Path(folder).glob("*.db*"))
    recording = next((line for line in done.stderr.splitlines() if "computing" in line), "")
    print(
        f"{values / wall / 1e6:.2f} million values/s: {wall:.1f} s by the clock, {cpu:.1f} s of processors, "
        f"at most {after.ru_maxrss / 1024:.0f} MB a process, {size / values:.1f} bytes a value ({recording})"
    )


if __name__ == "__main__":
    main()
