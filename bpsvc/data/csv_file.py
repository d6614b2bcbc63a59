"""CSV files: a header line of column names, numeric features, a numeric or categorical target."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, Literal

import numpy as np

from bpsvc.data.csv_columns import Labels, Numbers, check_header, is_missing, places_of
from bpsvc.data.csv_rows import Block, CsvRows, Fault
from bpsvc.data.dataset import Dataset
from bpsvc.data.files import open_data, printable
from bpsvc.data.labels import number_of, ordered
from bpsvc.data.limits import check_size
from bpsvc.draws import Floats
from bpsvc.errors import DataError

TargetKind = Literal["auto", "number", "class"]

Reader = Callable[[Block, list[Fault]], Floats]
"""A block as numbers, and what is wrong with it."""

_FILE_BYTES: Final = 2**31
_FEATURE: Final = "name the numeric columns in features, or mend the cell"
_TEXT: Final = "leave it out of features, or write a column of 0 and 1 for each of its values"


def read_csv(
    path: str | Path,
    *,
    target: str | Sequence[str],
    features: Sequence[str] | None = None,
    delimiter: str = ",",
    target_kind: TargetKind = "auto",
) -> Dataset:
    """The data set in a CSV file (UTF-8, first line column names, decimal points).

    `target`: one column, or several of numbers. `features`: the numeric columns to use, by default all
    others, in this order. `target_kind` "class" takes every label as text; "auto" takes the target for
    classes when its first value is no number, and refuses a column that mixes both or lacks values (NA, ?).
    Classes are in the order of their labels (see `labels.ordered`).

    Raises DataError `file:line:column: cell …: rule; remedy` with the first cells that are wrong: nothing is
    skipped, filled in or guessed. Empty lines at the end are no rows.
    """
    targets = _target_names(target, target_kind)
    with open_data(path, most_bytes=_FILE_BYTES) as file:
        rows = CsvRows(file, printable(path), delimiter)
        check_header(rows)
        y_places = places_of(rows, targets, "target")
        names = [name for name in rows.header if name not in targets] if features is None else list(features)
        x_places = places_of(rows, names, "feature", taken=targets)
        if not names:
            raise rows.error(
                "there is no feature column", cell=0, remedy="a file needs one beside the target"
            )
        if both := [name for name in names if name in targets]:
            raise DataError(f"the column {both[0]!r} is both feature and target", remedy="name it once")
        blocks = rows.blocks()
        first = _first_block(rows, blocks)
        labels = _labels(rows, first, y_places, target_kind)
        read_y = _target_reader(rows, y_places, labels, target_kind)
        x, y = _tables(rows, chain([first], blocks), x_places, read_y)
        classes = None
        if labels is not None:
            y, classes = _in_order(rows, labels, y)
    return Dataset(x, y, tuple(names), targets, classes)


def _target_names(target: str | Sequence[str], kind: TargetKind) -> tuple[str, ...]:
    names = (target,) if isinstance(target, str) else tuple(target)
    if not names:
        raise DataError("target names no column", allowed="at least one")
    if kind not in ("auto", "number", "class"):
        raise DataError("target_kind", value=kind, allowed="auto, number or class")
    if kind == "class" and len(names) > 1:
        raise DataError(f"a target of classes is one column, not {len(names)}")
    return names


def read_rows(
    path: str | Path, *, features: Sequence[str], beside: Sequence[str] = (), delimiter: str = ","
) -> tuple[Floats, dict[str, list[str]]]:
    """New rows to predict: the features (N, I) of a CSV file, and as text those of the columns `beside` that
    it has. Raises as `read_csv`.
    """
    with open_data(path, most_bytes=_FILE_BYTES) as file:
        rows = CsvRows(file, printable(path), delimiter)
        check_header(rows)
        places = places_of(rows, features, "feature")
        texts: dict[str, list[str]] = {name: [] for name in beside if name in rows.header}

        def keep(block: Block, faults: list[Fault]) -> Floats:
            for name, cells in texts.items():
                place = rows.header.index(name)
                cells += [row[place].strip() for row in block.rows]
            return np.empty((len(block.rows), 0))

        blocks = rows.blocks()
        blocks = chain([_first_block(rows, blocks)], blocks)
        return _tables(rows, blocks, places, keep)[0], texts


def _first_block(rows: CsvRows, blocks: Iterable[Block]) -> Block:
    first = next(iter(blocks), None)
    if first is None:
        raise DataError(
            f"{rows.name}:2:1: there is no row below the header", remedy="a file needs at least one example"
        )
    return first


def _labels(rows: CsvRows, first: Block, places: Sequence[int], kind: TargetKind) -> Labels | None:
    """The collector of class labels, or None for numbers. The first cell with a value decides: a typo in a
    later one must not make classes of a column of numbers.
    """
    if len(places) > 1 or kind == "number":
        return None
    cell = next((row[places[0]] for row in first.rows if not is_missing(row[places[0]])), "")
    if kind == "auto" and (not cell or number_of(cell) is not None):
        return None
    return Labels(rows, places[0], text_only=kind == "auto")


def _target_reader(rows: CsvRows, places: Sequence[int], labels: Labels | None, kind: TargetKind) -> Reader:
    if labels is not None:
        return labels.block
    remedy = "mend the cell"
    if len(places) > 1:
        remedy = "several target columns are numbers; a target of classes is one column"
    elif kind == "auto":
        remedy = 'the first value is a number; for class labels set "target_kind": "class"'
    return Numbers(rows, places, remedy, remedy).block


def _tables(
    rows: CsvRows, blocks: Iterable[Block], x_places: Sequence[int], read_y: Reader
) -> tuple[Floats, Floats]:
    """x (N, I) and y (N, T), a block at a time so that the text never stands in memory as a whole."""
    x_parts, y_parts, count = [], [], 0
    read_x = Numbers(rows, x_places, _FEATURE, _TEXT).block
    for block in blocks:
        faults: list[Fault] = []
        x_parts.append(read_x(block, faults))
        y_parts.append(read_y(block, faults))
        rows.refuse(block, faults)
        count += len(block.rows)
        check_size(count, len(x_places) + y_parts[-1].shape[1], f"{rows.name}: the first {count:,} rows")
    return np.concatenate(x_parts), np.concatenate(y_parts)


def _in_order(rows: CsvRows, labels: Labels, y: Floats) -> tuple[Floats, tuple[str, ...]]:
    """Codes in the order of appearance -> codes in the order of the labels, with the classes."""
    try:
        classes = ordered(labels.codes)
    except DataError as error:
        what = f"{rows.name}: column {rows.header[labels.place]!r}: {error.what}"
        raise DataError(what, allowed=error.allowed, remedy=error.remedy) from error
    rank = np.empty(len(classes))
    rank[[labels.codes[label] for label in classes]] = np.arange(len(classes))
    return rank[y.astype(np.intp)], classes
