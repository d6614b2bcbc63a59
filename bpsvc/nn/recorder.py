"""The recorder: takes the series of all lanes epoch by epoch, and gives them back run by run.

All values of a call to `advance` go into one array, which becomes the records' columns. They come by epoch
and leave by run: a few epochs are gathered in a buffer that stays in the cache, then turned.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bpsvc.nn.arrays import Bools, Floats, Ints
from bpsvc.nn.records import PARAMETER_SERIES, Records, join

BUFFERED: Final = 32  # epochs


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
        self.written = np.zeros((len(runs), len(planned)), dtype=bool)
        self.between: list[Records] = []

    def fill(
        self,
        row: Floats,
        epochs: Mapping[str, Floats],
        layers: Mapping[str, Floats],
        parameters: Mapping[str, Floats],
        lanes: Any,
    ) -> None:
        """Writes the series (R,), (L, R) and (P, R) of these lanes into `row`, (columns, lanes)."""
        at = 0
        for name in self.measured:
            if name in epochs:
                row[at] = epochs[name][lanes]
            at += 1
        for name in self.layer_series:
            row[at : at + self.layers] = layers[name][:, lanes]
            at += self.layers
        for values in parameters.values():
            row[at : at + self.parameters] = values[:, lanes]
            at += self.parameters

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

        table = values.reshape(len(values), -1) if every else values[:, written]
        first = len(self.measured)
        measured, null = (
            dict(zip(self.measured, table, strict=False)),
            np.broadcast_to(np.nan, table.shape[1]),
        )
        last = first + len(self.layer_series) * self.layers
        of_layers = table[first:last].reshape(len(self.layer_series), self.layers, table.shape[1])
        names = PARAMETER_SERIES if self.parameters else ()
        of_parameters = table[last:].reshape(len(names), self.parameters, table.shape[1])
        return Records(
            rows(runs),
            rows(epochs),
            {name: measured.get(name, null) for name in self.epoch_series},
            {name: rows.T for name, rows in zip(self.layer_series, of_layers, strict=True)},
            {name: rows.T for name, rows in zip(names, of_parameters, strict=True)},
        )


class ChunkRecorder:
    """The part of a recorder that belongs to runs lo … hi-1 of it."""

    def __init__(self, recorder: Recorder, lo: int, hi: int) -> None:
        self.recorder, self.runs = recorder, recorder.runs[lo:hi]
        self.values, self.written = recorder.values[:, lo:hi], recorder.written[lo:hi]
        self.done = self.buffered = 0
        self.buffer = np.empty((min(BUFFERED, len(recorder.planned)), len(self.values), hi - lo))

    def write(
        self,
        epoch: int,
        where: Ints,
        lanes: Bools,
        epochs: Mapping[str, Floats],
        layers: Mapping[str, Floats],
        parameters: Mapping[str, Floats],
    ) -> None:
        """The records of `lanes`, which are the runs `where` (places in this part): series (R,), (L, R) and
        (P, R).
        """
        every = np.count_nonzero(lanes) == len(lanes)
        row = self.done + self.buffered
        if row < len(self.recorder.planned) and epoch == self.recorder.planned[row]:
            if every and len(lanes) == len(self.runs):
                whole = slice(0, len(lanes))
                self.recorder.fill(self.buffer[self.buffered], epochs, layers, parameters, whole)
                self.written[:, row] = True
            else:
                part = np.empty((len(self.values), np.count_nonzero(lanes)))
                self.recorder.fill(part, epochs, layers, parameters, np.flatnonzero(lanes))
                self.buffer[self.buffered][:, where[lanes]] = part
                self.written[where[lanes], row] = True
            self.buffered += 1
            if self.buffered == len(self.buffer):
                self.flush()
        elif lanes.any():
            part = np.empty((len(self.values), np.count_nonzero(lanes)))
            self.recorder.fill(part, epochs, layers, parameters, np.flatnonzero(lanes))
            self.recorder.finish(part[None])
            self.recorder.aside(self.runs[where[lanes]], epoch, part)

    def flush(self) -> None:
        """From epoch by epoch to run by run."""
        end, filled = self.done + self.buffered, self.buffer[: self.buffered]
        self.recorder.finish(filled)
        self.values[:, :, self.done : end] = filled.transpose(1, 2, 0)
        self.done, self.buffered = end, 0


def _null_infinities(values: Floats) -> None:
    """What is not finite is null, and null is one NaN: its sign would depend on the place among the lanes."""
    if not np.isfinite(np.add.reduce(values, axis=None)):
        values[~np.isfinite(values)] = np.nan
