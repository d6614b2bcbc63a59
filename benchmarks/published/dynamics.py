"""The course of training: sigmoids, the edge of stability, balance (R13, R14, R19)."""

import math
from collections.abc import Iterator
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.published.record import DERIVED, SEEN, VERIFIED, Check, Database, Published, relative, within
from bpsvc.service import networks
from bpsvc.store import Store

Floats = NDArray[np.float64]

COURSE = """
SELECT p.epoch, p.loss FROM epochs p JOIN experiment_runs e USING (run_id) JOIN runs r USING (run_id)
WHERE e.name = ? AND e.newest AND r.learning_rate = ? ORDER BY p.epoch
"""
SHARPNESS = """
SELECT p.sharpness FROM epochs p JOIN experiment_runs e USING (run_id) JOIN runs r USING (run_id)
WHERE e.name = ? AND e.newest AND r.learning_rate = ? AND p.epoch = 20000
"""
LAST = """
SELECT run_id, p.sharpness FROM epochs p JOIN experiment_runs e USING (run_id)
WHERE e.name = ? AND e.newest AND p.epoch = 20000
"""
BALANCE = """
SELECT two.weight_l2 * two.weight_l2 - one.weight_l2 * one.weight_l2
FROM layer_gradients one JOIN layer_gradients two USING (run_id, epoch)
JOIN experiment_runs e USING (run_id) JOIN runs r USING (run_id)
WHERE e.name = 'r19_balance' AND e.newest AND one.layer = 1 AND two.layer = 2
  AND r.learning_rate = ? AND epoch = ? ORDER BY r.seed
"""


def sigmoids(db: Database) -> Iterator[Check]:
    at_1, at_2 = farthest(db, 0.001), farthest(db, 0.002)
    yield within(
        "ε 0.001: farthest of u from the sigmoid", at_1, 0.0, 5e-4, VERIFIED, "8e-5 to 5e-4 before", 2
    )
    yield relative("ε 0.002 over ε 0.001: a first-order method's error", at_2 / at_1, 2.0, 0.02, DERIVED)


def farthest(db: Database, rate: float) -> float:
    """u = W2 W1 from the loss ½ (s - u)², beside s / (1 + (s/u_0 - 1) e^(-2 s t)); s = 1, u_0 = 0.01."""
    rows = np.array(db.rows(COURSE, "r13_sigmoids", rate))
    theory = 1.0 / (1.0 + 99.0 * np.exp(-2.0 * rate * rows[:, 0]))
    return float(np.max(np.abs(1.0 - np.sqrt(2.0 * rows[:, 1]) - theory)))


def edge(db: Database) -> Iterator[Check]:
    for rate, before in ((0.2, 10.02), (0.3, 6.659), (0.4, 4.994)):
        found = median(db.column(SHARPNESS, "r14_edge_of_stability", rate))
        yield relative(f"ε {rate}: median sharpness at epoch 20,000, and 2/ε", found, 2.0 / rate, 0.05, SEEN)
        yield relative(f"ε {rate}: the same, and another start", found, before, 0.05, VERIFIED)
    yield within("stored sharpness over that of the stored weights", hessians(db), 1.0, 1e-5, DERIVED, "", 8)


def hessians(db: Database) -> float:
    """The stored sharpness over that of a Hessian of our own; of all runs the ratio farthest from 1."""
    x = np.linspace(-1.0, 1.0, 20)
    stored = db.rows(LAST, "r14_edge_of_stability")
    with Store(db.path) as store:
        thetas = [networks.load(store, str(int(run))).theta for run, _ in stored]
    own = [sharpness(theta, x, 8 * x**4 - 8 * x**2 + 1) for theta in thetas]
    ratios = [value / mine for (_, value), mine in zip(stored, own, strict=True)]
    return max(ratios, key=lambda ratio: abs(ratio - 1.0))


def sharpness(theta: Floats, x: Floats, y: Floats) -> float:
    """The largest eigenvalue of the Hessian of mean ½ (f(x) - y)², by differences of the gradient below."""
    step, size = 1e-5, len(theta)
    moves = step * np.eye(size)
    hessian = [(gradient(theta + move, x, y) - gradient(theta - move, x, y)) / (2 * step) for move in moves]
    return float(np.linalg.eigvalsh(np.array(hessian) + np.array(hessian).T)[-1] / 2.0)


def gradient(theta: Floats, x: Floats, y: Floats) -> Floats:
    """Of a 1-D-1 tanh net, theta = (W1, b1, W2, b2): here once more, so that nobody marks his own work."""
    units = (len(theta) - 1) // 3
    w1, b1, w2 = theta[:units], theta[units : 2 * units], theta[2 * units : -1]
    h = np.tanh(np.outer(x, w1) + b1)
    error = (h @ w2 + theta[-1] - y) / len(x)
    back = np.outer(error, w2) * (1.0 - h**2)
    return np.concatenate([x @ back, back.sum(0), error @ h, [error.sum()]])


def balance(db: Database) -> Iterator[Check]:
    """Every learning rate at the same time ε · epochs = 20, paired by seed."""
    drifts = {rate: drift(db, rate) for rate in (0.02, 0.01, 0.005, 0.0025)}
    for rate in (0.02, 0.01, 0.005):
        ratios = drifts[rate] / drifts[rate / 2]
        yield relative(f"drift at ε {rate} over ε {rate / 2:g}, median", median(ratios), 2.0, 0.05, SEEN)
    largest = math.sqrt(float(np.mean(drifts[0.0025] ** 2)))
    scale = math.sqrt(float(np.mean(drifts[0.02] ** 2)))
    yield relative("r.m.s. drift, ε 0.02 over ε 0.0025", scale / largest, 0.00559 / 0.00070, 0.05, VERIFIED)


def drift(db: Database, rate: float) -> Floats:
    at, before = db.column(BALANCE, rate, round(20 / rate)), db.column(BALANCE, rate, 0)
    moved: Floats = np.array(at) - np.array(before)
    return moved


RESULTS = (
    Published("R13", "linear nets learn along sigmoids", ("r13_sigmoids",), lambda db: list(sigmoids(db))),
    Published("R14", "the edge of stability", ("r14_edge_of_stability",), lambda db: list(edge(db))),
    Published("R19", "layers stay balanced", ("r19_balance",), lambda db: list(balance(db))),
)
