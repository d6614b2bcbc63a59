"""Sharpness: the largest eigenvalue of the loss's Hessian, from differences of gradients.

Gradient descent with step ε is stable while it is below 2/ε; on full batches it rises to about 2/ε and stays
there (Cohen et al. 2021, the edge of stability).
"""

from typing import Final

import numpy as np

from bpsvc import draws
from bpsvc.nn.arrays import Floats
from bpsvc.nn.lanes import Lanes

# The step, for a run whose largest weight is at most FAR; beyond it grows with the weights, which would
# otherwise swallow it: at 1e11 two neighbouring numbers are 1e-5 apart.
STEP: Final = 1e-5
FAR: Final = 1e4
# Up to so many parameters the whole Hessian is found, and with it the exact eigenvalue; beyond, by power
# iteration.
WHOLE: Final = 100
ITERATIONS: Final = 50


def sharpness(lanes: Lanes) -> Floats:
    """The largest eigenvalue for each lane, (R,). Theta, loss and gradient stay as they are."""
    kept = lanes.finite.copy()
    theta = lanes.layout.unstack(lanes.parameters.theta)
    found = _whole(lanes, theta) if theta.shape[1] <= WHOLE else _by_iteration(lanes, theta)
    np.copyto(lanes.finite, kept)
    return found


def _along(lanes: Lanes, theta: Floats, direction: Floats) -> Floats:
    """H v (R, P) for directions v (R, P) of length 1: (g(theta + h v) - g(theta - h v)) / 2h."""
    gradients = []
    step = STEP * np.maximum(1.0, np.maximum.reduce(np.abs(theta), axis=1, keepdims=True) / FAR)
    for sign in (1.0, -1.0):
        np.copyto(lanes.parameters.theta, lanes.layout.stack(theta + sign * step * direction))
        lanes.evaluate()
        gradients.append(lanes.layout.unstack(lanes.parameters.gradient))
    product: Floats = (gradients[0] - gradients[1]) / (2.0 * step)
    return product


def _whole(lanes: Lanes, theta: Floats) -> Floats:
    hessian = np.empty((*theta.shape, theta.shape[1]))
    for k in range(theta.shape[1]):
        direction = np.zeros_like(theta)
        direction[:, k] = 1.0
        hessian[:, :, k] = _along(lanes, theta, direction)
    hessian = 0.5 * (hessian + hessian.swapaxes(1, 2))
    broken = ~np.isfinite(hessian).all(axis=(1, 2))
    hessian[broken] = 0.0
    largest = np.array(np.linalg.eigvalsh(hessian)[:, -1], dtype=np.float64)
    largest[broken] = np.nan
    return largest


def _by_iteration(lanes: Lanes, theta: Floats) -> Floats:
    """Power iteration finds the eigenvalue that is largest in size; if that one is negative, once more on H
    minus it, whose largest in size is the largest of all.
    """
    shift = np.zeros((len(theta), 1))
    found = _power(lanes, theta, shift)
    shift = np.minimum(found, 0.0)[:, None]
    if shift.any():
        again = _power(lanes, theta, shift)
        found = np.where(shift[:, 0] < 0.0, again + shift[:, 0], found)
    return found


def _power(lanes: Lanes, theta: Floats, shift: Floats) -> Floats:
    direction = draws.normal(lanes.problem.seeds, draws.PROBE, 0, theta.shape[1])
    value = np.zeros(len(theta))
    for _ in range(ITERATIONS):
        direction = direction / _length(direction)
        product = _along(lanes, theta, direction) - shift * direction
        value = np.add.reduce(direction * product, axis=1)
        direction = np.where(_length(product) > 0.0, product, direction)
    return value


def _length(vectors: Floats) -> Floats:
    length: Floats = np.sqrt(np.add.reduce(vectors * vectors, axis=1, keepdims=True))
    return length
