"""The driver: claims runs, has segments computed, and commits them. It is the only thing that writes to a
store.

    claim → train (elsewhere, any number at once) → commit → train → … → released or ended

One batch in flight more than there are processes keeps these busy while the driver writes. A batch's next
segment begins only when the last one is committed, so a kill at any instant loses at most the segment in
flight.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from bpsvc.store import Claim, Progress, Store
from bpsvc.work import outcome, stacking
from bpsvc.work.executors import Inline, Pool
from bpsvc.work.segments import Result, Task, train

LEASE_S: Final = 15.0
RENEW_S: Final = 4.0
POLL_S: Final = 0.5


@dataclass(frozen=True)
class Batch:
    """Runs of one stack that were claimed together, and where they stand."""

    claims: Sequence[Claim]
    task: Task

    def after(self, result: Result, kept: set[int]) -> "Batch | None":
        """What is left to do of this batch once `result` is committed for the runs in `kept`."""
        going = outcome.unfinished(result.state, self.task.target)
        lanes = [lane for lane, claim in enumerate(self.claims) if claim.run_id in kept and going[lane]]
        if not lanes:
            return None
        task = Task(self.task.problem.take(lanes), result.state.take(lanes), self.task.target)
        claims = [replace(self.claims[lane], epochs_done=result.state.epoch, attempts=0) for lane in lanes]
        return Batch(claims, task)


def drain(
    store: Store,
    executor: Inline | Pool,
    *,
    owner: str,
    processes: int = 1,
    experiments: Sequence[int] | None = None,
    stop: threading.Event | None = None,
    stay: bool = False,
    tell: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Train whatever waits (in these experiments, or at all) until everything there has ended.

    Runs that another driver holds are waited for. `stay` keeps polling for new work. When `stop` is set, the
    segments in flight are finished and committed, and everything claimed is released.
    """
    stop = stop or threading.Event()
    flying: dict[Future[Result], Batch] = {}
    try:
        while True:
            while len(flying) <= processes and not stop.is_set():
                batch = _claim(store, owner, processes, experiments)
                if batch is None:
                    break
                flying[_launch(executor, batch)] = batch
            if not flying:
                if stop.is_set() or not (stay or store.progress(experiments).outstanding):
                    return
                stop.wait(POLL_S)
                continue
            done, _ = wait(flying, timeout=RENEW_S, return_when=FIRST_COMPLETED)
            for future in done:
                batch = flying.pop(future)
                if (error := future.exception()) is not None:
                    store.lose(batch.claims, f"{type(error).__name__}: {error}")
                    continue
                left = _commit(store, owner, batch, future.result())
                if left is not None and not stop.is_set():
                    flying[_launch(executor, left)] = left
                elif left is not None:
                    store.release(left.claims)
            for batch in flying.values():
                store.renew(batch.claims, LEASE_S)
            tell(store.progress(experiments))
    finally:
        for batch in flying.values():
            store.release(batch.claims)


def _launch(executor: Inline | Pool, batch: Batch) -> Future[Result]:
    """Have a segment computed; what may have killed its process before goes alone, so that nothing else dies
    of it.
    """
    run = executor.alone if batch.claims[0].attempts else executor.submit
    return run(train, batch.task)


def _commit(store: Store, owner: str, batch: Batch, result: Result) -> Batch | None:
    kept = store.commit(outcome.segment(batch.claims, batch.task, result, owner, LEASE_S))
    return batch.after(result, kept)


def _claim(store: Store, owner: str, processes: int, experiments: Sequence[int] | None) -> Batch | None:
    waiting = store.progress(experiments).queued
    limit = min(stacking.MAX_STACK, max(1, ceil(waiting / processes)))
    claims = store.claim(owner, limit=limit, experiments=experiments, lease_s=LEASE_S)
    # Runs that have not begun stand at epoch 0, and so may runs that have (epochs: 0): these have to wait.
    begun = [claim for claim in claims if claim.checkpoint is not None]
    if begun and len(begun) < len(claims):
        store.release(begun)
        claims = [claim for claim in claims if claim.checkpoint is None]
    return Batch(claims, stacking.task(claims, store.dataset(claims[0].data))) if claims else None
