"""Connections to a store: one kind that writes, one that cannot.

A writer's transactions are BEGIN IMMEDIATE: one that upgraded from reading to writing would fail at once
however long the busy timeout. Around each of them an advisory lock on a file beside the store is held,
because SQLite up to 3.51.2 may corrupt a write-ahead log when two connections write and checkpoint at the
same instant.
"""

import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

from bpsvc.errors import StoreError
from bpsvc.store.failures import explained
from bpsvc.store.files import uri

TIMEOUT_S: Final = 30.0
_POLL_S: Final = 0.002
# A segment inserts all over its tables: the pages it touches should not be written twice.
_CACHE_KIB: Final = 65_536
# What the write-ahead log may keep of its largest size.
_LOG_BYTES: Final = 64 << 20


def writer(path: Path, timeout_s: float = TIMEOUT_S) -> Engine:
    """An engine whose transactions write: WAL, synchronous FULL, foreign keys, BEGIN IMMEDIATE. Never makes a
    file.
    """
    engine = _engine(path, "rw", timeout_s)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        # Overwriting what is deleted would write each of its pages to the log: with a full disk, too much.
        connection.execute("PRAGMA secure_delete = OFF")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def reader(path: Path, timeout_s: float = TIMEOUT_S) -> Engine:
    """An engine whose transactions read one state of the store, and can do nothing else."""
    engine = _engine(path, "ro", timeout_s)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: Any) -> None:
        connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


@contextmanager
def locked(path: Path, timeout_s: float = TIMEOUT_S) -> Iterator[None]:
    """Hold the advisory lock beside the store; StoreError when others keep it for longer than `timeout_s`."""
    try:
        lock = os.open(lock_file(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        right = "give yourself the right to write it and its folder, or name another store with --db"
        refused = isinstance(error, PermissionError) or error.errno == errno.EROFS
        raise StoreError(
            f"{lock_file(path)} cannot be opened: {error.strerror}",
            remedy=right if refused else "mend that, or name another store with --db",
        ) from error
    try:
        deadline = time.monotonic() + timeout_s
        while not _taken(lock):
            if time.monotonic() > deadline:
                raise StoreError(
                    f"another process kept {path} locked for more than {timeout_s:g} s",
                    remedy="wait for it or end it, then try again",
                )
            time.sleep(_POLL_S)
        yield
    finally:
        os.close(lock)


def lock_file(path: Path) -> Path:
    """The file beside the store that carries the advisory lock; it stays empty."""
    return path.with_name(path.name + "-lock")


@contextmanager
def transaction(
    engine: Engine, path: Path, timeout_s: float = TIMEOUT_S, *, trusted: bool = False
) -> Iterator[Connection]:
    """One transaction: all of the block, or nothing. StoreError with cause and remedy where the database
    fails.

    What is `trusted` has itself seen to it that all it refers to is there. To look up the run of each of
    millions of records again would take a sixth of the time.
    """
    if path.exists() and not os.access(path, os.W_OK):  # SQLite would leave files beside it like it
        raise StoreError(
            f"{path} cannot be written",
            remedy="give yourself the right to write it, or name another store with --db",
        )
    with locked(path, timeout_s), explained(path), engine.connect() as connection:
        driver: Any = connection.connection
        driver.execute(f"PRAGMA foreign_keys = {0 if trusted else 1}")  # no effect within a transaction
        with connection.begin():
            yield connection


def raw(connection: Connection) -> sqlite3.Cursor:
    """A cursor of the driver itself, in the connection's transaction: for many small statements, or many
    rows.
    """
    cursor: sqlite3.Cursor = connection.connection.cursor()  # type: ignore[assignment]
    return cursor


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _engine(path: Path, mode: str, timeout_s: float) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            uri(path, mode), uri=True, timeout=timeout_s, isolation_level=None, check_same_thread=False
        )

    return create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=2)
