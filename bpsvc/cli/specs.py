"""init, examples, validate, schema: commands about specs that need no store."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bpsvc.cli import completing
from bpsvc.cli.options import AllowPath, Form, Json
from bpsvc.cli.output import Format, print_json, print_rows, say, tell
from bpsvc.wording import plural


class Findings(StrEnum):
    text = "text"
    json = "json"


def validate(
    specs: Annotated[list[Path], typer.Argument(help="Spec files.", show_default=False)],
    allow_path: AllowPath = False,
    form: Annotated[Findings, typer.Option("--format", help="How findings are printed.")] = Findings.text,
) -> int:
    """Check specs and their data; store nothing.

    Examples:

      bpsvc validate specs/xor.json

      bpsvc validate --json specs/xor.json
    """
    from bpsvc.service import describing

    if form is Findings.json:
        findings = describing.findings(specs, allow_path=allow_path)
        print_json({"valid": not findings, "findings": findings})
        return 2 if findings else 0
    for experiment in describing.read(specs, allow_path=allow_path):
        for warning in experiment.warnings:
            say(f"{experiment.name}: note: {warning}")
        runs = plural(len(experiment.runs), "run")
        tell(f"{experiment.name}: valid, {runs} of {plural(experiment.epochs, 'epoch')}")
    return 0


def schema() -> None:
    """Print the JSON Schema of specs, for editors.

    Examples:

      bpsvc schema > bpsvc.schema.json
    """
    from bpsvc import spec

    print_json(spec.json_schema())


def init(
    folder: Annotated[Path, typer.Argument(help="Where to; it is made if need be.")] = Path(),
    json: Json = False,
) -> None:
    """Write a starter spec, and the schema by which editors complete and check it.

    Examples:

      bpsvc init

      bpsvc init lab
    """
    from bpsvc.service import starting

    spec, schema = starting.write(folder)
    if json:
        print_json({"spec": spec, "schema": schema})
    else:
        print(spec)
        print(schema)
    tell(f"next: edit {spec}, then bpsvc submit {spec}")


def examples(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Which to copy.", show_default=False, autocompletion=completing.examples),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Copy all of them.")] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to.")] = Path(),
    form: Form = Format.table,
) -> None:
    """List the specs that ship with bpsvc, or copy some here to begin with.

    Examples:

      bpsvc examples

      bpsvc examples xor vanishing
    """
    from bpsvc.service import examples as shipped

    chosen = [name for name, _ in shipped.listing()] if every else names
    if not chosen:
        print_rows(("example", "shows"), shipped.listing(), form)
        tell(f"next: bpsvc examples {shipped.listing()[0][0]} copies one here")
        return
    copied = shipped.copy(chosen, output)
    if form is Format.table:
        print(*copied, sep="\n")
    else:
        print_rows(("file",), [(str(path),) for path in copied], form)
    tell(f"next: bpsvc submit {output / chosen[0]}.json")
