"""What typer asks when a shell completes an argument."""

from typing import Any

import typer

from bpsvc import shipped
from bpsvc.cli import words
from bpsvc.cli.words import Words


def runs(context: typer.Context, incomplete: str) -> Words:
    """Numbers of runs."""
    return words.runs(_db(context), incomplete)


def experiments(context: typer.Context, incomplete: str) -> Words:
    """Names of experiments."""
    return words.experiments(_db(context), incomplete)


def schedules(context: typer.Context, incomplete: str) -> Words:
    """Names of schedules."""
    return words.schedules(_db(context), incomplete)


def examples(incomplete: str) -> Words:
    """Names of the shipped specs."""
    return [(name, "") for name in shipped.paths() if name.startswith(incomplete)]


def _db(context: typer.Context) -> str | None:
    """The store that the command line names so far."""
    named: Any = context.params.get("db")
    return None if named is None else str(named)
