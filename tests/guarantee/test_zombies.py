"""G4: who was paused beyond the lease commits nothing; many drivers with leases far too short do no harm."""

import json
import signal
from pathlib import Path

import pytest
from contents import Contents, check, contents, one
from processes import TINY_LEASE_S, Nursery

pytestmark = pytest.mark.guarantee

SPEC = {
    "name": "shared",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 300},
    "seeds": 6,
    "sweep": {"grid": {"network.activation": ["logistic", "tanh", "relu", "softplus"]}},
    "record": {"every": 10},
}


def folder_with(place: Path) -> Path:
    (place / "shared.json").write_text(json.dumps(SPEC))
    return place


@pytest.fixture(scope="module")
def whole(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    folder = folder_with(tmp_path_factory.mktemp("shared"))
    nursery.work(folder, "shared.json").done()
    return contents(folder / "bpsvc.db")


@pytest.mark.parametrize("hit", [1, 2, 5])
def test_a_paused_worker_commits_nothing(nursery: Nursery, tmp_path: Path, whole: Contents, hit: int) -> None:
    """It is stopped between computing and committing its n-th segment; another has finished when it wakes."""
    folder, db = folder_with(tmp_path), tmp_path / "bpsvc.db"
    zombie = nursery.work(folder, "shared.json", lease_s=TINY_LEASE_S, fault=f"stop computed {hit}")
    zombie.paused()
    mine = f"SELECT count(*) FROM _segment WHERE owner LIKE '%/{zombie.pid}/%'"
    before, fence = one(db, mine), one(db, "SELECT max(fence) FROM _run")
    nursery.work(folder).done()
    check(db)
    assert contents(db) == whole
    assert one(db, "SELECT max(fence) FROM _run") > fence
    zombie.signal(signal.SIGCONT)
    zombie.done()
    assert one(db, mine) == before
    check(db)
    assert contents(db) == whole


def test_a_zombie_finds_its_runs_in_other_hands(nursery: Nursery, tmp_path: Path, whole: Contents) -> None:
    """It wakes while the other is in the middle of the same runs, at the very epoch where it left them."""
    folder, db = folder_with(tmp_path), tmp_path / "bpsvc.db"
    zombie = nursery.work(folder, "shared.json", lease_s=0.03, fault="stop computed 1")
    zombie.paused()
    heir = nursery.work(folder, lease_s=3600.0, fault="stop computed 1")
    heir.paused()
    held = one(db, f"SELECT group_concat(id) FROM _run WHERE lease_owner LIKE '%/{heir.pid}/%'")
    zombie.signal(signal.SIGCONT)
    while not one(db, f"SELECT count(*) FROM _segment WHERE owner LIKE '%/{zombie.pid}/%'"):
        assert zombie.poll() is None, zombie.err  # it goes on with other runs, and waits for these
    assert held and one(db, f"SELECT count(*) FROM _segment WHERE run_id IN ({held})") == 0
    heir.signal(signal.SIGCONT)
    heir.done()
    zombie.done()
    check(db)
    assert contents(db) == whole


def test_a_storm_of_short_leases(nursery: Nursery, tmp_path: Path, whole: Contents) -> None:
    folder, db = folder_with(tmp_path), tmp_path / "bpsvc.db"
    nursery.bpsvc(folder, "submit", "--detach", "shared.json").done()
    first = nursery.work(folder, lease_s=0.015, fault="stop computed 1")
    first.paused()
    others = [nursery.work(folder, lease_s=0.015) for _ in range(3)]
    while one(db, "SELECT max(fence) FROM _run") == 1:  # until another has what the first held
        assert None in [other.poll() for other in others], [other.err for other in others]
    first.signal(signal.SIGCONT)
    for worker in (first, *others):
        worker.done()
    check(db)
    assert contents(db) == whole
    print(f"{one(db, 'SELECT max(fence) FROM _run')} claims of one run")
