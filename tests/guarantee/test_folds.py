"""G3: where segments are cut, who is in the stack and in what order has no influence on the bits.

Through stacking, segments and checkpoints, as a driver does it: after each cut the state is packed into
bytes, and the next stack is made of other bytes in another order.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpsvc import nn, spec
from bpsvc.spec import PlannedRun
from bpsvc.store import Claim
from bpsvc.work import checkpoint, segments, stacking

pytestmark = pytest.mark.guarantee

EPOCHS = 24
Digests = dict[tuple[str, int], str]
Rows = dict[tuple[str, int], tuple[bytes, ...]]

rates = st.sampled_from([0.01, 0.3, 2.0, 1e6])
optimizers = st.sampled_from(["sgd", "momentum", "nesterov", "rmsprop", "adam", "rprop", "quickprop"])
hidden_activations = st.sampled_from(["logistic", "tanh", "relu", "prelu", "softplus", "identity"])


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Specs of a few runs that may train in one stack."""
    stop = draw(st.sampled_from([None, {"when": "solved"}, {"when": "validation_loss", "patience": 6}]))
    bits = draw(st.integers(2, 4))
    data: dict[str, Any] = {"source": "parity", "bits": bits}
    if bits > 2 or stop == {"when": "validation_loss", "patience": 6}:
        data = {"source": "parity", "bits": 4}
        data["split"] = {"validation": 0.25, "seed": draw(st.sampled_from(["run", 3]))}
    return {
        "name": "random",
        "data": data,
        "network": {
            "hidden": draw(st.lists(st.integers(1, 12), min_size=1, max_size=3)),
            "activation": draw(hidden_activations),
            "bias": draw(st.booleans()),
        },
        "init": {"scheme": draw(st.sampled_from(["normal", "uniform", "glorot_uniform"]))},
        "loss": draw(st.sampled_from(["log_likelihood", "squared"])),
        "training": {
            "optimizer": draw(optimizers),
            "learning_rate": 0.1,
            "epochs": EPOCHS,
            "batch_size": draw(st.sampled_from([None, 1, 3])),
            "stop": stop,
        },
        "success": {"metric": "accuracy", "at_least": 1.0},
        "seeds": draw(st.integers(1, 4)),
        "record": {"every": draw(st.sampled_from([1, 2, 6]))},
        "sweep": {
            "grid": {"training.learning_rate": draw(st.lists(rates, min_size=1, max_size=3, unique=True))}
        },
    }


def claim(number: int, run: PlannedRun, state: bytes | None, epoch: int, target: int) -> Claim:
    return Claim(number, 1, run.key, run.seed, run.canonical, run.dataset.digest, "", epoch, target, state)


def fold(runs: Sequence[PlannedRun], cuts: Sequence[Sequence[int]]) -> tuple[Digests, Rows]:
    """Train runs together to each cut in turn, in the order that comes with it; digests at the cuts, and all
    records.
    """
    states: dict[str, bytes | None] = {run.key: None for run in runs}
    alive, at = list(runs), 0
    digests: Digests = {}
    rows: Rows = {}
    for cut, *order in cuts:
        alive = [
            alive[i] for i in np.argsort([order[i % len(order)] for i in range(len(alive))], kind="stable")
        ]
        claims = [claim(n, run, states[run.key], at, cut) for n, run in enumerate(alive)]
        task = replace(stacking.task(claims, runs[0].dataset), budget_s=math.inf)
        result = segments.train(task)
        running = (result.state.outcome == nn.Outcome.RUNNING).any()
        assert result.state.epoch == cut or not running, "nothing else ends a segment"
        going = []
        for lane, run in enumerate(alive):
            states[run.key] = result.checkpoints[lane]
            digests[run.key, cut] = checkpoint.digest(result.checkpoints[lane])
            if result.state.outcome[lane] == nn.Outcome.RUNNING:
                going.append(run)
        tables = [*result.records.epochs.values(), *result.records.layers.values()]
        for row, (lane, epoch) in enumerate(zip(result.records.run, result.records.epoch, strict=True)):
            key = (alive[lane].key, int(epoch))
            assert key not in rows, "no epoch is recorded twice"
            rows[key] = tuple(np.where(np.isnan(s[row]), np.nan, s[row]).tobytes() for s in tables)
        alive, at = going, cut
        if not alive:
            break
    return digests, rows


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(document=documents(), data=st.data())
def test_cuts_companions_and_order_leave_no_trace(document: dict[str, Any], data: st.DataObject) -> None:
    runs = spec.resolve(spec.read(json.dumps(document), source="random"), base=Path()).runs
    order = st.lists(st.integers(0, 99), min_size=5, max_size=5)
    epochs = sorted(data.draw(st.sets(st.integers(1, EPOCHS - 1), max_size=4)) | {EPOCHS})
    cuts = [(epoch, *data.draw(order)) for epoch in epochs]
    stacked, stacked_rows = fold(runs, cuts)
    chosen = data.draw(
        st.lists(st.sampled_from(list(runs)), min_size=1, max_size=3, unique_by=lambda r: r.key)
    )
    for run in chosen:
        solo, solo_rows = fold([run], [(EPOCHS, 0)])
        for (key, epoch), digest in solo.items():
            last = max(at for other, at in stacked if other == key)
            assert stacked[key, epoch if (key, epoch) in stacked else last] == digest
        assert solo_rows == {key: row for key, row in stacked_rows.items() if key[0] == run.key}
        pieces, piece_rows = fold([run], cuts)
        assert pieces == {key: digest for key, digest in stacked.items() if key[0] == run.key}
        assert piece_rows == solo_rows
