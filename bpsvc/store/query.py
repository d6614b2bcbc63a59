"""Users' SQL: one SELECT, read-only, within bounds of time and rows.

It runs in a process of its own (`sandbox`), which is ended when it takes too long: nothing less stops every
statement.
"""

import json
import marshal
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bpsvc.errors import QueryError, StoreError
from bpsvc.registry import did_you_mean
from bpsvc.store import sandbox
from bpsvc.store.files import uri
from bpsvc.store.hints import hint

if TYPE_CHECKING:  # pandas takes long to load, and few commands need it
    import pandas as pd

MAX_ROWS: Final = 100_000
TIMEOUT_S: Final = 30.0
_GRACE_S: Final = 2.0
_COMMENTS: Final = re.compile(r"\s+|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z)", re.DOTALL)
_BEGINNINGS: Final = ("SELECT", "WITH", "VALUES", "EXPLAIN")

Params = Mapping[str, Any] | Sequence[Any] | None


@dataclass(frozen=True)
class Answer:
    """The rows of a query; `truncated` when there were more than were allowed."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool

    def frame(self) -> "pd.DataFrame":
        """The rows as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(self.columns))


@dataclass(frozen=True)
class Table:
    """Rows that take a relation's place while a query is answered; a column is a name and an SQL type."""

    name: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]


def query(
    path: Path,
    sql: str,
    params: Params = None,
    *,
    max_rows: int = MAX_ROWS,
    timeout_s: float = TIMEOUT_S,
    table: Table | None = None,
) -> Answer:
    """Answer one SELECT, in which `table` stands before the relation of its name; QueryError when it is none,
    is wrong, or goes beyond its bounds.
    """
    _check(sql, max_rows, timeout_s)
    values = dict(params) if isinstance(params, Mapping) else list(params or ())
    try:
        request = json.dumps(
            {
                "uri": uri(path, "ro"),
                "sql": sql,
                "params": values,
                "max_rows": max_rows,
                "timeout_s": timeout_s,
                "table": None if table is None else vars(table),
            },
            allow_nan=True,
        ).encode("ascii")
    except (TypeError, ValueError) as error:
        raise QueryError("a parameter is no number and no text", allowed="numbers, texts and null") from error
    reply = _ask(request, timeout_s)
    if "error" in reply:
        raise _refusal(path, sql, reply, timeout_s)
    return Answer(tuple(reply["columns"]), reply["rows"], reply["truncated"])


def _check(sql: str, max_rows: int, timeout_s: float) -> None:
    if max_rows < 0 or not 0 < timeout_s < 1e6:
        raise QueryError("the bounds of a query are at least 0 rows and more than 0 seconds")
    at = 0
    while match := _COMMENTS.match(sql, at):
        at = match.end()
    word = re.match(r"\w*", sql[at:])
    first = word.group().upper() if word else ""
    if first not in _BEGINNINGS:
        raise QueryError(
            f"a query begins with {first or 'nothing'}: only reading is allowed",
            allowed="one SELECT (or WITH, VALUES, EXPLAIN)",
            remedy=did_you_mean(first, _BEGINNINGS) or "to change a store use bpsvc's commands",
        )


def _ask(request: bytes, timeout_s: float) -> dict[str, Any]:
    script = [sys.executable, "-I", "-S", sandbox.__file__]
    try:
        done = subprocess.run(
            script, input=request, capture_output=True, timeout=timeout_s + _GRACE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return {"error": "time"}
    if done.returncode == 0:
        reply: dict[str, Any] = marshal.loads(done.stdout)
        return reply
    match done.returncode:
        case -9 | -24:  # ended by its own bounds before it could say so
            return {"error": "time"}
        case -6 | -11:
            return {"error": "memory"}
    said = done.stderr.decode(errors="replace").strip().splitlines()
    raise StoreError(
        f"the process of the query ended with {done.returncode}: {said[-1] if said else 'it said nothing'}",
        remedy="`bpsvc doctor` looks at this machine",
    )


def _refusal(path: Path, sql: str, reply: Mapping[str, str], timeout_s: float) -> Exception:
    match reply["error"]:
        case "time":
            return QueryError(
                f"the query took longer than {timeout_s:g} s and was stopped",
                remedy="ask for less, or allow more time (--timeout)",
            )
        case "memory":
            return QueryError(
                "the query needed too much memory and was stopped", remedy="ask for less at a time"
            )
        case "bytes":
            return QueryError(
                f"the answer is larger than {sandbox.MAX_BYTES >> 20} MiB",
                remedy="ask for fewer rows or columns",
            )
    name, message = reply.get("name", ""), reply["message"]
    if name == "SQLITE_AUTH" or message.startswith(("not authorized", "authorizer malfunction")):
        return QueryError(
            f"only reading is allowed ({message})",
            allowed="one SELECT; not printf/format (use round), zeroblob, randomblob, ATTACH, PRAGMA …",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreError(f"{path} cannot be read: {message}", remedy="`bpsvc db check` looks into it")
    if name == "SQLITE_TOOBIG":
        message += f" (a value may have {sandbox.LENGTH:,} bytes)"
    allowed, remedy = hint(message, sql)
    return QueryError(f"SQL: {message}", allowed=allowed, remedy=remedy)
