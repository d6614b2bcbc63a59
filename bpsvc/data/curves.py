"""Targets that are numbers: functions to fit, and networks to imitate."""

import numpy as np

from bpsvc.data.dataset import Dataset
from bpsvc.data.limits import check_size
from bpsvc.data.sampling import generated, normals, uniforms
from bpsvc.data.source import MOST_INPUTS, SEED_KNOB, Source, examples_knob, noise_knob
from bpsvc.draws import Floats
from bpsvc.registry import Knob


def sine(examples: int, frequency: float, noise: float, seed: int) -> Dataset:
    """y = sin(frequency · x) + noise at evenly spaced x from −π to π."""
    x = np.linspace(-np.pi, np.pi, examples)[:, None]
    return generated(x, np.sin(frequency * x) + noise * normals(seed, 0, x.shape))


def chebyshev(examples: int, degree: int, noise: float, seed: int) -> Dataset:
    """y = T_degree(x) + noise at evenly spaced x from −1 to 1, by T_k+1 = 2x·T_k − T_k−1."""
    x = np.linspace(-1.0, 1.0, examples)[:, None]
    before, y = np.ones_like(x), x
    for _ in range(degree - 1):
        before, y = y, 2 * x * y - before
    return generated(x, y + noise * normals(seed, 0, x.shape))


def friedman(examples: int, inputs: int, noise: float, seed: int) -> Dataset:
    """y = 10 sin(π x1 x2) + 20 (x3 − ½)² + 10 x4 + 5 x5 + noise for x uniform on [0, 1)^inputs; the others
    do not matter.
    """
    check_size(examples, inputs + 1, "the data of Friedman's function")
    x = uniforms(seed, 0, (examples, inputs))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return generated(x, y[:, None] + noise * normals(seed, 1, (examples, 1)))


def linear(examples: int, inputs: int, outputs: int, noise: float, seed: int) -> Dataset:
    """y = x·W + noise with x standard normal and W ~ N(0, 1/inputs): linear regression with a known end."""
    check_size(examples, inputs + outputs, "the linear teacher's data")
    x = normals(seed, 0, (examples, inputs))
    weights = _weights(seed, 1, inputs, outputs)
    return generated(x, _product(x, weights) + noise * normals(seed, 2, (examples, outputs)))


def teacher(examples: int, inputs: int, hidden: int, outputs: int, noise: float, seed: int) -> Dataset:
    """y = tanh(x·W + b)·V + c + noise, x standard normal: what a tanh network drawn from the seed says.
    Weights ~ N(0, 1/fan_in), biases ~ N(0, ¼), so a student of the same sizes can reach loss 0 (without
    noise).
    """
    check_size(examples, max(inputs + outputs, hidden), "the teacher's data")
    x = normals(seed, 0, (examples, inputs))
    units = np.tanh(_product(x, _weights(seed, 1, inputs, hidden)) + 0.5 * normals(seed, 2, (1, hidden)))
    y = _product(units, _weights(seed, 3, hidden, outputs)) + 0.5 * normals(seed, 4, (1, outputs))
    return generated(x, y + noise * normals(seed, 5, (examples, outputs)))


def _weights(seed: int, which: int, inputs: int, units: int) -> Floats:
    weights: Floats = normals(seed, which, (inputs, units)) / np.sqrt(inputs)
    return weights


def _product(x: Floats, weights: Floats) -> Floats:
    """x·W without BLAS, whose last bits depend on the machine and on its threads."""
    product: Floats = np.einsum("ni,io->no", x, weights, optimize=False)
    return product


def _count(name: str, default: int, doc: str, least: int = 1) -> Knob:
    return Knob(name, default, doc, int, low=least, high=MOST_INPUTS)


_NOISE = noise_knob(0.0, "standard deviation of the noise added to every target")

CURVES = (
    Source(
        "sine",
        "one or more waves of a sine",
        sine,
        (
            examples_knob(50),
            Knob("frequency", 1.0, "waves between −π and π", low=0.0, high=1e6, low_open=True),
            _NOISE,
            SEED_KNOB,
        ),
    ),
    Source(
        "chebyshev",
        "a Chebyshev polynomial; 20 points of T4 are the task of Cohen et al., Gradient descent on neural "
        "networks typically occurs at the edge of stability (2021)",
        chebyshev,
        (examples_knob(20), Knob("degree", 4, "degree", int, low=1, high=50), _NOISE, SEED_KNOB),
    ),
    Source(
        "friedman",
        "Friedman's first function, five inputs that matter: Multivariate adaptive regression splines (1991)",
        friedman,
        (
            examples_knob(200),
            _count("inputs", 10, "number of features; the first five matter", 5),
            _NOISE,
            SEED_KNOB,
        ),
    ),
    Source(
        "linear",
        "a linear map of normal inputs",
        linear,
        (
            examples_knob(100, 1),
            _count("inputs", 5, "number of features"),
            _count("outputs", 1, "number of targets"),
            _NOISE,
            SEED_KNOB,
        ),
    ),
    Source(
        "teacher",
        "what a random tanh network with one hidden layer says to normal inputs",
        teacher,
        (
            examples_knob(200, 1),
            _count("inputs", 2, "number of features"),
            _count("hidden", 3, "the teacher's hidden units"),
            _count("outputs", 1, "number of targets"),
            _NOISE,
            SEED_KNOB,
        ),
        also_called=("teacher_network",),
    ),
)
