"""Identities that hold whatever the data: no reference program is needed to check them."""

from dataclasses import replace

import numpy as np
import pytest
from nn_building import XOR_X, XOR_Y, bits, draw, network, problem, train, xor

from bpsvc import nn

RNG = np.random.default_rng(11)
X, Y = RNG.normal(size=(9, 4)), RNG.integers(0, 2, size=(9, 1)).astype(float)
REAL = RNG.normal(size=(9, 2))


def outputs(net: nn.Network, theta: np.ndarray, x: np.ndarray, knobs=None) -> np.ndarray:
    return nn.forward(net, theta, knobs or [{} for _ in net.layers], x)[-1][1]


def test_a_tanh_net_is_a_logistic_net_with_other_weights() -> None:
    tanh, logistic = network([4, 5, 1], "tanh"), network([4, 5, 1], "logistic")
    w1, w2 = tanh.unpack(RNG.normal(size=tanh.parameters))
    theta = tanh.pack([w1, w2])
    other = logistic.pack(
        [
            nn.LayerParameters(2 * w1.weights, 2 * w1.bias),
            nn.LayerParameters(2 * w2.weights, w2.bias - w2.weights.sum(axis=0)),
        ]
    )
    np.testing.assert_allclose(outputs(tanh, theta, X), outputs(logistic, other, X), rtol=1e-12)


def test_softmax_of_two_classes_trains_like_a_logistic_output() -> None:
    """On the difference of the logits, which moves twice as fast as each of them."""
    two, one = network([4, 2], [], "softmax"), network([4, 1], [], "logistic")
    pairs = np.concatenate([Y, 1 - Y], axis=1)
    w = RNG.normal(size=(4, 2))
    theta = two.pack([nn.LayerParameters(w[None], np.zeros((1, 2)))])
    start = one.pack([nn.LayerParameters((w[:, :1] - w[:, 1:])[None], np.zeros((1, 1)))])
    rate = np.array([0.3])
    a, logs = train(problem(two, X, pairs, 1, hyper={"learning_rate": rate}), theta, 20)
    b, other = train(problem(one, X, Y, 1, hyper={"learning_rate": 2 * rate}), start, 20)
    np.testing.assert_allclose(logs.epochs["loss"], other.epochs["loss"], rtol=1e-12)
    np.testing.assert_allclose(logs.epochs["accuracy"], other.epochs["accuracy"])
    wa, wb = two.unpack(a.theta)[0].weights, one.unpack(b.theta)[0].weights
    np.testing.assert_allclose(wa[..., :1] - wa[..., 1:], wb, rtol=1e-11)


@pytest.mark.parametrize("sizes", [[2, 2, 1], [4, 20, 1]])
def test_relatives_of_relu_train_alike(sizes: list[int]) -> None:
    x = X[:, : sizes[0]]

    def final(name: str, knobs: dict[str, float]) -> np.ndarray:
        given = problem(
            network(sizes, name), x, Y, 2, knobs=({k: np.full(2, v) for k, v in knobs.items()}, {})
        )
        return train(given, draw(given), 15)[0].theta

    np.testing.assert_array_equal(
        final("leaky_relu", {"alpha": 1.0, "derivative_at_zero": 1.0}), final("identity", {})
    )
    np.testing.assert_array_equal(final("leaky_relu", {"alpha": 0.0}), final("relu", {}))


def test_frozen_prelu_is_leaky_relu() -> None:
    net, leaky = network([4, 6, 1], "prelu"), network([4, 6, 1], "leaky_relu")
    theta = RNG.normal(size=net.parameters)
    theta[net.slices[0].knobs["alpha"]] = 0.07
    other = np.delete(theta, net.slices[0].knobs["alpha"])
    np.testing.assert_array_equal(outputs(net, theta, X), outputs(leaky, other, X, [{"alpha": 0.07}, {}]))


def test_prelu_learns_its_alpha_down_the_gradient() -> None:
    given = problem(network([4, 6, 1], "prelu"), X, Y, 3)
    theta, at = draw(given), given.network.slices[0].knobs["alpha"]
    state, _ = train(given, theta, 1)
    step = np.zeros_like(theta)
    step[:, at] = 1e-6
    up, down = (nn.start(given, theta + sign * step)[1].epochs["loss"] for sign in (1, -1))
    slope = (up - down) / 2e-6
    np.testing.assert_allclose(state.theta[:, at], 0.25 - given.hyper["learning_rate"] * slope, rtol=1e-8)
    assert np.all(state.theta[:, at] != 0.25)


@pytest.mark.parametrize("loss", ["log_likelihood", "squared", "huber"])
def test_summed_loss_with_a_quarter_of_the_step_is_the_mean_bit_for_bit(loss: str) -> None:
    mean = xor(5, loss=loss)
    summed = replace(mean, reduction="sum", hyper={"learning_rate": mean.hyper["learning_rate"] / 4})
    a, logs = train(mean, draw(mean), 50)
    b, other = train(summed, draw(mean), 50)
    assert bits(a.theta) == bits(b.theta)
    assert bits(logs.epochs["loss"] * 4) == bits(other.epochs["loss"])
    assert bits(logs.layers["delta_rms"]) == bits(other.layers["delta_rms"])


def test_gaussian_likelihood_is_half_the_squared_error() -> None:
    net = network([4, 6, 2], "tanh", "identity")
    a, b = (problem(net, X, REAL, 3, loss=loss) for loss in ("log_likelihood", "squared"))
    (s, logs), (t, other) = train(a, draw(a), 20), train(b, draw(b), 20)
    assert bits(s.theta) == bits(t.theta)
    assert all(bits(logs.epochs[name]) == bits(other.epochs[name]) for name in logs.epochs)


@pytest.mark.parametrize("sizes", [[4, 3, 1], [4, 18, 1]])
def test_hidden_units_may_change_places(sizes: list[int]) -> None:
    net = network(sizes, "tanh")
    given = problem(net, X, Y, 2)
    theta, order = draw(given), RNG.permutation(sizes[1])

    def permuted(values: np.ndarray) -> np.ndarray:
        first, second = net.unpack(values)
        return net.pack(
            [
                nn.LayerParameters(first.weights[..., order], first.bias[..., order]),
                nn.LayerParameters(second.weights[..., order, :], second.bias),
            ]
        )

    a, logs = train(given, theta, 20)
    b, other = train(given, permuted(theta), 20)
    np.testing.assert_allclose(permuted(a.theta), b.theta, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(logs.epochs["loss"], other.epochs["loss"], rtol=1e-12)


def test_turning_labels_and_output_weights_around_mirrors_the_run() -> None:
    given = xor(4)
    mirrored = replace(given, y=1 - XOR_Y)
    theta = draw(given)
    last = given.network.slices[-1].whole
    turned = theta.copy()
    turned[:, last] *= -1
    a, logs = train(given, theta, 30)
    b, other = train(mirrored, turned, 30)
    np.testing.assert_allclose(logs.epochs["loss"], other.epochs["loss"], rtol=1e-12)
    np.testing.assert_allclose(a.theta[:, last], -b.theta[:, last], rtol=1e-10)


def test_zero_weights_on_xor_stay_zero_for_ever() -> None:
    """The first-order signal vanishes at the origin: Σ (y - ½) x = 0 and Σ (y - ½) = 0."""
    given = xor(2)
    state, records = train(given, np.zeros((2, given.network.parameters)), 50)
    assert not state.theta.any() and not records.epochs["gradient_l2"].any()


def test_equal_hidden_units_stay_equal_for_ever() -> None:
    given = xor(3, hidden=2)
    first, second = given.network.unpack(draw(given))
    theta = given.network.pack(
        [
            nn.LayerParameters(
                np.repeat(first.weights[..., :1], 2, -1), np.repeat(first.bias[..., :1], 2, -1)
            ),
            nn.LayerParameters(np.repeat(second.weights[:, :1], 2, -2), second.bias),
        ]
    )
    first, second = given.network.unpack(train(given, theta, 200)[0].theta)
    np.testing.assert_array_equal(first.weights[..., 0], first.weights[..., 1])
    np.testing.assert_array_equal(second.weights[:, 0], second.weights[:, 1])


@pytest.mark.parametrize("hidden", ["identity", "relu", "leaky_relu", "prelu"])
def test_euler_identity_between_layers(hidden: str) -> None:
    """<W_l, dW_l> + <b_l, db_l> = <W_{l+1}, dW_{l+1}> where hidden units are homogeneous."""
    net = network([4, 7, 6, 1], hidden)
    given = problem(net, X, Y, 3, hyper={"learning_rate": np.ones(3)})
    theta = draw(given)
    gradient = theta - train(given, theta, 1)[0].theta
    here, there = net.unpack(theta), net.unpack(gradient)
    for k in range(2):
        w_dot_g = (here[k].weights * there[k].weights).sum(axis=(1, 2)) + (here[k].bias * there[k].bias).sum(
            axis=1
        )
        above = (here[k + 1].weights * there[k + 1].weights).sum(axis=(1, 2))
        np.testing.assert_allclose(w_dot_g, above, rtol=1e-11, atol=1e-14)


def test_xor_levels_at_which_failed_runs_stop() -> None:
    """Summed -log L: 4 ln 2 with all outputs ½, 2 ln 2 with two right and two at ½ (NUMERICS R2)."""
    given = xor(1, reduction="sum")
    zero = np.zeros((1, given.network.parameters))
    assert nn.start(given, zero)[1].epochs["loss"][0] == pytest.approx(4 * np.log(2), rel=1e-15)


def test_vanishing_gradients_shrink_by_n_over_300_a_layer() -> None:
    """R3 for identity units: with U[-0.1, 0.1] the mean square signal shrinks by n/300 a layer (n = 100)."""
    net = network([10, *[100] * 6, 1], "identity", "identity")
    given = problem(net, RNG.normal(size=(4, 10)), RNG.normal(size=(4, 1)), 12)
    rms = nn.start(given, draw(given, 0.1))[1].layers["delta_rms"]
    per_layer = np.log(rms[:, 5] ** 2 / rms[:, 0] ** 2) / 5
    assert per_layer.mean() == pytest.approx(np.log(300 / 100), abs=0.06)


def test_shared_x_of_xor_in_another_order_gives_the_same_training_to_rounding() -> None:
    """The lecture has two row orders of the XOR table."""
    order = [0, 2, 1, 3]
    given = xor(4)
    other = replace(given, x=XOR_X[order], y=XOR_Y[order])
    a, b = train(given, draw(given), 40)[0], train(other, draw(given), 40)[0]
    np.testing.assert_allclose(a.theta, b.theta, rtol=1e-11, atol=1e-14)
