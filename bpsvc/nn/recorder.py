"""The recorder: takes the series of all lanes epoch by epoch, and gives them back run by run.

All values of a call to `advance` go into one array, which becomes the records' columns. They come by epoch
and leave by run: a few epochs are gathered in a buffer that stays in the cache, then turned.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bpsvc.nn.arrays import Bools, Floats, Ints
from bpsvc.nn.records import PARAMETER_SERIES, Records, join

BUFFERED: Final = 32  # epochs


class Row(NamedTuple):
    """Series to be written, or that have been: `values` (columns, M), and its parts by name, (M,), (L, M) and
    (P, M).
    """

    values: Floats
    epochs: Mapping[str, Floats]
    layers: Mapping[str, Floats]
    parameters: Mapping[str, Floats]


class Recorder:
    """Records of `runs` (R,), numbers in the stack, at `planned` epochs (E,) and where a run ends between."""

    def __init__(
        self,
        runs: Ints,
        planned: Ints,
        layers: int,
        epoch_series: Sequence[str],
        layer_series: Sequence[str],
        parameters: int = 0,
        nulls: Sequence[str] = (),
    ) -> None:
        self.runs, self.planned, self.layers = runs, planned, layers
        self.epoch_series, self.layer_series = epoch_series, layer_series
        self.measured = [name for name in epoch_series if name not in nulls]
        self.parameters = parameters  # how many of a run are recorded: P or none
        columns = len(self.measured) + layers * len(layer_series) + parameters * len(PARAMETER_SERIES)
        self.gradient_l2 = self._columns_of_gradient_l2()
        self.values = np.empty((columns, len(runs), len(planned)))
        self.written = np.ones((len(runs), len(planned)), dtype=bool)
        self.between: list[Records] = []

    def row(self, values: Floats) -> Row:
        """The parts of `values` (columns, M) by name."""
        at, layers, parameters = len(self.measured), {}, {}
        for name in self.layer_series:
            layers[name] = values[at : at + self.layers]
            at += self.layers
        for name in PARAMETER_SERIES if self.parameters else ():
            parameters[name] = values[at : at + self.parameters]
            at += self.parameters
        return Row(values, dict(zip(self.measured, values, strict=False)), layers, parameters)

    def _columns_of_gradient_l2(self) -> tuple[int, slice] | None:
        """That of the epochs, and those of the layers."""
        if "gradient_l2" not in self.measured:
            return None
        first = len(self.measured) + self.layers * self.layer_series.index("gradient_l2")
        return self.measured.index("gradient_l2"), slice(first, first + self.layers)

    def finish(self, rows: Floats) -> None:
        """Of `rows` (E, columns, R): gradient_l2 from its squares by layer, and nulls."""
        if self.gradient_l2 is not None:
            total, squares = (rows[:, columns] for columns in self.gradient_l2)
            np.copyto(total, squares[:, 0])
            for k in range(1, self.layers):  # one after another: a reduction's order would depend on the runs
                np.add(total, squares[:, k], out=total)
            np.sqrt(total, out=total)
            np.sqrt(squares, out=squares)
        _null_infinities(rows)

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
