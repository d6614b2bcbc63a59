"""schedule add, list, show, pause, resume, remove, preview, run, tick: specs submitted again and again."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bpsvc.cli import completing
from bpsvc.cli.options import DB, Db, Form, Json
from bpsvc.cli.output import Format, print_json, print_rows, tell

schedule_app = typer.Typer(
    name="schedule",
    help="Submit specs again and again: at times of a cron expression, in a time zone.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


# The words of `bpsvc.schedule`, which takes long to load for `bpsvc --help`; a test compares them.
class Missed(StrEnum):
    latest = "latest"
    all = "all"
    skip = "skip"


class Overlap(StrEnum):
    skip = "skip"
    allow = "allow"


class Fresh(StrEnum):
    data = "data"
    seeds = "seeds"
    none = "none"


Name = Annotated[
    str,
    typer.Argument(help="The schedule's name.", show_default=False, autocompletion=completing.schedules),
]
Count = Annotated[int, typer.Option("--number", "-n", min=1, max=1000, help="How many.")]
Zone = Annotated[str, typer.Option("--timezone", "-z", help="IANA time zone of the expression.")]


@schedule_app.command()
def add(
    spec: Annotated[Path, typer.Argument(help="A spec file.", show_default=False)],
    cron: Annotated[
        str,
        typer.Option("--cron", help="Minute, hour, day of month, month, day of week.", show_default=False),
    ],
    timezone: Zone = "UTC",
    name: Annotated[str | None, typer.Option("--name", help="Its name (default: the spec's).")] = None,
    fresh: Annotated[
        Fresh | None,
        typer.Option(
            "--fresh", help="What is new each time (default: data for files, seeds for generators)."
        ),
    ] = None,
    missed: Annotated[
        Missed, typer.Option("--missed", help="Which missed occurrences are made up for.")
    ] = Missed.latest,
    overlap: Annotated[
        Overlap, typer.Option("--overlap", help="While runs of an earlier occurrence go on.")
    ] = Overlap.skip,
    report: Annotated[
        Path | None, typer.Option("--report", help="The folder for a report on each occurrence.")
    ] = None,
    allow_path: Annotated[
        bool, typer.Option("--allow-path", help="Let the data lie outside the spec's folder.")
    ] = False,
    db: Db = DB,
    json: Json = False,
) -> None:
    """Submit a spec again and again; `bpsvc worker --watch` or `bpsvc schedule tick` see to it.

    Examples:

      bpsvc schedule add specs/nightly.json --cron "0 2 * * *" --timezone Europe/Berlin

      bpsvc schedule add prices.json --cron "*/30 8-18 * * MON-FRI" --fresh data --report reports/prices
    """
    from bpsvc.service import agenda, scheduling
    from bpsvc.store import Store

    request = scheduling.Request(
        path=spec,
        cron=cron,
        timezone=timezone,
        name=name,
        fresh=fresh,
        missed=missed,
        overlap=overlap,
        report=report,
        allow_path=allow_path,
    )
    plan, data = scheduling.plan(request)
    with Store(db, mode="create") as store:
        added = scheduling.add(store, plan, data)
        tell(f"added {added.plan.name}: each time, fresh {added.plan.fresh}")
        if json:
            print_json(agenda.facts(store, added.plan.name))
        else:
            print_rows(*agenda.upcoming(store, added.plan.name, 3))
    tell("next: bpsvc worker --watch, or bpsvc schedule tick once a minute (docs/schedules.md)")


@schedule_app.command("list")
def list_(db: Db = DB, form: Form = Format.table) -> None:
    """List schedules, when each comes next and what was decided last.

    Examples:

      bpsvc schedule list
    """
    from bpsvc.service import agenda
    from bpsvc.store import Store

    with Store(db) as store:
        print_rows(*agenda.listed(store), form)


@schedule_app.command()
def show(name: Name, number: Count = 20, db: Db = DB, json: Json = False) -> None:
    """Show a schedule, and what was decided at its last occurrences and why.

    Examples:

      bpsvc schedule show nightly -n 60
    """
    from bpsvc.service import agenda
    from bpsvc.store import Store

    with Store(db) as store:
        facts = agenda.facts(store, name)
        columns, rows = agenda.decided(store, name, number)
    if json:
        print_json({**facts, "occurrences": [dict(zip(columns, row, strict=True)) for row in rows]})
        return
    print_rows(("", ""), [(key, str(value)) for key, value in facts.items() if value is not None])
    print()
    print_rows(columns, rows)


@schedule_app.command()
def pause(name: Name, db: Db = DB, json: Json = False) -> None:
    """Submit nothing until `resume`; what is due meanwhile is skipped, and recorded as that.

    Examples:

      bpsvc schedule pause nightly
    """
    from bpsvc.service import agenda
    from bpsvc.store import Store

    with Store(db, mode="write") as store:
        tell(f"{name} is paused" if store.schedules.pause(name) else f"{name} was paused already")
        if json:
            print_json(agenda.facts(store, name))


@schedule_app.command()
def resume(name: Name, db: Db = DB, json: Json = False) -> None:
    """Go on after a pause, with the next occurrence.

    Examples:

      bpsvc schedule resume nightly
    """
    from bpsvc.service import agenda, scheduling
    from bpsvc.store import Store

    with Store(db, mode="write") as store:
        tell(f"{name} goes on" if scheduling.resume(store, name) else f"{name} was not paused")
        if json:
            print_json(agenda.facts(store, name))


@schedule_app.command()
def remove(name: Name, db: Db = DB, json: Json = False) -> None:
    """Forget a schedule and what it decided; the experiments that it submitted stay.

    Examples:

      bpsvc schedule remove nightly
    """
    from bpsvc.service import agenda
    from bpsvc.store import Store

    with Store(db, mode="write") as store:
        facts = agenda.facts(store, name)
        store.schedules.remove(name)
    if json:
        print_json(facts)
    tell(f"{name} is removed; its experiments stay")


@schedule_app.command()
def preview(
    name: Annotated[
        str | None,
        typer.Argument(
            help="The schedule's name, unless --cron is given.",
            show_default=False,
            autocompletion=completing.schedules,
        ),
    ] = None,
    cron: Annotated[str | None, typer.Option("--cron", help="An expression to try out.")] = None,
    timezone: Zone = "UTC",
    number: Count = 5,
    db: Db = DB,
    form: Form = Format.table,
) -> None:
    """Show the next occurrences in UTC and by the zone's clock; changes of the clock are noted.

    Examples:

      bpsvc schedule preview nightly -n 10

      bpsvc schedule preview --cron "30 2 * * SUN" --timezone Europe/Berlin
    """
    from bpsvc.errors import UsageError
    from bpsvc.service import agenda
    from bpsvc.store import Store

    if (name is None) == (cron is None):
        raise UsageError("preview needs the name of a schedule or --cron, and not both")
    if cron is not None:
        print_rows(*agenda.preview(cron, timezone, number), form)
        zone = "" if timezone == "UTC" else f" --timezone {shlex.quote(timezone)}"
        tell(f"next: bpsvc schedule add SPEC --cron {shlex.quote(cron)}{zone}")
    elif name is not None:
        with Store(db) as store:
            print_rows(*agenda.upcoming(store, name, number), form)
        tell("next: bpsvc worker --watch submits and trains it at these times")


@schedule_app.command()
def run(name: Name, db: Db = DB, json: Json = False) -> None:
    """Submit a schedule's spec now, beside the plan.

    Examples:

      bpsvc schedule run nightly
    """
    from bpsvc.service import scheduling, submitting, working
    from bpsvc.store import Store

    with Store(db, mode="write") as store:
        receipt = scheduling.fire(store, name)
        tell(submitting.described(receipt))
        if json:
            print_json(working.document(store, receipt))
    tell("next: bpsvc worker")


@schedule_app.command()
def tick(db: Db = DB, form: Form = Format.table) -> int:
    """Decide what is due, and report what has ended; nothing is trained. To be run once a minute.

    Prints what was decided, and nothing when nothing was. Exit code 1 when spec or data of an occurrence were
    refused, or when runs that have ended are not as their spec expects.

    Examples:

      bpsvc schedule tick
    """
    from bpsvc.service import attending
    from bpsvc.store import Store

    with Store(db, mode="write") as store:
        news = list(attending.attend(store))
    if news or form is Format.json:
        print_rows(("schedule", "instant", "what", "detail"), [one.row for one in news], form)
    return 1 if any(one.bad for one in news) else 0
