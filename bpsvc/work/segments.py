"""A segment: a second or two of training, the unit of computing, of commit and of resuming."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from threadpoolctl import threadpool_limits

from bpsvc import faults, nn
from bpsvc.work import checkpoint

BUDGET_S: Final = 1.5
MAX_VALUES: Final = 4_000_000
# With fewer runs the vectors of a tiny network become too short to be quick.
LEAST_RUNS: Final = 64


@dataclass(frozen=True)
class Task:
    """What an executor is given: a stack, where it stands, and the epoch to end at.

    `begin` is the state a checkpoint gave, or the initial parameters (R, P) of runs that have not begun.
    """

    problem: nn.Problem
    begin: nn.State | nn.Floats
    target: int
    budget_s: float = BUDGET_S

    def take(self, lanes: Sequence[int]) -> "Task":
        """The same for some of the runs."""
        begin = self.begin.take(lanes) if isinstance(self.begin, nn.State) else self.begin[lanes]
        return replace(self, problem=self.problem.take(lanes), begin=begin)


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


def fitting(task: Task) -> int:
    """How many runs of the stack should train together.

    So many that all they still record is one segment: records are clustered by run, and a second segment
    would insert in the middle of the table, which takes a fifth longer. But not too few.
    """
    problem = task.problem
    from_epoch = task.begin.epoch if isinstance(task.begin, nn.State) else 0
    width = len(problem.epoch_series) + len(problem.layer_series) * len(problem.network.layers)
    ahead = (1 + problem.cadence.count(from_epoch, task.target)) * width
    return max(LEAST_RUNS, MAX_VALUES // max(1, ahead))


def values(records: nn.Records) -> int:
    """How many measured numbers these records have."""
    return sum(series.size for table in (records.epochs, records.layers) for series in table.values())
