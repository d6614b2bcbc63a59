"""report: the command that draws conclusions."""

from pathlib import Path
from typing import Annotated

import typer

from bpsvc.cli.options import DB, Db
from bpsvc.cli.output import say


def report(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(help="Names, such as xor or xor@2 (default: the newest).", show_default=False),
    ] = None,
    db: Db = DB,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder that holds reports.")] = Path(
        "reports"
    ),
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if the runs are not as their specs expect.")
    ] = False,
) -> int:
    """Write a report with figures and tables from the stored runs.

    Examples:

      bpsvc report

      bpsvc report xor --output reports

      bpsvc report nightly --check
    """
    from bpsvc.service import reporting
    from bpsvc.store import Store

    with Store(db) as store:
        page = reporting.report(store, experiments or [], output)
        verdicts = reporting.check(store, experiments or []) if check else []
    print(page)
    for verdict in verdicts:
        say(str(verdict))
    return 0 if all(verdict.met for verdict in verdicts) else 1
