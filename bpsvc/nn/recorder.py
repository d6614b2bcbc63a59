"""The recorder: takes the series of all lanes epoch by epoch, and gives them back run by run.

All values of a call to `advance` go into one array, which becomes the records' columns. They come by epoch
and leave by run: a few epochs are gathered in a buffer that stays in the cache, then turned.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bpsvc.nn.arrays import Bools, Floats, Ints
from bpsvc.nn.records import Records, join

BUFFERED: Final = 32  # epochs


class Recorder:
    """Records of `runs` (R,), numbers in the stack, at `planned` epochs (E,) and where a run ends between."""

    def __init__(
        self, runs: Ints, planned: Ints, layers: int, epoch_series: Sequence[str], layer_series: Sequence[str]
    ) -> None:
        self.runs, self.planned, self.layers = runs, planned, layers
        self.epoch_series, self.layer_series = epoch_series, layer_series
        columns = len(epoch_series) + layers * len(layer_series)
        self.values = np.empty((columns, len(runs), len(planned)))
        self.written = np.zeros((len(runs), len(planned)), dtype=bool)
        self.between: list[Records] = []

    def fill(
        self, row: Floats, epochs: Mapping[str, Floats], layers: Mapping[str, Floats], lanes: Any
    ) -> None:
        """Writes the series (R,) and (L, R) of these lanes into `row`, (columns, lanes)."""
        at = 0
        for name in self.epoch_series:
            row[at] = epochs[name][lanes]
            at += 1
        for name in self.layer_series:
            row[at : at + self.layers] = layers[name][:, lanes]
            at += self.layers

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
        for column in table:
            if not np.isfinite(np.add.reduce(column)):
                column[np.isinf(column)] = np.nan
        count = len(self.epoch_series)
        of_layers = table[count:].reshape(len(self.layer_series), self.layers, table.shape[1])
        return Records(
            rows(runs),
            rows(epochs),
            dict(zip(self.epoch_series, table, strict=False)),
            {name: rows.T for name, rows in zip(self.layer_series, of_layers, strict=True)},
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
    ) -> None:
        """The records of `lanes`, which are the runs `where` (places in this part): series (R,), (L, R)."""
        every = bool(lanes.all())
        row = self.done + self.buffered
        if row < len(self.recorder.planned) and epoch == self.recorder.planned[row]:
            if every and len(lanes) == len(self.runs):
                self.recorder.fill(self.buffer[self.buffered], epochs, layers, slice(0, len(lanes)))
                self.written[:, row] = True
            else:
                part = np.empty((len(self.values), np.count_nonzero(lanes)))
                self.recorder.fill(part, epochs, layers, np.flatnonzero(lanes))
                self.buffer[self.buffered][:, where[lanes]] = part
                self.written[where[lanes], row] = True
            self.buffered += 1
            if self.buffered == len(self.buffer):
                self.flush()
        elif lanes.any():
            part = np.empty((len(self.values), np.count_nonzero(lanes)))
            self.recorder.fill(part, epochs, layers, np.flatnonzero(lanes))
            self.recorder.aside(self.runs[where[lanes]], epoch, part)

    def flush(self) -> None:
        """From epoch by epoch to run by run."""
        end = self.done + self.buffered
        self.values[:, :, self.done : end] = self.buffer[: self.buffered].transpose(1, 2, 0)
        self.done, self.buffered = end, 0
