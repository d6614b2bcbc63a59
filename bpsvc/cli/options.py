"""Options that several commands share."""

from typing import Annotated

import typer

from bpsvc.cli import completing
from bpsvc.cli.output import Format

Db = Annotated[
    str,
    typer.Option(
        "--db",
        envvar="BPSVC_DB",
        help="The results database: a path or an SQLAlchemy URL.",
        show_default=True,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Form = Annotated[Format, typer.Option("--format", help="How rows are printed.")]
Run = Annotated[
    str,
    typer.Argument(
        help="A run: its number, at least 8 hex digits of its key, or @last: the one that ended last.",
        autocompletion=completing.runs,
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where", "-w", help="Only runs for which this SQL condition over `runs` holds.", show_default=False
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort", help="Columns to sort by, as in SQL (default: the newest first).", show_default=False
    ),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", "-n", min=1, max=10**9, help="At most so many runs.", show_default=False),
]
AllowPath = Annotated[bool, typer.Option("--allow-path", help="Let data lie outside the spec's folder.")]
Processes = Annotated[
    int | None,
    typer.Option("--processes", "-p", min=1, help="Processes to train with (default: one a processor)."),
]

DB = "bpsvc.db"
