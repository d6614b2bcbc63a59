"""What is left of an executor when one of its processes is killed."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future

import pytest

from bpsvc.work.executors import Inline, Pool
from bpsvc.work.quarantine import ProcessDied

Submit = Callable[[Callable[[], int]], Future[int]]


@pytest.fixture(params=["in a pool", "alone", "alone beside the driver"])
def submit(request: pytest.FixtureRequest) -> Iterator[Submit]:
    executor = Inline() if request.param == "alone beside the driver" else Pool(1)
    yield executor.submit if request.param == "in a pool" else executor.alone
    executor.shutdown()


def test_a_process_killed_while_idle_is_replaced(submit: Submit) -> None:
    process = submit(os.getpid).result(300)
    os.kill(process, signal.SIGKILL)
    for child in multiprocessing.active_children():
        if child.pid == process:
            child.join(300)
    following = submit(os.getpid)
    # Until the pool has noticed, a task may go to the dead process; it is lost, and a driver would try again.
    while isinstance(following.exception(300), (ProcessDied, BrokenExecutor)):
        following = submit(os.getpid)
    assert following.result() != process
