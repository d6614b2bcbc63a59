"""Where weights start. Draws depend on (seed, layer, index) alone, so a range or a standard deviation only
scales them: runs with one seed start in the same direction.

With fan_in = n and fan_out = m: Glorot and Bengio 2010 (variance 2/(n+m)), He et al. 2015 (2/n), LeCun et al.
1998 (1/n), Saxe et al. 2014 (orthogonal). The lecture: "uniform in a small range, e.g. [-0.1, 0.1]"; its
biases are weights w_0d and are drawn like the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bpsvc import draws
from bpsvc.nn.arrays import Floats, Words
from bpsvc.nn.network import LayerParameters, Network
from bpsvc.registry import Knob, Table

# (knobs, each (R, 1); fan_in, fan_out) -> the scale or bounds of W, (R, 1)
PerRun = Mapping[str, Floats]


@dataclass(frozen=True)
class Place:
    """A layer to be drawn: seeds (R,), its number from 0, its shape."""

    seeds: Words
    layer: int
    inputs: int
    units: int

    def uniform(self, purpose: int, count: int) -> Floats:
        """On [-1, 1): (R, count)."""
        return 2.0 * draws.uniform(self.seeds, purpose, self.layer, count) - 1.0

    def normal(self, purpose: int, count: int) -> Floats:
        return draws.normal(self.seeds, purpose, self.layer, count)

    @property
    def size(self) -> int:
        return self.inputs * self.units


Draw = Callable[[Place, PerRun], tuple[Floats, Floats]]  # -> W (R, inputs * units), b (R, units)


@dataclass(frozen=True)
class Initializer:
    name: str
    formula: str
    draw: Draw
    knobs: tuple[Knob, ...] = ()
    also_called: tuple[str, ...] = ()
    doc: str = ""


def _no_bias(place: Place) -> Floats:
    return np.zeros((len(place.seeds), place.units))


def uniform(place: Place, knobs: PerRun) -> tuple[Floats, Floats]:
    """W and b from U[-range, range], or U[low, high] where these are given."""
    if "low" in knobs or "high" in knobs:
        middle, half = (knobs["low"] + knobs["high"]) / 2.0, (knobs["high"] - knobs["low"]) / 2.0
    else:
        middle, half = np.zeros(1), knobs["range"]
    return (
        middle + half * place.uniform(draws.WEIGHTS, place.size),
        middle + half * place.uniform(draws.BIASES, place.units),
    )


def normal(place: Place, knobs: PerRun) -> tuple[Floats, Floats]:
    """W from N(0, std²), b from N(0, bias_std²)."""
    return (
        knobs["std"] * place.normal(draws.WEIGHTS, place.size),
        knobs.get("bias_std", knobs["std"]) * place.normal(draws.BIASES, place.units),
    )


def zeros(place: Place, knobs: PerRun) -> tuple[Floats, Floats]:
    return np.zeros((len(place.seeds), place.size)), _no_bias(place)


def orthogonal(place: Place, knobs: PerRun) -> tuple[Floats, Floats]:
    """Q of a normal matrix's QR, signs fixed by the diagonal of R, so that it is uniform over orthogonal
    matrices.
    """
    tall, wide = max(place.inputs, place.units), min(place.inputs, place.units)
    q, r = np.linalg.qr(place.normal(draws.WEIGHTS, place.size).reshape(-1, tall, wide))
    q *= np.copysign(1.0, np.diagonal(r, axis1=-2, axis2=-1))[:, None, :]
    weights = q if place.inputs >= place.units else q.swapaxes(-1, -2)
    return knobs["gain"] * weights.reshape(-1, place.size), _no_bias(place)


def scaled_uniform(variance: Callable[[int, int], float]) -> Draw:
    """U[-a, a] with a = sqrt(3 variance)."""

    def draw(place: Place, knobs: PerRun) -> tuple[Floats, Floats]:
        bound = np.sqrt(3.0 * variance(place.inputs, place.units))
        return bound * place.uniform(draws.WEIGHTS, place.size), _no_bias(place)

    return draw


def scaled_normal(variance: Callable[[int, int], float]) -> Draw:
    def draw(place: Place, knobs: PerRun) -> tuple[Floats, Floats]:
        std = np.sqrt(variance(place.inputs, place.units))
        return std * place.normal(draws.WEIGHTS, place.size), _no_bias(place)

    return draw


def glorot(n: int, m: int) -> float:
    return 2.0 / (n + m)


def he(n: int, m: int) -> float:
    return 2.0 / n


def lecun(n: int, m: int) -> float:
    return 1.0 / n


_RANGE = Knob("range", 0.1, "a: weights and biases from U[-a, a]", low=0.0)
_LOW = Knob("low", None, "lower end, together with high instead of range")
_HIGH = Knob("high", None, "upper end")
_STD = Knob("std", 0.1, "standard deviation of the weights", low=0.0)
_BIAS_STD = Knob(
    "bias_std", None, "standard deviation of the biases (that of the weights when left out)", low=0.0
)
_GAIN = Knob("gain", 1.0, "factor of the orthogonal matrix", low=0.0, low_open=True)

INITIALIZERS: Final = Table(
    "init scheme",
    [
        Initializer(
            "uniform", "W, b ~ U[-range, range] or U[low, high]", uniform, knobs=(_RANGE, _LOW, _HIGH)
        ),
        Initializer("normal", "W ~ N(0, std²), b ~ N(0, bias_std²)", normal, knobs=(_STD, _BIAS_STD)),
        Initializer(
            "glorot_uniform",
            "U[±sqrt(6/(n+m))], b = 0",
            scaled_uniform(glorot),
            also_called=("xavier_uniform",),
        ),
        Initializer(
            "glorot_normal", "N(0, 2/(n+m)), b = 0", scaled_normal(glorot), also_called=("xavier_normal",)
        ),
        Initializer(
            "he_uniform", "U[±sqrt(6/n)], b = 0", scaled_uniform(he), also_called=("kaiming_uniform",)
        ),
        Initializer("he_normal", "N(0, 2/n), b = 0", scaled_normal(he), also_called=("kaiming_normal",)),
        Initializer("lecun_normal", "N(0, 1/n), b = 0", scaled_normal(lecun)),
        Initializer("orthogonal", "gain Q, QᵀQ = 1, b = 0", orthogonal, knobs=(_GAIN,)),
        Initializer(
            "zeros", "W = 0, b = 0", zeros, doc="Equal hidden units stay equal for ever: it shows why not."
        ),
    ],
)


def initialize(
    network: Network,
    scheme: str,
    knobs: Mapping[str, Floats],
    seeds: Words,
    learned: Sequence[Mapping[str, Floats]] = (),
) -> Floats:
    """theta (R, P) of `seeds` (R,). `knobs` has the scheme's knobs, each (R,); those left out have their
    defaults (for `uniform`, low and high together replace range). `learned` by layer: where learned knobs
    start, each (R,).
    """
    record, seeds = INITIALIZERS[scheme], np.asarray(seeds, dtype=np.uint64)
    defaults = {knob.name: knob.default for knob in record.knobs if knob.default is not None}
    per_run = {
        name: np.broadcast_to(np.asarray(value, dtype=np.float64), seeds.shape)[:, None]
        for name, value in {**defaults, **knobs}.items()
    }
    layers = []
    for k, at in enumerate(network.slices):
        weights, bias = record.draw(Place(seeds, k, at.inputs, at.units), per_run)
        starts = dict(learned[k]) if learned else {}
        layers.append(LayerParameters(weights.reshape(-1, at.inputs, at.units), bias, starts))
    return network.pack(layers)
