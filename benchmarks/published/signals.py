"""What becomes of the signal on its way back through untrained layers (R3, R4, R5, R18)."""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from benchmarks.published.record import DERIVED, VERIFIED, Check, Database, Published, Z, probability, within

DELTAS = """
SELECT f.value, g.run_id, g.layer, g.delta_rms
FROM layer_gradients g JOIN experiment_runs e USING (run_id)
JOIN factors f ON f.run_id = g.run_id AND f.experiment = e.experiment
WHERE e.name = ? AND e.newest AND f.name = ? AND g.epoch = 0 AND g.layer IN (?, ?)
"""
DEAD_LAYERS = """
SELECT count(DISTINCT CASE WHEN g.dead = 1.0 THEN g.run_id END), count(DISTINCT g.run_id)
FROM layer_gradients g JOIN experiment_runs e USING (run_id) JOIN runs r USING (run_id)
WHERE e.name = ? AND e.newest AND g.layer BETWEEN ? AND r.depth AND r.depth = ?
"""


def slopes(
    db: Database, name: str, factor: str, low: int, high: int
) -> dict[str | float, tuple[float, float]]:
    """By value of the factor: d ln delta² a layer on the way back from `high` to `low`, and its s.e."""
    logs: dict[str | float, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    for value, run, layer, delta in db.rows(DELTAS, name, factor, low, high):
        sign = 1.0 if layer == low else -1.0
        logs[value][run] += sign * 2.0 * math.log(delta) / (high - low)
    found = {value: np.array(list(runs.values())) for value, runs in logs.items()}
    return {value: (float(x.mean()), float(x.std(ddof=1)) / math.sqrt(len(x))) for value, x in found.items()}


def near(what: str, found: tuple[float, float], theory: float, width: int) -> Check:
    """Theory is for endless width: finite width takes up to 5/n a layer off the mean logarithm."""
    value, error = found
    return within(what, value, theory, 5.0 / width + Z * error, DERIVED, f"5/{width} + {Z} s.e.")


def small_range(db: Database) -> Iterator[Check]:
    found = slopes(db, "r03_small_range", "network.activation", 1, 8)
    for name, right_width, before in (
        ("identity", 300, -1.125),
        ("relu", 600, -1.824),
        ("logistic", 4800, -3.924),
    ):
        theory = math.log(100 / right_width)
        yield near(f"{name}: ln of the factor a layer = ln(100/{right_width})", found[name], theory, 100)
        value, error = found[name]
        yield within(
            f"{name}: the same, measured before",
            value,
            before,
            0.02 + Z * error,
            VERIFIED,
            "both runs' chance",
        )


def mean_field(db: Database) -> Iterator[Check]:
    yield within(
        "critical variance, by bisection", critical(0.05), 1.76095464, 5e-9, VERIFIED, "its last digit", 9
    )
    for std, found in sorted(slopes(db, "r04_mean_field", "init.std", 6, 20).items()):
        variance = float(std) ** 2 * 150
        theory = math.log(chi_1(variance, 0.05))
        yield near(f"weights of variance {variance:.4g}/n: ln chi_1 = {theory:.4f}", found, theory, 150)


def chi_1(weights: float, biases: float) -> float:
    """sw² E[(1 - tanh²(sqrt(q*) z))²] at the fixed point q* = sw² E[tanh²(sqrt(q*) z)] + sb², z normal."""
    z, w = np.polynomial.hermite_e.hermegauss(201)
    w, q = w / w.sum(), 1.0
    for _ in range(5000):
        q = weights * float(w @ np.tanh(math.sqrt(q) * z) ** 2) + biases
    return weights * float(w @ (1.0 - np.tanh(math.sqrt(q) * z) ** 2) ** 2)


def critical(biases: float) -> float:
    """The variance of weights for which chi_1 = 1."""
    low, high = 1.0, 3.0
    while high - low > 1e-11:
        middle = (low + high) / 2.0
        low, high = (middle, high) if chi_1(middle, biases) < 1.0 else (low, middle)
    return low


def born_dead(db: Database) -> Iterator[Check]:
    for units, depth in ((3, 20), (2, 5), (4, 10)):
        (found,) = db.rows(DEAD_LAYERS, "r05_born_dead", 1, depth)
        theory = 1.0 - (1.0 - 2.0**-units) ** depth
        what = f"{depth} layers of {units}: 1 - (1 - 2^-{units})^{depth}"
        yield probability(what, (int(found[0]), int(found[1])), theory, DERIVED)
    (line,) = db.rows(DEAD_LAYERS, "r05_dead_line", 20, 20)
    yield probability(
        "20 layers of 3, dead for every x", (int(line[0]), int(line[1])), 0.903, VERIFIED, of=20000
    )


def glorot_he(db: Database) -> Iterator[Check]:
    found = slopes(db, "r18_glorot_he", "init", 1, 30)
    yield near("Glorot: ln of the factor a layer = ln ½", found["glorot_normal"], math.log(0.5), 100)
    yield near("He: ln of the factor a layer = 0", found["he_normal"], 0.0, 100)


RESULTS = (
    Published(
        "R3", "what U[-0.1, 0.1] means for the signal", ("r03_small_range",), lambda db: list(small_range(db))
    ),
    Published("R4", "mean-field theory of tanh nets", ("r04_mean_field",), lambda db: list(mean_field(db))),
    Published(
        "R5", "born-dead ReLU nets", ("r05_born_dead", "r05_dead_line"), lambda db: list(born_dead(db))
    ),
    Published("R18", "Glorot and He in 30 ReLU layers", ("r18_glorot_he",), lambda db: list(glorot_he(db))),
)
