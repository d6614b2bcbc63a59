"""validate, schema: commands about specs that need no store."""

from pathlib import Path
from typing import Annotated

import typer

from bpsvc.cli.output import print_json, say


def validate(
    specs: Annotated[list[Path], typer.Argument(help="Spec files.", show_default=False)],
) -> None:
    """Check specs and their data; store nothing.

    Examples:

      bpsvc validate specs/xor.json
    """
    from bpsvc.service import submitting

    for path, experiment in zip(specs, submitting.read(specs), strict=True):
        for warning in experiment.warnings:
            say(f"{path}: note: {warning}")
        say(f"{path}: valid, {len(experiment.runs)} runs of {experiment.epochs} epochs")


def schema() -> None:
    """Print the JSON Schema of specs, for editors.

    Examples:

      bpsvc schema > bpsvc.schema.json
    """
    from bpsvc import spec

    print_json(spec.json_schema())
