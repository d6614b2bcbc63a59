"""G1, G3: when the experiment is removed that asked a run to go on, the run ends with its next record.

Extended again, it comes to the bits of a run that went all the way in one go.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from contents import check, contents

from bpsvc import Store, spec
from bpsvc.service import submitting, working
from bpsvc.work import outcome, segments, stacking

pytestmark = pytest.mark.guarantee


def experiment(epochs: int, every: int | str) -> spec.Experiment:
    document = {
        "name": f"to {epochs}",
        "data": "xor",
        "network": {"hidden": [2]},
        "training": {"learning_rate": 1.0, "epochs": epochs, "optimizer": "adam"},
        "seeds": 3,
        "record": {"every": every},
    }
    return spec.resolve(spec.read(json.dumps(document)), base=Path())


@pytest.mark.parametrize(("every", "stands", "ends"), [(10, 153, 160), ("decades", 118, 120), (10, 150, 150)])
def test_a_run_between_two_records_goes_on_to_the_next(
    tmp_path: Path, every: int | str, stands: int, ends: int
) -> None:
    short, long, longest = (experiment(epochs, every) for epochs in (100, 300, 400))
    with Store(tmp_path / "whole.db", mode="create") as store:
        submitting.submit(store, [longest])
        working.train(store, processes=1)
    db = tmp_path / "bpsvc.db"
    with Store(db, mode="create") as store:
        submitting.submit(store, [short, long])
        claims = store.leases.claim("me", limit=9)
        task = stacking.task(claims, store.dataset(claims[0].data))
        result = segments.train(replace(task, target=stands, budget_s=math.inf))
        store.leases.commit(outcome.segment(claims, task, result, "me", 15.0))
        store.leases.release(claims)
        store.remove([long.name])
        assert store.upkeep.verify() == []
        working.train(store, processes=1)
        assert set(check(db).values()) == {ends} and store.upkeep.verify() == []
        assert set(store.runs()["status"]) == {"done"} and set(store.runs(short.name)["epochs_done"]) == {100}
        submitting.submit(store, [longest])
        working.train(store, processes=1)
        assert store.upkeep.verify() == []
    assert contents(db) == contents(tmp_path / "whole.db")
