"""query, runs, show, weights, predict: commands that look at what is stored."""

from pathlib import Path
from typing import Annotated

import typer

from bpsvc.cli import completing
from bpsvc.cli.options import DB, Db, Form, Json, Run, Sort, Where
from bpsvc.cli.output import Format, print_json, print_rows, render, say, tell
from bpsvc.wording import plural

MaxRows = Annotated[int, typer.Option("--max-rows", min=1, help="Fetch at most so many rows.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0.01, help="Give up after so many seconds.")]


def query(
    sql: Annotated[str | None, typer.Argument(help="One SELECT, or the name of a canned query.")] = None,
    db: Db = DB,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", help="run=12 for :run in the SQL (repeat for more)."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the canned queries.")] = False,
    form: Form = Format.table,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    max_rows: MaxRows = 100_000,
    timeout: Timeout = 60.0,
) -> None:
    """Ask the results database, read-only. SQL has median(x) and quantile(x, q) besides SQLite's own
    functions.

    Examples:

      bpsvc query "SELECT loss, count(*), count(solved_epoch) FROM runs GROUP BY loss"

      bpsvc query --list

      bpsvc query first-epoch-below -p loss=0.01 --format csv --output first.csv
    """
    from bpsvc.folders import named
    from bpsvc.service import canned
    from bpsvc.store import Store

    if list_ or sql is None:
        rows = [
            (one.name, one.doc, ", ".join(f"{name}={value}" for name, value in one.parameters.items()))
            for one in canned.QUERIES.values()
        ]
        print_rows(("name", "what it answers", "parameters"), rows, form)
        tell("next: bpsvc query NAME asks one of them")
        return
    statement, values = canned.resolved(sql, parameters or [])
    with Store(db) as store:
        values = canned.named(store, sql, values)
        answer = store.query(statement, values, max_rows=max_rows, timeout_s=timeout)
    if output is None:
        print_rows(answer.columns, answer.rows, form)
    else:
        with named(output):
            output.write_text(render(answer.columns, answer.rows, form), encoding="utf-8")
    if answer.truncated:
        say(f"only the first {max_rows} rows are shown; --max-rows raises the limit")
    tell("next: bpsvc query --list has more questions")


def runs(
    experiment: Annotated[
        str | None,
        typer.Argument(
            help="Only the runs of this experiment.",
            show_default=False,
            autocompletion=completing.experiments,
        ),
    ] = None,
    db: Db = DB,
    where: Where = None,
    sort: Sort = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10**9, help="At most so many runs.")] = 50,
    form: Form = Format.table,
) -> None:
    """List runs, the newest first.

    Examples:

      bpsvc runs xor --limit 10

      bpsvc runs xor --where "solved_epoch IS NULL" --sort final_loss
    """
    from bpsvc.service.selecting import Filter, listed
    from bpsvc.store import Store

    with Store(db) as store:
        answer = listed(store, experiment, Filter(where, sort, limit))
    print_rows(answer.columns, answer.rows, form)


def show(run: Run, db: Db = DB, json: Json = False) -> None:
    """Show all that is known of one run.

    Examples:

      bpsvc show @last
    """
    from bpsvc.service import networks
    from bpsvc.store import Store

    with Store(db) as store:
        facts = networks.facts(store, store.run(run))
    if json:
        print_json(facts)
    else:
        print_rows(("name", "value"), [(name, value) for name, value in facts.items() if value is not None])


def weights(
    run: Run,
    at: Annotated[
        str, typer.Option("--at", help="final, best (by validation loss), initial, or an epoch.")
    ] = "final",
    db: Db = DB,
    json: Json = False,
) -> None:
    """Print the weights and biases of a run, layer by layer.

    Examples:

      bpsvc weights @last --json

      bpsvc weights 12 --at initial
    """
    from bpsvc.service import looking, networks
    from bpsvc.store import Store

    with Store(db) as store:
        trained = networks.load(store, run, networks.moment(at))
    if json:
        print_json(networks.weights(trained))
        return
    when = f"run {trained.run_id} after {plural(trained.epoch, 'epoch')}"
    tell(f"{when}; w_sd leads from source s (0: the bias) to unit d")
    print_rows(*looking.weight_rows(trained))


def predict(
    run: Run,
    file: Annotated[Path | None, typer.Argument(help="CSV with the features of new examples.")] = None,
    db: Db = DB,
    layers: Annotated[bool, typer.Option("--layers", help="Show the hidden units too.")] = False,
    form: Form = Format.table,
) -> None:
    """Put examples through a trained network: its own data, or the rows of a CSV file.

    Targets that are known stand beside; of data that are split, so does the part: training or validation.

    Examples:

      bpsvc predict @last --layers

      bpsvc predict 12 new.csv --format csv
    """
    from bpsvc.service import predicting
    from bpsvc.store import Store

    with Store(db) as store:
        predicted = predicting.predict(store, run, file, layers=layers)
    print_rows(predicted.columns, predicted.rows, form)
    for note in predicted.notes:
        say(f"note: {note}")
