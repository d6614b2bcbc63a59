"""What is not a store of ours is refused, each with its own message, and left exactly as it was."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from store_material import experiment, segment, stacks

from bpsvc.errors import StoreError
from bpsvc.store import Store, files, schema


def listing(folder: Path) -> Mapping[str, tuple[str, int]]:
    """Every file below a folder, with its mode and content (not that of SQLite's shared memory)."""
    return {
        str(file.relative_to(folder)): (
            hashlib.sha256(file.read_bytes()).hexdigest()
            if file.is_file() and not file.name.endswith("-shm")
            else "",
            file.lstat().st_mode,
        )
        for file in sorted(folder.rglob("*"))
    }


def a_folder(path: Path) -> None:
    path.mkdir()


def a_text(path: Path) -> None:
    path.write_text("To be, or not to be\n" * 20)


def a_short_text(path: Path) -> None:
    path.write_text("SQLite format 3")


def a_strangers_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE books (title TEXT); INSERT INTO books VALUES ('Emma')")
    connection.close()


def a_strangers_wal_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE books (title TEXT)")
    connection.close()


def versioned(version: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        Store.open(path, mode="create").close()
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        files_beside(path)

    return make


def files_beside(path: Path) -> None:
    for ending in ("-wal", "-shm", "-lock"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def nothing(path: Path) -> None:
    pass


def an_empty_file(path: Path) -> None:
    path.touch()


BAD = {
    "folder": (a_folder, "is a folder", "bpsvc.db"),
    "text": (a_text, "not a SQLite database", "--db"),
    "short text": (a_short_text, "not a SQLite database", "--db"),
    "another program's": (a_strangers_database, "another program", "--db"),
    "another program's WAL": (a_strangers_wal_database, "another program", "--db"),
    "newer": (versioned(schema.VERSION + 7), "newer bpsvc", "install the newer"),
    "older": (versioned(schema.VERSION - 1), "older bpsvc", "db upgrade"),
    "pipe": (a_pipe, "not an ordinary file", "--db"),
    "device": (a_device, "not an ordinary file", "--db"),
}


@pytest.mark.parametrize("mode", ["read", "write", "create"])
@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_store_is_refused_and_left_alone(tmp_path: Path, kind: str, mode: str) -> None:
    make, what, remedy = BAD[kind]
    path = tmp_path / "thing.db"
    make(path)
    before = listing(tmp_path) if kind not in ("pipe", "device") else {}
    with pytest.raises(StoreError, match=what) as caught:
        Store.open(path, mode=mode)  # type: ignore[arg-type]
    assert remedy in str(caught.value) and str(path) in str(caught.value)
    assert not before or listing(tmp_path) == before


@pytest.mark.parametrize("mode", ["read", "write"])
@pytest.mark.parametrize("make", [nothing, an_empty_file])
def test_reading_never_makes_a_store(tmp_path: Path, make: Callable[[Path], None], mode: str) -> None:
    make(tmp_path / "bpsvc.db")
    before = listing(tmp_path)
    with pytest.raises(StoreError, match="no store") as caught:
        Store.open(tmp_path / "bpsvc.db", mode=mode)  # type: ignore[arg-type]
    assert "bpsvc submit" in str(caught.value)
    assert listing(tmp_path) == before


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with Store.open(path, mode="create") as store:
        assert store.runs().empty


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no folder"):
        Store.open(tmp_path / "no" / "bpsvc.db", mode="create")
    with pytest.raises(StoreError, match="no store"):
        Store.open(tmp_path / "no" / "bpsvc.db")


def test_opening_again_changes_nothing(path: Path) -> None:
    Store.open(path, mode="create").close()
    before = path.read_bytes()
    Store.open(path, mode="create").close()
    Store.open(path, mode="write").close()
    Store.open(path).close()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("target", "what"),
    [
        ("", "empty"),
        ("a\x00b", "NUL"),
        ("postgresql://localhost/bpsvc", "postgresql"),
        ("sqlite://", "no file"),
        ("sqlite:///:memory:", "no file"),
        ("sqlite:///x.db?mode=ro", "options"),
        ("nonsense://", "URL|not supported"),
        ("sqlite+nothing:///x.db", "no file|not supported|no store"),
    ],
)
def test_targets_that_name_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=what):
        Store.open(target)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["with space.db", "per%20cent.db", "quest?ion.db", "ha#sh.db", "ü'\".db"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    with Store.open(tmp_path / name, mode="create") as store:
        assert store.query("SELECT 1").rows == [(1,)]
    beside = {name + ending for ending in ("", "-lock", "-wal", "-shm")}
    assert {file.name for file in tmp_path.iterdir()} <= beside


def test_urls_and_paths_name_the_same_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Store.open("sqlite:///here.db", mode="create").close()
    assert Store.open(f"sqlite:///{tmp_path / 'here.db'}").path == Store.open(Path("here.db")).path


def test_network_file_systems_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/home {tmp_path} nfs4 rw 0 0\n")
    assert files.filesystem(tmp_path / "x.db", mounts) == "nfs4"
    assert files.filesystem(Path("/elsewhere/x.db"), mounts) == "ext4"
    monkeypatch.setattr(files, "filesystem", lambda path: "nfs4")
    with pytest.raises(StoreError, match=r"network file system \(nfs4\)"):
        Store.open(tmp_path / "x.db", mode="create")
    assert not (tmp_path / "x.db").exists()


def test_a_store_opened_for_reading_cannot_write(path: Path) -> None:
    Store.open(path, mode="create").close()
    spec = experiment()
    with Store.open(path) as store, pytest.raises(StoreError, match="for reading"):
        store.submit(spec, stacks(spec))


def test_a_store_that_was_replaced_is_not_written(path: Path) -> None:
    spec = experiment()
    with Store.open(path, mode="create") as store:
        store.submit(spec, stacks(spec))
        path.rename(path.with_name("moved.db"))
        with pytest.raises(StoreError, match="no longer the file"):
            store.leases.claim("me", limit=1)
        with pytest.raises(StoreError, match="no longer the file"):
            store.runs()


def test_a_damaged_store_says_so(path: Path) -> None:
    with Store.open(path, mode="create") as store:
        spec = experiment(seeds=200)
        store.submit(spec, stacks(spec))
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 64] = b"\xff" * 64
    path.write_bytes(content)
    with Store.open(path) as store, pytest.raises(StoreError, match="damaged") as caught:
        store.runs()
    assert "backup" in str(caught.value)


def test_what_is_wrong_with_the_lock_is_told(store: Store) -> None:
    lock = store.path.with_name(store.path.name + "-lock")
    lock.unlink()
    lock.mkdir()
    with pytest.raises(StoreError, match="-lock cannot be opened: Is a directory") as caught:
        store.cancel([])
    assert "right" not in str(caught.value)


def test_a_full_disk_loses_nothing(path: Path) -> None:
    """`max_page_count` stands for the disk: SQLite answers both with SQLITE_FULL."""
    spec = experiment(seeds=50, every=1, epochs=1000)
    with Store.open(path, mode="create") as store:
        store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=50)
        assert store._writer is not None
        with store._writer.connect() as connection:
            most = connection.connection.execute("PRAGMA max_page_count").fetchone()[0]
            used = connection.connection.execute("PRAGMA page_count").fetchone()[0]
            connection.connection.execute(f"PRAGMA max_page_count = {used + 20}")
        with pytest.raises(StoreError, match="disk is full") as caught:
            store.leases.commit(segment("me", claims, 1000, every=1))
        assert "free some space" in str(caught.value) and "bpsvc rm" not in str(caught.value)
        assert store.epochs().empty and set(store.runs()["epochs_done"]) == {0}
        with store._writer.connect() as connection:
            connection.connection.execute(f"PRAGMA max_page_count = {most}")
        assert len(store.leases.commit(segment("me", claims, 1000, every=1))) == 50
        assert len(store.epochs()) == 50 * 1001


def test_a_file_size_limit_loses_nothing(path: Path) -> None:
    import resource

    spec = experiment(seeds=50, every=1, epochs=1000)
    with Store.open(path, mode="create") as store:
        store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=50)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
        try:
            with pytest.raises(StoreError, match=r"failed|full") as caught:
                store.leases.commit(segment("me", claims, 1000, every=1))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "space" in str(caught.value)
        assert store.epochs().empty
        assert len(store.leases.commit(segment("me", claims, 1000, every=1))) == 50


@pytest.mark.parametrize("locker", ["sqlite", "sidecar"])
def test_a_lock_that_others_keep_is_told(path: Path, locker: str) -> None:
    from bpsvc.store import engine

    Store.open(path, mode="create").close()
    spec = experiment()
    with Store.open(path, mode="write", timeout_s=0.05) as store:
        if locker == "sqlite":
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked") as caught:
                store.submit(spec, stacks(spec))
            other.close()
        else:
            with engine.locked(path), pytest.raises(StoreError, match="locked") as caught:
                store.submit(spec, stacks(spec))
        assert "try again" in str(caught.value)
        assert store.runs().empty
        assert store.submit(spec, stacks(spec)).new == 3


def test_a_writing_transaction_locks_from_its_first_statement(store: Store, path: Path) -> None:
    """Else it would fail at once, whatever the timeout, when another has written since it began to read."""
    other = sqlite3.connect(path, isolation_level=None, timeout=0.0)
    with store._writing() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM _run").scalar() == 0
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_readers_do_not_wait_for_writers(path: Path) -> None:
    with Store.open(path, mode="create", timeout_s=0.05) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert store.runs().empty and store.query("SELECT count(*) FROM runs").rows == [(0,)]
        other.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_file_made_read_only(path: Path) -> None:
    with Store.open(path, mode="create") as store:
        spec = experiment()
        store.submit(spec, stacks(spec))
    path.chmod(0o444)
    with Store.open(path) as store:
        assert len(store.runs()) == 3
    with Store.open(path, mode="write") as store, pytest.raises(StoreError, match="written"):
        store.leases.claim("me", limit=1)
    path.chmod(0o644)
    with Store.open(path, mode="write") as store:
        assert len(store.leases.claim("me", limit=1)) == 1
