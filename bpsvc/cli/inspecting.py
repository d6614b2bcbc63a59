"""trace and gradcheck: commands that look into backpropagation itself."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from bpsvc.cli import completing
from bpsvc.cli.options import DB, AllowPath, Db, Json
from bpsvc.cli.output import print_json, print_rows, say, tell
from bpsvc.cli.streams import as_printed

Seed = Annotated[int | None, typer.Option("--seed", help="The run with this seed (default: the first).")]


def trace(
    what: Annotated[
        str,
        typer.Argument(
            help="A spec file, or a stored run: 12, or @last for the one that ended last.",
            show_default=False,
            autocompletion=completing.runs,
        ),
    ],
    epoch: Annotated[int | None, typer.Option("--epoch", min=0, help="After so many epochs.")] = None,
    seed: Seed = None,
    path: Annotated[
        str | None, typer.Option("--path", help="The unit to show of each layer: 3,1,1.", show_default=False)
    ] = None,
    allow_path: AllowPath = False,
    db: Db = DB,
    json: Json = False,
) -> None:
    """Print one step of backpropagation the way the lecture does it by hand.

    Examples:

      bpsvc trace specs/xor.json

      bpsvc trace @last --epoch 100
    """
    from bpsvc.service import describing, tracing, tracing_text
    from bpsvc.store import Store

    units = tracing.units(path)
    if Path(what).suffix == ".json" or what == "-":
        (experiment,) = describing.read([Path(what)], allow_path=allow_path)
        step = tracing.of_spec(experiment, seed, epoch or 0, units)
        after = f"bpsvc gradcheck {'SPEC' if what == '-' else shlex.quote(what)}"
    else:
        with Store(db) as store:
            step = tracing.of_run(store, what, epoch, units)
        after = f"bpsvc weights {what}"
    if json:
        print_json(tracing.document(step))
    else:
        print("\n".join(tracing_text.lines(step, as_printed)))
    tell(f"next: {after}")


def gradcheck(
    specs: Annotated[list[Path], typer.Argument(help="Spec files.", show_default=False)],
    epoch: Annotated[int, typer.Option("--epoch", min=0, help="After so many epochs.")] = 0,
    seed: Seed = None,
    allow_path: AllowPath = False,
    json: Json = False,
) -> int:
    """Check the gradients of each network of a spec against finite differences; exit 1 on a mismatch.

    Examples:

      bpsvc gradcheck specs/xor.json specs/vanishing.json
    """
    from bpsvc.service import checking, describing

    found = [
        one
        for experiment in describing.read(specs, allow_path=allow_path)
        for one in checking.gradcheck(experiment, seed, epoch)
    ]
    if json:
        print_json([vars(one) for one in found])
    else:
        counts = ("parameters", "checked", "at kinks", "too small")
        columns = ("experiment", "network", "layer", *counts, "difference", "verdict")
        print_rows(columns, [one.row() for one in found])
        for note in dict.fromkeys(one.note for one in found if one.note):
            say(f"note: {note}")
    return 0 if all(one.ok for one in found) else 1
