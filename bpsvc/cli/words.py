"""Words for the shell to complete, asked of a store with nothing but sqlite3: the shell asks at every press
of Tab. Whatever is wrong with the store: no words.

bash is answered here, before the command line is even loaded, where the word is a run, an experiment or a
schedule; typer answers all else, by way of `completing`.
"""

import os
import shlex
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

Words = list[tuple[str, str]]
"""Words, and what is said about them."""

_MOST: Final = 50
_WAIT_S: Final = 0.05

_RUNS: Final = """
    SELECT CAST(run_id AS TEXT), status || ', seed ' || seed FROM runs
    WHERE CAST(run_id AS TEXT) GLOB ? ORDER BY run_id DESC LIMIT ?
"""
_EXPERIMENTS: Final = """
    SELECT name, 'newest revision' FROM experiments WHERE newest AND name GLOB ?1
    UNION ALL SELECT experiment, submitted_at FROM experiments WHERE experiment GLOB ?1 LIMIT ?2
"""
_SCHEDULES: Final = "SELECT schedule, cron FROM schedules WHERE schedule GLOB ? ORDER BY schedule LIMIT ?"


def runs(db: str | None, incomplete: str) -> Words:
    """Numbers of runs, the newest first, and @last."""
    last = [("@last", "the run that ended last")] if "@last".startswith(incomplete) else []
    return last + _asked(db, _RUNS, incomplete)


def experiments(db: str | None, incomplete: str) -> Words:
    """Names of experiments, and with their revisions."""
    return _asked(db, _EXPERIMENTS, incomplete)


def schedules(db: str | None, incomplete: str) -> Words:
    """Names of schedules."""
    return _asked(db, _SCHEDULES, incomplete)


ARGUMENTS: Final[Mapping[str, Callable[[str | None, str], Words]]] = {
    **dict.fromkeys(("show", "weights", "predict", "trace"), runs),
    **dict.fromkeys(("runs", "report", "export", "cancel", "retry", "rm", "verify"), experiments),
    **{f"schedule {name}": schedules for name in ("show", "pause", "resume", "remove", "preview", "run")},
}
"""What the first argument of a command is."""


def for_bash(environment: Mapping[str, str]) -> str | None:
    """What to print to bash, or None when typer is to answer."""
    if environment.get("_BPSVC_COMPLETE") != "complete_bash":
        return None
    try:
        typed, at = shlex.split(environment["COMP_WORDS"]), int(environment["COMP_CWORD"])
    except (KeyError, ValueError):
        return None
    incomplete = typed[at] if at < len(typed) else ""
    before = typed[1:at]
    known = ARGUMENTS.get(" ".join(before))
    if known is None or incomplete.startswith("-"):
        return None
    return "".join(f"{word}\n" for word, _ in known(None, incomplete))


def _asked(db: str | None, sql: str, incomplete: str) -> Words:
    """Rows of the store."""
    name = db or os.environ.get("BPSVC_DB") or "bpsvc.db"
    start = "".join(f"[{c}]" if c in "*?[" else c for c in incomplete)
    try:
        path = Path(name.removeprefix("sqlite:///")).expanduser()
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_WAIT_S)
    except (sqlite3.Error, RuntimeError):
        return []
    try:
        rows = connection.execute(sql, (f"{start}*", _MOST)).fetchall()
    except sqlite3.Error:
        return []
    finally:
        connection.close()
    return [(word, about) for word, about in rows if f"{word}{about}".isprintable()]
