"""What a result is: specs, a reference with its source, and checks of what the store says against it."""

import math
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

# Where a reference comes from, as the project's notes on numerics mark it: S, M, D, V.
SEEN: Final = "seen"
RECALLED: Final = "recalled"
DERIVED: Final = "derived"
VERIFIED: Final = "verified"


@dataclass(frozen=True)
class Check:
    """One number found in the store beside what it should be. `tolerance` says how near is near enough."""

    what: str
    found: str
    reference: str
    tolerance: str
    met: bool
    source: str


@dataclass(frozen=True)
class Database:
    """A results database that was asked for, and its path for those who need weights."""

    path: str
    connection: sqlite3.Connection

    def rows(self, sql: str, *values: object) -> list[tuple[float, ...]]:
        return self.connection.execute(sql, values).fetchall()

    def column(self, sql: str, *values: object) -> list[float]:
        return [row[0] for row in self.rows(sql, *values)]


@dataclass(frozen=True)
class Published:
    """A result of the literature or of a pencil: `name` as in the project's notes, the stems of its specs."""

    name: str
    title: str
    specs: tuple[str, ...]
    check: Callable[[Database], Sequence[Check]]


# Factor of a standard error: differences beyond it happen by chance once in a thousand.
Z: Final = 3.29


def within(
    what: str, found: float, reference: float, margin: float, source: str, why: str = "", digits: int = 4
) -> Check:
    """Found and reference differ by `margin` at most; `why` says where the margin comes from."""
    tolerance = f"±{margin:.2g}" + (f" ({why})" if why else "")
    met = abs(found - reference) <= margin
    return Check(what, f"{found:.{digits}g}", f"{reference:.{digits}g}", tolerance, met, source)


def relative(what: str, found: float, reference: float, share: float, source: str) -> Check:
    """Found and reference differ by `share` of the reference at most."""
    met = abs(found / reference - 1.0) <= share
    return Check(what, f"{found:.4g}", f"{reference:.4g}", f"±{share:.0%}", met, source)


def shares(what: str, found: tuple[int, int], reference: tuple[int, int], source: str) -> Check:
    """Two shares, (how many, of how many) each: no further apart than chance allows."""
    (k, n), (j, m) = found, reference
    pooled = (k + j) / (n + m)
    margin = Z * math.sqrt(pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m))
    met = abs(k / n - j / m) <= margin
    return Check(what, f"{k}/{n}", f"{j}/{m}", f"±{margin:.3f} (chance, {Z} s.e.)", met, source)


def probability(what: str, found: tuple[int, int], reference: float, source: str, of: int = 0) -> Check:
    """A share beside a probability, which is exact, or was itself estimated from `of` cases."""
    k, n = found
    margin = Z * math.sqrt(reference * (1.0 - reference) * (1.0 / n + (1.0 / of if of else 0.0)))
    return within(what, k / n, reference, margin, source, f"chance, {Z} s.e.")
