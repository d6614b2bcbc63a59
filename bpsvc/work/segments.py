"""A segment: a second or two of training, the unit of computing, of commit and of resuming."""

import time
from dataclasses import dataclass
from typing import Final

from threadpoolctl import threadpool_limits

from bpsvc import faults, nn
from bpsvc.work import checkpoint

BUDGET_S: Final = 1.5
MAX_VALUES: Final = 4_000_000


@dataclass(frozen=True)
class Task:
    """What an executor is given: a stack, where it stands, and the epoch to end at.

    `begin` is the state a checkpoint gave, or the initial parameters (R, P) of runs that have not begun.
    """

    problem: nn.Problem
    begin: nn.State | nn.Floats
    target: int
    budget_s: float = BUDGET_S


@dataclass(frozen=True)
class Result:
    """What an executor gives back: the state reached, all records on the way, a checkpoint a run, and the
    seconds it took.
    """

    state: nn.State
    records: nn.Records
    checkpoints: list[bytes]
    seconds: float


def train(task: Task) -> Result:
    """Advance a stack until the target, the time budget or the volume limit is reached, whichever is first.

    It goes in pieces that at most double in length, so that bookkeeping does not slow a tiny network and a
    huge one overruns its budget by one piece at most. Where the pieces end has no influence on the bits:
    `advance` is a fold.
    """
    began = time.perf_counter()
    problem, pieces = task.problem, []
    faults.point("train", task.problem.seeds.tolist)
    with threadpool_limits(limits=1):
        if isinstance(task.begin, nn.State):
            state = task.begin
        else:
            state, first = nn.start(problem, task.begin)
            pieces.append(first)
        from_epoch, recorded, length = state.epoch, 0, 1
        while state.epoch < task.target and bool((state.outcome == nn.Outcome.RUNNING).any()):
            state, records = nn.advance(problem, state, min(length, task.target - state.epoch))
            pieces.append(records)
            recorded += values(records)
            by_time = task.budget_s / (time.perf_counter() - began) - 1.0
            by_volume = MAX_VALUES / max(1, recorded) - 1.0
            left = int((state.epoch - from_epoch) * min(by_time, by_volume))
            if left < 1:
                break
            length = min(2 * length, left)
    return Result(state, nn.join(pieces), checkpoint.pack(state), time.perf_counter() - began)


def values(records: nn.Records) -> int:
    """How many measured numbers these records have."""
    return sum(series.size for table in (records.epochs, records.layers) for series in table.values())
