"""Experiments and segments to store: real specs, and records that a generator numbered by run and epoch
draws.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bpsvc import nn
from bpsvc.spec import Experiment, read, resolve
from bpsvc.store import Claim, RunCommit, Segment, Store
from bpsvc.store.series import EPOCH_SERIES, LAYER_SERIES

LAYERS = 2


def experiment(
    name: str = "xor",
    *,
    epochs: int = 100,
    seeds: Any = 3,
    losses: Sequence[str] = ("log_likelihood",),
    every: Any = 10,
    **more: Any,
) -> Experiment:
    """An experiment of len(losses) × seeds runs on XOR."""
    document = {
        "name": name,
        "data": "xor",
        "network": {"hidden": [2]},
        "training": {"learning_rate": 1.0, "epochs": epochs},
        "seeds": seeds,
        "sweep": {"grid": {"loss": list(losses)}},
        "record": {"every": every},
        **more,
    }
    if len(losses) == 1:
        document |= {"loss": losses[0]}
        del document["sweep"]
    return resolve(read(json.dumps(document)), base=Path())


def stacks(of: Experiment) -> dict[str, str]:
    """Stack keys: runs of one loss train together."""
    return {run.key: f"stack of {run.canonical}" for run in of.runs}


def records(runs: Sequence[int], epochs: Sequence[int], *, salt: int = 0) -> nn.Records:
    """Records of stack members `range(len(runs))`: each value a function of (run id, epoch, series) alone."""
    lanes, at = np.repeat(np.arange(len(runs)), len(epochs)), np.tile(np.array(epochs, int), len(runs))
    ids = np.array(runs, int)[lanes] if len(runs) else lanes

    def value(series: int, layer: Any = 0) -> np.ndarray[Any, Any]:
        return np.sin(ids * 1.7 + at * 0.3 + series * 11.0 + layer * 5.0 + salt)

    layer = np.arange(LAYERS)[:, None]
    return nn.Records(
        lanes,
        at,
        {name: value(i) for i, name in enumerate(EPOCH_SERIES)},
        {name: value(20 + i, layer).T.copy() for i, name in enumerate(LAYER_SERIES)},
    )


def state(run_id: int, epoch: int) -> bytes:
    """A checkpoint's bytes."""
    return f"run {run_id} at {epoch}".encode() * 3


def part(
    claim: Claim, to: int, *, status: str | None = None, outcome: str | None = None, **columns: Any
) -> RunCommit:
    """One run's progress to epoch `to`; done at its target unless said otherwise."""
    if status is None:
        status, outcome = ("done", "horizon") if to == claim.epochs else ("running", None)
    content = state(claim.run_id, to)
    return RunCommit(
        run_id=claim.run_id,
        fence=claim.fence,
        from_epoch=claim.epochs_done,
        to_epoch=to,
        checkpoint=content,
        digest=hashlib.sha256(content).hexdigest(),
        status=status,
        outcome=outcome,
        columns=columns,
        seconds=0.5,
    )


def segment(
    owner: str, claims: Sequence[Claim], to: int, *, every: int = 10, lease_s: float = 15.0, **columns: Any
) -> Segment:
    """The segment in which all of `claims` go on to epoch `to`, recorded every `every` epochs."""
    first = claims[0].epochs_done
    epochs = [
        e for e in range(first, to + 1) if e % every == 0 and (e > first or claims[0].checkpoint is None)
    ]
    rows = records([claim.run_id for claim in claims], epochs)
    return Segment(
        owner=owner,
        lease_s=lease_s,
        runs=[part(claim, to, **finals(rows, lane), **columns) for lane, claim in enumerate(claims)],
        records=rows,
    )


def finals(rows: nn.Records, lane: int) -> dict[str, float]:
    """What a driver says of the last record of a stack's member; nothing where there is none."""
    names = ("loss", "accuracy", "mean_abs_error", "validation_loss", "validation_accuracy")
    return {
        f"final_{name}": rows.epochs[name][rows.run == lane][-1] for name in names if (rows.run == lane).any()
    }


def train(
    store: Store, owner: str, *, step: int = 50, every: int = 10, experiments: Sequence[int] | None = None
) -> None:
    """Claim, commit and claim again until nothing waits."""
    while claims := store.leases.claim(owner, limit=100, experiments=experiments):
        to = min(claims[0].epochs_done + step, claims[0].epochs)
        store.leases.commit(segment(owner, claims, to, every=every))
        store.leases.release(claims)


def counts(store: Store) -> Mapping[str, int]:
    """Rows of every table."""
    names = store.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").rows
    sql = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for (name,) in names)
    return dict(store.query(sql).rows)
