"""Several processes on one store, some of them killed: nothing twice, nothing lost, nothing half."""

import importlib
import os
import random
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from store_material import experiment, records, segment, stacks, train

from bpsvc import faults
from bpsvc.errors import StoreError
from bpsvc.store import Store, files, migrate, owner, schema

pytestmark = pytest.mark.guarantee

POINTS = (
    "experiment",
    "runs",
    "enrolled",
    "submitted",
    "claimed",
    "swapped",
    "epochs",
    "layers",
    "segment",
    "checkpoint",
)


class Child:
    """A forked process that does something to a store, perhaps with a fault in its way."""

    def __init__(self, work: Callable[[], None], fault: str = "") -> None:
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.environ["BPSVC_FAULT"] = fault
                importlib.reload(faults)
                work()
                code = 0
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)

    def wait(self) -> int:
        """The exit code, or minus the signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def made(path: Path) -> Iterator[Path]:
    Store.open(path, mode="create").close()
    yield path


def submitting(path: Path, *specs: object, barrier: int | None = None) -> Callable[[], None]:
    def work() -> None:
        with Store.open(path, mode="create") as store:
            if barrier is not None:
                os.read(barrier, 1)
            for spec in specs:
                store.submit(spec, stacks(spec))  # type: ignore[arg-type]

    return work


def training(path: Path, *, step: int = 20, every: int = 10) -> Callable[[], None]:
    def work() -> None:
        with Store.open(path, mode="write") as store:
            train(store, owner(), step=step, every=every)

    return work


def sound(path: Path) -> None:
    """No damage, no orphans, each run's records those that its number and epochs say."""
    with Store.open(path) as store:
        assert store.upkeep.verify() == []
        epochs = store.epochs()
        for run_id, rows in epochs.groupby("run_id"):
            expected = records([run_id], list(rows["epoch"]))  # type: ignore[list-item]
            np.testing.assert_array_equal(rows["loss"], expected.epochs["loss"])
        orphans = "SELECT count(*) FROM runs WHERE run_id NOT IN (SELECT run_id FROM experiment_runs)"
        assert store.query(orphans).rows == [(0,)]


def test_submits_behind_a_barrier_half_of_them_killed(path: Path) -> None:
    """Also the making of the store is part of the race."""
    base = experiment(seeds=12, losses=("log_likelihood", "squared"))
    more = experiment("more", seeds={"first": 6, "count": 12})
    first, last = os.pipe()
    children = [
        Child(
            submitting(path, *((base, more) if i % 2 else (more, base)), barrier=first),
            fault=f"kill {random.Random(i).choice(POINTS[:4])} 1" if i % 3 == 0 else "",
        )
        for i in range(8)
    ]
    os.write(last, b"x" * 8)
    codes = [child.wait() for child in children]
    assert set(codes) == {0, -signal.SIGKILL}
    with Store.open(path) as store:
        assert set(store.runs()["run_key"]) == {run.key for run in (*base.runs, *more.runs)}
        assert sorted(store.experiments()["experiment"]) == ["more@1", "xor@1"]
        assert len(store.runs("xor")) == 24 and len(store.runs("more")) == 12
    sound(path)


def test_a_store_that_is_being_made_is_nobody_elses(tmp_path: Path) -> None:
    """Who looks meanwhile sees nothing yet, or all of it."""
    for n in range(20):
        path = tmp_path / f"{n}.db"

        def look(path: Path = path) -> None:
            deadline = time.monotonic() + 300
            while (header := files.examine(path)) is None or header.blank:
                assert time.monotonic() < deadline
            files.check_ours(path, header)

        children = [Child(look) for _ in range(3)]
        Store.open(path, mode="create").close()
        assert [child.wait() for child in children] == [0] * 3


def test_killed_at_every_point(tmp_path: Path) -> None:
    """The n-th hit of any fault point kills; the next process goes on; n = 1, 2, … until none is hit."""
    spec = experiment(seeds=2, epochs=60)
    hits = 0
    for n in range(1, 100):
        path = tmp_path / f"{n}.db"

        def work(path: Path = path) -> None:
            submitting(path, spec)()
            training(path)()

        code = Child(work, fault=f"kill * {n}").wait()
        if code == 0:
            break
        assert code == -signal.SIGKILL
        hits += 1
        assert Child(work).wait() == 0
        sound(path)
        with Store.open(path) as store:
            assert set(store.runs()["status"]) == {"done"} and len(store.epochs()) == 2 * 7
            # At most one segment was computed again.
            assert store.query("SELECT max(fence) FROM _run").rows[0][0] <= 5
    assert hits >= len(POINTS)


def test_killed_at_random(made: Path) -> None:
    spec = experiment(seeds=10, epochs=400, losses=("log_likelihood", "squared"))
    submitting(made, spec)()
    chance = random.Random(7)

    def work() -> None:
        with Store.open(made, mode="write") as store:
            while claims := store.leases.claim(owner(), limit=4):
                time.sleep(0.002)
                to = min(claims[0].epochs_done + 20, claims[0].epochs)
                store.leases.commit(segment(owner(), claims, to))
                store.leases.release(claims)

    for _ in range(60):
        children = [Child(work) for _ in range(2)]
        time.sleep(chance.uniform(0.0, 0.06))
        os.kill(chance.choice(children).pid, signal.SIGKILL)
        time.sleep(chance.uniform(0.0, 0.02))
        for child in children:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        with Store.open(made, mode="write") as store:
            store.retry()
    assert Child(work).wait() == 0
    with Store.open(made, mode="write") as store:
        store.retry()  # the last kill is counted only when somebody claims: it may have been a run's third
    assert Child(work).wait() == 0
    with Store.open(made) as store:
        assert set(store.runs()["status"]) == {"done"} and len(store.epochs()) == 20 * 41
    sound(made)


def test_a_storm_of_short_leases(made: Path) -> None:
    """Leases that end before the work does: many compute the same, one commits."""
    spec = experiment(seeds=6, epochs=200)
    submitting(made, spec)()

    def worker(seed: int) -> Callable[[], None]:
        def work() -> None:
            chance = random.Random(seed)
            with Store.open(made, mode="write") as store:
                while store.progress().outstanding:
                    claims = store.leases.claim(owner(), limit=3, lease_s=0.015)
                    while claims:
                        time.sleep(chance.uniform(0.0, 0.03))
                        to = min(claims[0].epochs_done + 20, claims[0].epochs)
                        store.leases.commit(segment(owner(), claims, to, lease_s=0.015))
                        store.leases.release(claims)
                        claims = []

        return work

    children = [Child(worker(i)) for i in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    with Store.open(made) as store:
        runs = store.query("SELECT max(fence), max(attempts), min(epochs_done) FROM _run").rows
        assert runs[0][0] > 10 and runs[0][1:] == (0, 200)
        assert len(store.epochs()) == 6 * 21
    sound(made)


def test_a_worker_that_slept_through_its_lease_commits_nothing(made: Path) -> None:
    spec = experiment(seeds=3)
    submitting(made, spec)()

    def sleeper() -> None:
        with Store.open(made, mode="write") as store:
            claims = store.leases.claim(owner(), limit=3, lease_s=0.2)
            os.kill(os.getpid(), signal.SIGSTOP)
            assert store.leases.commit(segment(owner(), claims, 50)) == set()
            assert store.leases.renew(claims) == set() == store.leases.release(claims)

    zombie = Child(sleeper)
    os.waitpid(zombie.pid, os.WUNTRACED)
    time.sleep(0.25)
    training(made)()
    with Store.open(made) as store:
        before = store.epochs()
    os.kill(zombie.pid, signal.SIGCONT)
    assert zombie.wait() == 0
    with Store.open(made) as store:
        assert store.epochs().equals(before) and store.query("SELECT min(fence) FROM _run").rows[0][0] > 1
    sound(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_a_store_in_a_folder_that_may_only_be_read(made: Path, tmp_path: Path) -> None:
    """A teacher's results, looked at by a student; and written by no one but their owner."""
    spec = experiment(seeds=3)
    submitting(made, spec)()
    training(made)()
    shared = Path(tempfile.mkdtemp(dir="/var/tmp"))
    shutil.copy(made, shared / "bpsvc.db")
    shared.chmod(0o755)
    (shared / "bpsvc.db").chmod(0o644)

    def student() -> None:
        assert pd.__version__  # loaded already: this student may not read the libraries either
        os.setuid(65534)
        with Store.open(shared / "bpsvc.db") as store:
            assert len(store.epochs()) == 33 and set(store.runs("xor")["status"]) == {"done"}
        with (
            Store.open(shared / "bpsvc.db", mode="write") as store,
            pytest.raises(StoreError, match="written"),
        ):
            store.leases.claim("student", limit=1)

    assert Child(student).wait() == 0
    assert [file.name for file in shared.iterdir()] == ["bpsvc.db"]
    shutil.rmtree(shared)


def test_after_a_kill_the_next_goes_on_at_once(made: Path) -> None:
    spec = experiment(seeds=3)
    submitting(made, spec)()

    def victim() -> None:
        with Store.open(made, mode="write") as store:
            store.leases.claim(owner(), limit=3, lease_s=3600.0)
            os.kill(os.getpid(), signal.SIGKILL)

    assert Child(victim).wait() == -signal.SIGKILL
    with Store.open(made, mode="write") as store:
        claims = store.leases.claim("next", limit=3)
        assert len(claims) == 3 and {claim.attempts for claim in claims} == {1}
        alive = Child(lambda: time.sleep(0.5))
        alive.wait()


def test_a_machine_that_goes_down_blames_no_run(made: Path) -> None:
    spec = experiment(seeds=3)
    submitting(made, spec)()
    host, _boot, *rest = owner().split("/")
    before = "/".join([host, "another-boot", *rest])
    with Store.open(made, mode="write") as store:
        for _ in range(5):
            claims = store.leases.claim(before, limit=3, lease_s=3600.0)
            assert len(claims) == 3 and {claim.attempts for claim in claims} == {0}


def test_a_process_that_dies_under_one_run_each_time(made: Path) -> None:
    """It takes the whole stack with it twice; then each goes alone, and only it fails."""
    spec = experiment(seeds=16)
    submitting(made, spec)()

    def work() -> None:
        with Store.open(made, mode="write") as store:
            while claims := store.leases.claim(owner(), limit=100):
                if any(claim.seed == 5 for claim in claims):
                    os.kill(os.getpid(), signal.SIGKILL)
                store.leases.commit(segment(owner(), claims, 100))

    codes = [Child(work).wait() for _ in range(4)]
    assert codes == [-signal.SIGKILL] * 3 + [0]
    with Store.open(made) as store:
        runs = store.runs().set_index("seed")
        assert runs.loc[5, "status"] == "failed" and "vanished 3 times" in runs.loc[5, "error"]
        assert set(runs.drop(5)["status"]) == {"done"}
    sound(made)


def test_the_log_cut_anywhere_is_a_committed_prefix(made: Path, tmp_path: Path) -> None:
    """What a crash of the machine may leave of the write-ahead log: cut, zeroed or flipped at any place."""
    spec = experiment(seeds=2, epochs=60)
    copy = tmp_path / "copy"
    copy.mkdir()

    def leave_a_log() -> None:
        with Store.open(made, mode="write") as store:
            store.submit(spec, stacks(spec))
            train(store, owner(), step=20)
            os._exit(0)

    assert Child(leave_a_log).wait() == 0
    data, log = made.read_bytes(), made.with_name(made.name + "-wal").read_bytes()
    frame = 24 + int.from_bytes(data[16:18], "big")
    frames = (len(log) - 32) // frame
    assert frames > 20
    seen = set()
    chance = random.Random(3)
    for n in range(frames + 1):
        cut = 32 + n * frame
        flipped = bytearray(log)
        if n < frames:
            flipped[cut + chance.randrange(frame)] ^= 1 << chance.randrange(8)
        for content in (
            log[:cut],
            log[: max(0, cut - chance.randrange(1, frame))],
            log[:cut] + bytes(len(log) - cut),
            bytes(flipped),
        ):
            (copy / "bpsvc.db").write_bytes(data)
            (copy / "bpsvc.db-wal").write_bytes(content)
            (copy / "bpsvc.db-shm").unlink(missing_ok=True)
            with sqlite3.connect(copy / "bpsvc.db") as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            connection.close()
            with Store.open(copy / "bpsvc.db") as store:
                assert store.upkeep.verify() == []
                done = store.query("SELECT coalesce(sum(epochs_done), -1) FROM runs").rows[0][0]
                assert len(store.epochs()) == (done // 10 + 2 if done > 0 else 0)
                seen.add(done)
    assert seen == {-1, 0, 40, 80, 120}


@pytest.mark.parametrize("killed", ["", "backup", "migrated"])
def test_upgrades_that_begin_together(path: Path, request: pytest.FixtureRequest, killed: str) -> None:
    """Of several processes one upgrades; one that is killed on the way leaves the old store whole."""
    submitting(path, experiment(seeds=3))()
    request.getfixturevalue("next_schema")

    def work() -> None:
        migrate.upgrade(path)

    if killed:
        assert Child(work, fault=f"kill {killed} 1").wait() == -signal.SIGKILL
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION - 1,)
            assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_note'").fetchall()
        connection.close()
    assert [child.wait() for child in [Child(work) for _ in range(4)]] == [0] * 4
    assert len(list(path.parent.glob("*.backup*"))) == (2 if killed else 1)
    with Store.open(path) as store:
        assert store.upkeep.verify() == [] and len(store.runs()) == 3
        assert store.query("SELECT count(*) FROM _note").rows == [(0,)]
