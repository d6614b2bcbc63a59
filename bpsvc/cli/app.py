"""The typer application: all commands by name, each defined in the module of its kind."""

import typer

from bpsvc.cli import exporting, inspecting, looking, reporting, scheduling, specs, training, upkeep

app = typer.Typer(
    name="bpsvc",
    help="Train networks by backpropagation from JSON specs, keep every epoch, report honestly.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    training.submit,
    training.worker,
    training.status,
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
    specs.examples,
    upkeep.cancel,
    upkeep.retry,
    upkeep.rm,
    upkeep.verify,
    upkeep.doctor,
):
    app.command()(command)
app.add_typer(scheduling.schedule_app)
app.add_typer(upkeep.db_app)
