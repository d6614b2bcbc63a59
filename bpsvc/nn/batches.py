"""The batches of an epoch, in order: the data's, or for each run its own, drawn from (seed, epoch)."""

from collections.abc import Iterator

import numpy as np

from bpsvc import draws
from bpsvc.nn.arrays import Floats
from bpsvc.nn.layout import Layout
from bpsvc.nn.problem import Problem


def with_constant(x: Floats) -> Floats:
    """x (…, N, I) with a last feature 1, the source of the biases."""
    return np.concatenate([x, np.ones((*x.shape[:-1], 1))], axis=-1)


class Batches:
    """Cuts a problem's data. The last batch of an epoch is what is left."""

    def __init__(self, problem: Problem, layout: Layout) -> None:
        self.problem, self.layout = problem, layout
        self.cuts = [
            (lo, min(lo + problem.batch, problem.examples))
            for lo in range(0, problem.examples, problem.batch)
        ]
        x, y = with_constant(problem.x), problem.y
        if problem.shuffle:
            self.x, self.y = layout.source(x), layout.source(y)
            self.x_offset, self.y_offset = self._offset(x), self._offset(y)
            runs = len(problem.seeds)
            self.buffers = {
                size: (layout.batch(runs, size, x.shape[-1]), layout.batch(runs, size, y.shape[-1]))
                for size in self.sizes
            }
        else:
            self.x, self.y = layout.inputs(x), layout.targets(y, len(problem.seeds))

    @property
    def sizes(self) -> set[int]:
        return {hi - lo for lo, hi in self.cuts}

    def _offset(self, rows: Floats) -> int:
        """Where the next run's examples begin in the source: nowhere else when all share them."""
        return rows.shape[1] if rows.ndim == 3 else 0

    def of_epoch(self, epoch: int) -> Iterator[tuple[int, Floats, Floats]]:
        """(size, x, y) of each batch of the epoch that follows `epoch` epochs."""
        if not self.problem.shuffle:
            for lo, hi in self.cuts:
                yield (
                    hi - lo,
                    self.layout.examples_of(self.x, lo, hi),
                    self.layout.examples_of(self.y, lo, hi),
                )
            return
        order = draws.permutation(self.problem.seeds, draws.ORDER, epoch, self.problem.examples)
        runs = np.arange(len(order))[:, None]
        of_x, of_y = order + runs * self.x_offset, order + runs * self.y_offset
        for lo, hi in self.cuts:
            (x, x_seen), (y, y_seen) = self.buffers[hi - lo]
            self.layout.gather(self.x, of_x[:, lo:hi], x)
            self.layout.gather(self.y, of_y[:, lo:hi], y)
            yield hi - lo, x_seen, y_seen
