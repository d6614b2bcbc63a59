"""Rows of a public relation into a file, batch by batch: CSV, JSON lines or Parquet."""

import contextlib
import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bpsvc.errors import UsageError
from bpsvc.inert import as_json, cell
from bpsvc.registry import Table
from bpsvc.store import Relation

Rows = Sequence[tuple[Any, ...]]
Write = Callable[[Rows], None]


@dataclass(frozen=True)
class Form:
    """A file format; `writer` opens a file for a relation and gives a function that appends rows."""

    name: str
    writer: Callable[[Path, Relation], AbstractContextManager[Write]]
    also_called: tuple[str, ...] = ()


@contextlib.contextmanager
def _csv(path: Path, relation: Relation) -> Iterator[Write]:
    """UTF-8, one heading, `\\n`; null is an empty cell, numbers have the digits that give them back exactly.

    Text is inert: no formula to a spreadsheet, no command to a terminal.
    """
    texts = [i for i, column in enumerate(relation.columns) if column.kind in ("TEXT", "ANY")]

    def quiet(row: tuple[Any, ...]) -> list[Any]:
        cells = list(row)
        for i in texts:
            cells[i] = cell(cells[i])
        return cells

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(relation.names)
        yield lambda rows: writer.writerows(map(quiet, rows) if texts else rows)


@contextlib.contextmanager
def _jsonl(path: Path, relation: Relation) -> Iterator[Write]:
    """One object a line, in UTF-8; what is JSON in the store stays text."""
    names = relation.names
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def write(rows: Rows) -> None:
            for row in rows:
                file.write(as_json(dict(zip(names, row, strict=True))) + "\n")

        yield write


@contextlib.contextmanager
def _parquet(path: Path, relation: Relation) -> Iterator[Write]:
    """Typed columns, each with its meaning; a row group a batch.

    A Parquet column has one type: `factors.value` is text, and `value_number` the number where it is one.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed",
            remedy="pip install 'bpsvc[parquet]', or choose --format csv or jsonl",
        ) from None
    kinds = {"INTEGER": pyarrow.int64(), "REAL": pyarrow.float64()}
    mixed = [i for i, column in enumerate(relation.columns) if column.kind == "ANY"]
    fields = [
        pyarrow.field(
            column.name,
            kinds.get(column.kind, pyarrow.string()),
            nullable=column.nullable,
            metadata={"description": column.meaning},
        )
        for column in relation.columns
    ]
    fields += [pyarrow.field(f"{relation.names[i]}_number", pyarrow.float64()) for i in mixed]
    schema = pyarrow.schema(fields)

    def write(rows: Rows) -> None:
        columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
        for i in mixed:
            values = columns[i]
            columns.append([float(v) if isinstance(v, int | float) else None for v in values])
            columns[i] = [None if value is None else str(value) for value in values]
        arrays = [
            pyarrow.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)
        ]
        writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))

    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        yield write


FORMS: Final = Table("export format", [Form("csv", _csv), Form("jsonl", _jsonl), Form("parquet", _parquet)])
