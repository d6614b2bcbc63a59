"""What all commands have in common: --quiet and --verbose, and the sensible next step at the end."""

import functools
import inspect
import shlex
import signal
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, get_args

import typer

from bpsvc.cli import starting
from bpsvc.cli.interrupts import AtOnce
from bpsvc.cli.options import Json
from bpsvc.cli.output import detail, loudness, tell
from bpsvc.errors import BpsvcError, UsageError

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, no news: data, warnings and errors only.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more: what it cost, how long it took.")]

NEXT: Final[Mapping[str, str]] = {
    "status": "bpsvc runs EXPERIMENT, or bpsvc report EXPERIMENT",
    "export": "read the folder's README.md",
    "runs": "bpsvc show RUN, or bpsvc weights RUN",
    "show": "bpsvc weights {run}, or bpsvc predict {run} --layers",
    "weights": "bpsvc predict {run} --layers",
    "predict": "bpsvc trace {run}",
    "gradcheck": "bpsvc submit SPEC",
    "validate": "bpsvc submit --dry-run SPEC shows the plan",
    "schema": "name the schema in a spec: bpsvc init does it",
    "cancel": "bpsvc submit SPEC queues them again",
    "retry": "bpsvc worker",
    "rm": "bpsvc status",
    "verify": "bpsvc db backup FILE",
    "schedule list": "bpsvc schedule show NAME",
    "schedule show": "bpsvc schedule preview {name}",
    "schedule pause": "bpsvc schedule resume {name}",
    "schedule resume": "bpsvc schedule preview {name}",
    "schedule remove": "bpsvc schedule list",
    "db info": "bpsvc db check",
    "db check": "bpsvc verify compares the digests of states and data",
    "db backup": "bpsvc db merge takes a copy over into another store",
    "db compact": "bpsvc db info",
    "db upgrade": "bpsvc verify",
    "db merge": "bpsvc status",
}
"""What a command that ended well suggests; what is in braces is the command's own argument."""

KNOW_BETTER: Final = frozenset(
    {
        "submit",
        "worker",
        "doctor",
        "init",
        "examples",
        "report",
        "query",
        "trace",
        "schedule add",
        "schedule preview",
        "schedule run",
        "schedule tick",
    }
)
"""Commands that say it themselves; `schedule tick` says nothing to cron when nothing happened."""


class Interrupted(BpsvcError):
    """A signal, which is Ctrl-C where it is no other."""

    exit_code = 130

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__("interrupted")
        self.exit_code = 128 + number


def command(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A command's function with the habits: typer sees their options beside the function's own. Where one of
    the forms of --format is json, --json is short for it.
    """
    forms = get_args(function.__annotations__.get("form"))
    short = getattr(forms[0], "json", None) if forms else None

    @functools.wraps(function)
    def run(*args: Any, quiet: bool = False, verbose: bool = False, **options: Any) -> Any:
        began = time.perf_counter()
        if short is not None and options.pop("json"):
            if options["form"] not in (short, signature.parameters["form"].default):
                raise UsageError(f"--json and --format {options['form'].value} are two forms of one output")
            options["form"] = short
        with loudness(-1 if quiet else int(verbose)):
            with starting.over() as noted:
                try:
                    code = function(*args, **options)
                except AtOnce as error:
                    raise Interrupted(error.number) from None
                except KeyboardInterrupt:
                    raise Interrupted from None
                except Exception:
                    if noted:
                        raise Interrupted from None
                    raise
            if not code and name in NEXT:
                tell(f"next: {NEXT[name].format_map({key: _word(value) for key, value in options.items()})}")
            detail(f"{time.perf_counter() - began:.2f} s")
        return code

    signature = inspect.signature(function)
    own = list(signature.parameters.values())
    keyword = inspect.Parameter.KEYWORD_ONLY
    mine = {"quiet": Quiet, "verbose": Verbose, **({} if short is None else {"json": Json})}
    extra = [inspect.Parameter(key, keyword, default=False, annotation=kind) for key, kind in mine.items()]
    run.__signature__ = signature.replace(parameters=[*own, *extra])  # type: ignore[attr-defined]
    run.__annotations__ = {**function.__annotations__, **mine}
    return run


def _word(value: object) -> str:
    """An argument as one would type it again."""
    return shlex.quote(str(value)) if str(value).isprintable() else "…"
