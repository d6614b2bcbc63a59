"""What mean-field theory says of the signal in a wide net before training (NUMERICS R3 and R4).

With weights of variance v_w and biases of variance v_b, the inputs z of a layer of many units are normal with
variance q = n v_w E f(√q' x)² + v_b (n, q' of the layer before), and the mean square of the signal changes
from one layer to the layer below it by the factor m v_w E f'(√q x)², m being the units of the upper layer
(Poole et al. and Schoenholz et al., 2016; x standard normal). Narrow nets lose a little more; nothing here is
fitted to the runs.
"""

import functools
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bpsvc.nn import ACTIVATIONS

Floats = NDArray[np.float64]
_NODES: Final = 120  # even: no node at 0, where relu has its kink


class Unknown(ValueError):
    """The theory has nothing to say of this init or activation."""


@functools.cache
def _gauss() -> tuple[Floats, Floats]:
    """Nodes and weights of the expectation over a standard normal."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return nodes, weights / weights.sum()


def moments(activation: str, variance: float, knobs: Mapping[str, float]) -> tuple[float, float]:
    """(E f(√q x)², E f'(√q x)²) for q = `variance`."""
    record = ACTIVATIONS[activation]
    if record.output_only:
        raise Unknown(f"{activation} has no unit by itself")
    nodes, weights = _gauss()
    # Above 0, so that a kink at 0 still has two sides when the inputs have died out.
    z = math.sqrt(max(variance, 1e-200)) * nodes
    return float(weights @ record(z, **knobs) ** 2), float(weights @ record.prime(z, **knobs) ** 2)


def relative_signal(spec: str, inputs: int, mean_square: float) -> list[float]:
    """delta_rms of each hidden layer over that of the last one, from the first: what theory expects of this
    run's spec.

    `spec` is the run's JSON; the net is given so many `inputs`, whose mean square over examples and inputs is
    `mean_square`. Raises Unknown for explicit, constant and orthogonal weights.
    """
    return list(_relative(json.dumps(_parts(spec), sort_keys=True), inputs, mean_square))


@functools.lru_cache(maxsize=1024)
def _relative(parts: str, inputs: int, mean_square: float) -> tuple[float, ...]:
    init, layers = json.loads(parts)
    hidden = layers[:-1]
    spread = _spread(init)
    fan_in = [inputs, *(layer["units"] for layer in hidden)]
    second, slopes = mean_square, []
    for place, layer in enumerate(hidden):
        weight, bias = spread(fan_in[place], layer["units"])
        q = fan_in[place] * weight * second + (bias if layer.get("bias", True) else 0.0)
        second, slope = moments(layer["activation"], q, layer["knobs"])
        slopes.append(slope)
    logs = [0.0]
    for place in reversed(range(len(hidden) - 1)):
        upper = hidden[place + 1]["units"]
        weight, _ = spread(fan_in[place + 1], upper)
        ratio = upper * weight * slopes[place]
        # The last hidden layer's own slope is in its signal already.
        logs.append(logs[-1] + (0.5 * math.log10(ratio) if ratio > 0 else -math.inf))
    return tuple(10**value for value in reversed(logs))


def _parts(spec: str) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
    loaded = json.loads(spec)
    try:
        init, layers = loaded["init"], loaded["network"]["layers"]
    except (KeyError, TypeError):
        raise Unknown("the spec does not say its layers and init") from None
    if isinstance(init, str):
        init = {"scheme": init}
    return init, [_layer(layer) for layer in layers]


def _layer(layer: Mapping[str, Any]) -> dict[str, Any]:
    given = layer["activation"]
    knobs = {} if isinstance(given, str) else {k: v for k, v in given.items() if k != "name"}
    return {
        "units": layer["units"],
        "bias": layer.get("bias", True),
        "activation": given if isinstance(given, str) else given["name"],
        "knobs": knobs,
    }


def _spread(init: Mapping[str, Any]) -> Any:
    """(fan_in, fan_out) -> (variance of a weight, variance of a bias)."""
    scheme = init.get("scheme")
    if scheme == "uniform" and "low" not in init and "high" not in init:
        third = float(init.get("range", 0.1)) ** 2 / 3
        return lambda n, m: (third, third)
    if scheme == "normal":
        std = float(init.get("std", 0.1))
        bias = init.get("bias_std")
        return lambda n, m: (std**2, (std if bias is None else float(bias)) ** 2)
    for name, variance in (
        ("glorot", lambda n, m: 2 / (n + m)),
        ("he", lambda n, m: 2 / n),
        ("lecun", lambda n, m: 1 / n),
    ):
        if scheme in (f"{name}_uniform", f"{name}_normal"):
            return lambda n, m, variance=variance: (variance(n, m), 0.0)
    raise Unknown(f"no variance is known for the init scheme {scheme!r}")
