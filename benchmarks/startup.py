"""How long bpsvc takes to start: the computing time of whole processes, the best of several.

`python -m benchmarks.startup` prints a table; on a quiet machine `--help` should stay under 150 ms, a dry run
of specs/xor.json under 500 ms and completion under 100 ms.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

_XOR: Final = Path(__file__).parents[1] / "specs" / "xor.json"
_RUN: Final = "from bpsvc.cli import main; main()"
_COMPLETE: Final = {"_BPSVC_COMPLETE": "complete_bash", "COMP_WORDS": "bpsvc show 8", "COMP_CWORD": "2"}
CASES: Final = (
    ("python -c pass", ("-c", "pass"), {}, None),
    ("bpsvc --help", ("-c", _RUN, "--help"), {}, 150),
    ("bpsvc submit --dry-run specs/xor.json", ("-c", _RUN, "submit", "--dry-run", str(_XOR)), {}, 500),
    ("bpsvc show 8<Tab>", ("-c", _RUN), _COMPLETE, 100),
)


def milliseconds(
    arguments: tuple[str, ...], environment: dict[str, str], folder: str, times: int = 7
) -> float:
    """The least computing time of a Python process, user and system [ms]."""
    found = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={**_compiling(folder), **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return 1e3 * min(found)


def _compiling(folder: str) -> dict[str, str]:
    """An environment in which Python keeps what it compiles, as installed programs have it, in `folder`."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(Path(folder) / "compiled")}


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        queue = (sys.executable, "-c", _RUN, "submit", "-q", "--detach", str(_XOR), "--db", "bpsvc.db")
        subprocess.run(queue, cwd=folder, check=True)
        for name, arguments, environment, limit in CASES:
            if "--dry-run" in arguments:
                environment = {**environment, "BPSVC_DB": "none.db"}
            took = milliseconds(arguments, environment, folder)
            told = "" if limit is None else f"(should be under {limit})"
            print(f"{took:6.0f} ms  {name}  {told}")


if __name__ == "__main__":
    main()
