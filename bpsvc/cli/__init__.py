"""The command line: it parses, calls a use case, prints. Nothing else in bpsvc prints, and only here are
exceptions caught.

Exit codes: 0 ok · 1 the answer is no · 2 usage, or an invalid spec, data or SQL · 3 no such or ambiguous run
or experiment · 4 the store is unavailable · 70 our bug · 130 or 143 interrupted.
"""

import os
import sys
import tempfile
import traceback

from bpsvc.cli.app import app
from bpsvc.errors import BpsvcError


def main() -> None:
    """The console command `bpsvc`."""
    sys.exit(run())


def run() -> int:
    """Run the command line of this process and return its exit code."""
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BpsvcError as error:
        print(f"bpsvc: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("bpsvc: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    except Exception as error:
        return _usage_or_bug(error)


def _usage_or_bug(error: Exception) -> int:
    """A usage error explains itself; anything else is our bug, kept in a file for a report."""
    show = getattr(error, "show", None)
    if show is not None:
        show()
        return 2
    with tempfile.NamedTemporaryFile(
        "w", prefix="bpsvc-bug-", suffix=".txt", encoding="utf-8", delete=False
    ) as file:
        file.write(f"{' '.join(sys.argv)}\n\n{traceback.format_exc()}")
    what = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    print(
        f"bpsvc: a bug of ours: {type(error).__name__}: {what}; details are in {file.name}", file=sys.stderr
    )
    return 70
