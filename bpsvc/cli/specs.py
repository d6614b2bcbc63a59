"""validate, schema: commands about specs that need no store."""

from pathlib import Path
from typing import Annotated

import typer

from bpsvc.cli.options import AllowPath, Json
from bpsvc.cli.output import print_json, print_rows, say


def validate(
    specs: Annotated[list[Path], typer.Argument(help="Spec files.", show_default=False)],
    allow_path: AllowPath = False,
    json: Json = False,
) -> int:
    """Check specs and their data; store nothing.

    Examples:

      bpsvc validate specs/xor.json

      bpsvc validate --json specs/xor.json
    """
    from bpsvc.service import submitting

    if json:
        findings = submitting.findings(specs, allow_path=allow_path)
        print_json({"valid": not findings, "findings": findings})
        return 2 if findings else 0
    for experiment in submitting.read(specs, allow_path=allow_path):
        for warning in experiment.warnings:
            say(f"{experiment.name}: note: {warning}")
        say(f"{experiment.name}: valid, {len(experiment.runs):,} runs of {experiment.epochs:,} epochs")
    return 0


def schema() -> None:
    """Print the JSON Schema of specs, for editors.

    Examples:

      bpsvc schema > bpsvc.schema.json
    """
    from bpsvc import spec

    print_json(spec.json_schema())


def examples(
    names: Annotated[list[str] | None, typer.Argument(help="Which to copy.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Copy all of them.")] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to.")] = Path(),
) -> None:
    """List the specs that ship with bpsvc, or copy some here to begin with.

    Examples:

      bpsvc examples

      bpsvc examples xor vanishing
    """
    from bpsvc.service import examples as shipped

    chosen = [name for name, _ in shipped.listing()] if every else names
    if not chosen:
        print_rows(("example", "what it shows"), shipped.listing())
        return
    for path in shipped.copy(chosen, output):
        print(path)
    say(f"next: bpsvc submit {output / chosen[0]}.json")
