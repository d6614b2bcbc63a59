"""The plan: what a submit would do, how much it would store, and about how long it would take."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from bpsvc import nn
from bpsvc.spec import Experiment, PlannedRun
from bpsvc.spec.limits import Volume, volume
from bpsvc.store.place import locate
from bpsvc.wording import plural
from bpsvc.work import stacking

_MEASURED_STACKS: Final = 4
_MEASURE_S: Final = 0.03  # for all of them
_LANES: Final = 256
_HOPELESS_DECADES: Final = 6.0


@dataclass(frozen=True)
class Plan:
    """What submitting one experiment would come to.

    Its runs are `new`, `existing` or to `extend`; they fall into `stacks` groups that train together;
    `records` recorded epochs would take `megabytes`; `seconds` is an estimate for one process, measured on a
    short stretch. `factors` gives for each swept path its values and how many runs have each.
    """

    experiment: str
    new: int
    existing: int
    extend: int
    stacks: int
    epochs: int
    records: int
    megabytes: float
    seconds: float
    factors: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Stack:
    """The runs of one stack that have epochs to do."""

    runs: Sequence[PlannedRun]
    epochs: int  # of all of them together
    volume: Volume


def plan(experiment: Experiment, db: str | Path) -> Plan:
    """The plan for one experiment and a store, which need not be there yet. Nothing is stored."""
    present = _present(experiment, db)
    stacks, new, extend = _to_do(experiment, present)
    seconds, notes = _rehearse(stacks)
    ahead = sum((stack.volume for stack in stacks), Volume())
    return Plan(
        experiment=experiment.name,
        new=new,
        existing=len(experiment.runs) - new - extend,
        extend=extend,
        stacks=len(stacks),
        epochs=experiment.epochs,
        records=ahead.records,
        megabytes=ahead.size / 1e6,
        seconds=seconds,
        factors=_factors(experiment),
        notes=(*experiment.warnings, *notes, *_crowded(ahead, locate(db).parent)),
    )


def lines(plan: Plan) -> list[str]:
    """The plan for people."""
    runs = plan.new + plan.existing + plan.extend
    parts = [f"{plan.new:,} new", f"{plan.existing:,} already there"]
    parts += [f"{plan.extend:,} to be extended"] * bool(plan.extend)
    text = [
        f"{plan.experiment}: {plural(runs, 'run')} of {plural(plan.epochs, 'epoch')}: {', '.join(parts)}",
        f"  {plural(plan.records, 'record')} in about {plan.megabytes:,.1f} MB, "
        f"{plural(plan.stacks, 'stack')}, about {_duration(plan.seconds)} of computing on one processor",
    ]
    for path, values in plan.factors.items():
        shown = ", ".join(f"{value} ({count:,})" for value, count in list(values.items())[:12])
        text.append(f"  {path}: {shown}{' …' if len(values) > 12 else ''}")
    return text + [f"  note: {note}" for note in plan.notes]


def _present(experiment: Experiment, db: str | Path) -> dict[str, tuple[str, str | None, int, int]]:
    if not locate(db).exists():
        return {}
    from bpsvc.store import Store  # loading it takes long, and often there is no store yet

    with Store(db) as store, store.snapshot() as now:
        return now.standing(run.key for run in experiment.runs)


def _crowded(ahead: Volume, folder: Path) -> list[str]:
    """A note where the disk has less room than the records will take."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:  # what opens the store says why
        return []
    if ahead.size <= free:
        return []
    return [f"the disk of {folder} has {free / 1e6:,.1f} MB free, less than the records will take"]


def _to_do(
    experiment: Experiment, present: Mapping[str, tuple[str, str | None, int, int]]
) -> tuple[list[_Stack], int, int]:
    """The stacks with something to do, and how many runs are new and how many go on."""
    keys = stacking.keys(experiment)
    stacks: dict[str, list[tuple[PlannedRun, int]]] = {}
    new = extend = 0
    for run in experiment.runs:
        status, outcome, target, done = present.get(run.key, ("new", None, 0, 0))
        new += status == "new"
        extend += status not in ("new", "failed") and target < run.epochs and outcome in (None, "horizon")
        ended = outcome not in (None, "horizon") or status in ("failed", "diverged")
        if status == "new" or (done < run.epochs and not ended):
            stacks.setdefault(keys[run.key], []).append((run, done))
    return [_stack(runs) for runs in stacks.values()], new, extend


def _stack(runs: Sequence[tuple[PlannedRun, int]]) -> _Stack:
    """The stack of these runs, each of which has done so many epochs."""
    alike: dict[tuple[int, int], list[PlannedRun]] = {}  # the runs of one point share their spec
    for run, done in runs:
        alike.setdefault((id(run.run), done), []).append(run)
    volumes = (_ahead(group, done) for (_, done), group in alike.items())
    epochs = sum(run.epochs - done for run, done in runs)
    return _Stack([run for run, _ in runs], epochs, sum(volumes, Volume()))


def _ahead(runs: Sequence[PlannedRun], done: int) -> Volume:
    """What runs of one spec that have done so many epochs still record, if they go on to the last."""
    run, record = runs[0], runs[0].run.record
    recorded = _parameters(run) if record.parameters else 0
    layers = len(run.run.network.layers)
    return volume(nn.Cadence(record.every), run.epochs, layers, len(runs), recorded, begun=done)


def _rehearse(stacks: Sequence[_Stack]) -> tuple[float, list[str]]:
    """The seconds that all stacks would take, from a short stretch of the largest, and what their starts
    show.

    Stacks that are not measured are taken to cost the same for each parameter and epoch.
    """
    ordered = sorted(stacks, key=lambda stack: -stack.epochs * _parameters(stack.runs[0]))
    measured, work_measured, notes = 0.0, 0.0, []
    largest = ordered[:_MEASURED_STACKS]
    for stack in largest:
        seconds, note = _measure(stack, _MEASURE_S / len(largest))
        measured += seconds
        work_measured += stack.epochs * _parameters(stack.runs[0])
        notes += [note] * bool(note)
    work = sum(stack.epochs * _parameters(stack.runs[0]) for stack in ordered)
    return (measured * work / work_measured if work_measured else 0.0), notes


def _measure(stack: _Stack, within_s: float) -> tuple[float, str]:
    """The seconds that a stack would take, from a stretch of so many, and a note when its first layer gets
    next to no signal at the start.

    These are seconds of the processor: other programs that keep it busy meanwhile do not count.
    """
    runs = stack.runs[:_LANES]
    specs = [run.run for run in runs]
    problem = stacking.stack(specs, [run.seed for run in runs], runs[0].dataset)
    with threadpool_limits(limits=1):
        state, records = nn.start(problem, stacking.initial(problem.network, specs, problem.seeds))
        began, length, seconds = time.thread_time(), 1, []
        while time.thread_time() - began < within_s and state.epoch < runs[0].epochs:
            piece = time.thread_time()
            state, _ = nn.advance(problem, state, length)
            seconds.append((time.thread_time() - piece) / length)
            length *= 2
    return min(seconds, default=0.0) * stack.epochs / len(runs), _hopeless(runs[0], records)


def _hopeless(run: PlannedRun, records: nn.Records) -> str:
    """A sentence when the signal of the first layer starts decades below that of the last hidden one."""
    signal = records.layers["delta_rms"]
    if signal.shape[1] < 3:
        return ""
    with np.errstate(divide="ignore", invalid="ignore"):
        decades = float(np.median(np.log10(signal[:, -2]) - np.log10(signal[:, 0])))
    if not decades > _HOPELESS_DECADES:
        return ""
    layers = run.run.network.layers
    lost = f"about {decades:.0f} decades below" if np.isfinite(decades) else "at zero, not at"
    return (
        f"{run.run.init.text()} with {len(layers) - 1} hidden layers of {layers[0].units} "
        f"{layers[0].activation.name} units: the signal of layer 1 starts {lost} the last hidden layer's"
    )


def _parameters(run: PlannedRun) -> int:
    return stacking.network(run.run, len(run.dataset.features)).parameters


def _factors(experiment: Experiment) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {path: {} for path in experiment.labels}
    for run in experiment.runs:
        for path, value in run.factors.items():
            text = f"{value:g}" if isinstance(value, float) else str(value)
            counts[path][text] = counts[path].get(text, 0) + 1
    return counts


def _duration(seconds: float) -> str:
    if seconds == 0:
        return "no time"
    if seconds < 1:
        return "a second"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON."""
    return {**vars(plan), "notes": list(plan.notes)}
