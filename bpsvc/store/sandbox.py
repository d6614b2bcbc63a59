"""The process in which users' SQL runs: it can read one store, within bounds, and nothing else.

Run as a script with the standard library alone. A request comes as JSON on standard input; the answer goes as
`marshal` to standard output. Against SQL that means harm there are, from the inside out: an authorizer that
knows only reading; functions that allocate without bound taken away; limits on the length of a value and the
size of a statement; a progress handler with a deadline; bounds on rows and bytes; bounds of the operating
system on memory, processor time and written files; and the parent, which ends the process when all that fails
(a statement can keep SQLite busy before its first step, where no handler is asked).
"""

import json
import marshal
import math
import resource
import sqlite3
import statistics
import sys
import time
from typing import Any

# What may be called besides reading; sqlite3 has no names for these numbers before Python 3.11.
READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
FORBIDDEN_FUNCTIONS = frozenset(
    {
        "printf",
        "format",
        "zeroblob",
        "randomblob",
        "load_extension",
        "fts3_tokenizer",
        "readfile",
        "writefile",
        "edit",
    }
)
PRAGMAS = frozenset({"table_info", "table_xinfo", "table_list", "index_list", "index_info"})
VIRTUAL_TABLES = ("json_each('[]')", "json_tree('[]')", *(f"pragma_{name}('')" for name in sorted(PRAGMAS)))
LENGTH = 4_000_000
MEMORY = 1 << 30
WRITTEN = 16 << 20
MAX_BYTES = 512 << 20
STEPS = 10_000
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LENGTH,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 500,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 200,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 250_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


refused: list[str] = []
"""What an aggregate was given and cannot take: SQLite passes no message on."""


def number(value: Any, rule: str, low: float = -math.inf, high: float = math.inf) -> float:
    """The number between two others that an aggregate was given; ValueError for anything else."""
    try:
        if low <= (found := float(value)) <= high:
            return found
    except ValueError:
        pass
    refused.append(f"{rule}, not {value!r:.40}")
    raise ValueError(rule)


class Quantile:
    """The aggregate `quantile(x, q)`: linear interpolation between the sorted numbers; nulls do not count."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.share: float | None = None

    def step(self, value: Any, share: Any) -> None:
        if share is not None:
            self.share = number(share, "q of quantile(x, q) is a number between 0 and 1", 0.0, 1.0)
        if value is not None:
            self.values.append(number(value, "x of quantile(x, q) is a number"))

    def finalize(self) -> float | None:
        if not self.values or self.share is None:
            return None
        values = sorted(self.values)
        at = (len(values) - 1) * self.share
        low, rest = math.floor(at), at - math.floor(at)
        return values[low] if rest == 0.0 else values[low] * (1.0 - rest) + values[low + 1] * rest


class Median:
    """The aggregate `median(x)`; nulls do not count."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def step(self, value: Any) -> None:
        if value is not None:
            self.values.append(number(value, "x of median(x) is a number"))

    def finalize(self) -> float | None:
        return statistics.median(self.values) if self.values else None


def authorize(action: int, first: str | None, second: str | None, *_: Any) -> int:
    """Reading, functions that cannot hurt, and pragmas that describe tables."""
    if action in READING:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in PRAGMAS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def connect(uri: str, timeout_s: float, table: dict[str, Any] | None = None) -> sqlite3.Connection:
    """A connection with every guard up but the deadline; `table` goes before the store's own of its name."""
    connection = sqlite3.connect(uri, uri=True, timeout=timeout_s, isolation_level=None)
    connection.execute("PRAGMA temp_store = MEMORY")
    if table is not None:
        place(connection, **table)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.create_aggregate("median", 1, Median)  # type: ignore[arg-type]
    connection.create_aggregate("quantile", 2, Quantile)  # type: ignore[arg-type]
    # A virtual table is declared at its first use by what looks like CREATE TABLE to an authorizer.
    for virtual in VIRTUAL_TABLES:
        connection.execute(f"SELECT * FROM {virtual} LIMIT 0")
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    connection.set_authorizer(authorize)
    return connection


def place(connection: sqlite3.Connection, name: str, columns: list[list[str]], rows: list[list[Any]]) -> None:
    """Make a temporary table of (name, type) columns, and fill it."""
    declared = ", ".join('"' + column.replace('"', '""') + '" ' + kind for column, kind in columns)
    connection.execute(f"CREATE TEMP TABLE {name} ({declared})")
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO temp.{name} VALUES (?{', ?' * (len(columns) - 1)})", rows)
    connection.execute("COMMIT")


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Columns, rows and whether there were more; or what was wrong."""
    deadline = time.monotonic() + request["timeout_s"]
    late = False

    def tick() -> bool:
        nonlocal late
        late = time.monotonic() > deadline
        return bool(late)

    rows: list[tuple[Any, ...]] = []
    volume, truncated = 0, False
    try:
        connection = connect(request["uri"], request["timeout_s"], request["table"])
        connection.set_progress_handler(tick, STEPS)
        cursor = connection.execute(request["sql"], request["params"])
        columns = [column[0] for column in cursor.description or ()]
        for row in cursor:
            if len(rows) == request["max_rows"]:
                truncated = True
                break
            rows.append(row)
            volume += 16 * len(row) + sum(len(value) for value in row if isinstance(value, (str, bytes)))
            if volume > MAX_BYTES:
                return {"error": "bytes"}
    except MemoryError:
        return {"error": "memory"}
    except (sqlite3.Error, sqlite3.Warning, ValueError, TypeError, UnicodeError, OverflowError) as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if late or name == "SQLITE_INTERRUPT":
            return {"error": "time"}
        return {"error": "sql", "name": name, "message": refused[0] if refused else str(error)}
    return {"columns": columns, "rows": rows, "truncated": truncated}


def confine(timeout_s: float) -> None:
    """Ask the operating system for bounds on memory, processor time and files."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, WRITTEN),
        (resource.RLIMIT_CPU, math.ceil(timeout_s) + 5),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard),) * 2)


def main() -> None:
    request = json.load(sys.stdin.buffer)
    confine(request["timeout_s"])
    try:
        reply = marshal.dumps(answer(request))
    except (MemoryError, ValueError):
        reply = marshal.dumps({"error": "memory"})
    sys.stdout.buffer.write(reply)


if __name__ == "__main__":
    main()
