"""export: the command that hands everything to other programs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bpsvc.cli import completing
from bpsvc.cli.options import DB, Db, Json, Limit, Sort, Where
from bpsvc.cli.output import print_json, tell


class Form(StrEnum):
    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"


def export(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names, such as xor or xor@2 (default: the newest).",
            show_default=False,
            autocompletion=completing.experiments,
        ),
    ] = None,
    db: Db = DB,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder that holds exports.")] = Path(
        "exports"
    ),
    form: Annotated[Form, typer.Option("--format", help="How tables are written.")] = Form.csv,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = None,
    json: Json = False,
) -> None:
    """Write all that is stored of experiments into files: tables, weights, data, and what they mean.

    Examples:

      bpsvc export xor

      bpsvc export xor vanishing --output exports --format parquet

      bpsvc export xor --where "solved_epoch IS NULL"
    """
    from bpsvc.service import exporting
    from bpsvc.service.selecting import Filter
    from bpsvc.store import Store

    which = Filter(where, sort, limit)
    with Store(db) as store:
        done = exporting.export(store, experiments or [], output, form=form.value, which=which)
    if json:
        print_json(vars(done))
    else:
        print(done.folder)
    rows = f"{done.rows['epochs']} epochs, {done.rows['layer_gradients']} layer rows"
    tell(f"{done.runs} runs, {rows}; README.md there says what each column means")
