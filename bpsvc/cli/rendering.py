"""Rows as text: a table for people; CSV, JSON and Markdown for programs. No stored text commands a terminal,
becomes a formula or markup (guarantee G13).
"""

import csv
import io
import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from bpsvc import inert
from bpsvc.cli.fitting import Column, breadth, fitted
from bpsvc.wording import plural

Row = Sequence[Any]
_MARKUP: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "\\|", "`": "\\`", "*": "\\*", "$": "\\$"}
_LONGEST_RULE: Final = 40


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    markdown = "markdown"


def render(columns: Sequence[str], rows: Sequence[Row], form: Format, *, width: int | None = None) -> str:
    """Rows as text in one of the forms, ending with a newline; a table wider than `width` keeps its chief
    columns and says how many are left out.
    """
    if form is Format.json:
        names = _told_apart(columns)
        return as_json([dict(zip(names, row, strict=True)) for row in rows], indent=1)
    if form is Format.csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(map(inert.cell, columns))
        writer.writerows(map(inert.cell, row) for row in rows)
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
    return inert.as_json(_plain(value), indent=indent) + "\n"


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
    all_ = [_column(i, head, [row[i] for row in rows]) for i, head in enumerate(columns)]
    kept, widths = (all_, [one.full for one in all_]) if width is None else fitted(all_, width)
    rules = list(widths)
    if width is None and kept and not kept[-1].numeric:  # a long text needs no long rule
        rules[-1] = min(widths[-1], max(breadth(kept[-1].head), _LONGEST_RULE))

    def line(row: Sequence[str]) -> str:
        parts = (_placed(cell, w, one.numeric) for cell, w, one in zip(row, widths, kept, strict=True))
        return "  ".join(parts).rstrip() + "\n"

    lines = [[one.head for one in kept], ["─" * rule for rule in rules]]
    lines += [[one.cells[i] for one in kept] for i in range(len(rows))]
    return "".join(map(line, lines)) + _left_out(all_, kept, width)


def _column(place: int, head: str, values: Sequence[Any]) -> Column:
    numeric = all(isinstance(value, int | float | None) for value in values)
    return Column(place, _shown(head), [_shown(value) for value in values], numeric)


def _left_out(columns: Sequence[Column], kept: Sequence[Column], width: int | None) -> str:
    """What to say of the columns that had no room."""
    places = {one.place for one in kept}
    names = [one.head for one in columns if one.place not in places]
    if not names:
        return ""
    more = f"… {plural(len(names), 'more column')}"
    told = f"{more} ({', '.join(names)}): --json"
    return f"{told if breadth(told) <= (width or 0) else f'{more}: --json'}\n"


def _placed(cell: str, width: int, right: bool) -> str:
    if breadth(cell) > width:
        kept = ""
        for c in cell:
            if breadth(kept + c) > width - 1:
                break
            kept += c
        cell = kept + "…"
    room = " " * (width - breadth(cell))
    return room + cell if right else cell + room


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
