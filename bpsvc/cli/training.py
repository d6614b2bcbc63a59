"""submit, worker: commands that give work and do it."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bpsvc.cli.interrupts import graceful
from bpsvc.cli.options import DB, AllowPath, Db, Json, Processes
from bpsvc.cli.output import print_json, say, tell
from bpsvc.wording import plural

if TYPE_CHECKING:  # loading it takes long, and `bpsvc --help` needs it not
    from bpsvc.spec import Experiment

# Beyond these a submit shows its plan first.
_BIG_RUNS: Final = 1_000
_BIG_BYTES: Final = 200_000_000

Specs = Annotated[
    list[Path],
    typer.Argument(help="Spec files, or folders of them; - reads standard input.", show_default=False),
]


def submit(
    specs: Specs,
    db: Db = DB,
    detach: Annotated[bool, typer.Option("--detach", help="Only queue; `bpsvc worker` trains.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan; store and train nothing.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change the spec: training.epochs=200 (repeat for more).", show_default=False
        ),
    ] = None,
    more_seeds: Annotated[
        int | None,
        typer.Option(
            "--more-seeds",
            min=1,
            help="Add so many seeds to the experiment as it is; the spec must say the same.",
            show_default=False,
        ),
    ] = None,
    max_runs: Annotated[int, typer.Option("--max-runs", min=1, help="Refuse a spec of more runs.")] = 100_000,
    allow_path: AllowPath = False,
    json: Json = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a very large submit.")] = False,
    processes: Processes = None,
) -> int:
    """Train what specs describe and the store does not have yet.

    Examples:

      bpsvc submit specs/xor.json

      bpsvc submit specs/xor.json --dry-run --set training.epochs=200

      bpsvc submit --detach specs/xor.json specs/vanishing.json
    """
    from bpsvc import spec
    from bpsvc.service import describing

    experiments = describing.read(
        specs,
        overrides=describing.overrides(settings or []),
        limits=spec.Limits(runs=max_runs, record_bytes=None if yes else spec.Limits.record_bytes),
        allow_path=allow_path,
        seeds=describing.more_seeds(db, more_seeds, max_runs) if more_seeds else None,
    )
    if dry_run:
        _show_plans(experiments, db, json)
        return 0
    for experiment in experiments:
        _tell_before(experiment, db)
    return _store_and_train(experiments, db, detach, processes, json)


def _tell_before(experiment: "Experiment", db: str) -> None:
    """The notes on an experiment; before a big one, its whole plan."""
    if len(experiment.runs) <= _BIG_RUNS and experiment.volume.size <= _BIG_BYTES:
        for warning in experiment.warnings:
            say(f"{experiment.name}: note: {warning}")
        return
    from bpsvc.service import planning

    for line in planning.lines(planning.plan(experiment, db)):
        say(line)


def _show_plans(experiments: "Sequence[Experiment]", db: str, json: bool) -> None:
    from bpsvc.service import planning

    plans = [planning.plan(experiment, db) for experiment in experiments]
    if json:
        print_json([planning.document(plan) for plan in plans])
    else:
        print("\n".join(line for plan in plans for line in planning.lines(plan)))
    tell("next: the same without --dry-run")


def _store_and_train(
    experiments: "Sequence[Experiment]", db: str, detach: bool, processes: int | None, json: bool
) -> int:
    from bpsvc.cli.progress import progress
    from bpsvc.service import submitting, working
    from bpsvc.store import Store

    with Store(db, mode="create") as store:
        receipts = submitting.submit(store, experiments)
        for receipt in receipts:
            tell(submitting.described(receipt))
        if detach:
            if json:
                print_json([working.document(store, receipt) for receipt in receipts])
            tell("next: bpsvc worker")
            return 0
        ids = [receipt.id for receipt in receipts]
        with graceful() as stop, progress() as show:
            effort = working.train(store, experiments=ids, processes=processes, stop=stop, tell=show)
        if json:
            print_json([working.document(store, receipt) for receipt in receipts])
        code = _ended(stop.signal, "the same command goes on from here")
        for receipt in receipts:
            must_know = not code and not working.whole(store, receipt)
            (say if must_know else tell)(working.summary(store, receipt))
        tell(working.cost(effort, store.progress(ids)))
        if code == 0:
            ended = [receipt.experiment for receipt in receipts if working.any_ended(store, receipt)]
            tell("next: bpsvc report " + " ".join(ended) if ended else "next: bpsvc status")
            code = int(not all(working.whole(store, receipt) for receipt in receipts))
        return code


def worker(
    db: Db = DB,
    processes: Processes = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, pick up new work, attend to schedules.")
    ] = False,
    json: Json = False,
) -> int:
    """Train everything that is queued, with a pool of processes.

    Examples:

      bpsvc worker

      bpsvc worker --watch --processes 2
    """
    from bpsvc.cli.progress import progress
    from bpsvc.service import attending, working
    from bpsvc.store import Store

    with Store(db, mode="write") as store, graceful() as stop:
        schedules = attending.attending(store, say) if watch else contextlib.nullcontext()
        before = store.progress().failed
        with progress() as show, schedules:
            effort = working.train(store, processes=processes, stop=stop, tell=show, stay=watch)
        after = store.progress()
        tell(working.cost(effort, after))
        new = after.failed - before
        if json:
            print_json({**vars(effort), "failed": new})
        code = _ended(stop.signal, "`bpsvc worker` goes on from here") or int(new > 0)
        if code == 0:
            tell("next: bpsvc status")
        elif new > 0:
            failed = plural(new, "run") + (f" more failed, {after.failed} in all" if before else " failed")
            say(f"{failed}; `bpsvc runs --where \"status = 'failed'\"` and `bpsvc show RUN` say why")
        return code


def _ended(number: int | None, how: str) -> int:
    if number is None:
        return 0
    say(f"stopped; everything computed so far is stored, and {how}")
    return 128 + number
