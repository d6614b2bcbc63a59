"""G1 to G3: kill -9 at any instant loses at most the segment in flight, and the bits come out the same."""

import itertools
import json
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from contents import Contents, assert_part_of, check, contents, one
from processes import TINY_LEASE_S, Child, Nursery

from bpsvc.store import Store

pytestmark = pytest.mark.guarantee

SMALL = {
    "name": "small",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 3},
    "seeds": 2,
    "sweep": {"grid": {"loss": ["log_likelihood", "squared"]}},
}
_TRAINING = {"learning_rate": 0.3, "epochs": 2400}  # long enough to be killed often
_BASE = {
    "data": "xor",
    "network": {"hidden": [3], "activation": "tanh"},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": _TRAINING,
    "seeds": 4,
}
VARIED = {
    "plain": {**_BASE, "sweep": {"zip": {"network.activation": ["logistic", {"name": "elu", "alpha": 0.5}]}}},
    "adam": {**_BASE, "training": {**_TRAINING, "optimizer": "adam", "learning_rate": 0.01}},
    "rprop": {
        **_BASE,
        "training": {**_TRAINING, "optimizer": "rprop", "learning_rate": 0.01},
        "record": {"every": 10},
    },
    "online": {**_BASE, "training": {**_TRAINING, "batch_size": 1}, "record": {"every": "decades"}},
    "stopping": {
        **_BASE,
        "data": {"source": "parity", "bits": 3},
        "training": {**_TRAINING, "learning_rate": 2.0, "stop": {"when": "solved"}},
    },
    "splits": {
        **_BASE,
        "data": {"source": "parity", "bits": 4, "split": {"validation": 0.25, "seed": "run"}},
        "training": {
            **_TRAINING,
            "batch_size": 4,
            "stop": {"when": "validation_loss", "patience": 40},
        },
        "success": None,
    },
    "diverging": {
        **_BASE,
        "network": {"hidden": [3], "activation": "relu", "output": "identity"},
        "loss": "squared",
        "sweep": {"grid": {"training.learning_rate": [0.05, 1e6]}},
    },
}


def write(folder: Path, specs: dict[str, dict[str, object]]) -> list[str]:
    for name, spec in specs.items():
        (folder / f"{name}.json").write_text(json.dumps(spec))
    return [f"{name}.json" for name in specs]


@pytest.fixture(scope="module")
def small(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    folder = tmp_path_factory.mktemp("small")
    nursery.work(folder, *write(folder, {"small": SMALL})).done()
    return contents(folder / "bpsvc.db")


@pytest.fixture(scope="module")
def varied(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    folder = tmp_path_factory.mktemp("varied")
    nursery.work(folder, *write(folder, VARIED)).done()
    check(folder / "bpsvc.db")
    return contents(folder / "bpsvc.db")


def killed_at_each_point(nursery: Nursery, folder: Path) -> Iterator[Child]:
    """The same work in a new folder, killed at its 1st, 2nd, … point, until it ends unharmed."""
    for hit in itertools.count(1):
        place = folder / f"hit{hit}"
        place.mkdir()
        specs = write(place, {"small": SMALL})
        child = nursery.work(place, *specs, lease_s=TINY_LEASE_S, fault=f"kill * {hit}", trace=True)
        if child.wait() == 0:
            assert hit > 40, "there are not many points"
            return
        yield child


def test_killed_at_every_point(nursery: Nursery, tmp_path: Path, small: Contents) -> None:
    seen = set()
    for child in killed_at_each_point(nursery, tmp_path):
        db, trace = child.folder / "bpsvc.db", (child.folder / "trace").read_text().split()
        print(f"killed at point {len(trace)}, {trace[-1]}")
        seen.add(trace[-1])
        check(db)
        segments = one(db, "SELECT count(*) FROM _segment")
        assert segments == 2 * trace.count("committed"), "every committed segment is there, and no other"
        assert one(db, "SELECT count(*) FROM _run") == (4 if "submitted" in trace else 0)
        assert_part_of(contents(db), small)
        nursery.work(child.folder, "small.json", lease_s=TINY_LEASE_S).done()
        check(db)
        assert contents(db) == small
        shutil.rmtree(child.folder)
    assert seen >= {"experiment", "runs", "enrolled", "submitted", "claimed", "train", "computed"}
    assert seen >= {"swapped", "epochs", "layers", "segment", "checkpoint", "committed"}


@pytest.mark.parametrize("seed", [1, 2])
def test_workers_killed_at_random(nursery: Nursery, tmp_path: Path, varied: Contents, seed: int) -> None:
    print("seed", seed)
    dice, db = random.Random(seed), tmp_path / "bpsvc.db"
    specs = write(tmp_path, VARIED)
    nursery.bpsvc(tmp_path, "submit", "--detach", *specs).done()
    workers = [nursery.work(tmp_path, lease_s=0.1) for _ in range(3)]
    kills, deadline = 0, time.monotonic() + 15
    while kills < 150 and (kills <= 20 or time.monotonic() < deadline):  # so many on the slowest machine, too
        time.sleep(dice.uniform(0.0, 0.06 if kills > 20 else 0.01))  # enough of them on the quickest, too
        victim = dice.randrange(len(workers))
        workers[victim].signal(signal.SIGKILL)
        code = workers[victim].wait()
        assert code in (0, -signal.SIGKILL), workers[victim].err
        if code == 0 and not one(db, "SELECT count(*) FROM _run WHERE status IN ('queued', 'running')"):
            break
        kills += 1
        workers[victim] = nursery.work(tmp_path, lease_s=0.1)
    print(f"{kills} kills, {one(db, 'SELECT max(fence) FROM _run')} claims of one run")
    for worker in workers:
        worker.wait()
    check(db)
    # Those whose workers died three times under them without progress are given up, until told otherwise.
    assert one(db, "SELECT count(*) FROM _run WHERE status = 'failed' AND error NOT LIKE '%vanished%'") == 0
    with Store(db, mode="write") as store:
        print(f"{len(store.retry())} runs were given up")
    nursery.work(tmp_path, lease_s=0.1).done()
    check(db)
    assert contents(db) == varied
    assert kills > 20 and one(db, "SELECT max(fence) FROM _run") > 1
