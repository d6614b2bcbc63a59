"""Problems for the tests of the engine, built from a few choices."""

from typing import Any

import numpy as np

from bpsvc import nn

XOR_X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR_Y = np.array([[0.0], [1.0], [1.0], [0.0]])


def network(
    sizes: list[int], hidden: str | list[str], output: str = "logistic", bias: bool = True
) -> nn.Network:
    count = len(sizes) - 2
    names = [hidden] * count if isinstance(hidden, str) else hidden
    layers = [nn.Layer(n, f, bias) for n, f in zip(sizes[1:], [*names, output], strict=True)]
    return nn.Network(sizes[0], tuple(layers))


def problem(net: nn.Network, x: np.ndarray, y: np.ndarray, runs: int = 3, **choices: Any) -> nn.Problem:
    """Log-likelihood, mean, sgd, learning rates from 0.1 to 0.5 along the runs, unless chosen otherwise."""
    defaults: dict[str, Any] = {
        "loss": "log_likelihood",
        "reduction": "mean",
        "seeds": np.arange(runs, dtype=np.uint64),
        "knobs": tuple({} for _ in net.layers),
        "optimizer": "sgd",
        "hyper": {"learning_rate": np.linspace(0.1, 0.5, runs)},
    }
    return nn.Problem(network=net, x=x, y=y, **{**defaults, **choices})


def xor(runs: int = 3, hidden: int = 2, activation: str = "logistic", **choices: Any) -> nn.Problem:
    return problem(network([2, hidden, 1], activation), XOR_X, XOR_Y, runs, **choices)


def draw(given: nn.Problem, span: float = 1.0) -> np.ndarray:
    """theta (R, P), uniform on [-span, span]."""
    return nn.initialize(given.network, "uniform", {"range": np.full(given.runs, span)}, given.seeds)


def train(given: nn.Problem, theta: np.ndarray, epochs: int) -> tuple[nn.State, nn.Records]:
    """From the start: the state after `epochs` epochs and all records from epoch 0."""
    state, first = nn.start(given, theta)
    state, rest = nn.advance(given, state, epochs)
    return state, join(first, rest)


def join(*parts: nn.Records) -> nn.Records:
    from bpsvc.nn.records import join

    return join(parts)


def bits(values: np.ndarray) -> tuple[str, tuple[int, ...], bytes]:
    return str(values.dtype), values.shape, values.tobytes()


def same_state(one: nn.State, other: nn.State) -> bool:
    a, b = one.arrays(), other.arrays()
    return one.epoch == other.epoch and a.keys() == b.keys() and all(bits(a[k]) == bits(b[k]) for k in a)


def same_records(one: nn.Records, other: nn.Records) -> bool:
    """Bit for bit, whatever numbers the runs have."""
    return (
        bits(one.epoch) == bits(other.epoch)
        and all(bits(one.epochs[k]) == bits(other.epochs[k]) for k in one.epochs)
        and all(bits(one.layers[k]) == bits(other.layers[k]) for k in one.layers)
        and one.parameters.keys() == other.parameters.keys()
        and all(bits(one.parameters[k]) == bits(other.parameters[k]) for k in one.parameters)
    )
