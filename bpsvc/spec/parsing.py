"""A strict JSON parser that remembers where everything stands.

The standard reader takes the last of two equal keys, lets NaN through, recurses as deep as the text says and
forgets positions. This one refuses all that, so that every later complaint can point at a line and a column.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from bpsvc.errors import Finding, SpecError
from bpsvc.spec.located import At, Document, line_column

MAX_DEPTH: Final = 32
MAX_FINDINGS: Final = 50
NOT_AN_OBJECT: Final = "a spec is a JSON object; see `bpsvc schema`"

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[-+.\w]+")
_LITERALS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "null": None}
_NOT_FINITE: Final = {"NaN", "Infinity", "-Infinity", "+Infinity", "nan", "inf", "-inf", "+inf"}


def parse(text: str, source: str) -> Document:
    """The document that `text` is. Raises SpecError with what is wrong with it as JSON."""
    return _Parser(text, source).document()


class _Parser:
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
        line, column = line_column(self.text, at)
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
        number = NUMBER.fullmatch(word)
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
            line, column = line_column(self.text, start)
            self.stop(f"the text ends inside the {what} that began at {line}:{column}; {wanted} is missing")
        self.stop(f"{found[0]!r} cannot stand here: {wanted} is expected", remedy=_hint(found))


def _hint(found: str) -> str:
    if found in ("//", "/*") or found[:1] == "#":
        return "JSON has no comments; `description` is the place to explain a spec"
    return "text and names stand in double quotes" if found[:1] == "'" else ""


def _short(word: str) -> str:
    return word if len(word) <= 40 else word[:37] + "…"
