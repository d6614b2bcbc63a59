"""cancel, retry, rm, verify, doctor and db: commands that keep a store in order."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bpsvc.cli import completing
from bpsvc.cli.options import DB, Db, Json, Limit, Sort, Where
from bpsvc.cli.output import confirmed, print_json, print_rows, say, tell
from bpsvc.errors import StoreError
from bpsvc.wording import plural

if TYPE_CHECKING:  # sqlalchemy takes long to load
    from bpsvc.store import Store

# After a removal the space is given back when that is much of the file, and a few seconds' work.
_MUCH: Final = 0.25
_SOON_BYTES: Final = 256 << 20

Experiments = Annotated[
    list[str],
    typer.Argument(
        help="Names, such as xor or xor@2.", show_default=False, autocompletion=completing.experiments
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def cancel(experiments: Experiments, db: Db = DB, json: Json = False) -> None:
    """Take the waiting and running runs of experiments out of the queue; submitting again queues them again.

    Examples:

      bpsvc cancel xor
    """
    from bpsvc.store import Store

    with Store(db, mode="write") as store:
        cancelled = store.cancel(experiments)
    if json:
        print_json({"runs": cancelled})
    tell(f"{plural(len(cancelled), 'run')} cancelled; `bpsvc submit` queues them again")


def retry(
    experiments: Annotated[
        list[str] | None, typer.Argument(help="Names (default: all).", autocompletion=completing.experiments)
    ] = None,
    db: Db = DB,
    json: Json = False,
) -> None:
    """Queue failed runs again.

    Examples:

      bpsvc retry xor
    """
    from bpsvc.store import Store

    with Store(db, mode="write") as store:
        queued = store.retry(experiments)
    if json:
        print_json({"runs": queued})
    tell(f"{plural(len(queued), 'run')} queued again")


def rm(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names, such as xor or xor@2.", show_default=False, autocompletion=completing.experiments
        ),
    ] = None,
    older_than: Annotated[
        str | None, typer.Option("--older-than", help="All submitted longer ago than this: 90d, 12h.")
    ] = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = None,
    yes: Yes = False,
    db: Db = DB,
    json: Json = False,
) -> int:
    """Delete experiments, or some runs of them. A run stays while another experiment contains it.

    Where much of the file is free then, and the rest is soon written anew, the space is given back; `bpsvc db
    compact` does it in any case.

    Examples:

      bpsvc rm xor@1

      bpsvc rm xor --where "status = 'failed'"

      bpsvc rm xor --sort "final_loss DESC" --limit 10

      bpsvc rm --older-than 90d --yes
    """
    from bpsvc.service import removing
    from bpsvc.service.selecting import Filter
    from bpsvc.store import Store

    with Store(db, mode="write") as store:
        wish = removing.meant(store, experiments or [], older_than, Filter(where, sort, limit))
        going = store.removal(wish.experiments, runs=wish.runs)
        some = bool(wish.experiments or wish.runs)
        if some and not yes:
            what = removing.described(going)
            if not confirmed(f"delete {what}?", "say --yes if it is meant"):
                say("nothing is deleted")
                return 1
        done = store.remove(wish.experiments, runs=wish.runs) if some else going
        freed, told = _given_back(store) if some else (0, "")
    if json:
        print_json({**vars(done), "freed_bytes": freed})
    if some:
        tell(f"deleted {removing.described(done)}; {told}")
    else:
        tell("nothing to delete")
    return 0


def _given_back(store: "Store") -> tuple[int, str]:
    """Bytes given back to the disk after a removal, which has succeeded whatever becomes of them; and what is
    told of that.
    """
    free, size = store.upkeep.free()
    if free < _MUCH * size or size - free > _SOON_BYTES:
        return 0, f"{free / 1e6:.1f} MB are free for new runs; `bpsvc db compact` gives them back"
    try:
        freed = store.upkeep.compact()
    except StoreError as error:
        return 0, f"the space could not be given back: {error.what}; `bpsvc db compact` tries again"
    return freed, f"{freed / 1e6:.1f} MB given back"


def verify(
    experiment: Annotated[
        str | None,
        typer.Argument(
            help="Only this experiment's runs.", show_default=False, autocompletion=completing.experiments
        ),
    ] = None,
    runs: Annotated[
        list[str] | None,
        typer.Option(
            "--replay", help="Train this run again too.", show_default=False, autocompletion=completing.runs
        ),
    ] = None,
    fraction: Annotated[
        float | None,
        typer.Option("--replay-fraction", help="Train this share of the runs again.", show_default=False),
    ] = None,
    db: Db = DB,
    json: Json = False,
) -> int:
    """Check that everything in the store is there, and states and data as committed; exit 1 when not.

    The values of records are compared by training again only: --replay, --replay-fraction.

    Examples:

      bpsvc verify

      bpsvc verify xor --replay-fraction 0.1
    """
    from bpsvc.service import replaying
    from bpsvc.store import Store

    with Store(db) as store:
        known = None if experiment is None else store.runs(experiment)["run_id"].tolist()
        damage = [str(one) for one in store.upkeep.verify(known)]
        chosen = [store.run(run) for run in runs or []]
        if fraction is not None:
            everything = store.runs()["run_id"].tolist() if known is None else known
            chosen += replaying.sample(everything, fraction)
        older = {} if damage else replaying.older(store, known)
        chosen = [run for run in chosen if run not in older]
        damage += [str(one) for one in replaying.replay(store, chosen)]
        count = len(known) if known is not None else store.progress().runs
    if json:
        print_json({"runs": count, "replayed": len(chosen), "damage": damage})
    else:
        for line in damage:
            print(line)
        if older:
            versions = ", ".join(map(str, sorted(set(older.values()))))
            say(f"{len(older)} runs are of older numerics ({versions}): they hold, and are not trained again")
        again = f", {len(chosen)} of them trained again" if chosen else ""
        well = "all is well" if chosen else "all is there (--replay compares the values of records, too)"
        found = plural(len(damage), "finding") if damage else well
        tell(f"{plural(count, 'run')} verified{again}: {found}")
    return 1 if damage else 0


def doctor(
    db: Db = DB,
    fuzz: Annotated[
        int, typer.Option("--fuzz", min=0, help="So many random stacks must repeat run by run, to the bit.")
    ] = 0,
    json: Json = False,
) -> int:
    """Look at this machine and the store's place: versions, BLAS, SQLite, file system, disk.

    Examples:

      bpsvc doctor

      bpsvc doctor --fuzz 100
    """
    from bpsvc.service import examining

    facts = examining.facts(db)
    if fuzz:
        differences = examining.same_bits(fuzz)
        count = plural(len(differences), "difference")
        told = f"{count}, first: {differences[0]}" if differences else "no run differs"
        facts.append(
            examining.Fact("same bits", f"{plural(fuzz, 'random stack')}, {told}", good=not differences)
        )
    if json:
        print_json([vars(fact) for fact in facts])
    else:
        rows = [("ok" if fact.good else "NOT", fact.name, fact.value) for fact in facts]
        print_rows(("", "what", "is"), rows)
    if not all(fact.good for fact in facts):
        return 1
    tell(f"next: bpsvc {'verify' if examining.stored(db) else 'submit SPEC'}")
    return 0


db_app = typer.Typer(
    name="db",
    help="Look after the database file.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@db_app.command()
def info(db: Db = DB, json: Json = False) -> None:
    """Say what the store is and how much it holds.

    Examples:

      bpsvc db info
    """
    from bpsvc.store import Store

    with Store(db) as store:
        facts = {**vars(store.upkeep.info())}
    rows = facts.pop("rows")
    facts = {**facts, "path": str(facts["path"])}
    if json:
        print_json({**facts, "rows": rows})
    else:
        print_rows(
            ("", "value"), [*facts.items(), *((f"rows of {name}", count) for name, count in rows.items())]
        )


@db_app.command()
def check(db: Db = DB, json: Json = False) -> int:
    """Let SQLite check the structure of the file; exit 1 when it finds something.

    Examples:

      bpsvc db check
    """
    from bpsvc.store import Store
    from bpsvc.store.failures import SALVAGE

    with Store(db) as store:
        damage = store.upkeep.check()
    if json:
        print_json({"damage": damage})
    else:
        for one in damage:
            print(one)
    tell(f"damaged; {SALVAGE}" if damage else "the structure is sound")
    return 1 if damage else 0


@db_app.command()
def compact(db: Db = DB, json: Json = False) -> None:
    """Give the space of what was deleted back to the disk. What is left is written anew: that needs as much
    free space, and other commands that write wait meanwhile.

    Examples:

      bpsvc db compact
    """
    from bpsvc.store import Store

    with Store(db, mode="write") as store:
        freed = store.upkeep.compact()
    if json:
        print_json({"freed_bytes": freed})
    tell(f"{freed / 1e6:.1f} MB given back")


@db_app.command()
def backup(
    file: Annotated[
        Path, typer.Argument(help="The copy, a file that does not exist yet.", show_default=False)
    ],
    db: Db = DB,
    json: Json = False,
) -> None:
    """Copy the store while it is in use; the copy is checked before it gets its name.

    Examples:

      bpsvc db backup bpsvc-2026-11-23.db
    """
    from bpsvc.store import Store

    with Store(db) as store:
        path = store.upkeep.backup(file)
    if json:
        print_json({"path": path})
    else:
        print(path)


@db_app.command()
def upgrade(db: Db = DB, json: Json = False) -> None:
    """Bring an older store up to date: all of it or nothing, after a backup.

    Examples:

      bpsvc db upgrade
    """
    from bpsvc.store import migrate

    done = migrate.upgrade(db)
    if json:
        print_json(vars(done))
    if done.backup is None:
        tell(f"the store is up to date (schema {done.after})")
    else:
        tell(f"upgraded from schema {done.before} to {done.after}; the backup is {done.backup}")


@db_app.command()
def merge(
    files: Annotated[list[Path], typer.Argument(help="Stores to take over.")],
    db: Db = DB,
    json: Json = False,
) -> int:
    """Take over all experiments and runs of other stores, which stay as they are: the union by run key.

    A run that is damaged there is named and left out; exit 1 then.

    Examples:

      bpsvc db merge student-*.db --db class.db
    """
    from bpsvc.store import Store

    for file in files:  # all can be read, or nothing is made
        Store(file).close()
    with Store(db, mode="create") as store:
        every = []
        for file in files:
            merged = store.upkeep.merge(file)
            every.append({"file": file, **vars(merged)})
            for how in merged.damaged.values():
                say(f"{file}: {how}")
            left = f", {len(merged.damaged)} damaged and left out" if merged.damaged else ""
            tell(
                f"{file}: {plural(merged.experiments, 'experiment')}, {plural(merged.new, 'new run')}, "
                f"{merged.further} went further there, {merged.kept} as here{left}"
            )
    if json:
        print_json(every)
    return 1 if any(one["damaged"] for one in every) else 0
