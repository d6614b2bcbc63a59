"""What a computed segment means for the store: the status and summary of each run, and its new records."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bpsvc import nn
from bpsvc.store import Claim, RunCommit, Segment
from bpsvc.work import checkpoint
from bpsvc.work.environment import fingerprint
from bpsvc.work.segments import Result, Task

# A run's status and outcome in the store, for each way a run can end in the engine.
_ENDED: Final = {
    nn.Outcome.SOLVED: ("done", "solved"),
    nn.Outcome.EARLY_STOP: ("done", "early_stop"),
    nn.Outcome.DIVERGED: ("diverged", "diverged"),
}

# The summary columns that a run's state gives ...
_LEDGER: Final = (
    "initial_loss",
    "best_loss",
    "best_epoch",
    "best_validation_loss",
    "best_validation_epoch",
    "solved_epoch",
    "diverged_epoch",
    "diverged_layer",
)

# ... and those that its last record gives.
_FINAL: Final = ("loss", "accuracy", "mean_abs_error", "validation_loss", "validation_accuracy")


def unfinished(state: nn.State, target: int) -> NDArray[np.bool_]:
    """Which of the R runs have neither ended nor reached the target epoch: shape (R,)."""
    running: NDArray[np.bool_] = (state.outcome == nn.Outcome.RUNNING) & (state.epoch < target)
    return running


def segment(claims: Sequence[Claim], task: Task, result: Result, owner: str, lease_s: float) -> Segment:
    """Everything one transaction is to make visible: progress, checkpoints and records of every run of the
    batch.
    """
    state, records = result.state, result.records
    last = np.searchsorted(records.run, np.arange(len(claims)), side="right") - 1
    going = unfinished(state, task.target)
    seconds = result.seconds / len(claims)
    runs = []
    for lane, claim in enumerate(claims):
        how = nn.Outcome(int(state.outcome[lane]))
        status, outcome = ("running", None) if going[lane] else _ENDED.get(how, ("done", "horizon"))
        columns = {name: _plain(getattr(state, name)[lane]) for name in _LEDGER}
        if last[lane] >= 0 and records.run[last[lane]] == lane:
            columns |= {f"final_{name}": _plain(records.epochs[name][last[lane]]) for name in _FINAL}
        runs.append(
            RunCommit(
                run_id=claim.run_id,
                fence=claim.fence,
                from_epoch=claim.epochs_done,
                to_epoch=state.epoch if how is nn.Outcome.RUNNING else int(state.ended_epoch[lane]),
                checkpoint=result.checkpoints[lane],
                digest=checkpoint.digest(result.checkpoints[lane]),
                status=status,
                outcome=outcome,
                columns=columns,
                seconds=seconds,
            )
        )
    names = nn.parameters(task.problem.network) if task.problem.record_parameters else ()
    return Segment(owner, lease_s, runs, records, fingerprint(), names)


def _plain(value: np.generic) -> float | int | None:
    """A Python number; null for what is not finite and for the engine's -1, "never"."""
    number: float | int = value.item()
    if isinstance(number, int):
        return number if number >= 0 else None
    return number if np.isfinite(number) else None
