"""The data set: raw arrays with the names of their columns, known by the digest of their content.

Bytes: `BPSVCDS1`, the length of the header (8 bytes, little-endian), the header (JSON, sorted keys, ASCII),
x and y as raw little-endian float64, row by row. Nothing is ever pickled.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np

from bpsvc.data.limits import CLASSES, check_size
from bpsvc.data.names import check_names
from bpsvc.draws import Floats
from bpsvc.errors import DataError

_MAGIC: Final = b"BPSVCDS1"
_HEADER_BYTES: Final = 64 * 2**20

Kind = Literal["binary", "classes", "real"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """N examples: `x` (N, I) as read, unscaled; `y` (N, T) numbers, or (N, 1) class codes 0 … k−1 when
    `classes` is given.

    The arrays are copied, made read-only, and −0 becomes 0. Two data sets are equal when their digests are.
    `truth_table` says where the data come from (every case of a Boolean function, so that accuracy 1 is
    success); it is no part of the content. Raises DataError for shapes that do not fit, numbers that are
    not finite, names that are not printable or not different, and codes without a class.
    """

    x: Floats
    y: Floats
    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None = None
    truth_table: bool = False

    def __post_init__(self) -> None:
        for name, array, columns, what in (
            ("x", self.x, self.features, "feature"),
            ("y", self.y, self.targets, "target"),
        ):
            object.__setattr__(self, name, _table(name, array, tuple(columns), what))
            object.__setattr__(self, what + "s", tuple(columns))
        check_names([*self.features, *self.targets], "column")
        if len(self.x) != len(self.y):
            raise DataError(f"x has {len(self.x)} examples, y has {len(self.y)}")
        check_size(len(self.x), self.inputs + len(self.targets), "the data")
        if self.classes is not None:
            object.__setattr__(self, "classes", tuple(self.classes))
            _check_classes(self.y, self.classes)

    @property
    def examples(self) -> int:
        """N."""
        return len(self.x)

    @property
    def inputs(self) -> int:
        """I, the number of features."""
        return len(self.features)

    @cached_property
    def kind(self) -> Kind:
        """`classes` with class names, `binary` when every target is 0 or 1, else `real`."""
        if self.classes is not None:
            return "classes"
        return "binary" if bool(np.all((self.y == 0.0) | (self.y == 1.0))) else "real"

    @cached_property
    def digest(self) -> str:
        """sha256 (hex) of the content: names, classes and both arrays; the same on every machine."""
        sha = hashlib.sha256()
        for part in self._parts(self._header()):
            sha.update(part)
        return sha.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def to_bytes(self) -> bytes:
        """Everything, `truth_table` included; `Dataset.from_bytes` gives it back bit for bit."""
        return b"".join(self._parts({**self._header(), "truth_table": self.truth_table}))

    @staticmethod
    def from_bytes(data: bytes) -> "Dataset":
        """The data set that `to_bytes` wrote; DataError when the bytes are anything else."""
        try:
            return _parse(data)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError("the stored data set is damaged", remedy=f"({error})") from error

    def _header(self) -> dict[str, Any]:
        return {
            "examples": self.examples,
            "features": list(self.features),
            "targets": list(self.targets),
            "classes": None if self.classes is None else list(self.classes),
        }

    def _parts(self, header: dict[str, Any]) -> Iterator[bytes | memoryview]:
        text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode("ascii")
        yield _MAGIC + len(text).to_bytes(8, "little") + text
        for array in (self.x, self.y):
            yield array.astype("<f8", copy=False).data.cast("B")


def _table(name: str, array: Floats, columns: tuple[str, ...], what: str) -> Floats:
    """A read-only copy of shape (N, len(columns)) in row order, with 0 for −0."""
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} holds {array.dtype}, not numbers")
    if array.ndim != 2 or array.shape[1] != len(columns) or not array.size:
        raise DataError(
            f"{name} has shape {array.shape} and {len(columns)} {what} names",
            allowed=f"(examples, {what}s) with at least one of each",
        )
    check_size(array.shape[0], array.shape[1], name)
    table: Floats = np.add(array, 0.0, order="C", dtype=np.float64)
    finite = np.isfinite(table)
    if not finite.all():
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        where = f"{name}, example {row + 1}, {what} {columns[column]!r}"
        raise DataError(f"{where}: {table[row, column]} is not a finite number")
    table.flags.writeable = False
    return table


def _check_classes(y: Floats, classes: tuple[str, ...]) -> None:
    check_names(classes, "class")
    if not 2 <= len(classes) <= CLASSES:
        raise DataError(f"the target has {len(classes):,} classes", allowed=f"2 to {CLASSES:,} classes")
    if y.shape[1] != 1:
        raise DataError(f"a target with classes is one column, not {y.shape[1]}")
    if not bool(np.all((y == np.floor(y)) & (y >= 0) & (y < len(classes)))):
        raise DataError("a class code is no index into the classes", allowed=f"0 to {len(classes) - 1}")


def _parse(data: bytes) -> Dataset:
    start = len(_MAGIC) + 8
    if data[: len(_MAGIC)] != _MAGIC or len(data) < start:
        raise ValueError("it does not begin as one")
    length = int.from_bytes(data[len(_MAGIC) : start], "little")
    if length > min(_HEADER_BYTES, len(data) - start):
        raise ValueError("its header is cut")
    header = json.loads(data[start : start + length].decode("ascii"))
    columns = {what: tuple(_texts(header[what])) for what in ("features", "targets")}
    classes = None if header["classes"] is None else tuple(_texts(header["classes"]))
    truth_table, examples = header["truth_table"], header["examples"]
    if type(truth_table) is not bool or type(examples) is not int or examples < 1:
        raise ValueError("its header is not one")
    shapes = [(examples, len(columns["features"])), (examples, len(columns["targets"]))]
    if len(data) - start - length != 8 * sum(math.prod(shape) for shape in shapes):
        raise ValueError("it is cut or has bytes left over")
    arrays, at = [], start + length
    for shape in shapes:
        arrays.append(np.frombuffer(data, "<f8", math.prod(shape), at).reshape(shape))
        at += 8 * math.prod(shape)
    return Dataset(arrays[0], arrays[1], columns["features"], columns["targets"], classes, truth_table)


def _texts(values: list[Any]) -> list[str]:
    if type(values) is not list or not all(type(value) is str for value in values):
        raise ValueError("its header holds names that are no text")
    return values
