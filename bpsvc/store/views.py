"""The public views, kept as SQL in `views.sql`: dropped before the tables below them change, and made again
afterwards.
"""

from importlib.resources import files
from typing import Final

from sqlalchemy import Connection

_SEPARATOR: Final = "\n\n"


def create_views(connection: Connection) -> None:
    """Make every view, in the order of the file."""
    for statement in statements():
        connection.exec_driver_sql(statement)


def drop_views(connection: Connection) -> None:
    """Drop every view there is, whichever version of the file made it."""
    names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'view'").scalars().all()
    for name in names:
        connection.exec_driver_sql(f'DROP VIEW "{name}"')


def statements() -> tuple[str, ...]:
    """The CREATE VIEW statements, without the comments before them."""
    text = files("bpsvc.store").joinpath("views.sql").read_text(encoding="utf-8")
    blocks = (block.strip() for block in text.split(";" + _SEPARATOR))
    lines = (
        "\n".join(line for line in block.splitlines() if not line.startswith("--")).strip().rstrip(";")
        for block in blocks
    )
    return tuple(statement for statement in lines if statement)
