"""Read a spec's JSON strictly, and remember where everything stands.

The standard reader takes the last of two equal keys, lets NaN through, recurses as deep as the text says and
forgets positions. This one refuses all that, so that every later complaint can point at a line and a column.
"""

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NoReturn

from bpsvc.errors import Finding, SpecError, dotted
from bpsvc.registry import did_you_mean

MAX_BYTES: Final = 2**20
MAX_DEPTH: Final = 32
MAX_FINDINGS: Final = 50
NOT_AN_OBJECT: Final = "a spec is a JSON object; see `bpsvc schema`"

At = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[-+.\w]+")
_LITERALS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "null": None}
_NOT_FINITE: Final = {"NaN", "Infinity", "-Infinity", "+Infinity", "nan", "inf", "-inf", "+inf"}


@dataclass(frozen=True)
class Document:
    """A spec as it was written: values, text, and the offset of each path's value and key in the text."""

    raw: dict[str, Any]
    text: str
    source: str
    values: Mapping[At, int] = field(default_factory=dict)
    keys: Mapping[At, int] = field(default_factory=dict)
    overridden: tuple[str, ...] = ()

    def locate(self, path: At, *, key: bool = False) -> tuple[int, int] | None:
        """Line and column (from 1) of the value at `path`, of its key, or of the nearest thing above it."""
        offsets = self.keys if key else self.values
        for end in range(len(path), -1, -1):
            if path[:end] in offsets:
                return _line_column(self.text, offsets[path[:end]])
        return None

    def refused(self, findings: Sequence[Finding]) -> SpecError:
        """The error that tells all `findings`, each where it stands, in the order of the text."""
        placed = []
        for finding in findings:
            if self.is_overridden(finding.path):
                placed.append(
                    replace(finding, what=f"{finding.what} (as set by --set)", line=None, column=None)
                )
                continue
            where = self.locate(finding.path) if finding.line is None else (finding.line, finding.column or 1)
            placed.append(finding if where is None else replace(finding, line=where[0], column=where[1]))
        placed.sort(key=lambda finding: (finding.line or 0, finding.column or 0))
        return SpecError(placed, source=self.source, text=self.text)

    def is_overridden(self, path: At) -> bool:
        """Whether the value at `path` came from outside the text."""
        name = dotted(path) + "."
        return any(name.startswith(f"{override}.") for override in self.overridden)


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
    return _Reader(_decode(what, source), source).document()


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
    try:
        near = [entry.name for entry in path.parent.iterdir() if entry.suffix == ".json"]
    except OSError:
        return ""
    return did_you_mean(path.name, near)


def _decode(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        line, column = _line_column(before, len(before))
        finding = Finding("this is not UTF-8 text", line=line, column=column, remedy="save the spec as UTF-8")
        raise SpecError([finding], source=source) from None


def _line_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


class _Reader:
    """Recursive descent over one text; the depth limit keeps the recursion short."""

    def __init__(self, text: str, source: str) -> None:
        self.text, self.source, self.at = text, source, 0
        self.values: dict[At, int] = {}
        self.keys: dict[At, int] = {}
        self.findings: list[Finding] = []

    def document(self) -> Document:
        self.space()
        if self.at == len(self.text):
            self.stop(f"the spec is empty: {NOT_AN_OBJECT}")
        raw = self.value(())
        self.space()
        if self.at < len(self.text):
            self.stop(
                "the spec has ended here, but the text goes on",
                remedy="one file holds one spec: one JSON object",
            )
        if not isinstance(raw, dict):
            self.findings = []
            self.stop(NOT_AN_OBJECT, 0)
        document = Document(raw, self.text, self.source, self.values, self.keys)
        if self.findings:
            raise document.refused(self.findings)
        return document

    def note(self, what: str, at: int, path: At = (), remedy: str = "") -> None:
        if len(self.findings) >= MAX_FINDINGS:  # what follows them may be anything
            raise SpecError(self.findings, source=self.source, text=self.text)
        line, column = _line_column(self.text, at)
        self.findings.append(Finding(what, path, line=line, column=column, remedy=remedy))

    def stop(self, what: str, at: int | None = None, remedy: str = "") -> NoReturn:
        """What comes after a syntax error cannot be understood: tell it with what was noted before."""
        self.note(what, self.at if at is None else at, remedy=remedy)
        raise SpecError(self.findings, source=self.source, text=self.text)

    def space(self) -> str:
        """Skip white space; the next character, or '' at the end."""
        next_one = self.text[self.at : self.at + 1]
        if next_one and next_one not in " \t\n\r":  # mostly there is none
            return next_one
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def value(self, path: At) -> Any:
        first = self.space()
        self.values[path] = start = self.at
        if len(path) >= MAX_DEPTH and first in ("{", "["):
            self.stop(f"nested more than {MAX_DEPTH} deep", remedy="no field of a spec is nested that deep")
        if first == "{":
            return self.object(path)
        if first == "[":
            return self.array(path)
        if first == '"':
            return self.string()
        if not first:
            self.stop("the text ends where a value should stand")
        word = _WORD.match(self.text, self.at)
        if word is None:
            self.stop(
                f"{first!r} cannot stand here: a value is expected",
                remedy=_hint(self.text[start : start + 2]),
            )
        self.at = word.end()
        return self.literal(word.group(), start, path)

    def literal(self, word: str, start: int, path: At) -> Any:
        if word in _LITERALS:
            return _LITERALS[word]
        number = _NUMBER.fullmatch(word)
        if number is not None:
            return self.number(word, start, path, whole=number.lastindex is None)
        if word in _NOT_FINITE:
            self.note(f"{word} is not a number in JSON, and no field takes it", start, path)
            return 0
        if word.lower() in _LITERALS or word == "None":
            self.stop(f"{word} is not JSON", start, remedy="JSON writes true, false and null")
        if re.match(r"[-+.]?[0-9]", word):
            self.stop(
                f"{_short(word)} is not a number as JSON writes it", start, remedy="like 1, 0.5 or 1e-3"
            )
        return self.stop(f"{_short(word)} is not JSON", start, remedy=f'text is quoted: "{_short(word)}"')

    def number(self, word: str, start: int, path: At, whole: bool) -> int | float:
        if whole and len(word) < 21 and abs(int(word)) < 2**63:
            return int(word)
        number = float(word)
        if whole or number in (float("inf"), float("-inf")):
            self.note(f"{_short(word)} is too large a number", start, path)
            return 0
        return number

    def string(self) -> str:
        start = self.at
        match = _STRING.match(self.text, start)
        if match is None:
            line_end = self.text.find("\n", start)
            if line_end < 0:
                self.stop("this text never ends: its closing quote is missing", start)
            self.stop(
                "this text does not end on its line: its closing quote is missing",
                start,
                remedy="control characters, a new line too, are written as escapes: \\n",
            )
        self.at = match.end()
        try:
            text = json.loads(match.group())
            text.encode()
        except json.JSONDecodeError as error:
            self.stop(
                "this escape is not JSON", start + error.pos, remedy='a backslash itself is written "\\\\"'
            )
        except UnicodeEncodeError:
            self.stop("this text holds half of a surrogate pair", start)
        return str(text)

    def object(self, path: At) -> dict[str, Any]:
        start = self.at
        members: dict[str, Any] = {}
        self.at += 1
        if self.space() == "}":
            self.at += 1
            return members
        while True:
            if self.space() != '"':
                self.expected("a name in double quotes", "object", start)
            key_at = self.at
            key = self.string()
            if self.space() != ":":
                self.expected(f"':' after {_short(key)!r}", "object", start)
            self.at += 1
            below = (*path, key)
            if key in members:
                self.note(f"{_short(key)!r} appears twice", key_at, below, remedy="keep one of them")
            self.keys[below] = key_at
            members[key] = self.value(below)
            if self.separator("}", "object", start):
                return members

    def array(self, path: At) -> list[Any]:
        start = self.at
        members: list[Any] = []
        self.at += 1
        if self.space() == "]":
            self.at += 1
            return members
        while True:
            members.append(self.value((*path, len(members))))
            if self.separator("]", "array", start):
                return members

    def separator(self, end: str, what: str, start: int) -> bool:
        """Step over ',' (False) or the closing bracket (True)."""
        found = self.space()
        comma = self.at
        if found not in (",", end) or not found:
            self.expected(f"',' or {end!r}", what, start)
        self.at += 1
        if found == "," and self.space() == end:
            self.stop(f"the comma before {end!r} is one too many", comma)
        return found == end

    def expected(self, wanted: str, what: str, start: int) -> NoReturn:
        found = self.text[self.at : self.at + 2]
        if not found:
            line, column = _line_column(self.text, start)
            self.stop(f"the text ends inside the {what} that began at {line}:{column}; {wanted} is missing")
        self.stop(f"{found[0]!r} cannot stand here: {wanted} is expected", remedy=_hint(found))


def _hint(found: str) -> str:
    if found in ("//", "/*") or found[:1] == "#":
        return "JSON has no comments; `description` is the place to explain a spec"
    return "text and names stand in double quotes" if found[:1] == "'" else ""


def _short(word: str) -> str:
    return word if len(word) <= 40 else word[:37] + "…"
