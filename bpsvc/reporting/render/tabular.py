"""A DataFrame as CSV, Markdown and LaTeX, whatever its text says."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from bpsvc.inert import cell, visible

_ROWS: Final = 10_000  # at a time
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_LATEX: Final = {
    **{mark: "\\" + mark for mark in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "·": r"\,$\cdot$\,",
    "–": "--",
    "−": "$-$",
    "…": r"\ldots{}",
    "½": r"$\frac{1}{2}$",
    "⅓": r"$\frac{1}{3}$",
    "⅔": r"$\frac{2}{3}$",
}


def csv(frame: pd.DataFrame) -> Iterator[bytes]:
    """Some lines at a time: full precision, UTF-8, one header line, `\\n`; text cells and headings inert."""
    yield (",".join(_quoted(str(name)) for name in frame.columns) + "\n").encode()
    for start in range(0, len(frame), _ROWS):
        part = frame.iloc[start : start + _ROWS]
        columns = [_column(part.iloc[:, place]) for place in range(part.shape[1])]
        yield "".join(f"{line}\n" for line in map(",".join, zip(*columns, strict=True))).encode()


def _column(values: "pd.Series[Any]") -> list[str]:
    """The cells of a column. (pandas' own writer takes five times as long, which is felt at 200,000 rows.)"""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu":
        return list(map(str, values.tolist()))
    if isinstance(values.dtype, np.dtype) and values.dtype.kind == "f":
        cells = list(map(repr, values.tolist()))
        for place in np.flatnonzero(values.isna()).tolist():
            cells[place] = ""
        return cells
    codes, distinct = pd.factorize(values)
    cells = [*(_quoted(value) if isinstance(value, str) else _number(value) for value in distinct), ""]
    return [cells[code] for code in codes.tolist()]


def _number(value: object) -> str:
    return "" if value is None or value != value else repr(value) if isinstance(value, float) else str(value)


def _quoted(text: str) -> str:
    """Text made inert, in quotes where it needs them (RFC 4180)."""
    shown = str(cell(text))
    needs = any(mark in shown for mark in ',"\n\r')
    return '"' + shown.replace('"', '""') + '"' if needs else shown


def markdown(frame: pd.DataFrame) -> bytes:
    """A pipe table: text columns to the left, all others to the right."""
    rows = [[_escaped(value) for value in row] for row in _rows(frame)]
    rule = ["---" if place == 0 else "---:" for place in range(len(frame.columns))]
    return ("\n".join("| " + " | ".join(row) + " |" for row in (rows[0], rule, *rows[1:])) + "\n").encode()


def latex(frame: pd.DataFrame) -> bytes:
    """A `tabular` with booktabs rules, to be \\input where it is wanted."""
    head, *rows = ([_latexed(value) for value in row] for row in _rows(frame))
    columns = "l" + "r" * (len(frame.columns) - 1)
    lines = [
        "% \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        " & ".join(head) + r" \\",
        "\\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _rows(frame: pd.DataFrame) -> Iterable[Iterable[object]]:
    return [list(frame.columns), *frame.itertuples(index=False, name=None)]


def _one_line(value: object) -> str:
    return visible(" ".join(str(value).split()))


def _escaped(value: object) -> str:
    return _MARKDOWN.sub(r"\\\1", _one_line(value))


def _latexed(value: object) -> str:
    return "".join(_LATEX.get(character, character) for character in _one_line(value))
