"""From a cursor to pandas: types by the catalogue, numbers without a detour."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bpsvc.store.catalog import PUBLIC, PublicColumn

if TYPE_CHECKING:  # pandas takes long to load, and few commands need it
    import pandas as pd

_CHUNK: Final = 65_536

Parameters = Mapping[str, Any]


def frame(cursor: sqlite3.Cursor, sql: str, parameters: Parameters, relation: str) -> "pd.DataFrame":
    """The rows of a query whose columns are those of a public relation, perhaps with others beside them.

    Integers are int64, or float64 with NaN where they may be null; reals float64 with NaN; texts are objects
    with None.
    """
    import pandas as pd

    cursor.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    table = pd.DataFrame(cursor.fetchall(), columns=names, dtype=object)
    kinds = {column.name: column for column in PUBLIC[relation].columns}
    return table.astype({name: _dtype(kinds[name]) for name in names if name in kinds})


def numbers(
    cursor: sqlite3.Cursor, sql: str, parameters: Parameters, integers: Sequence[str]
) -> "pd.DataFrame":
    """The rows of a query that gives numbers only: `integers` as int64, the rest as float64 with NaN for
    null.
    """
    import pandas as pd

    cursor.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    chunks = []
    while rows := cursor.fetchmany(_CHUNK):
        chunks.append(np.array(rows, dtype=np.float64))
    values = np.concatenate(chunks) if chunks else np.empty((0, len(names)))
    columns = {
        name: values[:, i].astype(np.int64) if name in integers else values[:, i].copy()
        for i, name in enumerate(names)
    }
    return pd.DataFrame(columns)


def _dtype(column: PublicColumn) -> str:
    if column.kind in ("TEXT", "ANY"):
        return "object"
    return "int64" if column.kind == "INTEGER" and not column.nullable else "float64"
