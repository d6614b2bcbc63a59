"""What lies at the place of a store, found out without touching it.

The first hundred bytes of an SQLite file carry its application id and our schema number. They are read from
the file itself; only where a write-ahead log lies beside it, so that they may be out of date, is SQLite asked
(read-only).
"""

import os
import sqlite3
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bpsvc.errors import StoreError
from bpsvc.store import schema
from bpsvc.store.failures import explained
from bpsvc.store.place import OTHER as _OTHER
from bpsvc.store.place import locate

_MAGIC: Final = b"SQLite format 3\x00"
_HEADER_BYTES: Final = 100
_NETWORK: Final = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "ceph",
    "gluster",
    "lustre",
    "fuse.sshfs",
    "fuse.s3fs",
    "gpfs",
)
__all__ = ["Header", "check_local", "check_ours", "examine", "filesystem", "locate", "uri"]


@dataclass(frozen=True)
class Header:
    """What the file says of itself: whether it holds anything, whose it is, and its schema number."""

    blank: bool
    application_id: int
    version: int


def uri(path: Path, mode: str) -> str:
    """The SQLite URI of a file, to be opened read-only (`ro`) or for writing (`rw`, `rwc`)."""
    text = f"file:{quote(str(path))}?mode={mode}"
    # Even a reader of a write-ahead log wants to write beside it. Where it may not, and there is no log, no
    # one else writes either: SQLite may take the file for one that does not change. What it writes beside a
    # file that may only be read may only be read, too, and would stand in the way later.
    may = os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)
    if mode == "ro" and not may and not _log(path).exists():
        text += "&immutable=1"
    return text


def examine(path: Path) -> Header | None:
    """The header of what lies at `path`, or None when nothing does; StoreError when it can be no store at
    all.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be looked at: {error.strerror}", remedy=_OTHER) from error
    if stat.S_ISDIR(status.st_mode):
        raise StoreError(f"{path} is a folder, not a store", remedy=f"name a file in it: {path / 'bpsvc.db'}")
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path} is not an ordinary file", remedy=_OTHER)
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}", remedy=_OTHER) from error
    if not head:
        return Header(blank=True, application_id=0, version=0)
    if len(head) < _HEADER_BYTES or not head.startswith(_MAGIC):
        raise StoreError(f"{path} is not a SQLite database", remedy=_OTHER)
    if _log(path).exists():
        return _ask(path)
    pages = int.from_bytes(head[28:32], "big")
    application_id, version = int.from_bytes(head[68:72], "big"), int.from_bytes(head[60:64], "big")
    return Header(
        blank=pages <= 1 and not application_id and not version,
        application_id=application_id,
        version=version,
    )


def check_ours(path: Path, header: Header) -> None:
    """StoreError unless the file is a store of exactly this schema."""
    if header.blank:
        raise StoreError(f"{path} is empty: no store yet", remedy="`bpsvc submit SPEC` makes it one")
    if header.application_id != schema.APPLICATION_ID:
        raise StoreError(f"{path} is a SQLite database of another program", remedy=_OTHER)
    if header.version > schema.VERSION:
        raise StoreError(
            f"{path} was written by a newer bpsvc (schema {header.version}; this one: {schema.VERSION})",
            remedy="install the newer bpsvc, or " + _OTHER,
        )
    if header.version < schema.VERSION:
        raise StoreError(
            f"{path} was written by an older bpsvc (schema {header.version}; this one: {schema.VERSION})",
            remedy="`bpsvc db upgrade` brings it up to date, after a backup",
        )


def check_local(path: Path) -> None:
    """StoreError when the file system is a network's: write-ahead logging does not work there."""
    kind = filesystem(path)
    if kind.startswith(_NETWORK):
        raise StoreError(
            f"{path} is on a network file system ({kind}), where SQLite's write-ahead log loses data",
            remedy="keep the store on a local disk and copy it with `bpsvc db backup`",
        )


def filesystem(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The type of the file system that `path` is or would be on (`ext4`, `nfs4` …); empty where it cannot be
    told.
    """
    try:
        table = [line.split() for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    real = path.resolve()
    best: tuple[int, str] = (-1, "")
    for entry in table:
        if len(entry) > 2:
            point = Path(entry[1].replace("\\040", " "))
            if real.is_relative_to(point):
                best = max(best, (len(point.parts), entry[2]), key=lambda found: found[0])
    return best[1]


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _ask(path: Path) -> Header:
    with explained(path):
        connection = sqlite3.connect(uri(path, "ro"), uri=True, isolation_level=None)
        try:
            connection.execute("BEGIN")  # all of one state: somebody may be making the store
            values = [
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version")
            ]
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        finally:
            connection.close()
    return Header(blank=not tables and not any(values), application_id=values[0], version=values[1])
