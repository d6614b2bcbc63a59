"""The header of an NPY array, read without evaluating anything.

numpy's own reader evaluates the header as a Python literal and allocates what it declares; here three
patterns must match and every size is known before a byte of data is read. Format: numpy.lib.format,
versions 1.0 and 2.0.
"""

import math
import re
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np

from bpsvc.errors import DataError

_LONGEST: Final = 10_000
_QUOTED: Final = r"""\s*:\s*['"]([^'"]*)['"]"""
_DESCR: Final = re.compile(r"""['"]descr['"]""" + _QUOTED)
_ORDER: Final = re.compile(r"""['"]fortran_order['"]\s*:\s*(True|False)""")
_SHAPE: Final = re.compile(r"""['"]shape['"]\s*:\s*\(([\d\s,]*)\)""", re.ASCII)
_PLAIN: Final = re.compile(r"[<>|=]?([biufUS])(\d{1,9})", re.ASCII)


@dataclass(frozen=True)
class NpyHeader:
    """What an array declares of itself. `size` counts header and data in bytes."""

    dtype: np.dtype[Any]
    fortran_order: bool
    shape: tuple[int, ...]
    header_bytes: int

    @property
    def data_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes], what: str) -> NpyHeader:
    """The header at the start of `file`, which then stands at the data. `what` begins the sentence of a
    DataError.
    """
    start = file.read(8)
    if len(start) < 8 or start[:6] != b"\x93NUMPY":
        raise DataError(f"{what} is no NPY array", remedy="write the file with numpy.savez")
    if start[6] not in (1, 2):
        raise DataError(
            f"{what} is an NPY array of version {start[6]}", allowed="version 1 or 2 (plain numbers or text)"
        )
    length_bytes = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(length_bytes), "little")
    if length > _LONGEST:
        raise DataError(f"{what} has a header of {length:,} bytes", allowed=f"at most {_LONGEST:,}")
    text = file.read(length).decode("latin-1")
    descr, order, shape = _DESCR.search(text), _ORDER.search(text), _SHAPE.search(text)
    if len(text) < length or order is None or shape is None:
        raise DataError(f"{what} has a header that is cut or no NPY header")
    sizes = [size.strip() for size in shape[1].removesuffix(",").split(",")] if shape[1] else []
    if not all(size.isdecimal() and len(size) < 19 for size in sizes):
        raise DataError(f"{what} declares the shape ({shape[1][:40]}), which is none")
    return NpyHeader(
        _dtype(descr[1] if descr else "a record", what),
        order[1] == "True",
        tuple(int(size) for size in sizes),
        8 + length_bytes + length,
    )


def _dtype(descr: str, what: str) -> np.dtype[Any]:
    if descr.lstrip("<>|=").startswith("O"):
        raise DataError(
            f"{what} holds Python objects, which are never unpickled", remedy="save it as numbers or text"
        )
    plain = _PLAIN.fullmatch(descr)
    if plain is None or (plain[1] in "biuf" and int(plain[2]) > 8):
        raise DataError(
            f"{what} has the type {descr[:20]!r}",
            allowed="integers and floats of at most 64 bits, bool, or text",
        )
    try:
        return np.dtype(descr)
    except TypeError as error:
        raise DataError(f"{what} has the type {descr[:20]!r}, which numpy does not know") from error
