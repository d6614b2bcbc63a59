"""What is done to runs while a submit trains them (G1, G4): the submit ends, and nothing comes back."""

import json
import time
from pathlib import Path

import pytest
from contents import check, one
from processes import Nursery

pytestmark = pytest.mark.guarantee

SPEC = {
    "name": "endless",
    "data": "xor",
    "network": {"hidden": [2]},
    "training": {"learning_rate": 0.1, "epochs": 100_000_000},
    "seeds": 4,
    "record": {"every": 1_000_000},
}


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("command", "left", "told"),
    [
        (("cancel", "endless"), 4, "endless@1: 4 runs, 0 done, 4 cancelled"),
        (("rm", "endless", "--yes"), 0, "endless@1: removed meanwhile"),
    ],
)
def test_a_submit_ends_when_its_runs_are_taken_away(
    nursery: Nursery, tmp_path: Path, processes: int, command: tuple[str, ...], left: int, told: str
) -> None:
    (tmp_path / "endless.json").write_text(json.dumps(SPEC))
    db = tmp_path / "bpsvc.db"
    nursery.bpsvc(tmp_path, "submit", "--detach", "endless.json").done()
    submit = nursery.bpsvc(tmp_path, "submit", "endless.json", "--processes", processes)
    while not one(db, "SELECT count(*) FROM _segment"):
        assert submit.poll() is None, submit.err
        time.sleep(0.05)
    nursery.bpsvc(tmp_path, *command).done()
    submit.done()
    assert told in submit.err and "next: bpsvc status" in submit.err
    check(db)
    assert one(db, "SELECT count(*) FROM _run") == left
    assert one(db, "SELECT count(*) FROM _run WHERE status <> 'cancelled'") == 0
