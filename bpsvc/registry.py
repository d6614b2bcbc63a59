"""Tables of records: what a spec can name.

An activation, loss, optimizer, initializer or data source is one frozen record in one table. Its spec choice,
its JSON Schema, its property tests and its row in the docs all follow from the table.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from bpsvc.errors import UsageError

REQUIRED: Final = "required"
_ALIKE: Final = 0.65  # two letters of three that are swapped still are


@dataclass(frozen=True)
class Knob:
    """A parameter of a record. `low` and `high` bound it; `low_open` and `high_open` exclude the bound
    itself.
    """

    name: str
    default: Any
    doc: str
    kind: type = float
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    choices: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    def bounds(self) -> str:
        """The allowed values in words: `0 < alpha < 1`."""
        if self.choices:
            return " or ".join(self.choices)
        low = "" if self.low is None else f"{self.low:g} {'<' if self.low_open else '<='} "
        high = "" if self.high is None else f" {'<' if self.high_open else '<='} {self.high:g}"
        return f"{low}{self.name}{high}" if low or high else f"any {self.kind.__name__}"


class Record(Protocol):
    """What a table needs of its records."""

    @property
    def name(self) -> str: ...
    @property
    def also_called(self) -> tuple[str, ...]: ...


R = TypeVar("R", bound=Record)


class Table(Mapping[str, R]):
    """A read-only mapping from canonical name to record. `what` says what the records are, for messages."""

    def __init__(self, what: str, records: Iterable[R]) -> None:
        self.what = what
        self._records: dict[str, R] = {}
        self._synonyms: dict[str, str] = {}
        for record in records:
            for name in (record.name, *record.also_called):
                if name in self._records or name in self._synonyms:
                    raise UsageError(f"the {what} {name!r} is in the table twice")
                self._synonyms[name] = record.name
            self._records[record.name] = record
            del self._synonyms[record.name]

    def __getitem__(self, name: str) -> R:
        return self._records[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    @property
    def synonyms(self) -> Mapping[str, str]:
        """Other exact names -> canonical names."""
        return dict(self._synonyms)

    def canonical(self, name: str) -> str:
        """The canonical name for a name or exact synonym; UsageError with the closest names otherwise."""
        if name in self._records:
            return name
        if name in self._synonyms:
            return self._synonyms[name]
        raise UsageError(
            f"there is no {self.what} called {name!r}",
            allowed=", ".join(self._records),
            remedy=did_you_mean(name, [*self._records, *self._synonyms]),
        )


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like `name`, in capitals or not; '' when none is."""
    by_small = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name.lower(), by_small, n=1, cutoff=_ALIKE)
    return by_small[close[0]] if close else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'relu'?`, or nothing when no known name is close."""
    close = closest(name, known)
    return f"did you mean {close!r}?" if close else ""
