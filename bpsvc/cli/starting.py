"""Ctrl-C while the command line is loaded: there is nothing to be tidied up, and an exception could come out
of anything.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn


def begins() -> None:
    """From now on Ctrl-C leaves at once, with a line and no traceback; not where it is to be ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


@contextlib.contextmanager
def over() -> Iterator[list[int]]:
    """Within, a command is at work, and Ctrl-C is a KeyboardInterrupt. It is noted in the list as well: what
    was being loaded may turn the exception into one of its own.
    """
    noted: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is not _leave:
        yield noted
        return
    try:
        signal.signal(signal.SIGINT, interrupt)
        yield noted
    finally:
        signal.signal(signal.SIGINT, _leave)


def _leave(*_: object) -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(2, b"bpsvc: interrupted\n")
    os._exit(130)
