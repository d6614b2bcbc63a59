"""Replay: train stored runs again, and see whether every segment ends in the same bits."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from bpsvc import nn
from bpsvc.errors import UsageError
from bpsvc.service.networks import facts
from bpsvc.spec import RunSpec
from bpsvc.store import Store
from bpsvc.work import checkpoint, stacking


@dataclass(frozen=True)
class Difference:
    """The first segment of a run that came out otherwise: it ended at `epoch`."""

    run_id: int
    epoch: int

    def __str__(self) -> str:
        return f"run {self.run_id}, epoch {self.epoch}: trained again, the state is another one"


def replay(
    store: Store, runs: Sequence[int], tell: Callable[[int], None] = lambda run: None
) -> Iterator[Difference]:
    """Train these runs again, each on its own, and compare the digest of every segment's end."""
    for run_id in runs:
        difference = _replay(store, run_id)
        if difference is not None:
            yield difference
        tell(run_id)


def older(store: Store, runs: Iterable[int] | None) -> dict[int, int]:
    """Those of these runs (None: of all) that were made with older numerics than this program's, and which:
    what is stored of them holds, but trained again they would come out otherwise.
    """
    made = store.upkeep.numerics(runs)
    return {run: version for run, version in made.items() if version is not None and version < nn.NUMERICS}


def sample(runs: Sequence[int], fraction: float, seed: int | None = None) -> list[int]:
    """A random share of the runs, at least one; another one each time unless `seed` is given."""
    if not 0 < fraction <= 1:
        raise UsageError("a share of runs", value=fraction, allowed="0 < share <= 1")
    count = max(1, round(fraction * len(runs)))
    return sorted(random.Random(seed).sample(list(runs), min(count, len(runs))))


def _replay(store: Store, run_id: int) -> Difference | None:
    with store.snapshot() as now:
        segments = now.segments(run_id)
    if not segments:
        return None
    about = facts(store, run_id)
    run, seeds = RunSpec.from_canonical(about["spec"]), [int(about["seed"])]
    problem = stacking.stack([run], seeds, store.dataset(about["data_digest"]))
    with threadpool_limits(limits=1):
        state, _ = nn.start(problem, stacking.initial(problem.network, [run], seeds))
        for epoch, digest in segments:
            if epoch > state.epoch:
                state, _ = nn.advance(problem, state, epoch - state.epoch)
            if checkpoint.digest(checkpoint.pack(state)[0]) != digest:
                return Difference(run_id, epoch)
    return None
