"""Ctrl-C, SIGTERM, a closed terminal: the first finishes and commits the segment in flight, the second stops
at once.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

from bpsvc.cli.output import say

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AtOnce(KeyboardInterrupt):
    """The second signal, and its number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number: Final = number


class Stop(threading.Event):
    """Set when training is to stop after the segment; `signal` says by which signal."""

    signal: int | None = None


@contextlib.contextmanager
def graceful() -> Iterator[Stop]:
    """Give an event that the first SIGINT, SIGTERM or SIGHUP sets; the second signal raises AtOnce. Where
    SIGHUP was to be ignored, it is (nohup).
    """
    stop = Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise AtOnce(number)
        stop.signal = number
        stop.set()
        with contextlib.suppress(RuntimeError):  # it struck while a line was being written
            say("bpsvc: finishing the segment in flight; once more to stop at once")

    nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heard = [number for number in _SIGNALS if number != signal.SIGHUP or not nohup]
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
