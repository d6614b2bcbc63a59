"""A spec as it was written: its values, and where each of them stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bpsvc.errors import Finding, SpecError, dotted

At = tuple[str | int, ...]


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
                return line_column(self.text, offsets[path[:end]])
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


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, counted from 1, of the character at `offset`."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
