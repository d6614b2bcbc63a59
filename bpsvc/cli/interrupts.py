"""Ctrl-C and SIGTERM: the first finishes and commits the segment in flight, the second stops at once."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from bpsvc.cli.output import say


class Stop(threading.Event):
    """Set when training is to stop after the segment; `signal` says by which signal."""

    signal: int | None = None


@contextlib.contextmanager
def graceful() -> Iterator[Stop]:
    """Give an event that the first SIGINT or SIGTERM sets; the second SIGINT raises KeyboardInterrupt."""
    stop = Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.signal = number
        stop.set()
        say("bpsvc: finishing the segment in flight; once more to stop at once")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
