"""Opening: a store of our schema is there, or is made now, or what is there instead is refused untouched."""

from pathlib import Path
from typing import Literal

from bpsvc.errors import StoreError
from bpsvc.store import engine, files, schema
from bpsvc.store.failures import explained

Mode = Literal["read", "write", "create"]


def prepare(path: Path, mode: Mode, timeout_s: float) -> None:
    """See that a store of our schema is at `path`, made now if the mode says so."""
    header = files.examine(path)
    if mode != "read":
        files.check_local(path)
    if header is None or header.blank:
        if mode == "create":
            _create(path, timeout_s)
            return
        if header is None:
            raise StoreError(
                f"there is no store at {path}", remedy="`bpsvc submit SPEC` makes one; --db names another"
            )
    files.check_ours(path, header)


def identity(path: Path) -> tuple[int, int] | None:
    """Which file this is, whatever its name: device and inode; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _create(path: Path, timeout_s: float) -> None:
    if not path.parent.is_dir():
        raise StoreError(
            f"there is no folder {path.parent} to make a store in", remedy="make it, or name another"
        )
    with engine.locked(path, timeout_s), explained(path):
        header = files.examine(path)
        if header is not None and not header.blank:
            files.check_ours(path, header)
            return
        path.touch()
        maker = engine.writer(path, timeout_s)
        try:
            with maker.begin() as connection:
                schema.create(connection)
            with maker.connect() as connection:
                connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            maker.dispose()
