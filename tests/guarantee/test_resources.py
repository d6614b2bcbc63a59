"""G10: a full disk, a file size limit, a kept lock, a file that may not be written: told with cause and
remedy, nothing half done, and the same command goes on to the same bits.
"""

import json
import os
import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from contents import Contents, assert_part_of, check, contents, one
from processes import Nursery

pytestmark = pytest.mark.guarantee

SPEC = {
    "name": "large",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 2000},
    "seeds": 3,
    "sweep": {"grid": {"loss": ["log_likelihood", "squared"]}},
}
COMMAND = ("submit", "large.json", "--processes", "1")


@pytest.fixture(scope="module")
def whole(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    folder = tmp_path_factory.mktemp("large")
    (folder / "large.json").write_text(json.dumps(SPEC))
    nursery.bpsvc(folder, *COMMAND).done()
    return contents(folder / "bpsvc.db")


@pytest.fixture
def folder(nursery: Nursery, tmp_path: Path) -> Path:
    """Everything is submitted, nothing trained."""
    (tmp_path / "large.json").write_text(json.dumps(SPEC))
    nursery.bpsvc(tmp_path, *COMMAND, "--detach").done()
    return tmp_path


def goes_on(nursery: Nursery, folder: Path, whole: Contents) -> None:
    nursery.bpsvc(folder, *COMMAND).done()
    check(folder / "bpsvc.db")
    assert contents(folder / "bpsvc.db") == whole


@pytest.mark.parametrize(
    ("limit", "cause"),
    [({"pages": 150}, "the disk is full"), ({"file_size": 600_000}, "writing .* failed")],
    ids=["full disk", "file size"],
)
def test_no_room(nursery: Nursery, folder: Path, whole: Contents, limit: dict[str, Any], cause: str) -> None:
    db = folder / "bpsvc.db"
    for _ in range(4):  # more often than a run may lose its worker
        failed = nursery.bpsvc(folder, *COMMAND, **limit)
        assert failed.wait() == 4
        assert re.search(cause, failed.err) and "space" in failed.err, failed.err
        assert "the same command goes on" in failed.err
        assert "Traceback" not in failed.err
        check(db)
        assert_part_of(contents(db), whole)
        assert one(db, "SELECT count(*) FROM _run WHERE status <> 'queued' OR attempts > 0") == 0
    goes_on(nursery, folder, whole)


def test_a_lock_that_is_kept(nursery: Nursery, folder: Path, whole: Contents) -> None:
    db = folder / "bpsvc.db"
    with closing(sqlite3.connect(db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        failed = nursery.work(folder, "large.json", timeout_s=0.2)
        assert failed.wait() == 4
        assert "locked" in failed.err and "try again" in failed.err
    assert sum(check(db).values()) == 0
    goes_on(nursery, folder, whole)


def test_a_lock_taken_in_the_middle(nursery: Nursery, folder: Path, whole: Contents) -> None:
    """The driver has computed a segment and cannot commit it; that is all it loses."""
    db = folder / "bpsvc.db"
    driver = nursery.work(folder, timeout_s=0.2, fault="stop computed 1")
    driver.paused()
    with closing(sqlite3.connect(db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        driver.signal(signal.SIGCONT)
        assert driver.wait() == 4
        assert "locked" in driver.err
    assert sum(check(db).values()) == 0
    goes_on(nursery, folder, whole)


def test_a_file_that_may_not_be_written(nursery: Nursery, folder: Path, whole: Contents) -> None:
    db = folder / "bpsvc.db"
    more: dict[str, Any] = {}
    if os.geteuid() == 0:  # root may write anything: be nobody
        more["user"] = 65534
        for place in (folder, *folder.parents):
            if place.stat().st_uid == 0 and len(place.parts) > 2:
                place.chmod(0o755)
    db.chmod(0o444)
    (folder / "bpsvc.db-lock").chmod(0o666)
    before = db.read_bytes()
    failed = nursery.bpsvc(folder, *COMMAND, **more)
    assert failed.wait() == 4, failed.err
    assert "cannot be written" in failed.err and "give yourself the right" in failed.err, failed.err
    assert db.read_bytes() == before
    db.chmod(0o644)
    goes_on(nursery, folder, whole)


def test_a_store_that_is_gone(nursery: Nursery, folder: Path, whole: Contents) -> None:
    """Somebody moves the file away under a running driver; nothing is written elsewhere."""
    db = folder / "bpsvc.db"
    driver = nursery.work(folder, fault="stop computed 1")
    driver.paused()
    db.rename(folder / "moved.db")
    driver.signal(signal.SIGCONT)
    assert driver.wait() == 4
    assert "no longer the file" in driver.err
    assert not db.exists()
    (folder / "moved.db").rename(db)
    goes_on(nursery, folder, whole)
