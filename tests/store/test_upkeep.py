"""Verify finds every kind of damage and names it; backups, merges and upgrades lose nothing."""

import hashlib
import sqlite3
from pathlib import Path

import pytest
from store_material import counts, experiment, finals, part, records, segment, stacks, train

from bpsvc import nn
from bpsvc.errors import StoreError
from bpsvc.store import Segment, Store, migrate, schema


@pytest.fixture
def trained(store: Store) -> Store:
    """Six runs: done, and one each of diverged, half done, solved, failed and waiting."""
    spec = experiment(seeds=6)
    store.submit(spec, stacks(spec))
    done, *rest = store.leases.claim("me", limit=5)
    store.leases.commit(segment("me", [done], 100))
    for claim, (status, outcome) in zip(
        rest[:2], [("diverged", "diverged"), ("done", "solved")], strict=True
    ):
        rows = records([claim.run_id], [0, 10, 20, 30, 33])
        end = part(claim, 33, status=status, outcome=outcome, **finals(rows, 0))
        store.leases.commit(Segment("me", 9.0, [end], rows))
    store.leases.commit(segment("me", rest[2:3], 70))
    store.leases.fail(rest[3:], "boom")
    return store


def test_a_sound_store(trained: Store) -> None:
    assert trained.upkeep.verify() == [] == trained.upkeep.check()


@pytest.mark.parametrize(
    ("sql", "table", "run", "epoch"),
    [
        ("DELETE FROM epochs WHERE run_id = 1 AND epoch = 50", "epochs", 1, 50),
        (
            "DELETE FROM layer_gradients WHERE run_id = 1 AND epoch = 50 AND layer = 2",
            "layer_gradients",
            1,
            50,
        ),
        ("UPDATE epochs SET epoch = 55 WHERE run_id = 1 AND epoch = 50", "epochs", 1, 50),
        (
            "UPDATE layer_gradients SET layer = 3 WHERE run_id = 4 AND epoch = 0 AND layer = 2",
            "layer_gradients",
            4,
            0,
        ),
        ("DELETE FROM epochs WHERE run_id = 2 AND epoch = 33", "epochs", 2, 33),
        ("INSERT INTO epochs (run_id, epoch) VALUES (4, 80)", "epochs", 4, 80),
        ("INSERT INTO epochs (run_id, epoch) VALUES (6, 0)", "epochs", 6, 0),
        ("INSERT INTO parameters (run_id, epoch, layer, name) VALUES (1, 50, 1, 'w14')", "parameters", 1, 50),
        ("UPDATE _checkpoint SET state = x'00' WHERE run_id = 1", "_checkpoint", 1, 100),
        ("UPDATE _checkpoint SET epoch = 60 WHERE run_id = 4", "_checkpoint", 4, 60),
        ("DELETE FROM _checkpoint WHERE run_id = 4", "_checkpoint", 4, 70),
        ("DELETE FROM _segment WHERE run_id = 4", "_segment", 4, 0),
        ("UPDATE _segment SET digest = 'x' WHERE run_id = 3", "_segment", 3, 33),
        ("UPDATE _run SET seed = 99 WHERE id = 1", "_run", 1, None),
        ("UPDATE _run SET final_loss = 0 WHERE id = 1", "_run", 1, 100),
        ("UPDATE _run SET epochs_done = 71 WHERE id = 4", "_segment", 4, 70),
        ("UPDATE _run SET epochs = 105 WHERE id = 4", "_run", 4, 105),
        ("UPDATE _run SET epochs = 90 WHERE id = 4", "_run", 4, None),
        ("UPDATE _run SET epochs = 110 WHERE id = 4", "_run", 4, None),
        ("DELETE FROM _membership WHERE run_id = 4", "_run", 4, None),
        ("UPDATE _recipe SET spec = json_set(spec, '$.loss.name', 'squared')", "_recipe", 1, None),
        ("UPDATE _dataset SET content = substr(content, 1, 100)", "_dataset", None, None),
        ("UPDATE _dataset SET content = CAST(content || x'00' AS BLOB)", "_dataset", None, None),
    ],
)
def test_damage_is_named(trained: Store, sql: str, table: str, run: int | None, epoch: int | None) -> None:
    with trained._writing() as connection:
        connection.exec_driver_sql(sql)
    found = [(damage.table, damage.run_id, damage.epoch) for damage in trained.upkeep.verify()]
    assert (table, run, epoch) in found
    if run is not None and table != "_recipe":
        assert {damage[1] for damage in found} == {run}
        assert trained.upkeep.verify([run]) and not trained.upkeep.verify([run % 6 + 1])


def test_a_store_of_older_numerics_is_not_damaged(trained: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made = nn.NUMERICS
    assert set(trained.upkeep.numerics().values()) == {made}
    monkeypatch.setattr(nn, "NUMERICS", made + 2)
    assert trained.upkeep.verify() == [] and trained.upkeep.numerics([1, 2]) == {1: made, 2: made}
    monkeypatch.setattr(nn, "NUMERICS", made - 1)
    assert all("newer numerics" in damage.what for damage in trained.upkeep.verify())
    assert set(trained.upkeep.numerics().values()) == {None}


def test_broken_pages_are_found(trained: Store, path: Path) -> None:
    trained.close()
    content = bytearray(path.read_bytes())
    content[-2000:-1000] = b"\x99" * 1000
    path.write_bytes(content)
    with Store.open(path) as store:
        assert store.upkeep.verify()


def test_a_backup_while_the_store_is_in_use(trained: Store, tmp_path: Path) -> None:
    target = trained.upkeep.backup(tmp_path / "copy.db")
    assert {file.name for file in tmp_path.iterdir()} >= {"copy.db"} and not list(tmp_path.glob("*.partial*"))
    with Store.open(target, mode="write") as copy:
        assert counts(copy) == counts(trained) and copy.upkeep.verify() == []
        assert copy.epochs().equals(trained.epochs())
        train(copy, "me")
    assert set(trained.runs()["epochs_done"]) == {0, 33, 70, 100}
    before = hashlib.sha256(target.read_bytes()).digest()
    with pytest.raises(StoreError, match="exists already"):
        trained.upkeep.backup(target)
    assert hashlib.sha256(target.read_bytes()).digest() == before
    with pytest.raises(StoreError, match="cannot be"):
        trained.upkeep.backup(tmp_path / "no" / "copy.db")


def test_info(trained: Store, path: Path) -> None:
    info = trained.upkeep.info()
    assert info.path == path and info.schema == schema.VERSION and info.bytes > 0 and info.disk_free > 0
    assert info.rows["runs"] == 6 and info.rows["experiments"] == 1


# Merge


def another(tmp_path: Path, name: str) -> Store:
    return Store.open(tmp_path / name, mode="create")


def everything(store: Store) -> dict[str, list[object]]:
    """All that does not depend on numbers given in this store."""
    key = "(SELECT run_key FROM runs r WHERE r.run_id = {}.run_id)"
    return {
        "runs": store.query(
            "SELECT run_key, replace(status, 'running', 'queued'), outcome, seed, epochs, epochs_done,"
            " final_loss, seconds FROM runs ORDER BY 1"
        ).rows,
        "epochs": store.query(f"SELECT {key.format('e')}, epoch, loss FROM epochs e ORDER BY 1, 2").rows,
        "layers": store.query(
            f"SELECT {key.format('e')}, epoch, layer, delta_rms FROM layer_gradients e ORDER BY 1, 2, 3"
        ).rows,
        "segments": store.query(
            f"SELECT {key.format('e')}, to_epoch, digest FROM _segment e ORDER BY 1, 2"
        ).rows,
        "states": store.query(
            f"SELECT {key.format('e')}, epoch, hex(state) FROM _checkpoint e ORDER BY 1"
        ).rows,
    }


@pytest.mark.slow
def test_merged_data_have_the_shorter_name(tmp_path: Path) -> None:
    names = {"long": experiment(data={"source": "parity", "bits": 2}), "short": experiment()}
    for one, other in (("long", "short"), ("short", "long")):
        with another(tmp_path, f"{one}.db") as store:
            store.submit(names[one], stacks(names[one]))
        with another(tmp_path, f"{one}-{other}.db") as store:
            store.submit(names[other], stacks(names[other]))
            store.upkeep.merge(tmp_path / f"{one}.db")
            assert set(store.runs()["data"]) == {"xor"}


def test_merge_into_an_empty_store_is_a_copy(trained: Store, tmp_path: Path) -> None:
    with another(tmp_path, "empty.db") as empty:
        merged = empty.upkeep.merge(trained.path)
        assert (merged.experiments, merged.new, merged.further, merged.kept) == (1, 6, 0, 0)
        assert everything(empty) == everything(trained)
        assert empty.factors().equals(trained.factors())
        assert empty.upkeep.check() == []
        again = empty.upkeep.merge(trained.path)
        assert (again.experiments, again.new, again.further, again.kept) == (0, 0, 0, 6)
        assert everything(empty) == everything(trained)


def test_merge_is_the_union_of_runs_and_of_experiments(store: Store, tmp_path: Path) -> None:
    ours, theirs = experiment(seeds=[0, 1, 2]), experiment(seeds=[2, 3], losses=("log_likelihood", "squared"))
    store.submit(ours, stacks(ours))
    train(store, "me")
    with another(tmp_path, "theirs.db") as other:
        other.submit(theirs, stacks(theirs))
        train(other, "me")
        merged = store.upkeep.merge(other.path)
        assert (merged.experiments, merged.new, merged.further, merged.kept) == (1, 3, 0, 1)
        assert sorted(store.experiments()["experiment"]) == ["xor@1", "xor@2"]
        assert set(store.runs()["run_key"]) == {run.key for run in (*ours.runs, *theirs.runs)}
        assert store.runs("xor@2")["run_key"].tolist() == other.runs("xor")["run_key"].tolist()
        assert sorted(store.factors("xor@2")["value"]) == sorted(other.factors("xor")["value"])
    assert store.upkeep.verify() == []


def test_merge_keeps_whichever_run_has_come_further(store: Store, tmp_path: Path) -> None:
    spec, long = experiment(seeds=4), experiment("long", seeds=4, epochs=200)
    store.submit(spec, stacks(spec))
    with another(tmp_path, "theirs.db") as other:
        other.submit(long, stacks(long))
        a, b, c, d = other.leases.claim("me", limit=4)
        other.leases.commit(segment("me", [a], 60))
        other.leases.commit(segment("me", [b], 10, status="diverged", outcome="diverged"))
        other.leases.commit(segment("me", [c], 200))
        other.leases.release([d])
        e, f, g, h = store.leases.claim("me", limit=4)
        store.leases.commit(segment("me", [e], 80))
        store.leases.commit(segment("me", [f], 70))
        store.leases.commit(segment("me", [h], 100))
        store.leases.release([e, f, g])
        merged = store.upkeep.merge(other.path)
        assert (merged.new, merged.further, merged.kept) == (0, 2, 2)
    runs = store.runs().set_index("seed")
    assert list(runs["epochs_done"]) == [80, 10, 200, 100]
    assert list(runs["status"]) == ["queued", "diverged", "done", "queued"] and set(runs["epochs"]) == {200}
    train(store, "me")
    runs = store.runs().set_index("seed")
    assert list(runs["epochs_done"]) == [200, 10, 200, 200]
    assert store.upkeep.verify() == []


HERE = ("waiting", "begun", "done", "failed", "cancelled", "running")
THERE = (*HERE, "diverged", "solved")


def come_to(store: Store, how: str, epoch: int, epochs: int) -> None:
    """A store whose run is in one of these states at `epoch`; it was to go to `epochs`."""
    spec = experiment(f"to {epochs}", seeds=1, epochs=epochs)
    store.submit(spec, stacks(spec))
    if how == "waiting":
        return
    claims = store.leases.claim("me", limit=1)
    outcome = {"done": "horizon", "diverged": "diverged", "solved": "solved"}.get(how)
    status = "running" if outcome is None else "done" if how == "solved" else how
    store.leases.commit(segment("me", claims, epoch, status=status, outcome=outcome))
    if how == "failed":
        store.leases.fail(claims, "boom")
    elif how != "running":
        store.leases.release(claims)
    if how == "cancelled":
        store.cancel([spec.name])


@pytest.mark.parametrize("there", THERE)
@pytest.mark.parametrize("here", THERE)
def test_merge_of_a_run_however_it_is_here_and_there(
    store: Store, tmp_path: Path, here: str, there: str
) -> None:
    come_to(store, here, 100, 100 if here == "done" else 300)
    with another(tmp_path, "theirs.db") as other:
        come_to(other, there, 150, 150 if there == "done" else 200)
        store.upkeep.merge(other.path)
    assert not store.upkeep.check()
    assert [one.what for one in store.upkeep.verify() if "no experiment" not in one.what] == []
    (run,) = store.runs().to_dict("records")
    ended = {"diverged", "solved"}
    taken = here != "running" and there != "waiting" and (here not in ended or there in ended)
    assert run["epochs_done"] == (150 if taken else 0 if here == "waiting" else 100)


def test_merge_leaves_a_run_that_is_being_trained_here(store: Store, tmp_path: Path) -> None:
    spec = experiment(seeds=1)
    store.submit(spec, stacks(spec))
    with another(tmp_path, "theirs.db") as other:
        other.submit(spec, stacks(spec))
        train(other, "me")
        claims = store.leases.claim("me", limit=1)
        assert store.upkeep.merge(other.path).kept == 1
    assert store.leases.commit(segment("me", claims, 100)) == {claims[0].run_id}


def test_merge_fences_what_was_claimed_before(store: Store, tmp_path: Path) -> None:
    spec = experiment(seeds=1)
    store.submit(spec, stacks(spec))
    zombie = store.leases.claim("zombie", limit=1)
    store.leases.release(zombie)
    with another(tmp_path, "theirs.db") as other:
        other.submit(spec, stacks(spec))
        other.leases.commit(segment("me", other.leases.claim("me", limit=1), 50))
        assert store.upkeep.merge(other.path).further == 1
    assert store.leases.commit(segment("zombie", zombie, 100)) == set()


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("UPDATE _checkpoint SET state = x'00' WHERE run_id = 2", "_checkpoint"),
        ("DELETE FROM epochs WHERE run_id = 2 AND epoch = 50", "epochs"),
    ],
)
def test_merge_leaves_damaged_runs_where_they_are(store: Store, tmp_path: Path, sql: str, table: str) -> None:
    """Ours stands at 50 and is sound: their further one does not take its place."""
    spec = experiment(seeds=3)
    store.submit(spec, stacks(spec))
    claims = store.leases.claim("me", limit=2)
    store.leases.commit(segment("me", claims, 50))
    store.leases.release(claims)
    with another(tmp_path, "theirs.db") as other:
        other.submit(spec, stacks(spec))
        train(other, "me")
        with other._writing() as connection:
            connection.exec_driver_sql(sql)
        merged = store.upkeep.merge(other.path)
    assert list(merged.damaged) == [2] and f", {table}: " in merged.damaged[2]
    assert (merged.further, merged.kept) == (2, 0)
    assert list(store.runs()["epochs_done"]) == [100, 50, 100] and store.upkeep.verify() == []


def test_merge_saves_the_runs_of_a_damaged_file_that_can_be_read(store: Store, tmp_path: Path) -> None:
    """As `db check` says: broken pages of records lose the runs whose records are there, and no other."""
    with another(tmp_path, "theirs.db") as other:
        spec = experiment(seeds=20, every=1)
        other.submit(spec, stacks(spec))
        train(other, "me", every=1)
        other.upkeep.backup(broken := tmp_path / "broken.db")
    with sqlite3.connect(broken) as connection:
        places = "SELECT pageno FROM dbstat WHERE name = 'layer_gradients' AND pagetype = 'leaf'"
        leaves = [page for (page,) in connection.execute(places)]
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray(broken.read_bytes())
    at = (leaves[len(leaves) // 2] - 1) * size
    content[at : at + size] = b"\x99" * size
    broken.write_bytes(content)
    with Store.open(broken) as hurt:
        assert hurt.upkeep.check()
        with pytest.raises(StoreError, match="db merge") as caught:
            hurt.upkeep.backup(tmp_path / "copy.db")
        assert "db check" not in str(caught.value)
    merged = store.upkeep.merge(broken)
    assert 1 <= len(merged.damaged) <= 3 and merged.new == 20 - len(merged.damaged)
    assert store.upkeep.verify() == []


def test_merge_names_the_store_that_is_damaged(store: Store, tmp_path: Path) -> None:
    with another(tmp_path, "theirs.db") as other:
        other.submit(spec := experiment(), stacks(spec))
        train(other, "me")
        other.upkeep.backup(broken := tmp_path / "broken.db")
    pages = broken.read_bytes()
    for changed in (pages[: len(pages) // 2], _with_noise(pages)):
        broken.write_bytes(changed)
        with pytest.raises(StoreError, match=r"broken\.db is damaged"):
            store.upkeep.merge(broken)
        assert len(store.runs()) == 0


def _with_noise(pages: bytes) -> bytes:
    """Every third page of a database begins with nonsense."""
    changed = bytearray(pages)
    for start in range(3 * 4096, len(pages), 3 * 4096):
        changed[start : start + 100] = bytes(range(100))
    return bytes(changed)


def test_merge_refuses_what_is_no_store(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="itself"):
        store.upkeep.merge(store.path)
    with pytest.raises(StoreError, match="no store"):
        store.upkeep.merge(tmp_path / "no.db")
    (tmp_path / "text.db").write_text("hello " * 100)
    with pytest.raises(StoreError, match="not a SQLite"):
        store.upkeep.merge(tmp_path / "text.db")


# Upgrade


def test_upgrade_backs_up_and_migrates(trained: Store, path: Path, next_schema: Path) -> None:
    before = everything(trained)
    trained.close()
    done = migrate.upgrade(path)
    assert (done.before, done.after) == (schema.VERSION - 1, schema.VERSION) and done.backup is not None
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    assert connection.execute("SELECT count(note), count(*) FROM _run").fetchone() == (0, 6)
    assert connection.execute("SELECT count(*) FROM runs").fetchone() == (6,)
    connection.close()
    again = migrate.upgrade(path)
    assert again.backup is None and again.before == again.after
    backup = sqlite3.connect(done.backup)
    rows = backup.execute(
        "SELECT run_key, replace(status, 'running', 'queued'), outcome, seed, epochs, epochs_done,"
        " final_loss, seconds FROM runs ORDER BY 1"
    ).fetchall()
    assert rows == before["runs"]
    backup.close()


def test_an_upgrade_that_fails_changes_nothing(trained: Store, path: Path, next_schema: Path) -> None:
    next_schema.write_text(next_schema.read_text().replace("CREATE TABLE _note", "CREATE TABLE _run"))
    trained.close()
    before = sqlite3.connect(path)
    dump = list(before.iterdump())
    before.close()
    with pytest.raises(Exception, match="already exists"):
        migrate.upgrade(path)
    after = sqlite3.connect(path)
    assert list(after.iterdump()) == dump
    assert after.execute("PRAGMA user_version").fetchone() == (schema.VERSION - 1,)
    after.close()


def test_an_upgrade_that_would_leave_rows_dangling_is_undone(
    trained: Store, path: Path, next_schema: Path
) -> None:
    next_schema.write_text(next_schema.read_text() + '    op.execute("DELETE FROM _recipe")\n')
    trained.close()
    with pytest.raises(StoreError, match="nothing was changed"):
        migrate.upgrade(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM _recipe").fetchone() == (1,)
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION - 1,)


def test_upgrade_refuses_what_it_cannot(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        migrate.upgrade(path)
    Store.open(path, mode="create").close()
    assert migrate.upgrade(path).backup is None
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(StoreError, match="newer"):
        migrate.upgrade(path)
    with sqlite3.connect(tmp_path / "books.db") as connection:
        connection.execute("CREATE TABLE books (title TEXT)")
    with pytest.raises(StoreError, match="another program"):
        migrate.upgrade(tmp_path / "books.db")


def test_merging_keeps_what_has_come_further_though_it_waits(path: Path, tmp_path: Path) -> None:
    """A run at epoch 60 that is to go to 100 is further than one that is done with 20."""
    short, long = experiment(epochs=20), experiment(epochs=100)
    with Store.open(path, mode="create") as mine, Store.open(tmp_path / "b.db", mode="create") as other:
        mine.submit(long, stacks(long))
        claims = mine.leases.claim("me", limit=9)
        mine.leases.commit(segment("me", claims, 60))
        mine.leases.release(claims)
        other.submit(short, stacks(short))
        train(other, "you")
        merged = mine.upkeep.merge(tmp_path / "b.db")
        assert merged.further == 0
        assert set(mine.runs()["epochs_done"]) == {60}
        assert mine.upkeep.verify() == []
