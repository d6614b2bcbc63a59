"""Replay: train stored runs again, and see whether every segment ends in the same bits."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bpsvc import nn
from bpsvc.errors import UsageError
from bpsvc.service.networks import facts
from bpsvc.spec import RunSpec
from bpsvc.store import Store
from bpsvc.work import checkpoint, stacking


@dataclass(frozen=True)
class Difference:
    """What came out otherwise first: the state at the end of a segment, or a recorded series at `epoch`."""

    run_id: int
    epoch: int
    what: str = "the state"

    def __str__(self) -> str:
        return f"run {self.run_id}, epoch {self.epoch}: trained again, {self.what} is another one"


def replay(
    store: Store, runs: Sequence[int], tell: Callable[[int], None] = lambda run: None
) -> Iterator[Difference]:
    """Train these runs again, each on its own, and compare every segment's end and every record."""
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
        state, first = nn.start(problem, stacking.initial(problem.network, [run], seeds))
        pieces = [first]
        for epoch, digest in segments:
            if epoch > state.epoch:
                state, records = nn.advance(problem, state, epoch - state.epoch)
                pieces.append(records)
            if checkpoint.digest(checkpoint.pack(state)[0]) != digest:
                return Difference(run_id, epoch)
    names = [parameter.name for parameter in nn.parameters(problem.network)]
    return _recorded(store, run_id, nn.join(pieces), names)


def _recorded(store: Store, run_id: int, again: nn.Records, names: Sequence[str]) -> Difference | None:
    """The first record that is not as trained again; what is missing altogether is for `verify` to find.
    `names` are those of the P parameters.
    """
    with store.snapshot() as now:
        stored = {
            "epochs": now.epochs(runs=[run_id]),
            "layer_gradients": now.layer_gradients(runs=[run_id]),
            "parameters": now.parameters(runs=[run_id]),
        }
    layers = next(iter(again.layers.values())).shape[1]
    trained = {
        "epochs": _rows(again.epoch, {}, again.epochs),
        "layer_gradients": _rows(again.epoch, {"layer": range(1, layers + 1)}, again.layers),
        "parameters": _rows(again.epoch, {"name": names}, again.parameters),
    }
    for table, rows in trained.items():
        keys = [key for key in ("epoch", "layer", "name") if key in rows]
        both = rows.merge(stored[table], on=keys, suffixes=("", " stored"))
        for series in (series for series in rows if series not in keys):
            a, b = both[series].to_numpy(float), both[f"{series} stored"].to_numpy(float)
            other = np.flatnonzero((a != b) & ~(np.isnan(a) & np.isnan(b)))
            if len(other):
                return Difference(run_id, int(both["epoch"][other[0]]), f"{series} in {table}")
    return None


def _rows(
    epochs: NDArray[np.int64], within: Mapping[str, Sequence[object]], series: Mapping[str, nn.Floats]
) -> pd.DataFrame:
    """Series of shape (M,), or (M, K) with a key of K values within an epoch, as the store's rows."""
    each = next((len(values) for values in within.values()), 1) if series else 0
    keys = {"epoch": np.repeat(epochs, each)}
    keys |= {name: np.tile(np.asarray(values), len(epochs) if each else 0) for name, values in within.items()}
    return pd.DataFrame(keys | {name: values.ravel() for name, values in series.items()})
