"""Feed-forward networks and their parameters: one flat vector theta, with views for W, b and learned knobs.

Layer l takes a_{l-1} (its inputs) to z_l = W_lᵀ a_{l-1} + b_l and a_l = f_l(z_l). Weights have shape (inputs,
units): the lecture's w_sd, from source s to unit d. In theta each layer has W row by row, then b (the row of
source 0), then one value for each learned knob (the alpha of prelu).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bpsvc.nn.activations import ACTIVATIONS, Activation
from bpsvc.nn.arrays import Floats, Knobs, Work


@dataclass(frozen=True)
class Layer:
    """A layer of `units` units; `activation` is the canonical name of a record."""

    units: int
    activation: str
    bias: bool = True

    @property
    def function(self) -> Activation:
        return ACTIVATIONS[self.activation]


@dataclass(frozen=True)
class LayerSlices:
    """Where a layer stands in theta. `matrix` is W with b as its last row: what one affine map needs."""

    whole: slice
    weights: slice
    bias: slice | None
    knobs: Mapping[str, int]
    inputs: int
    units: int

    @property
    def matrix(self) -> slice:
        return self.weights if self.bias is None else slice(self.weights.start, self.bias.stop)

    @property
    def rows(self) -> int:
        return self.inputs + (self.bias is not None)


@dataclass(frozen=True)
class LayerParameters:
    """Views of one layer's parameters: weights (..., I, O), bias (..., O) or None, learned knobs (...)."""

    weights: Floats
    bias: Floats | None
    knobs: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """`inputs` features through `layers`, the last of which is the output."""

    inputs: int
    layers: tuple[Layer, ...]

    @property
    def outputs(self) -> int:
        return self.layers[-1].units

    @property
    def output(self) -> Layer:
        return self.layers[-1]

    @cached_property
    def slices(self) -> tuple[LayerSlices, ...]:
        return tuple(self._slices())

    def _slices(self) -> Iterator[LayerSlices]:
        start, inputs = 0, self.inputs
        for layer in self.layers:
            at = start + inputs * layer.units
            weights, bias = slice(start, at), None
            if layer.bias:
                bias = slice(at, at + layer.units)
                at = bias.stop
            knobs = {name: at + k for k, name in enumerate(layer.function.learned)}
            at += len(knobs)
            yield LayerSlices(slice(start, at), weights, bias, knobs, inputs, layer.units)
            start, inputs = at, layer.units

    @property
    def parameters(self) -> int:
        """P, the length of theta."""
        return int(self.slices[-1].whole.stop)

    def unpack(self, theta: Floats) -> tuple[LayerParameters, ...]:
        """Views of theta (..., P) by layer."""
        return tuple(
            LayerParameters(
                theta[..., at.weights].reshape(*theta.shape[:-1], at.inputs, at.units),
                None if at.bias is None else theta[..., at.bias],
                {name: theta[..., k] for name, k in at.knobs.items()},
            )
            for at in self.slices
        )

    def pack(self, layers: Sequence[LayerParameters]) -> Floats:
        """theta (..., P) with these parameters; learned knobs that are not given start at their default."""
        lead = np.shape(layers[0].weights)[:-2]
        theta = np.zeros((*lead, self.parameters))
        for layer, at, given in zip(self.layers, self.slices, layers, strict=True):
            theta[..., at.weights] = np.reshape(given.weights, (*lead, at.inputs * at.units))
            if at.bias is not None and given.bias is not None:
                theta[..., at.bias] = given.bias
            defaults = {knob.name: knob.default for knob in layer.function.knobs}
            for name, k in at.knobs.items():
                theta[..., k] = given.knobs.get(name, defaults[name])
        return theta


def forward(
    network: Network, theta: Floats, knobs: Sequence[Knobs], x: Floats
) -> list[tuple[Floats, Floats]]:
    """Each layer's (z, a), both (N, units), of one network: theta (P,), fixed knobs by layer, x (N, I).

    The plain form, for predictions, tables and pictures; training uses `Propagation`, which allocates
    nothing.
    """
    layers, a = [], np.asarray(x, dtype=np.float64).T
    with np.errstate(all="ignore"):
        for layer, given, parameters in zip(network.layers, knobs, network.unpack(theta), strict=True):
            z = parameters.weights.T @ a
            if parameters.bias is not None:
                z += parameters.bias[:, None]
            a = np.empty_like(z)
            values = {**layer.function.with_defaults(given), **parameters.knobs}
            layer.function.value(z, values, a, Work.like(z))
            layers.append((z.T, a.T))
    return layers
