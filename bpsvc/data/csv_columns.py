"""Columns of a CSV file: which ones are wanted, and from text to numbers and class codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bpsvc.data.csv_rows import Block, CsvRows, Fault
from bpsvc.data.labels import number_of
from bpsvc.data.limits import CLASSES
from bpsvc.data.names import fault_of, shown
from bpsvc.draws import Floats
from bpsvc.errors import DataError
from bpsvc.registry import did_you_mean

_MISSING: Final = frozenset(["", "nan", "na", "n/a", "null", "none", "?", "-", "#n/a"])
_OR_CLASS: Final = 'mend it, or set "target_kind": "class"'
_DELIMITERS: Final = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}


def places_of(rows: CsvRows, names: Sequence[str], role: str, taken: Sequence[str] = ()) -> list[int]:
    """Where the named columns stand in the header. DataError for a name that is not there, or there twice;
    those `taken` are not offered instead.
    """
    places = []
    for name in names:
        if name not in rows.header:
            raise _no_such_column(rows, name, role, taken)
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


def _no_such_column(rows: CsvRows, name: str, role: str, taken: Sequence[str]) -> DataError:
    free = [known for known in rows.header if known not in taken]
    shortened = ", ".join(free[:20]) + (", …" if len(free) > 20 else "")
    folded = {known.casefold(): known for known in free}
    remedy = did_you_mean(name, free)
    if name.strip().casefold() in folded:
        remedy = f"did you mean {folded[name.strip().casefold()]!r}?"
    if all(number_of(cell) is not None for cell in rows.header):
        remedy = "the first line is all numbers: a CSV file begins with a line of column names"
    has = "the file has beside the target" if taken else "the file has"
    return DataError(
        f"{rows.name}:1:1: there is no {role} column {shown(name)}; {has}: {shortened}", remedy=remedy
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


@dataclass(frozen=True)
class Numbers:
    """Columns of numbers: what else may be meant where a cell is none (`remedy`), and where none of a
    column's cells is one (`text`).
    """

    rows: CsvRows
    places: Sequence[int]
    remedy: str
    text: str

    def block(self, block: Block, faults: list[Fault]) -> Floats:
        """The cells of a block as numbers, shape (rows, columns); those that are none are `faults`."""
        table = np.zeros((len(block.rows), len(self.places)))
        for i, place in enumerate(self.places):
            cells = [row[place] for row in block.rows]
            numbers = floats(cells)
            if numbers is None:
                faults += self._faults(place, cells)
            else:
                table[:, i] = numbers
        return table

    def _faults(self, place: int, cells: Sequence[str]) -> list[Fault]:
        column = f"column {shown(self.rows.header[place])}"
        found = [(row, *number_fault(cell)) for row, cell in enumerate(cells) if floats([cell]) is None]
        if len(found) == len(cells) > 1 and not any(cure for _, _, cure in found):
            return [Fault(0, place, f"{column}: {found[0][1]}, nor is any other here", self.text)]
        return [Fault(row, place, f"{column}: {what}", cure or self.remedy) for row, what, cure in found]


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value: nothing, NA, ? and the like."""
    return cell.strip().casefold() in _MISSING


def number_fault(cell: str) -> tuple[str, str]:
    """Why a cell is no finite number, and what to do if that is plain."""
    text = cell.strip()
    if is_missing(text):
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
    """Codes of class labels in order of appearance; `text_only` refuses labels that are numbers, or that say
    that there is none.
    """

    rows: CsvRows
    place: int
    text_only: bool

    def __post_init__(self) -> None:
        self.codes: dict[str, int] = {}

    def block(self, block: Block, faults: list[Fault]) -> Floats:
        """Codes of the labels of one block, shape (rows, 1); what can be none is among the `faults`."""
        labels = [row[self.place].strip() for row in block.rows]
        column = shown(self.rows.header[self.place])
        for row, label in enumerate(labels):
            if label in self.codes:
                continue
            if len(self.codes) == CLASSES:
                what = f"column {column}: more than {CLASSES:,} different labels"
                faults.append(Fault(row, self.place, what, "is it an identifier? choose another target"))
                break
            what, remedy = self._wrong(label)
            if what:
                faults.append(Fault(row, self.place, f"column {column}: {what}", remedy))
            else:
                self.codes[label] = len(self.codes)
        return np.fromiter((self.codes.get(label, 0) for label in labels), np.float64, len(labels))[:, None]

    def _wrong(self, label: str) -> tuple[str, str]:
        """Why a text is no label, and what to do; empty when it is one."""
        if not label:
            return "cell '': the label is missing", "mend or remove the row"
        if fault := fault_of(label):
            return f"the label {shown(label)} {fault}", ""
        if self.text_only and is_missing(label):
            return f"cell {shown(label)}: the label is missing", _OR_CLASS
        if self.text_only and number_of(label) is not None:
            return f"cell {shown(label)}: a number among text labels", _OR_CLASS
        return "", ""
