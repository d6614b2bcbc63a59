"""What the commands print: data to stdout, all else to stderr."""

import contextlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TextIO

from bpsvc.cli.rendering import Format, Row, as_json, harmless, render
from bpsvc.errors import UsageError

__all__ = [
    "Format",
    "Row",
    "confirmed",
    "detail",
    "loudness",
    "print_json",
    "print_rows",
    "quiet",
    "render",
    "say",
    "tell",
]

_loudness: ContextVar[int] = ContextVar("loudness", default=0)


@contextlib.contextmanager
def loudness(level: int) -> Iterator[None]:
    """Within, news are left out (-1, `--quiet`) or details told too (1, `--verbose`)."""
    token = _loudness.set(level)
    try:
        yield
    finally:
        _loudness.reset(token)


def quiet() -> bool:
    """Whether news are to be left out."""
    return _loudness.get() < 0


def say(message: str) -> None:
    """A line for the person at the terminal: what they must know."""
    print("\n".join(map(harmless, message.split("\n"))), file=sys.stderr, flush=True)


def tell(message: str) -> None:
    """A line of news, which `--quiet` leaves out."""
    if not quiet():
        say(message)


def confirmed(question: str, remedy: str) -> bool:
    """Ask for yes or no; UsageError with `remedy` when nobody is there to answer."""
    if not is_terminal(sys.stdin):
        raise UsageError(question, remedy=remedy)
    print(f"{harmless(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def detail(message: str) -> None:
    """A line for those who want to know more (`--verbose`)."""
    if _loudness.get() > 0:
        say(message)


def print_rows(columns: Sequence[str], rows: Sequence[Row], form: Format = Format.table) -> None:
    """Print rows to stdout in the chosen form; a table on a terminal is as wide as the terminal."""
    width = shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None
    sys.stdout.write(render(columns, rows, form, width=width))


def print_json(value: Any) -> None:
    """Print a value as JSON; numbers that are not finite become null."""
    sys.stdout.write(as_json(value, indent=2))


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody is looking."""
    return stream.isatty()
