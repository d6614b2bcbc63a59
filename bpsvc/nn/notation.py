"""The lecture's names of parameters: w_sd leads from source s (0: the bias) to unit d.

Units are numbered through the network, hidden layers first, as on the XOR slides: h1, h2 and the output 3, so
that w13 leads from h1 to the output. Sources of the first layer are the inputs. Where a number has two
digits, w_10_12 keeps them apart. A learned knob has its own name and the number of its layer: alpha_1.
"""

from typing import NamedTuple

from bpsvc.nn.network import Network


class Parameter(NamedTuple):
    """One entry of theta: `layer` from 1; `source` and `unit` within the layer from 1, 0 for the bias; None
    for a knob.
    """

    layer: int
    source: int | None
    unit: int | None
    name: str


def parameters(network: Network) -> tuple[Parameter, ...]:
    """What each of the P entries of theta is, in the order of theta."""
    found: list[Parameter] = []
    sources, units = 0, 0  # numbers given before the layer's sources and before its units
    for number, (layer, at) in enumerate(zip(network.layers, network.slices, strict=True), 1):
        for source in (*range(1, at.inputs + 1), *([0] if layer.bias else [])):
            for unit in range(1, layer.units + 1):
                name = _weight(sources + source if source else 0, units + unit)
                found.append(Parameter(number, source, unit, name))
        found += [Parameter(number, None, None, f"{knob}_{number}") for knob in at.knobs]
        sources = units
        units += layer.units
    return tuple(found)


def _weight(source: int, unit: int) -> str:
    return f"w{source}{unit}" if source < 10 and unit < 10 else f"w_{source}_{unit}"
