"""How rows are printed: a table for people; CSV, JSON and Markdown for programs. Data goes to stdout, all
else to stderr.
"""

import csv
import io
import json
import math
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, TextIO

Row = Sequence[Any]
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    markdown = "markdown"


def say(message: str) -> None:
    """A line for the person at the terminal."""
    print(message, file=sys.stderr, flush=True)


def print_rows(columns: Sequence[str], rows: Sequence[Row], form: Format = Format.table) -> None:
    """Print rows to stdout in the chosen form."""
    sys.stdout.write(render(columns, rows, form))


def print_json(value: Any) -> None:
    """Print a value as JSON; numbers that are not finite become null."""
    sys.stdout.write(json.dumps(_finite(value), indent=2, ensure_ascii=False, default=str) + "\n")


def render(columns: Sequence[str], rows: Sequence[Row], form: Format) -> str:
    """Rows as text in one of the forms, ending with a newline."""
    if form is Format.json:
        objects = [dict(zip(columns, map(_finite, row), strict=True)) for row in rows]
        return json.dumps(objects, indent=1, ensure_ascii=False, default=str) + "\n"
    if form is Format.csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(map(_inert, columns))
        writer.writerows([_inert(cell) for cell in row] for row in rows)
        return text.getvalue()
    if form is Format.markdown:
        lines = [[_shown(cell).replace("|", "\\|") for cell in row] for row in (columns, *rows)]
        lines.insert(1, ["---"] * len(columns))
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return _table(columns, rows)


def _table(columns: Sequence[str], rows: Sequence[Row]) -> str:
    cells = [[_shown(cell) for cell in row] for row in rows]
    numeric = [all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(columns))]
    widths = [max(len(line[i]) for line in (columns, *cells)) for i in range(len(columns))]

    def line(row: Sequence[str]) -> str:
        parts = zip(row, widths, numeric, strict=True)
        return "  ".join(c.rjust(w) if right else c.ljust(w) for c, w, right in parts).rstrip() + "\n"

    return line(list(columns)) + line(["─" * width for width in widths]) + "".join(map(line, cells))


def _shown(cell: Any) -> str:
    """A cell for people: short numbers, and no control characters that could command a terminal."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.6g}"
    return "".join(c if c.isprintable() else "�" for c in str(cell))


def _inert(cell: Any) -> Any:
    """A CSV cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody is looking."""
    return stream.isatty()
