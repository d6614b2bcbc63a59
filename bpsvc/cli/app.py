"""The typer application: all commands by name, each defined in the module of its kind."""

from typing import Annotated

import typer

from bpsvc.cli import (
    exporting,
    habits,
    inspecting,
    looking,
    reporting,
    scheduling,
    specs,
    standing,
    training,
    upkeep,
)

app = typer.Typer(
    name="bpsvc",
    help="Train networks by backpropagation from JSON specs, keep every epoch, report honestly.",
    epilog="Begin with: bpsvc init, or bpsvc examples",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # loading it takes long

        print(f"bpsvc {version('bpsvc')}")
        raise typer.Exit


@app.callback()
def main(
    show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train networks by backpropagation from JSON specs, keep every epoch, report honestly."""


for command in (
    specs.init,
    specs.examples,
    training.submit,
    training.worker,
    standing.status,
    reporting.report,
    exporting.export,
    looking.query,
    looking.runs,
    looking.show,
    looking.weights,
    looking.predict,
    inspecting.trace,
    inspecting.gradcheck,
    specs.validate,
    specs.schema,
    upkeep.cancel,
    upkeep.retry,
    upkeep.rm,
    upkeep.verify,
    upkeep.doctor,
):
    app.command()(habits.command(command.__name__, command))
for group in (scheduling.schedule_app, upkeep.db_app):
    for info in group.registered_commands:
        function = info.callback
        if function is not None:
            own = info.name or function.__name__
            info.callback = habits.command(f"{group.info.name} {own}", function)
    app.add_typer(group)
