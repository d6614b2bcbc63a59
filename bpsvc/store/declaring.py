"""How tables are declared: STRICT, every constraint named, only the few column types that STRICT knows."""

from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, Table, text
from sqlalchemy.types import Integer, UserDefinedType

metadata = MetaData()


class Any_(UserDefinedType[Any]):
    """A number or a text, kept as it is: STRICT's type ANY."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "ANY"


def table(name: str, *parts: Any, rowid: bool = True, autoincrement: bool = False) -> Table:
    """A STRICT table: without `rowid` clustered by its key, with `autoincrement` no id is given twice."""
    return Table(
        name,
        metadata,
        *parts,
        sqlite_strict=True,
        sqlite_with_rowid=rowid,
        sqlite_autoincrement=autoincrement,
    )


def key(name: str, *columns: str) -> PrimaryKeyConstraint:
    """The primary key `pk_NAME`."""
    return PrimaryKeyConstraint(*columns, name=f"pk_{name}")


def within(name: str, column: str, other: str, *, cascade: bool = True) -> ForeignKeyConstraint:
    """The foreign key `fk_NAME_COLUMN` to another table's id; with `cascade` rows go with that one."""
    return ForeignKeyConstraint(
        [column], [f"{other}.id"], name=f"fk_{name}_{column}", ondelete="CASCADE" if cascade else None
    )


def needed(name: str, kind: Any = Integer, default: str | None = None) -> Column[Any]:
    """A column that is never null."""
    return Column(name, kind, nullable=False, server_default=None if default is None else text(default))
