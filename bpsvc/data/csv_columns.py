"""Columns of a CSV file: which ones are wanted, and from text to numbers and class codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bpsvc.data.csv_rows import Block, CsvRows
from bpsvc.data.labels import number_of
from bpsvc.data.limits import CLASSES
from bpsvc.data.names import fault_of, shown
from bpsvc.draws import Floats
from bpsvc.errors import DataError
from bpsvc.registry import did_you_mean

_MISSING: Final = frozenset(["", "nan", "na", "n/a", "null", "none", "?", "-", "#n/a"])
_DELIMITERS: Final = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}


def places_of(rows: CsvRows, names: Sequence[str], role: str) -> list[int]:
    """Where the named columns stand in the header. DataError for a name that is not there, or there twice."""
    places = []
    for name in names:
        if name not in rows.header:
            raise _no_such_column(rows, name, role)
        if rows.header.count(name) > 1 or list(names).count(name) > 1:
            raise rows.error(f"the {role} column {shown(name)} is named twice", cell=rows.header.index(name))
        places.append(rows.header.index(name))
    return places


def check_header(rows: CsvRows) -> None:
    """DataError at the first column name that is empty, unprintable or there before, and for a header that
    another delimiter would divide.
    """
    other = next((sign for sign in _DELIMITERS if sign != rows.delimiter and sign in rows.header[0]), None)
    if len(rows.header) == 1 and other is not None:
        raise rows.error(
            f"the whole header is one column, {shown(rows.header[0])}",
            cell=0,
            remedy=f"does the file use {_DELIMITERS[other]}? set the delimiter of `data`, or write "
            f"{_DELIMITERS.get(rows.delimiter, shown(rows.delimiter))}",
        )
    for i, name in enumerate(rows.header):
        if not name:
            raise rows.error(
                f"column {i + 1} has no name",
                cell=i,
                remedy="name it or remove it (pandas: to_csv(…, index=False))",
            )
        if fault := fault_of(name):
            raise rows.error(f"the column name {shown(name)} {fault}", cell=i)
    seen: dict[str, int] = {}
    for i, name in enumerate(rows.header):
        if name in seen:
            raise rows.error(
                f"the column {shown(name)} appears twice (columns {seen[name] + 1} and {i + 1})",
                cell=i,
                remedy="rename one",
            )
        seen[name] = i


def _no_such_column(rows: CsvRows, name: str, role: str) -> DataError:
    shortened = ", ".join(rows.header[:20]) + (", …" if len(rows.header) > 20 else "")
    folded = {known.casefold(): known for known in rows.header}
    remedy = did_you_mean(name, rows.header)
    if name.strip().casefold() in folded:
        remedy = f"did you mean {folded[name.strip().casefold()]!r}?"
    if all(number_of(cell) is not None for cell in rows.header):
        remedy = "the first line is all numbers: a CSV file begins with a line of column names"
    return DataError(
        f"{rows.name}:1:1: there is no {role} column {shown(name)}", allowed=shortened, remedy=remedy
    )


def floats(cells: Sequence[str]) -> Floats | None:
    """The cells as finite numbers, shape (N,), or None when one of them is not."""
    text = "".join(cells)
    try:
        if "_" in text or not text.isascii():  # float() would take 1_000 and Arabic digits
            values = [number_of(cell) for cell in cells]
            if None in values:
                return None
            numbers = np.array(values, dtype=np.float64)
        else:
            numbers = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return numbers if bool(np.isfinite(numbers).all()) else None


def number_block(rows: CsvRows, block: Block, places: Sequence[int], remedy: str) -> Floats:
    """The cells of a block at `places` as numbers, shape (rows, len(places)). DataError at the first that
    is none; `remedy` is what else might be meant.
    """
    table = np.empty((len(block.rows), len(places)))
    for i, place in enumerate(places):
        numbers = floats([row[place] for row in block.rows])
        if numbers is None:
            raise _first_bad(rows, block, places, remedy)
        table[:, i] = numbers
    return table


def _first_bad(rows: CsvRows, block: Block, places: Sequence[int], remedy: str) -> DataError:
    row, place = next(
        (r, p)
        for r, cells in enumerate(block.rows)
        for p in sorted(places)
        if (number := number_of(cells[p])) is None or not np.isfinite(number)
    )
    what, cure = number_fault(block.rows[row][place])
    return rows.error(
        f"column {shown(rows.header[place])}: {what}", cell=place, row=row, block=block, remedy=cure or remedy
    )


def number_fault(cell: str) -> tuple[str, str]:
    """Why a cell is no finite number, and what to do if that is plain."""
    text = cell.strip()
    if text.casefold() in _MISSING:
        return (
            f"cell {shown(cell)}: the value is missing",
            "missing values are not filled in: mend or remove the row",
        )
    if number_of(text) is not None:
        return f"cell {shown(cell)}: not a finite number", "mend or remove the row"
    if number_of(text.replace(",", ".")) is not None:
        return f"cell {shown(cell)}: not a number", "write a decimal point: 1.5, not 1,5"
    return f"cell {shown(cell)}: not a number", ""


@dataclass
class Labels:
    """Codes of class labels in order of appearance; `text_only` refuses labels that are numbers."""

    place: int
    text_only: bool

    def __post_init__(self) -> None:
        self.codes: dict[str, int] = {}

    def block(self, rows: CsvRows, block: Block) -> Floats:
        """Codes of the labels of one block, shape (rows, 1)."""
        labels = [row[self.place].strip() for row in block.rows]
        for row, label in enumerate(labels):
            if label not in self.codes:
                self._add(rows, block, row, label)
        return np.fromiter((self.codes[label] for label in labels), np.float64, len(labels))[:, None]

    def _add(self, rows: CsvRows, block: Block, row: int, label: str) -> None:
        what = remedy = ""
        if not label:
            what, remedy = "cell '': the label is missing", "mend or remove the row"
        elif fault := fault_of(label):
            what = f"the label {shown(label)} {fault}"
        elif self.text_only and number_of(label) is not None:
            what, remedy = (
                f"cell {shown(label)}: a number among text labels",
                'mend it, or set "target_kind": "class"',
            )
        elif len(self.codes) == CLASSES:
            what = f"more than {CLASSES:,} different labels"
            remedy = "is it an identifier? choose another target"
        if what:
            column = shown(rows.header[self.place])
            raise rows.error(f"column {column}: {what}", cell=self.place, row=row, block=block, remedy=remedy)
        self.codes[label] = len(self.codes)
