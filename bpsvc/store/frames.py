"""From a cursor to pandas: types by the catalogue, numbers without a detour."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bpsvc.store.catalog import PUBLIC, PublicColumn

if TYPE_CHECKING:  # pandas takes long to load, and few commands need it
    import pandas as pd

_CHUNK: Final = 4096

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


def numbers(rows: Iterable[Sequence[Any]], columns: Sequence[str], integers: Sequence[str]) -> "pd.DataFrame":
    """Rows of numbers under the names of their `columns`: `integers` as int64, the rest as float64 with NaN
    for null.
    """
    import pandas as pd

    rows, width, count = iter(rows), len(columns), 0
    table = {name: np.empty(_CHUNK, np.int64 if name in integers else np.float64) for name in columns}
    while chunk := list(islice(rows, _CHUNK)):
        flat = np.fromiter(chain.from_iterable(chunk), np.float64, len(chunk) * width)
        before, count = count, count + len(chunk)
        for place, column in enumerate(table.values()):
            if count > column.size:  # Grown in its place: what is large is never there twice.
                column.resize(max(count, column.size * 5 // 4), refcheck=False)
            column[before:count] = flat[place::width]
    for column in table.values():
        column.resize(count, refcheck=False)
    return pd.DataFrame(table, copy=False)


def _dtype(column: PublicColumn) -> str:
    if column.kind in ("TEXT", "ANY"):
        return "object"
    return "int64" if column.kind == "INTEGER" and not column.nullable else "float64"
