"""NPZ files (numpy.savez): arrays read with every declared size checked first, nothing unpickled."""

import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from bpsvc.data.dataset import Dataset
from bpsvc.data.files import open_data, printable
from bpsvc.data.labels import codes_of
from bpsvc.data.limits import PARSED_BYTES, check_exact, check_size
from bpsvc.data.names import numbered, shown
from bpsvc.data.npy_header import NpyHeader, read_header
from bpsvc.draws import Floats
from bpsvc.errors import DataError
from bpsvc.registry import did_you_mean

_FILE_BYTES: Final = 2 * PARSED_BYTES
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
)


def read_npz(path: str | Path, *, x: str = "x", y: str = "y") -> Dataset:
    """The data set in the arrays `x` (N, I) and `y` of an NPZ file; `y` is (N,) or (N, T) numbers, or (N,)
    labels as text.

    Raises DataError for a damaged file, an array that is not there, holds objects, or is larger (by its own
    declaration, before anything of it is read) than the limit, and for numbers that are not finite or not
    exact as float64.
    """
    name = printable(path)
    with open_data(path, most_bytes=_FILE_BYTES) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                tables = _read(archive, name, (x, y))
        except (*_DAMAGE, ValueError, OverflowError, OSError) as error:
            what = f"{name}: is no NPZ file, or a damaged one"
            raise DataError(
                what, remedy=f"write it with numpy.savez ({type(error).__name__}: {error})"
            ) from error
    inputs, outputs = tables
    if inputs.ndim != 2:
        raise DataError(
            f"{name}: {x!r} has shape {inputs.shape}", allowed="(examples, features)", remedy=_reshape(x)
        )
    if outputs.ndim not in (1, 2):
        raise DataError(
            f"{name}: {y!r} has shape {outputs.shape}", allowed="(examples,) or (examples, targets)"
        )
    try:
        return _dataset(inputs, outputs, x, y)
    except DataError as error:
        raise DataError(
            f"{name}: {error.what}", value=error.value, allowed=error.allowed, remedy=error.remedy
        ) from error


def _reshape(name: str) -> str:
    return f"reshape it, for one row an example: {name}.reshape(len({name}), -1)"


def _dataset(inputs: NDArray[Any], outputs: NDArray[Any], x: str, y: str) -> Dataset:
    numbers, classes = _floats(inputs, x), None
    if outputs.dtype.kind in "US":
        if outputs.ndim == 2 and outputs.shape[1] != 1:
            raise DataError(f"{y!r} has {outputs.shape[1]} columns of labels", allowed="one")
        targets, classes = codes_of(_texts(outputs.ravel(), y))
    else:
        targets = _floats(outputs, y).reshape(len(outputs), -1)
    return Dataset(
        numbers, targets, numbered("x", numbers.shape[1]), numbered("y", targets.shape[1]), classes
    )


def _read(archive: zipfile.ZipFile, name: str, keys: tuple[str, str]) -> list[NDArray[Any]]:
    """The two arrays; the sizes of both are checked before the data of either is read."""
    members = [_member(archive, name, key) for key in keys]
    total = 0
    for key, member in zip(keys, members, strict=True):
        with archive.open(member) as file:
            total += _check(read_header(file, f"{name}: {key!r}"), member, f"{name}: {key!r}")
    check_size(total, 1, f"{name}: the arrays {keys[0]!r} and {keys[1]!r}")
    arrays = []
    for member in members:
        with archive.open(member) as file:
            arrays.append(_array(file, read_header(file, name)))
    return arrays


def _member(archive: zipfile.ZipFile, name: str, key: str) -> zipfile.ZipInfo:
    names = [info.filename for info in archive.infolist()]
    keys = [file.removesuffix(".npy") for file in names if file.endswith(".npy")]
    if key not in keys:
        there = ", ".join(shown(known) for known in keys[:20]) + (", …" if len(keys) > 20 else "")
        raise DataError(
            f"{name}: there is no array {key!r}",
            allowed=there or "none: the file is empty",
            remedy=did_you_mean(key, keys),
        )
    if keys.count(key) > 1:
        raise DataError(f"{name}: the array {key!r} is there twice", remedy="write the file with numpy.savez")
    return archive.getinfo(f"{key}.npy")


def _check(header: NpyHeader, member: zipfile.ZipInfo, what: str) -> int:
    """How many float64 the array becomes; DataError when it is too large, or the archive's directory says
    otherwise.
    """
    if header.data_bytes > PARSED_BYTES:
        raise DataError(
            f"{what} of shape {header.shape} takes {header.data_bytes / 2**20:,.0f} MiB",
            allowed=f"at most {PARSED_BYTES // 2**20} MiB",
            remedy="use fewer examples or columns",
        )
    if header.header_bytes + header.data_bytes != member.file_size:
        raise DataError(
            f"{what} declares shape {header.shape} of {header.dtype}, {header.data_bytes:,} bytes",
            remedy=f"the archive holds {member.file_size:,}: the file is damaged",
        )
    if not header.data_bytes:
        raise DataError(f"{what} is empty (shape {header.shape})")
    return math.prod(header.shape)


def _array(file: IO[bytes], header: NpyHeader) -> NDArray[Any]:
    data = file.read(header.data_bytes)
    if len(data) != header.data_bytes or file.read(1):
        raise EOFError("the data are shorter or longer than declared")
    array = np.frombuffer(data, header.dtype)
    return array.reshape(header.shape, order="F" if header.fortran_order else "C")


def _floats(array: NDArray[Any], key: str) -> Floats:
    if array.dtype.kind not in "biuf":
        raise DataError(f"{key!r} holds text, not numbers")
    check_exact(array, repr(key))
    return array.astype(np.float64)


def _texts(array: NDArray[Any], key: str) -> list[str]:
    try:
        labels = array.tolist()
        return [label.decode() if isinstance(label, bytes) else label for label in labels]
    except (UnicodeError, ValueError) as error:
        raise DataError(f"{key!r} holds labels that are no text") from error
