"""Every exception bpsvc raises on purpose.

An exception is for a caller's mistake or a lost resource; a run that diverges or is not solved is a stored
result, never an exception. Each carries what was wrong and, where there is one, the value given, what is
allowed and what to do. They are caught once, in the command line, which prints the message and exits with
`exit_code`.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass


class BpsvcError(Exception):
    """Base of all: `what` is a sentence; `value`, `allowed` and `remedy` complete it when they are given.
    `others` are wrong beside it.
    """

    exit_code = 70
    others: tuple["BpsvcError", ...] = ()

    def __init__(self, what: str, *, value: object = None, allowed: str = "", remedy: str = "") -> None:
        self.what, self.value, self.allowed, self.remedy = what, value, allowed, remedy
        super().__init__(what)

    def __str__(self) -> str:
        parts = [self.what if self.value is None else f"{self.what} (given: {self.value!r})"]
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.remedy:
            parts.append(self.remedy)
        return "\n".join([functools.reduce(_sentence, parts), *map(str, self.others)])


class UsageError(BpsvcError):
    """A command or function was asked for something it cannot do."""

    exit_code = 2


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a spec: where it stands, what it is, what is allowed, what to do."""

    what: str
    path: tuple[str | int, ...] = ()
    allowed: str = ""
    remedy: str = ""
    line: int | None = None
    column: int | None = None


class SpecError(BpsvcError):
    """A spec was refused. All that is wrong with it is told at once, and nothing is stored."""

    exit_code = 2

    def __init__(self, findings: Sequence[Finding], *, source: str = "spec", text: str | None = None) -> None:
        self.findings, self.source, self.text = tuple(findings), source, text
        places = [(finding.line, finding.column) for finding in self.findings]
        super().__init__(
            "\n\n".join(
                self._explain(finding, excerpt=i == 0 or place != places[i - 1])
                for i, (finding, place) in enumerate(zip(self.findings, places, strict=True))
            )
        )

    def _explain(self, finding: Finding, *, excerpt: bool) -> str:
        where = self.source
        if finding.line is not None:
            where += f":{finding.line}:{finding.column or 1}"
        field = dotted(finding.path)
        lines = [f"{where}: {_short(field) + ': ' if field else ''}{_short(finding.what)}"]
        source = self.text.split("\n") if self.text is not None else []
        if excerpt and finding.line is not None and 0 < finding.line <= len(source):
            line, column = clip(source[finding.line - 1].rstrip("\r"), finding.column or 1)
            lines += [f"    {line}", "    " + " " * (column - 1) + "^"]
        if finding.allowed:
            lines.append(f"    allowed: {_short(finding.allowed)}")
        if finding.remedy:
            lines.append(f"    {_short(finding.remedy)}")
        return "\n".join(lines)


class DataError(BpsvcError):
    """Data of a spec cannot be read or do not fit the network; the message says in which file, line and
    column.
    """

    exit_code = 2


class QueryError(BpsvcError):
    """The SQL was refused: not read-only, not valid, or beyond its bounds."""

    exit_code = 2


class NotFoundError(BpsvcError):
    """There is no such run or experiment, or several fit the name."""

    exit_code = 3


class StoreError(BpsvcError):
    """The results database cannot be used: missing, locked, full, too old, too new, or not ours."""

    exit_code = 4


class DamagedError(StoreError):
    """What is stored is not what its digest says."""


def _sentence(begun: str, rest: str) -> str:
    """Two parts of a message as one sentence, or as a question and what is said about it."""
    if begun.endswith("?"):
        return f"{begun} {rest}"
    return f"{begun if begun.endswith('..') else begun.removesuffix('.')}; {rest}"


def dotted(path: Sequence[str | int]) -> str:
    """`("network", "layers", 0, "units")` as users write it: `network.layers.1.units` (counted from 1, as SQL
    does).
    """
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def _short(text: str, most: int = 1000) -> str:
    """What a message can hold of a text that may come from the user."""
    return text if len(text) <= most else text[: most // 2] + "…"


def clip(line: str, column: int, width: int = 100) -> tuple[str, int]:
    """The part of a source line around `column` (counted from 1) that fits `width`, control characters made
    visible.
    """
    start = max(0, min(column - 1 - width // 2, len(line) - width))
    return "".join(c if c.isprintable() else "·" for c in line[start : start + width]), column - start
