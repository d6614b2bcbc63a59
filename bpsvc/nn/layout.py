"""Where the run axis stands: after units and examples, or before them.

*Runs last*, (D, N, R): every operation is a long vector over runs, and products are `einsum`s that add in the
order of the formula. It wins while layers and data are tiny. *Runs first*, (R, D, N): one BLAS product for
each run. Both compute z = Wᵀ a with W (I, O), a (I, N), z (O, N) and the run axis in its place; where all
runs share their inputs, a has none.

A run's bits must not depend on its companions: so the choice depends on shapes alone, never on the number of
runs; runs last keeps at least two lanes (with one, numpy drops the axis and adds in another order); runs
first uses only `matmul`, ufuncs and reductions over whole trailing axes.
"""

import math
from typing import Final, Protocol

import numpy as np

from bpsvc.nn.arrays import Bools, Floats, Indices, Ints
from bpsvc.nn.network import Network

# What np.einsum calls in the end: its wrapper takes as long as the product of a tiny layer.
try:
    from numpy._core.multiarray import c_einsum as _einsum
except ImportError:  # a numpy that keeps it elsewhere
    from numpy import einsum as _einsum


def _count(mask: Bools, axis: int) -> Floats:
    """How many are true along an axis; in bytes where they suffice, which is quicker."""
    small = mask.shape[axis] <= 255
    number: Floats = np.add.reduce(mask.view(np.uint8), axis=axis, dtype=np.uint8 if small else np.int64)
    return number.astype(np.float64)


class Layout(Protocol):
    """The operations whose axes depend on where the runs stand. Results go to `out`, which is returned."""

    name: str
    units: int  # axis of the units
    examples: int  # axis of the examples
    least: int  # lanes below which companions are padded
    few: float  # up to so many units of all examples, what feeds a layer is a copy in memory of its own

    def shape(self, runs: int, *rest: int) -> tuple[int, ...]: ...
    def stack(self, runs_first: Floats) -> Floats: ...
    def unstack(self, stacked: Floats) -> Floats: ...
    def matrix(self, theta: Floats, at: slice, rows: int, columns: int) -> Floats: ...
    def rows(self, theta: Floats, at: slice) -> Floats: ...
    def head(self, a: Floats, units: int) -> Floats: ...
    def per_run(self, values: Floats) -> Floats: ...
    def per_theta(self, values: Floats) -> Floats: ...
    def feeding(self, runs: int, units: int, examples: int, fed: int) -> Floats: ...
    def inputs(self, x: Floats) -> Floats: ...
    def targets(self, y: Floats, runs: int) -> Floats: ...
    def examples_of(self, a: Floats, lo: int, hi: int) -> Floats: ...
    def source(self, rows: Floats) -> Floats: ...
    def batch(self, runs: int, examples: int, features: int) -> tuple[Floats, Floats]: ...
    def gather(self, source: Floats, order: Indices, out: Floats) -> None: ...
    def affine(self, w: Floats, a: Floats, out: Floats) -> Floats: ...
    def outer(self, a: Floats, delta: Floats, out: Floats) -> Floats: ...
    def pull(self, w: Floats, delta: Floats, out: Floats) -> Floats: ...
    def total(self, values: Floats, out: Floats) -> Floats: ...
    def squares(self, values: Floats, out: Floats) -> Floats: ...
    def lanes(self, values: Floats, lanes: Ints) -> Floats: ...
    def largest(self, values: Floats, out: Floats) -> Floats: ...
    def count(self, mask: Bools) -> Floats: ...


class RunsLast:
    """(D, N, R), theta (P, R)."""

    name, units, examples, least, few = "runs_last", 0, 1, 2, math.inf

    def shape(self, runs: int, *rest: int) -> tuple[int, ...]:
        return (*rest, runs)

    def stack(self, runs_first: Floats) -> Floats:
        """(R, …) -> a contiguous copy with the runs in their place."""
        return np.ascontiguousarray(np.moveaxis(runs_first, 0, -1))

    def unstack(self, stacked: Floats) -> Floats:
        return np.array(np.moveaxis(stacked, -1, 0), order="C")  # of one parameter too a copy

    def matrix(self, theta: Floats, at: slice, rows: int, columns: int) -> Floats:
        return theta[at].reshape(rows, columns, theta.shape[-1])

    def rows(self, theta: Floats, at: slice) -> Floats:
        """A part of theta, as a view."""
        return theta[at]

    def head(self, a: Floats, units: int) -> Floats:
        """The first `units` units (the last one of a is the constant 1 that carries the bias)."""
        return a[:units]

    def per_run(self, values: Floats) -> Floats:
        """(R,) to stand beside (D, N, R)."""
        return values

    def per_theta(self, values: Floats) -> Floats:
        """(R,) to stand beside (P, R)."""
        return values

    def feeding(self, runs: int, units: int, examples: int, fed: int) -> Floats:
        """Ones (D, N, R), for what feeds a layer of `fed` units or comes back from it. For more than one unit
        the examples stand first in memory, (N, D, R): with z and delta the other way around, `einsum` stays
        with a few rows until they are done, in half the time or less. (Elsewhere one order is best: numpy
        then sees one long vector.)
        """
        if fed <= 1:
            return np.ones((units, examples, runs))
        return np.ones((examples, units, runs)).swapaxes(0, 1)

    def inputs(self, x: Floats) -> Floats:
        """x (N, I) shared -> (I, N), or (R, N, I) -> (I, N, R); in memory as `feeding`."""
        if x.ndim == 2:
            return np.ascontiguousarray(x).T
        return np.ascontiguousarray(x.transpose(1, 2, 0)).swapaxes(0, 1)

    def targets(self, y: Floats, runs: int) -> Floats:
        """y (N, O) or (R, N, O) -> (O, N, R): for each run, since numpy is slow to repeat short vectors."""
        return np.ascontiguousarray(np.broadcast_to(y, (runs, *y.shape[-2:])).transpose(2, 1, 0))

    def examples_of(self, a: Floats, lo: int, hi: int) -> Floats:
        """Examples lo … hi-1 of inputs or targets."""
        return a[:, lo:hi]

    def source(self, rows: Floats) -> Floats:
        """rows (N, D), or (R, N, D) one run after another, for `gather`: (D, N) or (D, R N)."""
        return np.ascontiguousarray(rows.reshape(-1, rows.shape[-1]).T)

    def batch(self, runs: int, examples: int, features: int) -> tuple[Floats, Floats]:
        """A buffer for `gather`, and the same as inputs or targets: (D, B, R)."""
        buffer = np.empty((features, examples, runs))
        return buffer, buffer

    def gather(self, source: Floats, order: Indices, out: Floats) -> None:
        """The examples `order` (R, B) of a source, each run its own."""
        np.take(source, order.T, axis=1, out=out, mode="clip")

    def affine(self, w: Floats, a: Floats, out: Floats) -> Floats:
        """z_on = sum_i w_io a_in."""
        _einsum("in,ior->onr" if a.ndim == 2 else "inr,ior->onr", a, w, out=out)
        return out

    def outer(self, a: Floats, delta: Floats, out: Floats) -> Floats:
        """dw_io = sum_n a_in delta_on."""
        _einsum("in,onr->ior" if a.ndim == 2 else "inr,onr->ior", a, delta, out=out)
        return out

    def pull(self, w: Floats, delta: Floats, out: Floats) -> Floats:
        """g_in = sum_o w_io delta_on: over all paths, not one."""
        _einsum("ior,onr->inr", w, delta, out=out)
        return out

    def total(self, values: Floats, out: Floats) -> Floats:
        np.add.reduce(values.reshape(-1, values.shape[-1]), axis=0, out=out)
        return out

    def squares(self, values: Floats, out: Floats) -> Floats:
        flat = values if values.ndim == 2 else values.reshape(-1, values.shape[-1])
        _einsum("kr,kr->r", flat, flat, out=out)
        return out

    def lanes(self, values: Floats, lanes: Ints) -> Floats:
        """All values of these lanes, a row for each."""
        return self.unstack(values.reshape(-1, values.shape[-1])[:, lanes])

    def largest(self, values: Floats, out: Floats) -> Floats:
        np.maximum.reduce(values.reshape(-1, values.shape[-1]), axis=0, out=out)
        return out

    def count(self, mask: Bools) -> Floats:
        return _count(mask.reshape(-1, mask.shape[-1]), axis=0)


class RunsFirst:
    """(R, D, N), theta (R, P)."""

    name, units, examples, least = "runs_first", 1, 2, 1
    # Beside the constant that carries a bias, units are one short vector for each run, where numpy sees one
    # long vector in memory of their own: for a small layer that is worth a copy.
    few: float = 256

    def shape(self, runs: int, *rest: int) -> tuple[int, ...]:
        return (runs, *rest)

    def stack(self, runs_first: Floats) -> Floats:
        return np.array(runs_first, order="C")

    def unstack(self, stacked: Floats) -> Floats:
        return np.array(stacked, order="C")

    def matrix(self, theta: Floats, at: slice, rows: int, columns: int) -> Floats:
        return theta[:, at].reshape(theta.shape[0], rows, columns)

    def rows(self, theta: Floats, at: slice) -> Floats:
        return theta[:, at]

    def head(self, a: Floats, units: int) -> Floats:
        return a[..., :units, :]

    def per_run(self, values: Floats) -> Floats:
        return values.reshape(-1, 1, 1)

    def per_theta(self, values: Floats) -> Floats:
        return values.reshape(-1, 1)

    def feeding(self, runs: int, units: int, examples: int, fed: int) -> Floats:
        return np.ones((runs, units, examples))

    def inputs(self, x: Floats) -> Floats:
        """x (N, I) -> (I, N), or (R, N, I) -> (R, I, N): views, one memory order for full set and batches."""
        return np.ascontiguousarray(x).swapaxes(-1, -2)

    def targets(self, y: Floats, runs: int) -> Floats:
        """y (N, O) -> (O, N), or (R, N, O) -> (R, O, N)."""
        return np.ascontiguousarray(y.swapaxes(-1, -2))

    def examples_of(self, a: Floats, lo: int, hi: int) -> Floats:
        return a[..., lo:hi]

    def source(self, rows: Floats) -> Floats:
        return np.ascontiguousarray(rows.reshape(-1, rows.shape[-1]))

    def batch(self, runs: int, examples: int, features: int) -> tuple[Floats, Floats]:
        """(R, B, D) in memory, seen as (R, D, B): the memory order of `inputs`."""
        buffer = np.empty((runs, examples, features))
        return buffer, buffer.swapaxes(1, 2)

    def gather(self, source: Floats, order: Indices, out: Floats) -> None:
        np.take(source, order, axis=0, out=out, mode="clip")

    def affine(self, w: Floats, a: Floats, out: Floats) -> Floats:
        np.matmul(w.swapaxes(1, 2), a, out=out)
        return out

    def outer(self, a: Floats, delta: Floats, out: Floats) -> Floats:
        np.matmul(a, delta.swapaxes(1, 2), out=out)
        return out

    def pull(self, w: Floats, delta: Floats, out: Floats) -> Floats:
        np.matmul(w, delta, out=out)
        return out

    def total(self, values: Floats, out: Floats) -> Floats:
        np.add.reduce(values.reshape(len(values), -1), axis=1, out=out)
        return out

    def squares(self, values: Floats, out: Floats) -> Floats:
        flat = values if values.ndim == 2 else values.reshape(len(values), -1)
        np.vecdot(flat, flat, out=out)
        return out

    def lanes(self, values: Floats, lanes: Ints) -> Floats:
        return values.reshape(len(values), -1)[lanes]

    def largest(self, values: Floats, out: Floats) -> Floats:
        np.maximum.reduce(values.reshape(len(values), -1), axis=1, out=out)
        return out

    def count(self, mask: Bools) -> Floats:
        return _count(mask.reshape(len(mask), -1), axis=1)


RUNS_LAST: Final = RunsLast()
RUNS_FIRST: Final = RunsFirst()

# The largest product of a layer (multiplications for one run) that is still quicker as part of long vectors;
# measured.
TINY: Final = 400


def choose(network: Network, examples: int) -> Layout:
    """The layout for this network on `examples` examples at a time (the batch): by shapes alone."""
    largest = max(at.rows * at.units for at in network.slices) * examples
    return RUNS_LAST if largest <= TINY else RUNS_FIRST
