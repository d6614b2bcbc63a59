"""What a table keeps where it is wider than the terminal: its chief columns, and of texts as much as tells
them apart.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Final

CHIEF: Final = frozenset(
    {
        "run_id",
        "experiment",
        "schedule",
        "instant",
        "decision",
        "status",
        "activation",
        "hidden",
        "loss",
        "seed",
        "runs",
        "solved",
        "solved_epoch",
        "final_loss",
    }
)
"""Columns that go last."""

_NARROWEST: Final = 8
_READABLE: Final = 20
_BETWEEN: Final = 2
_LIKE: Final = re.compile(r"\[(\d+)(?:, \1){2,}\]")


@dataclass(frozen=True)
class Column:
    """A column as text, with the place it has among the others."""

    place: int
    head: str
    cells: Sequence[str]
    numeric: bool

    @cached_property
    def full(self) -> int:
        """The width of all of it."""
        return max(map(breadth, (self.head, *self.cells)))

    @cached_property
    def least(self) -> int:
        """The width at which different texts still look different; numbers are never cut."""
        if self.numeric:
            return self.full
        shared = max((_shared(*pair) for pair in pairwise(sorted(set(self.cells)))), default=0)
        return min(self.full, max(_NARROWEST, breadth(self.head), shared + 3))

    @property
    def readable(self) -> int:
        """The width that is left to it before a column that is not chief has room."""
        return max(self.least, min(self.full, _READABLE))

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """Columns of lower rank go first: what is not chief, then what is alike everywhere."""
        alike = len(self.cells) > 1 and len(set(self.cells)) == 1
        return self.head in CHIEF, not alike, -self.place


def breadth(text: str) -> int:
    """The columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def fitted(columns: Sequence[Column], width: int) -> tuple[list[Column], list[int]]:
    """The columns that `width` characters have room for (the first always, and one more), and how wide each
    may be.
    """
    if _taken([one.full for one in columns]) <= width:
        return list(columns), [one.full for one in columns]
    columns = [replace(one, cells=[_LIKE.sub(_counted, cell) for cell in one.cells]) for one in columns]
    kept = list(columns[:1])
    told = [one for one in columns[1:] if any(one.cells)]
    for one in sorted(told, key=lambda one: one.rank, reverse=True):
        before = [column.least if one.head in CHIEF else column.readable for column in kept]
        if len(kept) < 2 or _taken([*before, one.least]) <= width:
            kept.append(one)
    kept.sort(key=lambda one: one.place)
    return kept, _widths(kept, width)


def _shared(one: str, two: str) -> int:
    """The columns that two different texts begin alike with."""
    alike = next((i for i, pair in enumerate(zip(one, two, strict=False)) if pair[0] != pair[1]), len(one))
    return breadth(one[:alike])


def _counted(like: re.Match[str]) -> str:
    """`[8, 8, 8]` as `[3 × 8]`."""
    return f"[{like[0].count(',') + 1} × {like[1]}]"


def _taken(widths: Sequence[int]) -> int:
    return sum(widths) + _BETWEEN * (len(widths) - 1)


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """Full widths, the widest texts cut until all fit, if cutting texts is enough."""
    room = width - _BETWEEN * (len(columns) - 1)
    least = [one.least for one in columns]
    if sum(least) > room:  # of the first two columns, or of one that is alone
        least = [min(one, max(room // 2, _NARROWEST)) for one in least]
    widths = [one.full if one.numeric else min(one.full, max(room, _NARROWEST)) for one in columns]
    while sum(widths) > room:
        texts = [i for i, one in enumerate(columns) if not one.numeric and widths[i] > least[i]]
        if not texts:
            break
        widths[max(texts, key=lambda i: widths[i])] -= 1
    return widths
