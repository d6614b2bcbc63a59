"""G1, G15: nothing is trained on a damaged state or damaged data. The run fails, its message says what is
damaged and what to do, and its companions finish on the same bits.
"""

import json
import sqlite3
from pathlib import Path

import pytest
from contents import Contents, check, contents, one
from processes import Nursery

pytestmark = pytest.mark.guarantee

SPEC = {
    "name": "hurt",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 30},
    "seeds": 8,
}
LONGER = {**SPEC, "training": {"learning_rate": 1.0, "epochs": 60}}
VICTIM = 3

DAMAGE = {
    "one bit": "UPDATE _checkpoint SET state = CAST(substr(state, 1, length(state) - 1) || x'01' AS BLOB)",
    "cut short": "UPDATE _checkpoint SET state = substr(state, 1, length(state) - 8)",
    "no bytes": "UPDATE _checkpoint SET state = x''",
    "not one of ours": "UPDATE _checkpoint SET state = CAST('{}' AS BLOB)",
    "of another run": """
        UPDATE _checkpoint
        SET state = (SELECT state FROM _checkpoint o WHERE o.run_id = _checkpoint.run_id + 1)
    """,
    "of another epoch": "UPDATE _checkpoint SET epoch = 29",
    "missing": "DELETE FROM _checkpoint",
}


def without(found: Contents, key: str) -> Contents:
    return {name: [row for row in rows if row[0] != key] for name, rows in found.items()}


@pytest.fixture(scope="module")
def whole(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What an unharmed store comes to."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "longer.json").write_text(json.dumps(LONGER))
    nursery.work(folder, "longer.json").done()
    return contents(folder / "bpsvc.db")


@pytest.fixture
def half(nursery: Nursery, tmp_path: Path) -> Path:
    """A store that stands at half the way."""
    (tmp_path / "hurt.json").write_text(json.dumps(SPEC))
    (tmp_path / "longer.json").write_text(json.dumps(LONGER))
    nursery.work(tmp_path, "hurt.json").done()
    return tmp_path


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_state_is_not_trained_on(nursery: Nursery, half: Path, whole: Contents, how: str) -> None:
    db = half / "bpsvc.db"
    with sqlite3.connect(db) as connection:
        (run,) = connection.execute("SELECT id FROM _run WHERE seed = ?", (VICTIM,)).fetchone()
        assert connection.execute(f"{DAMAGE[how]} WHERE run_id = {run}").rowcount == 1
    child = nursery.bpsvc(half, "submit", "longer.json", "--processes", 1)
    assert child.wait() == 1, child.err
    assert "8 runs, 7 done, 1 failed" in child.err
    error = one(db, "SELECT error FROM runs WHERE status = 'failed'")
    assert (
        f"the state of run {run} at epoch 30 is damaged" in error
        and f'bpsvc rm --where "run_id = {run}"' in error
    )
    assert one(db, "SELECT epochs_done FROM runs WHERE status = 'failed'") == 30
    assert one(db, "SELECT max(attempts) FROM _run") == 0, "nobody else is suspected"
    key = one(db, "SELECT run_key FROM runs WHERE status = 'failed'")
    assert without(contents(db), key) == without(whole, key)
    assert nursery.bpsvc(half, "verify").wait() == 1
    # What the message says helps: trained from the start, it comes to the same bits.
    assert nursery.bpsvc(half, "rm", "--where", f"run_id = {run}", "--yes").wait() == 0
    assert nursery.bpsvc(half, "submit", "longer.json", "--processes", 1).wait() == 0
    check(db)
    assert contents(db) == whole
    assert nursery.bpsvc(half, "verify").wait() == 0


@pytest.mark.parametrize("how", ["x'00'", "substr(content, 1, length(content) - 1) || x'3f'"])
def test_damaged_data_are_not_trained_on(nursery: Nursery, half: Path, whole: Contents, how: str) -> None:
    db = half / "bpsvc.db"
    nursery.bpsvc(half, "submit", "--detach", "longer.json").done()
    with sqlite3.connect(db) as connection:
        connection.execute(f"UPDATE _dataset SET content = CAST({how} AS BLOB)")
    before = contents(db)
    child = nursery.bpsvc(half, "worker", "--processes", 1)
    assert child.wait() == 1, child.err
    error = one(db, "SELECT DISTINCT error FROM runs")
    assert "not what its digest says" in error and "submitting the spec again" in error
    assert contents(db)["epochs"] == before["epochs"]
    assert nursery.bpsvc(half, "predict", 1).wait() == 4 and nursery.bpsvc(half, "verify").wait() == 1
    # What the message says helps: the data are as they were, and nothing that was finished is lost.
    nursery.bpsvc(half, "submit", "--detach", "longer.json").done()
    nursery.bpsvc(half, "retry").done()
    nursery.bpsvc(half, "worker", "--processes", 1).done()
    assert contents(db) == whole
    assert nursery.bpsvc(half, "verify").wait() == 0
