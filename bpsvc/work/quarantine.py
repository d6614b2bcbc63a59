"""Quarantine: one process for each task that may be the death of it, and word of what it died of."""

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class ProcessDied(RuntimeError):
    """The process that computed a segment ended in the middle of it."""


@dataclass(frozen=True)
class _Cell:
    """A pool of one process, and that process."""

    pool: ProcessPoolExecutor
    inmates: list[BaseProcess] = field(default_factory=list)

    def fate(self) -> ProcessDied:
        """What became of the process, for people."""
        for process in self.inmates:
            process.join(5.0)
            code = process.exitcode
            if code is not None and code < 0:
                memory = " (perhaps by the system, for want of memory)" if code == -signal.SIGKILL else ""
                return ProcessDied(f"its process was killed by {signal.Signals(-code).name}{memory}")
            if code is not None:
                return ProcessDied(f"its process ended with exit code {code}")
        return ProcessDied("its process was killed, ran out of memory or crashed")


class Quarantine:
    """Computes each task in a process that has no other, and uses a process that survived again."""

    def __init__(self, processes: Callable[[int], ProcessPoolExecutor]) -> None:
        self._processes = processes
        self._free: list[_Cell] = []

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        cell = self._free.pop() if self._free else _Cell(self._processes(1))
        known = set(multiprocessing.active_children())
        try:
            inner = cell.pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:  # the process died while it had nothing to do
            cell.pool.shutdown(wait=False)
            return self.submit(fn, *args, **kwargs)
        cell.inmates.extend(set(multiprocessing.active_children()) - known)
        future: Future[_T] = Future()

        def done(inner: Future[_T]) -> None:
            error = inner.exception()
            if isinstance(error, BrokenExecutor):
                future.set_exception(cell.fate())
                cell.pool.shutdown(wait=False)
                return
            self._free.append(cell)
            if error is None:
                future.set_result(inner.result())
            else:
                future.set_exception(error)

        inner.add_done_callback(done)
        return future

    def shutdown(self) -> None:
        while self._free:
            self._free.pop().pool.shutdown()
