"""Rows as text: a table for people; CSV, JSON and Markdown for programs. No stored text commands a terminal,
becomes a formula or markup (guarantee G13).
"""

import csv
import io
import json
import math
import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

Row = Sequence[Any]
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_MARKUP: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "\\|", "`": "\\`", "*": "\\*", "$": "\\$"}
_NARROWEST: Final = 8
_CONTROL: Final = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""What JSON need not escape, and a terminal or editor may obey."""


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    markdown = "markdown"


def render(columns: Sequence[str], rows: Sequence[Row], form: Format, *, width: int | None = None) -> str:
    """Rows as text in one of the forms, ending with a newline; a table fits `width` characters if it can."""
    if form is Format.json:
        names = _told_apart(columns)
        return as_json([dict(zip(names, row, strict=True)) for row in rows], indent=1)
    if form is Format.csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(map(_inert, columns))
        writer.writerows([_inert(cell) for cell in row] for row in rows)
        return text.getvalue()
    if form is Format.markdown:
        lines = [[_unmarked(_shown(cell)) for cell in row] for row in (columns, *rows)]
        lines.insert(1, ["---"] * len(columns))
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return _table(columns, rows, width)


def as_json(value: Any, *, indent: int) -> str:
    """A value as JSON, ending with a newline: what is not finite is null, bytes are hex digits, and
    characters that could command a terminal are escaped.
    """
    text = json.dumps(_plain(value), indent=indent, ensure_ascii=False, default=str)
    return _CONTROL.sub(lambda found: json.dumps(found[0])[1:-1], text) + "\n"


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names, with `_2`, `_3` … where one comes again: an object of JSON has each once."""
    found: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in found:
            number += 1
            candidate = f"{name}_{number}"
        found.append(candidate)
    return found


def _table(columns: Sequence[str], rows: Sequence[Row], width: int | None) -> str:
    cells = [[_shown(cell) for cell in row] for row in rows]
    heads = [_shown(column) for column in columns]
    numeric = [all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(columns))]
    widths = [max(_width(line[i]) for line in (heads, *cells)) for i in range(len(columns))]
    if width is not None:
        widths = _fitting(widths, numeric, width - 2 * (len(widths) - 1))

    def line(row: Sequence[str]) -> str:
        parts = (_placed(*part) for part in zip(row, widths, numeric, strict=True))
        return "  ".join(parts).rstrip() + "\n"

    return line(heads) + line(["─" * width for width in widths]) + "".join(map(line, cells))


def _fitting(widths: list[int], numeric: list[bool], room: int) -> list[int]:
    """The widths of columns with the widest texts cut until all fit, if cutting texts is enough."""
    widths = [w if right else min(w, max(room, _NARROWEST)) for w, right in zip(widths, numeric, strict=True)]
    texts = [i for i, right in enumerate(numeric) if not right]
    while sum(widths) > room and texts:
        widest = max(texts, key=lambda i: widths[i])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _placed(cell: str, width: int, right: bool) -> str:
    if _width(cell) > width:
        kept = ""
        for c in cell:
            if _width(kept + c) > width - 1:
                break
            kept += c
        cell = kept + "…"
    room = " " * (width - _width(cell))
    return room + cell if right else cell + room


def _width(text: str) -> int:
    """The columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _shown(cell: Any) -> str:
    """A cell for people: short numbers, and no control characters that could command a terminal."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.6g}"
    if isinstance(cell, bytes):
        return cell.hex()
    return harmless(str(cell))


def harmless(text: str) -> str:
    """A line without characters that could command a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)


def _unmarked(text: str) -> str:
    """A text that Markdown shows as it is."""
    escaped = "".join(_MARKUP.get(c, c) for c in text.replace("\\", "\\\\"))
    return escaped.replace("](", "]\\(").replace("][", "]\\[")


def _inert(cell: Any) -> Any:
    """A CSV cell that no spreadsheet takes for a formula and no terminal for a command."""
    if isinstance(cell, bytes):
        return cell.hex()
    if not isinstance(cell, str):
        return cell
    if not cell.isprintable():
        cell = "".join(c if c.isprintable() or c in "\n\t\r" else "�" for c in cell)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
