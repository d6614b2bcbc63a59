"""A DataFrame as CSV, Markdown and LaTeX, whatever its text says."""

import re
from collections.abc import Iterable
from typing import Final

import pandas as pd

from bpsvc.report.names import cell, visible

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


def csv(frame: pd.DataFrame) -> bytes:
    """Full precision, UTF-8, one header line, `\\n`; text cells and headings made inert."""
    inert = frame.copy()
    for column in frame.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]]:
        cells = {value: cell(value) for value in frame[column].unique()}
        inert[column] = frame[column].map(cells)
    inert.columns = pd.Index([cell(str(name)) for name in frame.columns])
    return inert.to_csv(index=False, lineterminator="\n").encode()


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
