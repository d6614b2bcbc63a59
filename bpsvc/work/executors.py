"""Where segments are computed: in a thread of the driver's process, or in processes of their own.

Processes are spawned, never forked (the driver holds a database and perhaps threads), use one BLAS thread
each, ignore Ctrl-C and a closed terminal (the driver decides when to stop) and end when their driver lets go
of them or is gone, even if it was killed.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Final, ParamSpec, TypeVar

from bpsvc.work import threads
from bpsvc.work.quarantine import Quarantine

_P = ParamSpec("_P")
_T = TypeVar("_T")
_SPAWN: Final = multiprocessing.get_context("spawn")


class Inline(Executor):
    """One computation at a time in this process: in a thread, so that the driver can keep its leases
    meanwhile.
    """

    capacity: Final = 1

    def __init__(self) -> None:
        self._hold = Hold()
        self._quarantine = Quarantine(self._hold.processes)

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        future: Future[_T] = Future()

        def compute() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=compute, name="training", daemon=True).start()
        return future

    def alone(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """The same in a process of its own: for a task that may have killed its process before."""
        return self._quarantine.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._quarantine.shutdown()

    def abandon(self) -> None:
        """Wait for nothing that is being computed."""
        self._hold.let_go()


class Pool(Executor):
    """So many processes; a broken pool is replaced at the next submit, and `alone` risks no other's work.

    One task more than there are processes keeps these busy while the driver writes.
    """

    def __init__(self, processes: int) -> None:
        self.capacity: Final = processes + 1
        self._processes = processes
        self._hold = Hold()
        self._pool = self._hold.processes(processes)
        self._quarantine = Quarantine(self._hold.processes)

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown()
            self._pool = self._hold.processes(self._processes)
            return self._pool.submit(fn, *args, **kwargs)

    def alone(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """The same in a process of its own: for a task that may have killed its process before."""
        return self._quarantine.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)
        self._quarantine.shutdown()

    def abandon(self) -> None:
        """End every process at once, whatever it is computing."""
        self._hold.let_go()


class Hold:
    """The driver's hold on its processes: a pipe whose other end they watch. It closes when the driver lets
    go, or is gone.
    """

    def __init__(self) -> None:
        self._far, self._near = _SPAWN.Pipe(duplex=False)

    def processes(self, count: int) -> ProcessPoolExecutor:
        """A pool of so many processes that live as long as the hold."""
        threads.one_each()
        return ProcessPoolExecutor(count, _SPAWN, initializer=_begin_process, initargs=(self._far,))

    def let_go(self) -> None:
        self._near.close()


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def executor(processes: int) -> "Inline | Pool":
    """An executor with that many processes; with one it is the calling process itself."""
    return Inline() if processes <= 1 else Pool(processes)


def _begin_process(hold: "Connection[Any, Any]") -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_driver, args=(hold,), daemon=True).start()


def _end_with_driver(hold: "Connection[Any, Any]") -> None:
    hold.poll(None)  # nothing is ever sent: this returns when the other end is closed
    os._exit(0)
