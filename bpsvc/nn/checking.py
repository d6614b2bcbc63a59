"""Are the gradients of this very network the derivatives of its loss? Backpropagation against finite
differences.

Each parameter is moved by ±h and ±2h and the engine's own loss differentiated by the stencil of fourth order.
Two kinds of parameters are left out and reported: where moving one carries some unit across a kink, there is
no derivative to compare with; and a slope may be so small, as in the early layers of deep logistic networks,
that the differences of the loss are its rounding.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bpsvc.nn.arrays import Bools, Floats, Ints
from bpsvc.nn.lanes import Lanes
from bpsvc.nn.problem import Problem

STEP: Final = 1e-4  # error of the stencil: about h⁴ and 1e-16 / h
TOLERANCE: Final = 1e-6
# Rounding of the differences, as a multiple of eps times what is rounded: seen up to 1.4.
ROUNDING: Final = 8.0 * float(np.finfo(np.float64).eps)
_STENCIL: Final = ((1, 8.0), (-1, -8.0), (2, -1.0), (-2, 1.0))  # / 12 h


@dataclass(frozen=True)
class LayerCheck:
    """One layer (from 1): how many parameters were checked and how many left out, at kinks or too small; the
    largest difference, relative to the layer's largest slope (to one that is known to the tolerance despite
    rounding, if that is larger), and the parameter (index in theta) it belongs to.
    """

    layer: int
    parameters: int
    checked: int
    at_kinks: int
    too_small: int
    worst: float
    where: int | None

    @property
    def ok(self) -> bool:
        return self.worst <= TOLERANCE


@dataclass(frozen=True)
class GradCheck:
    """The answer. `conventions` names knobs that make the gradient, on purpose, not the derivative of the
    loss.
    """

    layers: tuple[LayerCheck, ...]
    backpropagated: Floats  # (P,)
    differences: Floats  # (P,), NaN at kinks
    conventions: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return all(layer.ok for layer in self.layers)


def gradcheck(problem: Problem, theta: Floats, chunk: int = 64) -> GradCheck:
    """Checks one run: a problem of one run and theta (P,)."""
    theta = np.array(theta, dtype=np.float64).reshape(-1)
    with np.errstate(all="ignore"):
        here = _lanes(problem, theta[None])
        backpropagated = here.layout.unstack(here.parameters.gradient)[0]
        slopes, crossed = np.empty_like(theta), np.zeros(theta.shape, dtype=bool)
        for lo in range(0, theta.size, chunk):
            index = np.arange(lo, min(lo + chunk, theta.size))
            slopes[index], crossed[index] = _slopes(problem, theta, index, _sides(here)[:1])
    slopes[crossed] = np.nan
    noise = _rounding(here) / STEP
    return GradCheck(
        tuple(_layer(problem, k, backpropagated, slopes, noise) for k in range(len(problem.network.layers))),
        backpropagated,
        slopes,
        conventions(problem),
    )


def conventions(problem: Problem) -> tuple[str, ...]:
    """Knobs under which what is passed back is not the derivative, and means not to be."""
    given = (*problem.knobs, problem.loss_knobs)
    names = ("derivative_offset", "atanh_error")
    return tuple(name for name in names if any(np.any(knobs.get(name, 0.0)) for knobs in given))


def _lanes(problem: Problem, thetas: Floats) -> Lanes:
    """The run's loss and gradient at several parameter vectors."""
    slots = {name: np.zeros_like(thetas) for name in Lanes.slot_names(problem)}
    lanes = Lanes(problem.take(np.zeros(len(thetas), dtype=int)), thetas, slots)
    lanes.evaluate()
    return lanes


def _slopes(problem: Problem, theta: Floats, index: Ints, sides: Bools) -> tuple[Floats, Bools]:
    """dloss/dtheta at these indices by differences, and whether some unit crossed a kink on the way."""
    slope, crossed = np.zeros(len(index)), np.zeros(len(index), dtype=bool)
    step = STEP * np.maximum(1.0, np.abs(theta[index]))
    for multiple, weight in _STENCIL:
        moved = np.repeat(theta[None], len(index), axis=0)
        moved[np.arange(len(index)), index] += multiple * step
        lanes = _lanes(problem, moved)
        slope += weight * lanes.parameters.loss[: len(index)]
        crossed |= np.any(_sides(lanes)[: len(index)] != sides, axis=1)
    return slope / (12.0 * step), crossed


def _sides(lanes: Lanes) -> Bools:
    """For each lane on which side of each kink each unit stands for each example: (R, …)."""
    sides = [np.zeros((len(lanes.parameters.loss), 1), dtype=bool)]
    for stage in lanes.full.stages:
        z = lanes.layout.unstack(stage.z)
        sides += [(z > kink).reshape(len(z), -1) for kink in stage.function.kinks]
        sides += [(z >= kink).reshape(len(z), -1) for kink in stage.function.kinks]
    return np.concatenate(sides, axis=1)


def _rounding(lanes: Lanes) -> float:
    """How far the first lane's loss may be off: by its own rounding, and by that of each z, which reaches it
    through delta.
    """
    carried = [np.abs(stage.delta * stage.z) for stage in lanes.full.stages]
    return ROUNDING * (
        abs(float(lanes.parameters.loss[0]))
        + sum(float(lanes.layout.unstack(values)[0].sum()) for values in carried)
    )


def _layer(problem: Problem, k: int, backpropagated: Floats, slopes: Floats, noise: float) -> LayerCheck:
    at = problem.network.slices[k].whole
    mine, theirs = backpropagated[at], slopes[at]
    known = np.isfinite(theirs)
    sizes = np.maximum(np.abs(mine), np.abs(theirs))
    too_small = known & (sizes > 0.0) & (sizes <= noise)
    checked = known & ~too_small  # also where mine is not finite: that is a difference
    scale = max(np.abs(theirs[known]).max(initial=0.0), noise / TOLERANCE) or 1.0
    differences = np.where(checked, np.abs(mine - theirs), 0.0) / scale
    where = int(at.start + np.argmax(differences)) if checked.any() else None
    return LayerCheck(
        k + 1,
        mine.size,
        int(np.count_nonzero(checked)),
        int(np.count_nonzero(~known)),
        int(np.count_nonzero(too_small)),
        float(differences.max(initial=0.0)),
        where,
    )
