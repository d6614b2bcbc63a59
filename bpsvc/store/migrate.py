"""Bring an older store up to date: all of it or nothing, after a backup. The only module that imports
Alembic.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

import bpsvc


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
