"""Where a cell begins in the text of its record: asked only when something is wrong with it."""

from enum import Enum


class _At(Enum):
    START = 1
    PLAIN = 2
    QUOTED = 3
    CLOSED = 4


def start_of(text: str, cell: int, delimiter: str) -> int:
    """Offset in the text of one record at which cell number `cell` (from 0) begins, leading spaces skipped;
    the end of the text when it has fewer cells.
    """
    seen, at = 0, _At.START
    for offset, character in enumerate(text.rstrip("\r\n")):
        if at is _At.START:
            if character == " " != delimiter:
                continue
            if seen == cell:
                return offset
        if at is _At.QUOTED:
            at = _At.CLOSED if character == '"' else _At.QUOTED
        elif character == delimiter:
            seen, at = seen + 1, _At.START
        elif character == '"' and at is not _At.PLAIN:
            at = _At.QUOTED  # opens a cell, or is the second of a doubled quote
        else:
            at = _At.PLAIN
    return len(text.rstrip("\r\n"))
