"""What users call runs and experiments, and which ones they mean."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from bpsvc.errors import NotFoundError
from bpsvc.registry import did_you_mean
from bpsvc.wording import plural

_HEX: Final = frozenset("0123456789abcdef")
_MIN_HEX: Final = 8
_LISTED: Final = 10


@dataclass(frozen=True)
class Named:
    """An experiment: its number in this store, and its names."""

    id: int
    name: str
    revision: int

    @property
    def experiment(self) -> str:
        """The full name, such as `xor@2`."""
        return f"{self.name}@{self.revision}"


def experiment(cursor: sqlite3.Cursor, reference: str) -> Named:
    """The experiment `xor@2`, or the newest revision for `xor`, or the one submitted last for `@last`."""
    rows = [Named(*row) for row in cursor.execute("SELECT id, name, revision FROM _experiment ORDER BY id")]
    if reference == "@last" and rows:
        return rows[-1]
    fitting = [row for row in rows if reference in (row.experiment, row.name)]
    if fitting:
        full = [row for row in fitting if row.experiment == reference]
        return full[0] if full else max(fitting, key=lambda row: row.revision)
    known = list(dict.fromkeys(name for row in reversed(rows) for name in (row.name, row.experiment)))
    raise NotFoundError(
        f"there is no experiment {reference!r}",
        allowed=_some(list(dict.fromkeys(row.name for row in reversed(rows))))
        or "none yet: `bpsvc submit SPEC`",
        remedy=did_you_mean(reference, known),
    )


def run(cursor: sqlite3.Cursor, reference: str | int) -> int:
    """The number of the run that an integer, at least 8 hex digits of a key, or `@last` means.

    `@last` is the run that ended last: of several at once the one of the highest number, and the newest run
    while none has ended. What looks like both is the integer when there is such a run.
    """
    text = str(reference).strip().lower()
    if text == "@last":
        found = cursor.execute("SELECT id FROM _run ORDER BY finished_at DESC, id DESC LIMIT 1").fetchall()
        if not found:
            raise NotFoundError("there are no runs yet", remedy="`bpsvc submit SPEC` makes some")
        return int(found[0][0])
    if text.isascii() and text.isdigit() and int(text) < 2**63:
        if cursor.execute("SELECT 1 FROM _run WHERE id = ?", (int(text),)).fetchone():
            return int(text)
        if len(text) < _MIN_HEX:
            count, first, last = cursor.execute("SELECT count(*), min(id), max(id) FROM _run").fetchone()
            known = (
                f"{plural(count, 'run')}, numbered {first} to {last}"
                if count
                else "none yet: `bpsvc submit SPEC`"
            )
            raise NotFoundError(f"there is no run {text}", allowed=known)
    return _by_key(cursor, text)


def _by_key(cursor: sqlite3.Cursor, text: str) -> int:
    if len(text) < _MIN_HEX or not set(text) <= _HEX:
        raise NotFoundError(
            f"{text!r} names no run",
            allowed=f"its number, at least {_MIN_HEX} hex digits of its key, or @last",
            remedy="`bpsvc runs` lists them",
        )
    found = cursor.execute(
        "SELECT id, key FROM _run WHERE key >= ? AND key < ? ORDER BY key", (text, text + "g")
    ).fetchmany(_LISTED + 1)
    if len(found) == 1:
        return int(found[0][0])
    if found:
        candidates = _some([f"{key[:16]} (run {id_})" for id_, key in found])
        raise NotFoundError(
            f"several runs' keys begin with {text}", allowed=candidates, remedy="give more digits"
        )
    raise NotFoundError(f"no run's key begins with {text}", remedy="`bpsvc runs` lists them")


def _some(names: list[str]) -> str:
    return ", ".join(names[:_LISTED]) + (" …" if len(names) > _LISTED else "")
