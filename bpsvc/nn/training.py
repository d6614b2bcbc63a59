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

from bpsvc.nn import footprint
from bpsvc.nn.arrays import Bools, Floats, Ints
from bpsvc.nn.lanes import Lanes
from bpsvc.nn.optimizers import OPTIMIZERS
from bpsvc.nn.problem import Problem
from bpsvc.nn.recorder import ChunkRecorder, Recorder
from bpsvc.nn.records import Records
from bpsvc.nn.sharpness import sharpness
from bpsvc.nn.state import NEVER, Outcome, State, new_ledger

# What a chunk of runs may take, so that it stays near the processor: one layer's buffers in an update, all of
# an update's, and all with what a record needs.
LAYER_BYTES: Final = 2 << 20
UPDATE_BYTES: Final = 16 << 20
RECORD_BYTES: Final = 96 << 20
# Ended runs go on being computed, to no effect, until they are this share of the lanes: rebuilding costs
# more.
IDLE_SHARE: Final = 1 / 8

# What lanes keep of the ledger while they run.
_BEST: Final = ("best_loss", "best_epoch", "best_validation_loss", "best_validation_epoch")


def start(problem: Problem, theta: Floats) -> tuple[State, Records]:
    """The runs at epoch 0 with initial parameters theta (R, P), judged and recorded. UsageError where the
    problem's shapes and names do not go together.
    """
    problem.check()
    theta = np.array(theta, dtype=np.float64)
    slots = OPTIMIZERS[problem.optimizer].init(theta)
    keeps_best = problem.stop is not None and problem.stop.when == "validation_loss"
    state = State(0, theta, slots, new_ledger(problem.runs), theta.copy() if keeps_best else None)
    return _advance(problem, state, 0, initial=True)


def advance(problem: Problem, state: State, epochs: int) -> tuple[State, Records]:
    """`epochs` more epochs, and the records of (state.epoch, state.epoch + epochs]. Ended runs keep still.

    advance(m + n) is advance(n) after advance(m), bit for bit; so is any stack's run and the same run alone.
    """
    return _advance(problem, state.copy(), epochs, initial=False)


def _advance(problem: Problem, state: State, epochs: int, *, initial: bool) -> tuple[State, Records]:
    running = np.flatnonzero(state.outcome == Outcome.RUNNING)
    planned = np.array([0]) if initial else problem.cadence.epochs(state.epoch, state.epoch + epochs)
    recorder = Recorder(problem, running, planned)
    chunks = -(-len(running) // chunk_width(problem))
    with np.errstate(all="ignore"):  # what is not finite is found and told by `diverged`
        for k in range(chunks):  # of equal size
            lo, hi = (len(running) * n // chunks for n in (k, k + 1))
            chunk = ChunkRecorder(recorder, lo, hi, problem.layout.least)
            _Segment(problem, state, chunk, epochs).run(initial)
        records = recorder.records()
    return replace(state, epoch=state.epoch + epochs), records


def chunk_width(problem: Problem) -> int:
    """How many runs are computed together."""
    widths = [layer.units for layer in problem.network.layers]
    apart = 0 if problem.full_batch else problem.batch
    aside = 0 if problem.validation_x is None else problem.validation_x.shape[-2]
    of_parameters = 8 * 5 * problem.network.parameters
    own_data = 0 if problem.x.ndim == 2 else problem.x[0].nbytes + problem.y[0].nbytes
    layer = 8 * 6 * max(widths) * problem.batch
    update = footprint.of_pass(widths, problem.batch) + of_parameters + own_data
    record = footprint.of_pass(widths, problem.examples + apart + aside) + of_parameters + own_data
    width = min(LAYER_BYTES // layer, UPDATE_BYTES // update, RECORD_BYTES // record)
    return max(problem.layout.least, width)


class _Segment:
    """A chunk of runs on its way through a segment. It writes into the state, which `advance` owns."""

    def __init__(self, problem: Problem, state: State, recorder: ChunkRecorder, epochs: int) -> None:
        self.problem, self.state, self.recorder = problem, state, recorder
        self.begin, self.end = state.epoch, state.epoch + epochs
        self.runs = runs = recorder.runs
        stop = problem.stop.when if problem.stop is not None else None
        self.ends_when_solved, self.gives_up = stop == "solved", stop == "validation_loss"
        self.open = problem.success is not None and bool((state.solved_epoch[runs] == NEVER).any())
        self._enter(np.arange(len(runs)), state.theta[runs], {k: v[runs] for k, v in state.slots.items()})

    def _enter(self, where: Ints, theta: Floats, slots: dict[str, Floats]) -> None:
        """Puts the runs at positions `where` of this chunk into lanes, with their best so far."""
        self.where, self.alive, self.living = where, np.ones(len(where), dtype=bool), len(where)
        self.lanes = Lanes(self.problem.take(self.runs[where]), theta, slots)
        self.best = {name: self.state.ledger[name][self.runs[where]] for name in _BEST}

    def run(self, initial: bool) -> None:
        full_batch, cadence = self.problem.full_batch, self.problem.cadence
        if initial or full_batch:
            self.lanes.evaluate()  # repeated at the seam of two segments: checkpoints need no gradient
        if initial:
            self._judge(0, recorded=True)
        for epoch in range(self.begin, self.end):
            if not self.living:
                break
            self.lanes.train(epoch)
            recorded = cadence.records(epoch + 1)
            if recorded or full_batch:
                self.lanes.evaluate()
                self._judge(epoch + 1, recorded)
        self._leave(self.alive)
        self.recorder.close()

    def _judge(self, epoch: int, recorded: bool) -> None:
        """Who has diverged, is solved, no longer improves? Records, and sends away those who have ended."""
        broken = self.lanes.diverged()
        diverged = self.alive & self._mine(broken[0]) if broken else None
        solved = self._solved(epoch, diverged, recorded) if self.open else None
        ended = _either(diverged, solved if self.ends_when_solved else None)
        given_up = None
        if recorded or ended is not None:
            given_up = self._record(epoch, recorded, self.alive if recorded or ended is None else ended)
        if ended is not None or given_up is not None:
            self._end(epoch, given_up, ended, diverged)
            if broken and diverged is not None:
                runs = self.runs[self.where[diverged]]
                self.state.diverged_epoch[runs] = epoch
                self.state.diverged_layer[runs] = self._mine(broken[1])[diverged]
        if broken or self.living <= (1.0 - IDLE_SHARE) * len(self.alive):
            self._close_ranks()

    def _end(self, epoch: int, given_up: Bools | None, ended: Bools | None, diverged: Bools | None) -> None:
        """These runs leave: they gave up, or were solved, or diverged."""
        ledger, runs = self.state.ledger, self.runs[self.where]
        for outcome, whom in (
            (Outcome.EARLY_STOP, given_up),
            (Outcome.SOLVED, ended),
            (Outcome.DIVERGED, diverged),
        ):
            ledger["outcome"][runs[whom] if whom is not None else []] = outcome
        gone = _either(ended, given_up)
        if gone is not None:
            ledger["ended_epoch"][runs[gone]] = epoch
            self._leave(gone)

    def _mine(self, lanes: NDArray[Any]) -> NDArray[Any]:
        """Without the lanes that only pad."""
        return lanes[: len(self.where)]

    def _solved(self, epoch: int, diverged: Bools | None, recorded: bool) -> Bools | None:
        """Who meets the criterion of success for the first time."""
        criterion, found = self.problem.success, self.state.solved_epoch
        gauge = self.lanes.gauge
        if criterion is not None and criterion.of_validation:
            if not recorded or self.lanes.validation_gauge is None:
                return None
            gauge = self.lanes.validation_gauge
            self.lanes.validate()
        if criterion is None:
            return None
        met = self._mine(gauge.met(criterion))
        if not np.count_nonzero(met):
            return None
        runs = self.runs[self.where]
        solved: Bools = met & self.alive & (found[runs] == NEVER)
        if diverged is not None:
            solved &= ~diverged
        found[runs[solved]] = epoch
        self.open = bool((found[runs][self.alive] == NEVER).any())
        return solved

    def _record(self, epoch: int, planned: bool, writing: Bools) -> Bools | None:
        """Records these lanes, keeps the best losses, and says who has waited too long for one."""
        lanes, problem = self.lanes, self.problem
        row = self.recorder.open(len(self.where))
        validation = lanes.validate()
        lanes.measure(row)
        for name, values in validation.items():
            if name in row.epochs:
                row.epochs[name][...] = values
        if "sharpness" in row.epochs:
            row.epochs["sharpness"][...] = sharpness(lanes)
        self.recorder.keep(row, epoch, planned, self.where, writing)
        if epoch == 0:
            self.state.initial_loss[self.runs[self.where]] = self._mine(lanes.parameters.loss)
        self._better(writing, lanes.parameters.loss, epoch, "best")
        if lanes.validation_gauge is None:
            return None
        better = self._better(writing, validation["validation_loss"], epoch, "best_validation")
        if not self.gives_up or problem.stop is None or self.state.best_theta is None:
            return None
        if better.any():
            self.state.best_theta[self.runs[self.where[better]]] = lanes.unstacked()[0][better]
        waited = epoch - self.best["best_validation_epoch"]
        return _either(writing & (waited >= max(1, problem.stop.patience)), None)

    def _better(self, writing: Bools, loss: Floats, epoch: int, name: str) -> Bools:
        losses, loss = self.best[f"{name}_loss"], self._mine(loss)
        better: Bools = np.less(loss, losses)
        if writing is not self.alive or self.living < len(writing):
            np.logical_and(better, writing, out=better)
        epochs = self.best[f"{name}_epoch"]
        if np.count_nonzero(better) == len(better):  # as a rule; without a mask it takes half the time
            losses[...], epochs[...] = loss, epoch
        else:
            np.copyto(losses, loss, where=better)
            np.copyto(epochs, epoch, where=better)
        return better

    def _leave(self, lanes: Bools) -> None:
        """Writes the parameters and the best of these lanes back to the state."""
        if lanes.any():
            theta, slots = self.lanes.unstacked()
            runs = self.runs[self.where[lanes]]
            self.state.theta[runs] = _one_nan(theta[lanes])
            for name, values in slots.items():
                self.state.slots[name][runs] = _one_nan(values[lanes])
            for name, values in self.best.items():
                self.state.ledger[name][runs] = values[lanes]
        self.alive = self.alive & ~lanes
        self.living = int(np.count_nonzero(self.alive))

    def _close_ranks(self) -> None:
        """New lanes for those who go on, without those who have ended."""
        keep = self.alive
        if keep.any() and not keep.all():
            theta, slots = self.lanes.unstacked()
            for name, values in self.best.items():
                self.state.ledger[name][self.runs[self.where]] = values
            self._enter(self.where[keep], theta[keep], {name: values[keep] for name, values in slots.items()})
            if self.problem.full_batch:
                self.lanes.evaluate()


def _one_nan(values: Floats) -> Floats:
    """The same with every NaN the same bits: whose sign an operation keeps depends on the run's place."""
    if not np.isfinite(np.add.reduce(values, axis=None)):
        values[np.isnan(values)] = np.nan
    return values


def _either(some: Bools | None, others: Bools | None) -> Bools | None:
    """Who is in one of both; None where nobody is."""
    both = some if others is None else others if some is None else some | others
    return both if both is not None and np.count_nonzero(both) else None
