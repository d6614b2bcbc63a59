"""Keeping a store: check and verify it, copy it while it is in use, take over another one, say what it is."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine

from bpsvc.errors import StoreError
from bpsvc.store import engine, files
from bpsvc.store.catalog import PUBLIC
from bpsvc.store.engine import raw
from bpsvc.store.failures import SALVAGE, explained
from bpsvc.store.merging import Merged, merge
from bpsvc.store.verifying import Damage, content, numerics, structure

_PAGES: Final = 4096


@dataclass(frozen=True)
class Info:
    """What a store is: file, schema, size (with what could be given back), rows of the public tables,
    SQLite.
    """

    path: Path
    schema: int
    bytes: int
    free_bytes: int
    rows: dict[str, int]
    sqlite: str
    filesystem: str
    disk_free: int


class Upkeep:
    """The upkeep of one store: `store.upkeep`."""

    def __init__(
        self,
        path: Path,
        reading: Callable[[], AbstractContextManager[Connection]],
        writer: Engine | None,
        timeout_s: float,
    ) -> None:
        self._path, self._reading, self._writer, self._timeout_s = path, reading, writer, timeout_s

    def check(self) -> list[Damage]:
        """What SQLite finds wrong with the structure of the file; empty when nothing is."""
        try:
            with self._reading() as connection:
                return list(structure(connection))
        except StoreError as error:
            return [Damage("file", error.what)]

    def verify(self, runs: Iterable[int] | None = None) -> list[Damage]:
        """What is missing or changed, in the whole store or in some runs: structure, digests, every
        record.
        """
        found: list[Damage] = []
        try:
            with self._reading() as connection:
                if runs is None:
                    found.extend(structure(connection))
                found.extend(content(connection, None if runs is None else [int(run) for run in runs]))
        except StoreError as error:
            found.append(Damage("file", error.what))
        return found

    def numerics(self, runs: Iterable[int] | None = None) -> dict[int, int | None]:
        """With which version of the numerics each run was made; None for one whose key is damaged."""
        with self._reading() as connection:
            return numerics(connection, None if runs is None else [int(run) for run in runs])

    def backup(self, target: str | Path) -> Path:
        """Copy the store, while others use it, to a file that must not exist yet; checked before it gets
        its name.
        """
        path = Path(target).expanduser().absolute()
        if path.exists():
            raise StoreError(f"{path} exists already", remedy="name another file for the backup")
        with explained(self._path), closing(sqlite3.connect(files.uri(self._path, "ro"), uri=True)) as source:
            copy(source, path)
        return path

    def merge(self, other: str | Path) -> Merged:
        """Take over all experiments and runs of another store, which stays as it is: the union by run key.

        Each of its runs is verified first, and those that are damaged are left out, and named.

        Raises:
            StoreError: it is no store, or damaged as a whole.
        """
        path = files.locate(other)
        header = files.examine(path)
        if header is None:
            raise StoreError(f"there is no store at {path}", remedy="name the file of another store")
        files.check_ours(path, header)
        if path.samefile(self._path):
            raise StoreError(
                "a store cannot be merged with itself", value=str(path), remedy="name another one with --db"
            )
        damaged = _damaged(path)
        with self._attached(path) as cursor:
            try:
                return merge(cursor, damaged)
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorname", "").startswith("SQLITE_CORRUPT"):
                    raise _broken(path, error) from error
                raise

    def compact(self) -> int:
        """Give the space of what was removed back to the disk; the bytes that gave. The rest is written anew:
        that needs as much free space, and other writers wait meanwhile.
        """
        with self._exclusively() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            before = self._path.stat().st_size
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return max(0, before - self._path.stat().st_size)

    def free(self) -> tuple[int, int]:
        """How many bytes of the file are free for new rows, and how many it has."""
        with self._reading() as connection:
            pages, free, size = (
                raw(connection).execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return free * size, pages * size

    def info(self) -> Info:
        """What the store is and holds."""
        with self._reading() as connection:
            cursor = raw(connection)
            version, pages, free, size = (
                cursor.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("user_version", "page_count", "freelist_count", "page_size")
            )
            rows = {name: cursor.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in PUBLIC}
        return Info(
            path=self._path,
            schema=version,
            bytes=pages * size,
            free_bytes=free * size,
            rows=rows,
            sqlite=sqlite3.sqlite_version,
            filesystem=files.filesystem(self._path),
            disk_free=shutil.disk_usage(self._path.parent).free,
        )

    @contextmanager
    def _exclusively(self) -> Iterator[sqlite3.Connection]:
        """A connection of the writer's, outside a transaction, while no other driver writes."""
        if self._writer is None:
            raise StoreError(f"{self._path} was opened for reading", remedy='open it with mode="write"')
        with (
            engine.locked(self._path, self._timeout_s),
            explained(self._path),
            self._writer.connect() as connection,
        ):
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            yield driver

    @contextmanager
    def _attached(self, other: Path) -> Iterator[sqlite3.Cursor]:
        """A transaction in which the other store is attached, read-only, as `other`."""
        with self._exclusively() as connection:
            connection.execute("ATTACH ? AS other", (files.uri(other, "ro"),))
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection.cursor()
                    connection.execute("COMMIT")
                except BaseException:
                    connection.rollback()
                    raise
            finally:
                connection.execute("DETACH other")


def _damaged(path: Path) -> dict[int, str]:
    """Which runs of this store, that is not ours, are damaged, and how; StoreError when more is."""
    found: dict[int, str] = {}
    reader = engine.reader(path)
    try:
        with explained(path), reader.connect() as connection:
            connection.begin()  # and never commit: SQLite refuses that after having met a broken page
            for damage in content(connection):
                if damage.run_id is None:
                    raise _broken(path, damage)
                found.setdefault(damage.run_id, str(damage))
    finally:
        reader.dispose()
    return found


def _broken(path: Path, how: object) -> StoreError:
    return StoreError(f"{path} is damaged: {how}", remedy="go back to a backup of it")


def copy(source: sqlite3.Connection, path: Path) -> None:
    """Copy a database to a new file: complete, checked and on the disk before it gets its name."""
    partial = path.with_name(path.name + f".{os.getpid()}.partial")
    try:
        with explained(path), closing(sqlite3.connect(partial)) as target:
            source.backup(target, pages=_PAGES)
            target.execute("PRAGMA journal_mode = DELETE")
            message = target.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if message != "ok":
                raise StoreError(f"the store is damaged, and so its copy: {message}", remedy=SALVAGE)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.link(partial, path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}", remedy="name another place"
        ) from error
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            partial.with_name(partial.name + ending).unlink(missing_ok=True)
