"""Lengths whose squares are no numbers: very small and very large gradients, signals and weights."""

import math
from dataclasses import replace

import numpy as np
import pytest
from nn_building import XOR_X, XOR_Y, draw, network, problem, same_records, same_state, train

from bpsvc import nn
from bpsvc.nn.norms import lengths


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_a_length_of_any_size(size: float) -> None:
    np.testing.assert_allclose(
        lengths(np.array([[3.0, -4.0], [0.0, -1.0]]) * size), [5 * size, size], rtol=2e-3
    )


def test_what_is_not_finite_has_no_finite_length_and_nothing_has_none() -> None:
    found = lengths(np.array([[np.inf, 1.0], [np.nan, 1.0], [0.0, 0.0]]))
    assert not np.isfinite(found[:2]).any() and found[2] == 0.0


def linear(exponent: int, bias: bool = True, **choices: object) -> tuple[nn.Problem, np.ndarray]:
    """4 examples of one input 10**exponent and target 1 through w = 0: delta is -1, the gradient of w minus
    that input. Beside it the same with input 1, as run 1.
    """
    x = np.full((2, 4, 1), 10.0**exponent)
    x[1] = 1.0
    y = np.ones((2, 4, 1))
    given = problem(network([1, 1], [], "identity", bias), x, y, 2, loss="squared", **choices)
    return given, np.zeros((2, given.network.parameters))


@pytest.mark.parametrize("exponent", [-300, -200, 200, 300])
def test_a_gradient_of_any_size_has_its_length(exponent: int) -> None:
    given, theta = linear(exponent, bias=False)
    records = nn.start(given, theta)[1]
    for series in (records.layers["gradient_l2"][:, 0], records.epochs["gradient_l2"]):
        np.testing.assert_allclose(series, [10.0**exponent, 1.0], rtol=1e-15)
    assert (records.layers["delta_rms"] == 1.0).all() and (records.layers["weight_l2"] == 0.0).all()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_signals_and_weights_of_any_size(size: float, reduction: str) -> None:
    net = network([1, 2], [], "identity", bias=False)
    x, y = np.full((4, 1), 1e-100 if size > 1 else 1.0), np.zeros((4, 2))
    given = problem(net, x, y, 1, loss="huber", loss_knobs={"delta": np.array([1.0])}, reduction=reduction)
    theta = np.array([[3.0 * size, 4.0 * size]])
    layers = {name: values[0, 0] for name, values in nn.start(given, theta)[1].layers.items()}
    assert layers["weight_l2"] == pytest.approx(5.0 * size, rel=1e-15)
    if size < 1:  # huber's signal is the error itself
        assert layers["delta_rms"] == pytest.approx(math.sqrt(12.5) * size, rel=1e-15)


def test_the_signal_of_a_hundred_logistic_layers_vanishes_but_does_not_end() -> None:
    given = problem(network([2, *[2] * 110, 1], "logistic"), XOR_X, XOR_Y, 3)
    layers = nn.start(given, draw(given, 0.1))[1].layers
    assert layers["gradient_max_abs"].min() < 1e-180
    for name in ("delta_rms", "gradient_l2"):
        assert (layers[name] >= layers["gradient_max_abs"] / 100).all()
    assert (layers["gradient_l2"] <= 3 * layers["gradient_max_abs"]).all()


@pytest.mark.parametrize("sizes", [[2, *[2] * 110, 1], [2, *[12] * 110, 1]])
def test_a_length_is_the_same_alone_and_beside_ordinary_ones(sizes: list[int]) -> None:
    """Some lanes of these layers have squares, others only lengths."""
    given = problem(network(sizes, "logistic"), XOR_X, XOR_Y, 4)
    theta = np.array([1e-3, 0.1, 1.0, 5.0])[:, None] * draw(given)
    state, records = train(given, theta, 3)
    for run in range(4):
        alone, own = train(given.take([run]), theta[[run]], 3)
        assert same_state(alone, state.take([run])) and same_records(own, records.of(run))


def test_lengths_of_dead_units_are_nothing() -> None:
    given = problem(network([2, 3, 1], "relu", "identity"), XOR_X, XOR_Y, 2, loss="squared")
    theta = np.stack([np.zeros(given.network.parameters), draw(given)[1]])
    records = nn.start(given, theta)[1]
    zero = records.layers["gradient_l2"][0, 0]
    assert zero == 0.0 and not np.signbit(zero)


@pytest.mark.parametrize("exponent", [-200, 190])
def test_a_gradient_of_any_size_is_clipped(exponent: int) -> None:
    limit = 1.0 if exponent > 0 else 1e-210
    given, theta = linear(exponent, bias=False, clip=np.full(2, limit), hyper={"learning_rate": np.ones(2)})
    state = train(given, theta, 1)[0]
    np.testing.assert_allclose(state.theta[:, 0], limit, rtol=1e-15)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
@pytest.mark.parametrize("inputs", [1, 500])
def test_an_optimizer_whose_square_overflows_has_diverged(optimizer: str, inputs: int) -> None:
    """Its steps would be 0 from then on: such a run is no result."""
    x = np.full((2, 1, inputs), 1e160)
    x[1] = 1.0
    given = problem(
        network([inputs, 1], [], "identity", bias=False),
        x,
        np.ones((2, 1, 1)),
        2,
        loss="squared",
        optimizer=optimizer,
        hyper={"learning_rate": np.full(2, 1e-200)},
    )
    theta = np.zeros((2, inputs))
    state, records = train(given, theta, 3)
    assert list(state.outcome) == [nn.Outcome.DIVERGED, nn.Outcome.RUNNING]
    assert state.diverged_epoch[0] == 1 and state.diverged_layer[0] == 1
    alone, own = train(given.take([1]), theta[[1]], 3)
    assert same_state(alone, state.take([1])) and same_records(own, records.of(1))


def test_the_total_is_the_same_whichever_series_are_asked_for() -> None:
    given = problem(network([2, *[2] * 110, 1], "logistic"), XOR_X, XOR_Y, 3)
    few = replace(given, series=("loss", "gradient_l2"))
    theta = draw(given, 0.1)
    a, b = nn.start(given, theta)[1], nn.start(few, theta)[1]
    np.testing.assert_array_equal(a.epochs["gradient_l2"], b.epochs["gradient_l2"])
    np.testing.assert_array_equal(a.layers["gradient_l2"], b.layers["gradient_l2"])
