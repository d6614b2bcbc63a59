"""Schedules: add them, decide what is due, submit now.

Anybody may tick, at any time, any number at once: what is due follows from the cursor and the database's
time, and the transaction that submits moves the cursor (see `store.schedules`).
"""

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from bpsvc import spec
from bpsvc.data import Dataset
from bpsvc.errors import BpsvcError, NotFoundError, SpecError, UsageError
from bpsvc.schedule import Kind, Missed, Overlap, Rules, decide, occurrences, parse, zone
from bpsvc.spec.sources import Library
from bpsvc.store import Plan, Receipt, Schedule, Step, Store, Submission
from bpsvc.work import stacking

# At most so many occurrences are decided in a transaction, and so many transactions are made for a schedule
# in a tick: one that has long been absent catches up over several ticks, and the others have their turn.
_BATCH: Final = 1_000
_ROUNDS: Final = 50
_LONGEST_WHY: Final = 4_000


@dataclass(frozen=True)
class Request:
    """A schedule to be added, as the user asks for it; None is the default."""

    path: Path
    cron: str
    timezone: str = "UTC"
    name: str | None = None
    fresh: str | None = None
    missed: str = Missed.latest
    overlap: str = Overlap.skip
    report: Path | None = None
    allow_path: bool = False


class Happened(NamedTuple):
    """One occurrence that a tick decided: `detail` is the experiment, or why there is none. A schedule that
    cannot be understood on this machine is `undecided`.
    """

    schedule: str
    instant: datetime
    decision: str
    detail: str


def plan(request: Request) -> tuple[Plan, dict[str, Dataset]]:
    """Check a request: what is to be stored, and the data of files that are not to be read again.

    Raises:
        UsageError: cron expression, zone or rules are wrong, or reports cannot be written where they should.
        SpecError, DataError: the spec or its data are.
    """
    zone(request.timezone)
    cron = parse(request.cron)
    report = None if request.report is None else _writable(request.report.absolute())
    document = spec.read(request.path)
    folder = request.path.parent.resolve()
    library = Library(folder, anywhere=request.allow_path)
    experiment = spec.resolve(document, base=folder, name=request.path.stem, library=library)
    fresh = _fresh(request.fresh, bool(library.files))
    checked = Plan(
        name=_name(request.name or experiment.name),
        cron=cron.expression,
        timezone=request.timezone,
        fresh=fresh,
        missed=Missed(request.missed),
        overlap=Overlap(request.overlap),
        document=document.text,
        source=str(request.path),
        folder=str(folder),
        anywhere=request.allow_path,
        report=report,
    )
    return checked, {} if fresh == "data" else library.files


def add(store: Store, plan: Plan, data: Mapping[str, Dataset], *, now: datetime | None = None) -> Schedule:
    """Add a schedule as `plan` gives it; its spec is frozen. UsageError when the name is taken."""
    store.schedules.add(plan, data, at=now)
    return store.schedules.get(plan.name)


def tick(store: Store, *, now: datetime | None = None) -> Iterator[Happened]:
    """Decide every occurrence that is due, of every schedule, one by one. `now` is the database's time unless
    given.

    An invalid spec or missing data is that occurrence's outcome. Raises StoreError when the database fails:
    nothing is lost, the next tick goes on.
    """
    for one in store.schedules.all():
        try:
            yield from _catch_up(store, one.plan.name, now)
        except UsageError as error:  # a zone that this machine does not know
            yield Happened(one.plan.name, one.now, "undecided", str(error))


def fire(store: Store, name: str) -> Receipt:
    """Submit a schedule's spec now, beside the plan.

    Raises:
        NotFoundError: there is no such schedule.
        SpecError, DataError: its spec or data have become invalid; the occurrence is rejected.
    """
    while True:
        schedule = store.schedules.get(name)
        try:
            submission = _submission(store, schedule)
        except BpsvcError as error:
            if error.exit_code == UsageError.exit_code:
                store.schedules.reject(schedule, _reason(error))
            raise
        receipt = store.schedules.fire(schedule, Step((), submission, block=schedule.plan.fresh == "seeds"))
        if receipt is not None:
            return receipt


def resume(store: Store, name: str) -> bool:
    """Go on after a pause, with the next occurrence; whether the schedule was paused."""
    if not store.schedules.get(name).paused:
        return False
    while any(True for _ in _catch_up(store, name, None)):  # several rounds after a very long pause
        pass
    return store.schedules.resume(name)


def _catch_up(store: Store, name: str, now: datetime | None) -> Iterator[Happened]:
    for _ in range(_ROUNDS):
        try:
            schedule = store.schedules.get(name)
        except NotFoundError:  # removed meanwhile
            return
        step = _step(store, schedule, now)
        if step is None:
            return
        receipt = store.schedules.decide(schedule, step)
        if receipt is False:
            continue
        for instant, decision, why in step.decided:
            detail = why or (receipt.experiment if isinstance(receipt, Receipt) else "")
            yield Happened(name, instant, decision, detail)


def _step(store: Store, schedule: Schedule, at: datetime | None) -> Step | None:
    """What is due of a schedule, up to the first occurrence that submits; None when nothing is to be done."""
    plan, now = schedule.plan, at or schedule.now
    instants = occurrences(parse(plan.cron), zone(plan.timezone), schedule.cursor, now)
    due = list(itertools.islice(instants, _BATCH + 1))
    rules = Rules(Missed(plan.missed), Overlap(plan.overlap), schedule.paused)
    decided: list[tuple[datetime, str, str | None]] = []
    for decision in decide(due[:_BATCH], now, rules, busy=schedule.busy, more=len(due) > _BATCH):
        if decision.kind is not Kind.submitted:
            decided.append((decision.instant, decision.kind, decision.why))
            continue
        try:
            submission = _submission(store, schedule)
        except BpsvcError as error:
            if error.exit_code != UsageError.exit_code:
                raise
            decided.append((decision.instant, Kind.rejected, _reason(error)))
            return Step(decided, at=at)
        decided.append((decision.instant, decision.kind, None))
        return Step(decided, submission, block=plan.fresh == "seeds", at=at)
    return Step(decided, at=at) if decided else None


def _submission(store: Store, schedule: Schedule) -> Submission:
    """The experiment that a schedule comes to now: files read again, the next seeds, or all as it was."""
    plan = schedule.plan
    document = spec.read(plan.document, source=plan.source)
    known = {} if plan.fresh == "data" else store.schedules.data(schedule)
    folder = Path(plan.folder)
    experiment = spec.resolve(
        document,
        base=folder,
        name=Path(plan.source).stem,
        overrides=next_seeds(document.raw.get("seeds"), schedule.blocks) if plan.fresh == "seeds" else None,
        library=Library(folder, anywhere=plan.anywhere, known=known),
    )
    return Submission(experiment, stacking.keys(experiment), stacking.scalings(experiment))


def next_seeds(seeds: Any, blocks: int) -> dict[str, Any] | None:
    """What to set in a spec (whose `seeds` are valid) for the next block of as many seeds, after `blocks`.

    The first block is the spec's own; the others follow upon its last seed without a gap.
    """
    if blocks == 0:
        return None
    if isinstance(seeds, list):
        first, count = max(seeds) + 1, len(seeds)
    else:
        block = seeds if isinstance(seeds, dict) else {"count": 10 if seeds is None else seeds}
        count = int(block["count"])
        first = int(block.get("first", 0)) + count
    return {"seeds": {"first": first + (blocks - 1) * count, "count": count}}


def _reason(error: BpsvcError) -> str:
    """What was wrong, in a line, without the excerpt of the spec, which the schedule has."""
    plain = SpecError(error.findings, source=error.source) if isinstance(error, SpecError) else error
    return "; ".join(line.strip() for line in str(plain).splitlines() if line.strip())[:_LONGEST_WHY]


def _fresh(wanted: str | None, files: bool) -> str:
    if wanted == "data" and not files:
        raise UsageError(
            "the data of this spec are not read from a file, so that nothing can be fresh about them",
            value=wanted,
            allowed="seeds, none",
        )
    return wanted or ("data" if files else "seeds")


def _writable(folder: Path) -> str:
    """A folder for reports that is there or can be made."""
    place = folder
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        why = "may not be written to" if place.is_dir() else "is no folder"
        raise UsageError(
            f"no report can be written to {folder}: {place} {why}", remedy="name another folder with --report"
        )
    return str(folder)


def _name(name: str) -> str:
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise UsageError(
            "a schedule's name is a line of printable text", value=name[:80], allowed="1 to 200 characters"
        )
    return name
