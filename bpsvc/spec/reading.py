"""Read a spec from a file or a text: at most so much of it, and never from what might not end."""

import os
import stat
from pathlib import Path
from typing import Final, NoReturn

from bpsvc import shipped
from bpsvc.errors import Finding, SpecError
from bpsvc.registry import closest
from bpsvc.spec.located import Document, line_column
from bpsvc.spec.parsing import parse

MAX_BYTES: Final = 2**20


def read(what: Path | str | bytes, *, source: str | None = None) -> Document:
    """Read a spec from a file (Path) or its text; `source` names it in messages. Raises SpecError."""
    if isinstance(what, Path):
        source = source or str(what)
        what = _file(what, source)
    source = source or "spec"
    if isinstance(what, str):
        try:
            what = what.encode()
        except UnicodeEncodeError:
            raise SpecError([Finding("the text holds half of a surrogate pair")], source=source) from None
    if len(what) > MAX_BYTES:
        raise SpecError(
            [
                Finding(
                    f"the spec is larger than {MAX_BYTES // 2**20} MiB",
                    remedy='put big data into a file: "data": {"source": "csv" or "npz", "path": …}',
                )
            ],
            source=source,
        )
    return parse(_decode(what, source), source)


def _file(path: Path, source: str) -> bytes:
    """At most one byte more than a spec may have, of a regular file: a FIFO or device might never end."""

    def refuse(what: str, remedy: str = "") -> NoReturn:
        raise SpecError([Finding(what, remedy=remedy)], source=source) from None

    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        refuse("there is no such file", _similar(path))
    except (OSError, ValueError) as error:
        refuse(f"cannot be read: {getattr(error, 'strerror', None) or error}")
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            refuse("this is a folder, not a spec", "name the spec's file")
        if not stat.S_ISREG(mode):
            refuse("this is not a regular file", "a spec can be given on standard input as `-`")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        refuse(f"cannot be read: {error.strerror}")
    finally:
        os.close(handle)


def _similar(path: Path) -> str:
    """A spec of such a name in the same folder or in its `specs`, or one that ships with bpsvc."""
    try:
        near = [one for folder in (path.parent, path.parent / "specs") for one in folder.glob("*.json")]
    except OSError:
        near = []
    by_name = {one.stem: one for one in reversed(near)}
    if name := closest(path.stem, by_name):
        return f"did you mean {str(by_name[name])!r}?"
    name = closest(path.stem, shipped.paths())
    return f"`bpsvc examples {name}` copies the shipped spec of that name" if name else ""


def _decode(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        line, column = line_column(before, len(before))
        finding = Finding("this is not UTF-8 text", line=line, column=column, remedy="save the spec as UTF-8")
        raise SpecError([finding], source=source) from None
