"""What SQLite's failures mean to a user: cause and remedy instead of an error code."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from bpsvc.errors import StoreError

_GO_ON: Final = "what was committed is safe, and the same command goes on from there"

SALVAGE: Final = (
    "go back to a backup; where there is none, `bpsvc db merge THIS.db --db NEW.db` takes over those runs"
    " that can still be read"
)
"""What helps with a damaged file."""

# SQLite's primary error names -> (what happened, what to do).
_MEANINGS: Final = {
    "SQLITE_FULL": (
        "the disk is full: {path} could not grow",
        f"free some space on its disk; {_GO_ON}",
    ),
    "SQLITE_BUSY": (
        "another process kept {path} locked",
        f"wait for it or end it, then try again; {_GO_ON}",
    ),
    "SQLITE_LOCKED": (
        "another connection of this process kept {path} locked",
        f"try again; {_GO_ON}",
    ),
    "SQLITE_READONLY": (
        "{path} or its folder cannot be written",
        "give yourself the right to write both, or name another store with --db",
    ),
    "SQLITE_PERM": ("access to {path} was denied", "give yourself the right to read and write it"),
    "SQLITE_CANTOPEN": (
        "{path} cannot be opened",
        "see that the file and its folder exist and may be read and written",
    ),
    "SQLITE_IOERR": (
        "reading or writing {path} failed",
        f"look at the disk, its space and your file size limit (`ulimit -f`); {_GO_ON}",
    ),
    "SQLITE_CORRUPT": ("{path} is damaged", SALVAGE),
    "SQLITE_NOTADB": ("{path} is damaged or encrypted", "go back to a backup"),
    "SQLITE_NOMEM": ("there is not enough memory to use {path}", "close other programs and try again"),
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn failures of the database and of the file system into StoreError; constraint violations stay what
    they are.
    """
    try:
        yield
    except DBAPIError as error:
        if error.orig is None or (known := explain(error.orig, path)) is None:
            raise
        raise known from error
    except sqlite3.Error as error:
        if (known := explain(error, path)) is None:
            raise
        raise known from error


def explain(error: BaseException, path: Path) -> StoreError | None:
    """The StoreError for one of SQLite's errors, or None when it is a mistake of ours."""
    name: str = getattr(error, "sqlite_errorname", "") or ""
    for primary, (what, remedy) in _MEANINGS.items():
        if name == primary or name.startswith(primary + "_"):
            return StoreError(f"{what.format(path=path)} ({name})", remedy=remedy)
    return None
