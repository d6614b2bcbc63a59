"""Points of two or more classes, mostly in the plane, where decision surfaces can be drawn."""

import numpy as np

from bpsvc.data.dataset import Dataset
from bpsvc.data.limits import check_size
from bpsvc.data.sampling import DECIMALS, alternating, generated, normals, uniforms
from bpsvc.data.source import MOST_INPUTS, SEED_KNOB, Source, examples_knob, noise_knob
from bpsvc.draws import Floats
from bpsvc.registry import Knob


def two_spirals(density: int, radius: float, noise: float, seed: int) -> Dataset:
    """Point i of 96·density + 1 on a spiral: angle iπ/(16·density), radius falling as 104·density − i, with
    its mirror image through the origin as the next example; the first of each pair has target 1 (Lang and
    Witbrock 1988).
    """
    i = np.arange(96 * density + 1)
    angle, r = i * np.pi / (16 * density), radius * (104 * density - i) / (104 * density)
    arm = np.stack([r * np.sin(angle), r * np.cos(angle)], axis=1)
    x = np.stack([arm, -arm], axis=1).reshape(-1, 2)
    return generated(x + noise * normals(seed, 0, x.shape), 1 - alternating(len(x)))


def moons(examples: int, noise: float, seed: int) -> Dataset:
    """Two half circles of radius 1, the lower (target 1) moved by (1, ½) into the upper."""
    y, t = alternating(examples), _evenly(examples, np.pi, ends=True)
    x = np.stack([np.cos(t), np.sin(t)], axis=1)
    x = np.where(y[:, None] == 1, [1.0, 0.5] - x, x)
    return generated(x + noise * normals(seed, 0, x.shape), y)


def circles(examples: int, factor: float, noise: float, seed: int) -> Dataset:
    """Two circles around the origin, of radius 1 (target 0) and `factor` (target 1)."""
    y, t = alternating(examples), _evenly(examples, 2 * np.pi, ends=False)
    x = np.where(y == 1, factor, 1.0)[:, None] * np.stack([np.cos(t), np.sin(t)], axis=1)
    return generated(x + noise * normals(seed, 0, x.shape), y)


def blobs(examples: int, classes: int, inputs: int, spread: float, seed: int) -> Dataset:
    """Normal clouds around `classes` centres drawn from [−10, 10)^inputs."""
    check_size(examples, inputs + 1, "the blobs")
    y = alternating(examples, classes)
    centres = 20 * uniforms(seed, 1, (classes, inputs)) - 10
    x = centres[y.astype(np.intp)] + spread * normals(seed, 0, (examples, inputs))
    return generated(x, y, [str(k) for k in range(1, classes + 1)])


def line(examples: int, inputs: int, seed: int) -> Dataset:
    """Points of [−1, 1)^inputs, 1 on one side of a random hyperplane: one unit learns it."""
    check_size(examples, inputs + 1, "the line")
    x = np.round(2 * uniforms(seed, 0, (examples, inputs)) - 1, DECIMALS)
    weights = normals(seed, 1, (inputs, 1))[:, 0]
    offset = 0.5 * (2 * uniforms(seed, 2, (1, 1))[0, 0] - 1)
    score = (x * weights).sum(axis=1) / np.sqrt((weights**2).sum())
    return generated(x, (score > offset).astype(np.float64))


def checkerboard(examples: int, cells: int, noise: float, seed: int) -> Dataset:
    """Points of [−1, 1)² on a board of cells × cells squares, 1 on the black ones; 2 cells are XOR with
    room for noise.
    """
    square = uniforms(seed, 0, (examples, 2))
    y = np.floor(cells * square).sum(axis=1) % 2
    return generated(2 * square - 1 + noise * normals(seed, 1, square.shape), y)


def _evenly(examples: int, length: float, *, ends: bool) -> Floats:
    """Positions on [0, length] of examples that alternate between two curves: each curve has its points
    evenly spaced, with both end points or, on a closed curve, one. Shape (N,).
    """
    place, curve = np.divmod(np.arange(examples), 2)
    sizes = np.array([(examples + 1) // 2, examples // 2])
    positions: Floats = length * place / np.maximum(sizes[curve] - (1 if ends else 0), 1)
    return positions


PLANES = (
    Source(
        "two_spirals",
        "two interlocked spirals, 194 points: Lang and Witbrock, Connectionist Models Summer School 1988",
        two_spirals,
        (
            Knob("density", 1, "each spiral has 96·density + 1 points", int, low=1, high=1_000),
            Knob(
                "radius",
                6.5,
                "distance of the outermost points from the origin",
                low=0.0,
                high=1e6,
                low_open=True,
            ),
            noise_knob(0.0),
            SEED_KNOB,
        ),
    ),
    Source("moons", "two interlocking half circles", moons, (examples_knob(200), noise_knob(0.1), SEED_KNOB)),
    Source(
        "circles",
        "a circle inside another",
        circles,
        (
            examples_knob(200),
            Knob(
                "factor", 0.5, "radius of the inner circle", low=0.0, high=1.0, low_open=True, high_open=True
            ),
            noise_knob(0.1),
            SEED_KNOB,
        ),
    ),
    Source(
        "blobs",
        "normal clouds, one for each class",
        blobs,
        (
            examples_knob(150),
            Knob("classes", 3, "number of clouds", int, low=2, high=1_000),
            Knob("inputs", 2, "number of features", int, low=1, high=MOST_INPUTS),
            Knob("spread", 1.0, "standard deviation of a cloud", low=0.0, high=1e6),
            SEED_KNOB,
        ),
    ),
    Source(
        "line",
        "points on the two sides of a line (hyperplane): linearly separable",
        line,
        (
            examples_knob(100),
            Knob("inputs", 2, "number of features", int, low=1, high=MOST_INPUTS),
            SEED_KNOB,
        ),
    ),
    Source(
        "checkerboard",
        "points on a board of black and white squares; 2 cells are a continuous XOR",
        checkerboard,
        (
            examples_knob(200),
            Knob("cells", 2, "squares along each side", int, low=2, high=100),
            noise_knob(0.0, "standard deviation of the noise added after the square is known"),
            SEED_KNOB,
        ),
    ),
)
