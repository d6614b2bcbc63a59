"""Training as a fold of pure segments: `advance(problem, state, epochs) -> (state, records)`.

A record is of the state after that many epochs, on the full training set; epoch 0 is the initial state. At
every epoch with a full batch, at recorded epochs with mini-batches, each run is judged: it has diverged, is
solved, or has stopped improving. The epoch at which a run ends is always recorded; it then leaves the stack
and keeps still, and the others' bits do not change.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bpsvc.nn.arrays import Bools, Floats, Ints
from bpsvc.nn.lanes import Lanes
from bpsvc.nn.optimizers import OPTIMIZERS
from bpsvc.nn.problem import Problem
from bpsvc.nn.records import Recorder, Records, join, none
from bpsvc.nn.state import NEVER, Outcome, State, new_ledger

# A chunk's working set, so that it stays in the processor's cache.
CHUNK_BYTES: Final = 4 << 20
# Ended runs go on being computed, to no effect, until they are this share of the lanes: rebuilding costs
# more.
IDLE_SHARE: Final = 1 / 8


def start(problem: Problem, theta: Floats) -> tuple[State, Records]:
    """The runs at epoch 0 with initial parameters theta (R, P), judged and recorded."""
    theta = np.array(theta, dtype=np.float64)
    slots = OPTIMIZERS[problem.optimizer].init(theta)
    keeps_best = problem.stop is not None and problem.stop.when == "validation_loss"
    state = State(0, theta, slots, new_ledger(problem.runs), theta.copy() if keeps_best else None)
    return _advance(problem, state, 0, initial=True)


def advance(problem: Problem, state: State, epochs: int) -> tuple[State, Records]:
    """`epochs` more epochs, and the records of (state.epoch, state.epoch + epochs]. Runs that have ended keep
    still.

    advance(m + n) is advance(n) after advance(m), bit for bit; so is any stack's run and the same run alone.
    """
    return _advance(problem, state.copy(), epochs, initial=False)


def _advance(problem: Problem, state: State, epochs: int, *, initial: bool) -> tuple[State, Records]:
    running = np.flatnonzero(state.outcome == Outcome.RUNNING)
    width = chunk_width(problem)
    with np.errstate(all="ignore"):  # what is not finite is found and told by `diverged`
        parts = [
            _Segment(problem, state, running[lo : lo + width], epochs, initial).run()
            for lo in range(0, len(running), width)
        ]
    return replace(state, epoch=state.epoch + epochs), join([none(len(problem.network.layers)), *parts])


def chunk_width(problem: Problem) -> int:
    """How many runs fit the cache together, with everything that is computed for them."""
    units = sum(layer.units for layer in problem.network.layers)
    values = 10 * units * problem.examples + 6 * problem.network.parameters
    if problem.x.ndim == 3:
        values += problem.x[0].size + problem.y[0].size
    return max(problem.layout.least, CHUNK_BYTES // (8 * values))


class _Segment:
    """A chunk of runs on its way through a segment. Writes into the state it is given (a copy the caller
    owns).
    """

    def __init__(self, problem: Problem, state: State, runs: Ints, epochs: int, initial: bool) -> None:
        self.problem, self.state, self.initial = problem, state, initial
        self.begin, self.end = state.epoch, state.epoch + epochs
        planned = problem.cadence.epochs(self.begin, self.end)
        if initial:
            planned = np.concatenate([[0], planned])
        self.recorder = Recorder(runs, planned, len(problem.network.layers))
        self.runs = runs
        self._enter(np.arange(len(runs)), state.theta[runs], {k: v[runs] for k, v in state.slots.items()})

    def _enter(self, where: Ints, theta: Floats, slots: dict[str, Floats]) -> None:
        """Puts the runs at positions `where` of this chunk into lanes."""
        self.where, self.alive = where, np.ones(len(where), dtype=bool)
        self.lanes = Lanes(self.problem.take(self.runs[where]), theta, slots)

    def run(self) -> Records:
        if self.initial:
            self.lanes.evaluate()
            self._judge(0, recorded=True)
        elif self.problem.full_batch:
            self.lanes.evaluate()  # a pass repeated at the seam of two segments: checkpoints need no gradient
        for epoch in range(self.begin, self.end):
            if not self.alive.any():
                break
            self.lanes.train(epoch)
            recorded = self.problem.cadence.records(epoch + 1)
            if recorded or self.problem.full_batch:
                self.lanes.evaluate()
                self._judge(epoch + 1, recorded)
        self._leave(self.alive)
        return self.recorder.records()

    def _judge(self, epoch: int, recorded: bool) -> None:
        """Who has diverged, is solved, no longer improves? Records, and sends away those who have ended."""
        state, problem = self.state, self.problem
        outcome = np.zeros(len(self.where), dtype=np.int64)
        broken = self.lanes.diverged()
        diverged = self._mine(broken[0]) & self.alive if broken else np.zeros_like(self.alive)
        validation = self.lanes.validate() if recorded or diverged.any() else None
        solved = self._solved(epoch, recorded, diverged, validation)
        if problem.stop is not None and problem.stop.when == "solved":
            outcome[solved] = Outcome.SOLVED
            if recorded or solved.any():
                validation = validation or self.lanes.validate()
        if broken:
            outcome[diverged] = Outcome.DIVERGED
            runs = self.runs[self.where[diverged]]
            state.diverged_epoch[runs], state.diverged_layer[runs] = epoch, self._mine(broken[1])[diverged]
        if validation is not None:
            writing = self.alive if recorded else outcome > 0
            outcome[self._best(epoch, writing, validation) & (outcome == 0)] = Outcome.EARLY_STOP
            self._record(epoch, writing, validation)
        ended = outcome > 0
        if ended.any():
            runs = self.runs[self.where[ended]]
            state.outcome[runs], state.ended_epoch[runs] = outcome[ended], epoch
            self._leave(ended)
        if (broken or 1.0 - self.alive.mean() >= IDLE_SHARE) and self.alive.any() and not self.alive.all():
            theta, slots = self.lanes.parameters()
            keep = self.alive
            self._enter(self.where[keep], theta[keep], {name: values[keep] for name, values in slots.items()})
            if problem.full_batch:
                self.lanes.evaluate()

    def _mine(self, lanes: NDArray[Any]) -> NDArray[Any]:
        return lanes[: len(self.where)]

    def _solved(
        self, epoch: int, recorded: bool, diverged: Bools, validation: dict[str, Floats] | None
    ) -> Bools:
        """Who meets the criterion of success for the first time."""
        criterion, found = self.problem.success, self.state.solved_epoch
        nobody = np.zeros_like(self.alive)
        if criterion is None or (criterion.of_validation and not recorded):
            return nobody
        runs = self.runs[self.where]
        open_ = self.alive & ~diverged & (found[runs] == NEVER)
        if not open_.any():
            return nobody
        if not criterion.of_validation:
            values = self.lanes.gauge.measure(criterion.measure)
        elif self.lanes.validation_gauge is not None and validation is not None:
            values = self.lanes.validation_gauge.measure(criterion.measure)
        else:
            return nobody
        solved: Bools = open_ & criterion.met(self._mine(values))
        found[runs[solved]] = epoch
        return solved

    def _best(self, epoch: int, writing: Bools, validation: dict[str, Floats]) -> Bools:
        """Keeps the best losses, and says who has had none for longer than `stop.patience`."""
        state, runs = self.state, self.runs[self.where]
        loss = self._mine(self.lanes.full.loss)
        if epoch == 0:
            state.initial_loss[runs] = loss
        self._better(runs, writing, loss, epoch, "best")
        stop = self.problem.stop
        better = self._better(
            runs, writing, self._mine(validation["validation_loss"]), epoch, "best_validation"
        )
        if stop is None or stop.when != "validation_loss" or state.best_theta is None:
            return np.zeros_like(writing)
        if better.any():
            state.best_theta[runs[better]] = self.lanes.parameters()[0][better]
        waited: Bools = epoch - state.best_validation_epoch[runs] >= max(1, stop.patience)
        gives_up: Bools = writing & waited
        return gives_up

    def _better(self, runs: Ints, writing: Bools, loss: Floats, epoch: int, name: str) -> Bools:
        losses, epochs = self.state.ledger[f"{name}_loss"], self.state.ledger[f"{name}_epoch"]
        better: Bools = writing & (loss < losses[runs])
        losses[runs[better]], epochs[runs[better]] = loss[better], epoch
        return better

    def _record(self, epoch: int, writing: Bools, validation: dict[str, Floats]) -> None:
        epochs, layers = self.lanes.series()
        count = len(self.where)
        self.recorder.write(
            epoch,
            self.where,
            writing,
            {name: values[:count] for name, values in {**epochs, **validation}.items()},
            {name: values[:, :count] for name, values in layers.items()},
        )

    def _leave(self, lanes: Bools) -> None:
        """Writes the parameters of these lanes back to the state."""
        if lanes.any():
            theta, slots = self.lanes.parameters()
            runs = self.runs[self.where[lanes]]
            self.state.theta[runs] = theta[lanes]
            for name, values in slots.items():
                self.state.slots[name][runs] = values[lanes]
        self.alive = self.alive & ~lanes
