"""Attend to schedules: tick, then settle what has ended. Once, or in a thread while a worker stays."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from bpsvc.errors import BpsvcError
from bpsvc.schedule import Kind
from bpsvc.service import scheduling
from bpsvc.service.agenda import one_line, stamp
from bpsvc.store import Store

EVERY_S: Final = 5.0

# Who leaves waits so long for what is being done: a report may take longer, and is written anew next time.
PATIENCE_S: Final = 3.0


class News(NamedTuple):
    """Something that happened to an occurrence; `bad` when somebody should look at it."""

    schedule: str
    instant: datetime
    what: str
    detail: str
    bad: bool

    @property
    def row(self) -> tuple[str, str, str, str]:
        return (self.schedule, stamp(self.instant), self.what, one_line(self.detail))

    def __str__(self) -> str:
        return f"schedule {self.schedule}, {stamp(self.instant)}: {self.what}: {one_line(self.detail)}"


def attend(store: Store, *, now: datetime | None = None) -> Iterator[News]:
    """Decide what is due, and settle the occurrences whose runs have all ended.

    Raises:
        StoreError: the database fails; whoever attends next goes on from there.
    """
    for one in scheduling.tick(store, now=now):
        yield News(*one, one.decision in (Kind.rejected, "undecided"))
    if any(not one.outstanding for one in store.schedules.submitted()):
        from bpsvc.service import settling  # figures take a second to load, and most ticks need none

        for ended in settling.settle(store, now=now):
            yield News(*ended)


@contextlib.contextmanager
def attending(
    store: Store,
    tell: Callable[[str], None],
    *,
    clock: Callable[[], datetime | None] = lambda: None,
    every_s: float = EVERY_S,
) -> Iterator[None]:
    """Attend again and again in a thread of its own, while within. `tell` is given each piece of news as a
    line, and what goes wrong (once, until it changes); `clock` gives the time where it is not the database's.

    Leaving takes `PATIENCE_S` at most: what is not done by then is left to whoever attends next.
    """
    stop = threading.Event()

    def loop() -> None:
        trouble = ""
        told: set[str] = set()
        while True:
            try:
                for news in attend(store, now=clock()):
                    if str(news) not in told:
                        tell(str(news))
                    if news.bad:  # it may come again and again until somebody sees to it
                        told.add(str(news))
                    if stop.is_set():
                        return
                trouble = ""
            except Exception as error:  # whatever it is, the worker goes on, and says so
                if str(error) != trouble and not stop.is_set():
                    trouble = str(error)
                    name = "" if isinstance(error, BpsvcError) else f"{type(error).__name__}: "
                    tell(f"schedules: {name}{trouble}; they are looked at again every {every_s:g} s")
            if stop.wait(every_s):
                return

    thread = threading.Thread(target=loop, name="schedules", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
