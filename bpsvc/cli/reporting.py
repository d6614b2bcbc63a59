"""report: the command that draws conclusions."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from bpsvc.cli import completing
from bpsvc.cli.options import DB, Db, Json, Limit, Sort
from bpsvc.cli.output import print_json, say, tell


def report(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names, such as xor or xor@2 (default: the newest).",
            show_default=False,
            autocompletion=completing.experiments,
        ),
    ] = None,
    db: Db = DB,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder that holds reports, or the file of one figure."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            "-w",
            "--runs",
            help="Only runs for which this SQL condition over `runs` holds.",
            show_default=False,
        ),
    ] = None,
    sort: Sort = None,
    limit: Limit = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="Tell runs apart only by this path: swept, or differing here (repeat)."),
    ] = None,
    success: Annotated[
        str | None, typer.Option("--success", help="Judge recorded epochs anew: 'loss<=0.05'.")
    ] = None,
    figure: Annotated[
        str | None, typer.Option("--figure", help="Only this figure; `list` says which there are.")
    ] = None,
    style: Annotated[str, typer.Option("--style", help="screen, slide or paper.")] = "screen",
    formats: Annotated[
        str, typer.Option("--format", help="Files beside the page: svg, png, pdf, csv, md, tex, with commas.")
    ] = "svg,png,csv,md,tex",
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if the runs are not as their specs expect.")
    ] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json: Json = False,
) -> int:
    """Write a report with figures and tables from the stored runs.

    Examples:

      bpsvc report

      bpsvc report xor --output reports

      bpsvc report xor --figure solved --style paper -o solved.pdf

      bpsvc report xor --where "seed < 10" --success "loss<=0.05"

      bpsvc report nightly --check
    """
    from bpsvc.reporting import unfinished
    from bpsvc.service import reporting
    from bpsvc.service.selecting import Filter
    from bpsvc.store import Store

    names = experiments or []
    if figure == "list":
        known = reporting.figures()
        if json:
            print_json([{"name": name, "title": title} for name, title in known])
        else:
            print("\n".join(f"{name:<17}{title}" for name, title in known))
        tell("next: bpsvc report EXPERIMENT --figure NAME")
        return 0
    wish = reporting.Wish(Filter(where, sort, limit), tuple(by or ()), success)
    with Store(db) as store:
        about = reporting.material(store, names, wish)
        notes = unfinished(about)
        for sentence in notes:
            say(sentence)
        if figure is not None:
            path = reporting.one_figure(about, figure, output or Path(f"{figure}.svg"), style=style)
            after = f"bpsvc report {shlex.join(names)}".rstrip() + " draws all that there is to see"
        else:
            asked = ["html", *formats.split(",")]
            path = reporting.report(about, output or Path("reports"), formats=asked, style=style)
            after = "open the page; bpsvc query --list has questions to ask"
        verdicts = reporting.check(store, names) if check else []
    if json:
        print_json({"path": path, "notes": notes, "verdicts": [vars(one) for one in verdicts]})
    else:
        print(path)
    for verdict in verdicts:
        say(str(verdict))
    if show:
        typer.launch(str(path))
    if not all(verdict.met for verdict in verdicts):
        return 1
    tell(f"next: {after}")
    return 0
