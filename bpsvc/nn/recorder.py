"""The recorder: takes the series of all lanes epoch by epoch, and gives them back run by run.

All values of a call to `advance` go into one array, which becomes the records' columns. They come by epoch
and leave by run: a few epochs are gathered in a buffer that stays in the cache, then turned.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpsvc.nn.arrays import Bools, Floats, Ints
from bpsvc.nn.norms import LEAST, MOST, lengths
from bpsvc.nn.problem import Problem
from bpsvc.nn.records import PARAMETER_SERIES, Records, join

BUFFERED: Final = 32  # epochs
# Layer series that are roots: they come as squares, or as minus the root where a square is no number, and the
# roots are drawn for many epochs at once.
SQUARED: Final = ("delta_rms", "gradient_l2", "weight_l2")


class Row(NamedTuple):
    """Series to be written, or that have been: `values` (columns, M), and its parts by name, (M,), (L, M) and
    (P, M). `squares` is all of SQUARED as one vector, `squared` the same by series and layer, each (M,);
    `others` are the other series of layers.
    """

    values: Floats
    epochs: Mapping[str, Floats]
    layers: Mapping[str, Floats]
    parameters: Mapping[str, Floats]
    others: Mapping[str, Floats]
    squares: Floats
    squared: Sequence[Floats]


class Recorder:
    """Records of `runs` (R,), numbers in the stack, at `planned` epochs (E,) and where a run ends between."""

    def __init__(self, problem: Problem, runs: Ints, planned: Ints) -> None:
        self.runs, self.planned, self.layers = runs, planned, len(problem.network.layers)
        self.epoch_series, self.layer_series = problem.epoch_series, problem.layer_series
        nulls = () if problem.validation_x is not None else ("validation_loss", "validation_accuracy")
        self.measured = [name for name in self.epoch_series if name not in nulls]
        # how many of a run are recorded: P or none
        self.parameters = problem.network.parameters if problem.record_parameters else 0
        self.divisor = float(problem.examples) if problem.reduction == "mean" else 1.0
        squared = [name for name in SQUARED if name in self.layer_series]
        at, self.columns = len(self.measured), {}
        self.squares = slice(at, at + self.layers * len(squared))
        for name in (*squared, *(name for name in self.layer_series if name not in squared)):
            self.columns[name] = slice(at, at + self.layers)
            at += self.layers
        self.of_parameters = at
        columns = at + self.parameters * len(PARAMETER_SERIES)
        self.values = np.empty((columns, len(runs), len(planned)))
        self.written = np.ones((len(runs), len(planned)), dtype=bool)
        self.between: list[Records] = []

    def row(self, values: Floats) -> Row:
        """The parts of `values` (columns, M) by name."""
        layers = {name: values[self.columns[name]] for name in self.layer_series}
        at, parameters = self.of_parameters, {}
        for name in PARAMETER_SERIES if self.parameters else ():
            parameters[name] = values[at : at + self.parameters]
            at += self.parameters
        others = {name: layers[name] for name in layers if name not in SQUARED}
        squares = values[self.squares]
        epochs = dict(zip(self.measured, values, strict=False))
        return Row(values, epochs, layers, parameters, others, squares.reshape(-1), tuple(squares))

    def finish(self, rows: Floats) -> None:
        """Of `rows` (E, columns, R): the roots of what is SQUARED, gradient_l2 of the epochs, and nulls."""
        squares = rows[:, self.squares]
        if squares.size:
            if np.minimum.reduce(squares, axis=None) >= 0.0:
                self._roots(rows, squares)
            else:
                self._roots_of_some(rows, squares)
            if "delta_rms" in self.columns:
                signals = rows[:, self.columns["delta_rms"]]
                np.multiply(signals, self.divisor, out=signals)
        _null_infinities(rows)

    def _roots(self, rows: Floats, squares: Floats) -> None:
        if "gradient_l2" in self.columns:
            total, by_layer = self._gradients(rows)
            np.copyto(total, by_layer[:, 0])
            for k in range(1, self.layers):  # one after another: a reduction's order would depend on the runs
                np.add(total, by_layer[:, k], out=total)
            np.sqrt(total, out=total)
        np.sqrt(squares, out=squares)

    def _roots_of_some(self, rows: Floats, squares: Floats) -> None:
        """The same where some are roots already, or not finite."""
        early = squares < 0.0
        roots = -squares[early]
        squares[early] = roots * roots
        self._roots(rows, squares)
        squares[early] = roots
        if "gradient_l2" in self.columns:
            total, by_layer = self._gradients(rows)
            odd = ~((total >= LEAST**0.5) & (total <= MOST**0.5))
            total[odd] = lengths(by_layer.swapaxes(1, 2)[odd])

    def _gradients(self, rows: Floats) -> tuple[Floats, Floats]:
        """gradient_l2 of the epochs (E, R), and that of the layers (E, L, R)."""
        return rows[:, self.measured.index("gradient_l2")], rows[:, self.columns["gradient_l2"]]

    def records(self) -> Records:
        """Everything that was written, sorted by run and epoch."""
        shape = self.written.shape
        planned = self._records(
            np.broadcast_to(self.runs[:, None], shape),
            np.broadcast_to(self.planned, shape),
            self.values,
            self.written,
        )
        return join([planned, *self.between])

    def aside(self, runs: Ints, epoch: int, row: Floats) -> None:
        """The records (columns, M) of runs that end between planned epochs."""
        self.between.append(
            self._records(runs, np.full(len(runs), epoch), row, np.ones(len(runs), dtype=bool))
        )

    def _records(self, runs: Ints, epochs: Ints, values: Floats, written: Bools) -> Records:
        every = bool(written.all())

        def rows(table: NDArray[Any]) -> NDArray[Any]:
            return table.reshape(-1) if every else table[written]

        row = self.row(values.reshape(len(values), -1) if every else values[:, written])
        null = np.broadcast_to(np.nan, row.values.shape[1])
        return Records(
            rows(runs),
            rows(epochs),
            {name: row.epochs.get(name, null) for name in self.epoch_series},
            {name: series.T for name, series in row.layers.items()},
            {name: series.T for name, series in row.parameters.items()},
        )


class ChunkRecorder:
    """The part of a recorder that belongs to runs lo … hi-1 of it, which are computed in `least` lanes or
    more.
    """

    def __init__(self, recorder: Recorder, lo: int, hi: int, least: int) -> None:
        self.recorder, self.runs, self.least = recorder, recorder.runs[lo:hi], least
        self.values, self.written = recorder.values[:, lo:hi], recorder.written[lo:hi]
        self.done = self.buffered = 0
        depth = max(1, min(BUFFERED, len(recorder.planned)))
        self.buffer = np.empty((depth, len(self.values), max(hi - lo, least)))
        self.rows = [recorder.row(values) for values in self.buffer]

    def open(self, lanes: int) -> Row:
        """Where the series of the next record are to be written, for so many runs and the lanes that pad."""
        if lanes == len(self.runs):
            return self.rows[self.buffered]
        return self.recorder.row(np.empty((len(self.values), max(lanes, self.least))))

    def keep(self, row: Row, epoch: int, planned: bool, where: Ints, lanes: Bools) -> None:
        """Of a row that is written now, the runs `where` (places in this part), those `lanes` that count."""
        if not planned:
            if lanes.any():
                part = row.values[:, np.flatnonzero(lanes)]
                self.recorder.finish(part[None])
                self.recorder.aside(self.runs[where[lanes]], epoch, part)
            return
        into = self.rows[self.buffered]
        if row is not into:
            into.values[:, where] = row.values[:, : len(where)]
        if np.count_nonzero(lanes) < len(self.runs):
            self.written[:, self.done + self.buffered] = False
            self.written[where[lanes], self.done + self.buffered] = True
        self.buffered += 1
        if self.buffered == len(self.rows):
            self._flush()

    def close(self) -> None:
        """Nothing more will be kept."""
        self._flush()
        self.written[:, self.done :] = False

    def _flush(self) -> None:
        """From epoch by epoch to run by run."""
        end, filled = self.done + self.buffered, self.buffer[: self.buffered, :, : len(self.runs)]
        self.recorder.finish(filled)
        self.values[:, :, self.done : end] = filled.transpose(1, 2, 0)
        self.done, self.buffered = end, 0


def _null_infinities(values: Floats) -> None:
    """What is not finite is null, and null is one NaN: its sign would depend on the place among the lanes."""
    if not np.isfinite(np.add.reduce(values, axis=None)):
        values[~np.isfinite(values)] = np.nan
