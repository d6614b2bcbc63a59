"""report: the command that draws conclusions."""

from pathlib import Path
from typing import Annotated

import typer

from bpsvc.cli.options import DB, Db


def report(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(help="Names, such as xor or xor@2 (default: the newest).", show_default=False),
    ] = None,
    db: Db = DB,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder that holds reports.")] = Path(
        "reports"
    ),
) -> None:
    """Write a report with figures and tables from the stored runs.

    Examples:

      bpsvc report

      bpsvc report xor --output reports
    """
    from bpsvc.service import reporting
    from bpsvc.store import Store

    with Store(db) as store:
        page = reporting.report(store, experiments or [], output)
    print(page)
