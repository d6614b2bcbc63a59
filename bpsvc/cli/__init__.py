"""The command line: it parses, calls a use case, prints. Nothing else in bpsvc prints, and only here are
exceptions caught.

Exit codes: 0 ok · 1 the answer is no · 2 usage, or an invalid spec, data or SQL · 3 no such or ambiguous run
or experiment · 4 the store is unavailable · 70 our bug · 129, 130 or 143 interrupted.
"""

import gc
import os
import sys
from typing import Final

from bpsvc.cli import starting, streams, words
from bpsvc.work import threads

# Python's own 700 would look for garbage a hundred times while modules are loaded, for a tenth of the time.
_GARBAGE: Final = 20_000


def main() -> None:
    """The console command `bpsvc`."""
    starting.begins()
    gc.set_threshold(_GARBAGE)
    threads.one_each()
    sys.exit(run())


def run() -> int:
    """Run the command line of this process and return its exit code."""
    streams.prepare()
    if (answer := words.for_bash(os.environ)) is not None:
        sys.stdout.write(answer)
        return 0
    from bpsvc.cli.app import app
    from bpsvc.cli.endings import ended

    try:
        code = app(prog_name="bpsvc", standalone_mode=False)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        return ended(error)
    return code if isinstance(code, int) else 0
