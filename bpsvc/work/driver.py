"""The driver: claims runs, has segments computed, and commits them. It is the only thing that writes to a
store.

    claim → train (elsewhere, any number at once) → commit → train → … → released or ended

A batch's next segment begins only when the last one is committed, so a kill at any instant loses at most the
segment in flight. Leases are renewed while segments are computed, however long an epoch takes; whoever is
paused renews nothing, and finds its commits refused when another driver has taken over.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event
from typing import Final

from bpsvc import faults
from bpsvc.errors import DamagedError, StoreError
from bpsvc.store import LEASE_S, Claim, Progress, Store
from bpsvc.work import outcome, stacking
from bpsvc.work.effort import Effort
from bpsvc.work.executors import Inline, Pool
from bpsvc.work.segments import BUDGET_S, Result, Task, fitting, train, values

POLL_S: Final = 0.5
# What is still being computed so long after a stop is given up: epochs may be longer than anyone's patience.
GRACE_S: Final = 6.0


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
        task = replace(self.task, begin=result.state)
        claims = [replace(self.claims[lane], epochs_done=result.state.epoch, attempts=0) for lane in lanes]
        return Batch(claims, task if len(lanes) == len(self.claims) else task.take(lanes))


def drain(
    store: Store,
    executor: Inline | Pool,
    *,
    owner: str,
    processes: int = 1,
    experiments: Sequence[int] | None = None,
    stop: Event | None = None,
    stay: bool = False,
    tell: Callable[[Progress], None] = lambda progress: None,
    lease_s: float = LEASE_S,
) -> Effort:
    """Train whatever waits (in these experiments, or at all) until everything there has ended.

    Runs that another driver holds are waited for. `stay` keeps polling for new work. When `stop` is set, the
    segments in flight are finished and committed, and everything claimed is released. A segment takes no
    longer than a third of the lease, where its epochs allow.
    """
    driver = _Driver(store, executor, owner, processes, experiments, lease_s)
    patience = None
    try:
        while True:
            stopping = stop is not None and stop.is_set()
            if not stopping:
                driver.claim()
            elif patience is None:
                patience = time.monotonic() + GRACE_S
            if not driver.flying:
                if stopping or not (stay or store.progress(experiments).outstanding):
                    return driver.effort
                # Not stop.wait(): a signal handler that sets what its own thread waits for may hang.
                time.sleep(POLL_S)
                continue
            if driver.land(stopping):
                tell(store.progress(experiments))
            if patience is not None and time.monotonic() > patience:
                executor.abandon()
                return driver.effort
    except BaseException:
        executor.abandon()
        raise
    finally:
        with suppress(StoreError):  # what cannot be released is free when this process is gone
            driver.release()


class _Driver:
    """What one driver holds: the segments in flight, and the leases on their runs."""

    def __init__(
        self,
        store: Store,
        executor: Inline | Pool,
        owner: str,
        processes: int,
        experiments: Sequence[int] | None,
        lease_s: float,
    ) -> None:
        self._store, self._executor, self._owner = store, executor, owner
        self._processes, self._experiments, self._lease_s = processes, experiments, lease_s
        self._renewed = time.monotonic()
        self._held: list[Claim] = []  # claimed, and on their way into a segment
        self.flying: dict[Future[Result], Batch] = {}
        self.effort = Effort()

    def claim(self) -> None:
        """Take what waits until the executor has enough to do."""
        while len(self.flying) < self._executor.capacity and (claims := self._claims()):
            try:
                dataset = self._store.dataset(claims[0].data)
            except DamagedError as error:
                self._store.leases.fail(claims, f"{error}; then `bpsvc retry` goes on")
                self._held = []
                continue
            try:
                task = stacking.task(claims, dataset)
                task = replace(task, budget_s=min(BUDGET_S, self._lease_s / 3))
                if (most := fitting(task)) < len(claims):
                    self._store.leases.release(claims[most:])
                    claims, task = claims[:most], task.take(range(most))
            except Exception as error:  # whatever it is: the others of its stack go on without the culprit
                self._store.leases.lose(claims, _described(error))
            else:
                self._launch(Batch(claims, task))
            self._held = []

    def land(self, stopping: bool) -> bool:
        """Wait a little, commit the segments that are done, and send their batches on; whether there were
        any.
        """
        done, _ = wait(self.flying, timeout=min(POLL_S, self._lease_s / 6), return_when=FIRST_COMPLETED)
        for future in done:
            batch = self.flying[future]
            error = future.exception()
            if error is None:
                left = self._commit(batch, future.result())
                if left is not None and stopping:
                    self._store.leases.release(left.claims)
                elif left is not None:
                    self._launch(left)
            elif stopping:  # whoever stops us may have stopped our processes, too
                self._store.leases.release(batch.claims)
            else:
                self._store.leases.lose(batch.claims, _described(error))
            del self.flying[future]
        self._renew()
        return bool(done)

    def release(self) -> None:
        """Give back all that is still held, unharmed."""
        claims = [*self._held, *(claim for batch in self.flying.values() for claim in batch.claims)]
        if claims:
            self._store.leases.release(claims)

    def _claims(self) -> Sequence[Claim]:
        if not self._store.progress(self._experiments).outstanding:
            return []
        claims = self._store.leases.claim(
            self._owner,
            limit=stacking.MAX_STACK,
            among=self._processes,
            holding=sum(len(batch.claims) for batch in self.flying.values()),
            experiments=self._experiments,
            lease_s=self._lease_s,
        )
        self._held = list(claims)
        self._held = claims = self._sound(claims)
        # Runs that have not begun stand at epoch 0; so may runs that have (epochs: 0), which have to wait.
        begun = [claim for claim in claims if claim.checkpoint is not None]
        if begun and len(begun) < len(claims):
            self._store.leases.release(begun)
            return [claim for claim in claims if claim.checkpoint is None]
        return claims

    def _sound(self, claims: Sequence[Claim]) -> list[Claim]:
        """Those whose state is what was committed: nothing is trained on a damaged one."""
        sound = []
        for claim in claims:
            if damage := claim.damage:
                self._store.leases.fail([claim], damage)
            else:
                sound.append(claim)
        return sound

    def _launch(self, batch: Batch) -> None:
        """Have a segment computed; what may have killed its process before goes alone, so that nothing else
        dies of it.
        """
        doubtful = any(claim.attempts for claim in batch.claims)
        run = self._executor.alone if doubtful else self._executor.submit
        self.flying[run(train, batch.task)] = batch

    def _commit(self, batch: Batch, result: Result) -> Batch | None:
        faults.point("computed")
        began = time.perf_counter()
        segment = outcome.segment(batch.claims, batch.task, result, self._owner, self._lease_s)
        kept = self._store.leases.commit(segment)
        self.effort += Effort(result.seconds, time.perf_counter() - began, values(result.records))
        return batch.after(result, kept)

    def _renew(self) -> None:
        now = time.monotonic()
        if self.flying and now - self._renewed > self._lease_s / 3:
            self._renewed = now
            claims = [claim for batch in self.flying.values() for claim in batch.claims]
            self._store.leases.renew(claims, self._lease_s)


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
