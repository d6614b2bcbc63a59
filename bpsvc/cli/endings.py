"""How a command ends that raised something: the message, and the exit code."""

import errno
import re
import sys
import tempfile
import traceback
from typing import Final

from bpsvc.cli import streams
from bpsvc.cli.output import say
from bpsvc.errors import BpsvcError, SpecError, UsageError

_NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG))
_LONGEST: Final = 300
_PLACE: Final = re.compile(r".+:\d+:\d+: ")


def ended(error: BaseException) -> int:
    """Say what is to be said about `error`, and give the exit code."""
    match error:
        case BpsvcError():
            # What begins with its place has no word before it, as with compilers: editors go there.
            placed = isinstance(error, SpecError) or _PLACE.match(str(error))
            say(str(error) if placed else f"bpsvc: {error}")
            return error.exit_code
        case KeyboardInterrupt():
            say("bpsvc: interrupted")
            return 130
        case BrokenPipeError():  # `bpsvc query … | head`: there is nobody to tell
            streams.abandon(sys.stdout)
            return 0
        case SystemExit() if isinstance(error.__context__, BrokenPipeError):  # as typer ends then
            return 0
        case SystemExit():
            return error.code if isinstance(error.code, int) else int(error.code is not None)
        case OSError() if error.filename is not None or error.errno in _NO_ROOM:
            return _of_the_system(error)
    show = getattr(error, "show", None)
    if show is not None:  # a usage error of typer's
        show()
        return UsageError.exit_code
    return _bug(error)


def _of_the_system(error: OSError) -> int:
    """A file that somebody named cannot be used, or there is no room left: no bug of ours."""
    streams_full = error.filename is None
    if streams_full:
        streams.abandon(sys.stdout)
    name = "" if streams_full else f"{_clipped(str(error.filename))}: "
    full = error.errno in _NO_ROOM
    remedy = "; make room there, or write elsewhere" if full and name else ""
    say(f"bpsvc: {name}{error.strerror}{remedy}")
    return 4 if full else UsageError.exit_code


def _bug(error: BaseException) -> int:
    """Our bug: one line, and a file with the details for a report."""
    told = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="bpsvc-bug-",
            suffix=".txt",
            encoding="utf-8",
            errors="backslashreplace",
            delete=False,
        ) as file:
            file.write(f"{' '.join(sys.argv)}\n\n{told}")
        details = f"details are in {file.name}"
    except OSError:
        details = "and the details cannot be written to a file"
    what = str(error).splitlines()[0] if str(error).strip() else "no message"
    say(f"bpsvc: a bug of ours: {type(error).__name__}: {_clipped(what)}; {details}")
    return 70


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
