"""G5: a run that kills its process fails alone, with the cause; its companions finish on the same bits."""

import json
from pathlib import Path

import pytest
from contents import check, contents, one
from processes import Nursery

pytestmark = pytest.mark.guarantee

SPEC = {
    "name": "poison",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 40},
    "seeds": 16,
}
POISON = 7


@pytest.mark.parametrize("processes", [1, 2])
def test_only_the_poisonous_run_fails(nursery: Nursery, tmp_path: Path, processes: int) -> None:
    for place in ("whole", "hurt"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "poison.json").write_text(json.dumps(SPEC))
    nursery.work(tmp_path / "whole", "poison.json").done()
    command = ("submit", "poison.json", "--processes", processes)
    hurt, db = tmp_path / "hurt", tmp_path / "hurt" / "bpsvc.db"
    child = nursery.bpsvc(hurt, *command, fault=f"kill train:{POISON} 1")
    if processes == 1:  # the first time it takes the driver with it
        child.killed()
        child = nursery.bpsvc(hurt, *command, fault=f"kill train:{POISON} 1")
    assert child.wait() == 1, child.err
    assert "poison@1: 16 runs, 15 done, 1 failed" in child.err
    check(db)
    assert one(db, "SELECT seed FROM runs WHERE status = 'failed'") == POISON
    assert "killed by SIGKILL" in one(db, "SELECT error FROM runs WHERE status = 'failed'")
    assert one(db, "SELECT max(attempts) FROM _run WHERE status = 'done'") == 0
    key = one(db, f"SELECT run_key FROM runs WHERE seed = {POISON}")
    whole = contents(tmp_path / "whole" / "bpsvc.db")
    expected = {name: [row for row in rows if row[0] != key] for name, rows in whole.items()}
    found = contents(db)
    found["runs"] = [row for row in found["runs"] if row[0] != key]
    assert found == expected
    nursery.bpsvc(hurt, "retry", "poison").wait()
    nursery.work(hurt).done()
    assert contents(db) == whole
