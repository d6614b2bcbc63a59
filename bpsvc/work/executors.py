"""Where segments are computed: anything with the interface of `concurrent.futures.Executor`.

Processes are spawned, never forked (the driver holds a database and perhaps threads), use one BLAS thread
each, ignore Ctrl-C (the driver decides when to stop) and end when their driver is gone, even if it was
killed.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Inline(Executor):
    """Computes in the calling thread, at once."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    alone = submit


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Pool(Executor):
    """So many processes; a broken pool is replaced at the next submit, and `alone` risks no other's work."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool = _processes(processes)

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown()
            self._pool = _processes(self._processes)
            return self._pool.submit(fn, *args, **kwargs)

    def alone(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """The same in a process of its own: for a task that may have killed its process before."""
        pool = _processes(1)
        future = pool.submit(fn, *args, **kwargs)
        future.add_done_callback(lambda _: pool.shutdown(wait=False))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def executor(processes: int) -> "Inline | Pool":
    """An executor with that many processes; with one it is the calling process itself."""
    return Inline() if processes <= 1 else Pool(processes)


def _processes(count: int) -> ProcessPoolExecutor:
    # The environment is read when a process loads numpy, which spawning does; ours has it set for good.
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_begin_process)


def _begin_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_driver, daemon=True).start()


def _end_with_driver() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        wait([driver.sentinel])
        os._exit(0)
