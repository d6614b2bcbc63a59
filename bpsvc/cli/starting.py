"""Ctrl-C while the command line is loaded: there is nothing to be tidied up, and an exception could come out
of anything.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import NoReturn


def begins() -> None:
    """From now on Ctrl-C leaves at once, with a line and no traceback; not where it is to be ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


@contextlib.contextmanager
def over() -> Iterator[None]:
    """Within, a command is at work, and Ctrl-C is a KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is not _leave:
        yield
        return
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
    finally:
        signal.signal(signal.SIGINT, _leave)


def _leave(*_: object) -> NoReturn:
    os.write(2, b"bpsvc: interrupted\n")
    os._exit(130)
