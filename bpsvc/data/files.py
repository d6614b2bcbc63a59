"""Opening a data file: only regular files, and every way it can fail told in one sentence."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bpsvc.errors import DataError
from bpsvc.registry import did_you_mean


@contextmanager
def open_data(path: str | Path, *, most_bytes: int) -> Iterator[BinaryIO]:
    """The file at `path` for reading bytes. DataError when it is missing, no regular file, unreadable or
    too large.

    A FIFO or device is refused before it is opened (opening would wait for a writer, or read for ever), and
    looked at once more through the open descriptor.
    """
    try:
        _check_regular(Path(path).stat(), path, most_bytes)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor, not a path)
            _check_regular(os.fstat(descriptor), path, most_bytes)
            yield file
    except FileNotFoundError as error:
        raise DataError(f"{printable(path)}: no such file", remedy=_neighbour(Path(path))) from error
    except OSError as error:
        raise DataError(f"{printable(path)}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        if "null byte" not in str(error):
            raise
        raise DataError("the path of a data file contains a null byte", value=printable(path)) from error


def printable(path: str | Path) -> str:
    """A path as messages show it: what a terminal would obey is made visible."""
    return "".join(c if c.isprintable() else "·" for c in str(path))


def _check_regular(status: os.stat_result, path: str | Path, most_bytes: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise DataError(f"{printable(path)}: is a directory, not a file", remedy="name the file in it")
    if not stat.S_ISREG(status.st_mode):
        raise DataError(
            f"{printable(path)}: is a pipe or device, not a regular file",
            remedy="save the data to a file first",
        )
    if status.st_size > most_bytes:
        raise DataError(
            f"{printable(path)}: has {status.st_size / 2**20:,.0f} MiB",
            allowed=f"at most {most_bytes // 2**20:,} MiB",
            remedy="use fewer rows or columns",
        )


def _neighbour(path: Path) -> str:
    """A file beside the missing one with a name much like it."""
    try:
        return did_you_mean(path.name, [entry.name for entry in path.parent.iterdir()])
    except (OSError, ValueError):
        return f"there is no folder {printable(path.parent)!r} either"
