"""Standard streams that never fail: one that is closed leads nowhere, what a locale cannot spell is spelled
plainly, and remarks that cannot be written are lost.
"""

import codecs
import io
import os
import re
import sys
import unicodedata
from typing import Final, Literal, TextIO

_PLAIN: Final = {
    **dict.fromkeys("─−–—", "-"),
    "…": "...",
    "×": "x",
    "·": ".",
    "½": "1/2",
    "¼": "1/4",
    "²": "^2",
    "⁴": "^4",
    "±": "+-",
    "→": "->",
    "∂": "d",
    "Σ": "sum",
    "≤": "<=",
    "≥": ">=",
    "′": "'",
    "⟨": "<",
    "⟩": ">",
    "�": "?",
}


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """What to write where an encoding has no such character."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_plain, text)), error.end


def _plain(character: str) -> str:
    """A character in ASCII: a Greek letter by its name."""
    greek = re.fullmatch(r"GREEK \w+ LETTER (\w+)", unicodedata.name(character, ""))
    escaped = character.encode("ascii", "backslashreplace").decode()
    return _PLAIN.get(character) or (greek[1].lower() if greek else escaped)


def as_printed(text: str) -> str:
    """A text as it will stand on standard output: what is to be laid out in columns is spelled before."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "bpsvc").decode(encoding)


class _Remarks(io.TextIOWrapper):
    """Standard error: where nobody reads it, its disk is full or its terminal gone, work goes on without."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            abandon(self)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            abandon(self)


def prepare() -> None:
    """Make the three streams of this process safe to use."""
    codecs.register_error("bpsvc", _spelled)
    # In order: what is opened gets the lowest free descriptor, so that no database ends up as 0, 1 or 2.
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _nowhere("w")
    sys.stderr = sys.stderr or _nowhere("w")
    if isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr is sys.__stderr__:  # and keeps the buffer open
        sys.stderr = _Remarks(sys.stderr.buffer, sys.stderr.encoding, line_buffering=True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="bpsvc")


def abandon(stream: TextIO) -> None:
    """Nobody reads this stream any more (or its disk is full): lead what is left of it nowhere."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return


def _nowhere(mode: Literal["r", "w"]) -> TextIO:
    return open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123
