"""status: how things stand, once or live."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bpsvc.cli.options import DB, Db, Form
from bpsvc.cli.output import Format, is_terminal, print_rows, render
from bpsvc.errors import UsageError

if TYPE_CHECKING:  # to say `bpsvc --help` loads no numpy
    from bpsvc.service.standing import Standing

_EVERY_S: Final = 1.0
# What is done and what is left say more to people than how much it is in all.
_TOTAL: Final = "epochs_to_do"


def status(
    db: Db = DB,
    workers: Annotated[
        bool, typer.Option("--workers", help="Only who trains what, since when, how fast.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep it live on the terminal, until Ctrl-C.")
    ] = False,
    form: Form = Format.table,
) -> None:
    """Say what is queued, running, done, diverged and failed; and who trains what, how fast, how long still.

    Examples:

      bpsvc status

      bpsvc status --watch

      bpsvc status --workers --json
    """
    from bpsvc.service.standing import standing
    from bpsvc.store import Store

    if watch and (form is not Format.table or not is_terminal(sys.stdout)):
        raise UsageError("--watch needs a terminal", remedy="elsewhere, repeat `bpsvc status`")
    with Store(db) as store:
        if watch:
            _live(lambda: _tables(standing(store), workers))
        elif form is Format.table:
            sys.stdout.write(_tables(standing(store), workers))
        else:
            now = standing(store)
            print_rows(*(now.workers if workers else now.experiments), form)


def _tables(now: "Standing", workers: bool) -> str:
    """The experiments, and below them who works on them, if anybody does; or these alone."""
    width = shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None
    at_work = render(*now.workers, Format.table, width=width)
    if workers:
        return at_work
    columns, rows = now.experiments
    shown = [place for place, name in enumerate(columns) if name != _TOTAL]
    experiments = render(
        [columns[place] for place in shown],
        [[row[place] for place in shown] for row in rows],
        Format.table,
        width=width,
    )
    return f"{experiments}\n{at_work}" if now.workers[1] else experiments


def _live(text: Callable[[], str]) -> None:
    """Show the text anew every second, in place, until Ctrl-C."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(Text(text()), console=Console(), auto_refresh=False) as live:
        while True:
            time.sleep(_EVERY_S)
            live.update(Text(text()), refresh=True)
