"""Bring an older store up to date: all of it or nothing, after a backup. The only module that uses
Alembic.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

import bpsvc
from bpsvc import faults
from bpsvc.errors import StoreError
from bpsvc.store import engine, files, schema
from bpsvc.store.failures import explained
from bpsvc.store.upkeep import copy


@dataclass(frozen=True)
class Upgrade:
    """From which schema to which, and where the backup is; None when there was nothing to do."""

    before: int
    after: int
    backup: Path | None


def upgrade(target: str | Path, *, timeout_s: float = engine.TIMEOUT_S) -> Upgrade:
    """Upgrade a store to this program's schema, once, even if several processes begin together.

    It is copied to `NAME.schema-N.backup` beside it first, and the copy checked. A store that is newer, or
    not ours, is refused.
    """
    path = files.locate(target)
    with engine.locked(path, timeout_s):
        header = files.examine(path)
        if header is None:
            raise StoreError(f"there is no store at {path}", remedy="--db or BPSVC_DB names another")
        if header.version >= schema.VERSION or header.application_id != schema.APPLICATION_ID:
            files.check_ours(path, header)
            return Upgrade(header.version, header.version, None)
        files.check_local(path)
        backup = _backup(path, header.version)
        faults.point("backup")
        _migrate(path, timeout_s)
        return Upgrade(header.version, schema.VERSION, backup)


def scripts() -> Path:
    """The folder of migrations: inside the package when it is installed, beside it in a checkout."""
    package = Path(bpsvc.__file__).parent
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run all migrations up to `revision` inside the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _backup(path: Path, version: int) -> Path:
    """A checked copy beside the store; one of an earlier attempt is left alone."""
    names = (path.with_name(f"{path.name}.schema-{version}.backup{n or ''}") for n in range(1000))
    target = next(name for name in names if not name.exists())
    with explained(path), closing(sqlite3.connect(files.uri(path, "ro"), uri=True)) as source:
        copy(source, target)
    return target


def _migrate(path: Path, timeout_s: float) -> None:
    writer = engine.writer(path, timeout_s)
    try:
        with explained(path), writer.connect() as connection:
            # Rebuilding a table must not delete what refers to it; what is left dangling is found below.
            connection.connection.execute("PRAGMA foreign_keys = OFF")
            with connection.begin():
                migrate(connection)
                faults.point("migrated")
                dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                broken = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
                if dangling or broken != "ok":
                    raise StoreError(
                        f"the upgrade would leave {path} damaged ({broken}, {len(dangling)} dangling rows)",
                        remedy="nothing was changed; report this, with the output of `bpsvc db info`",
                    )
    finally:
        writer.dispose()
