"""gradcheck, trace, sharpness and the series on request."""

from dataclasses import replace

import numpy as np
import pytest
from nn_building import XOR_X, XOR_Y, draw, network, problem, train, xor

from bpsvc import nn

RNG = np.random.default_rng(21)
X, Y = RNG.normal(size=(11, 4)), RNG.integers(0, 2, size=(11, 3)).astype(float)
HIDDEN = [name for name in nn.ACTIVATIONS if name not in ("softmax", "binary_step")]
EXTRA = (*nn.EPOCH_SERIES, *nn.LAYER_SERIES, "w_dot_g", "b_dot_g", "sharpness")


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(
    ("output", "loss"), [("logistic", "log_likelihood"), ("softmax", "squared"), ("identity", "huber")]
)
@pytest.mark.parametrize("sizes", [[4, 2, 2, 3], [4, 12, 3]])
def test_backpropagation_is_the_derivative(hidden: str, output: str, loss: str, sizes: list[int]) -> None:
    given = problem(network(sizes, hidden, output), X, Y, 1, loss=loss)
    answer = nn.gradcheck(given, draw(given)[0])
    assert answer.ok, answer.layers
    assert sum(layer.parameters for layer in answer.layers) == given.network.parameters
    assert all(layer.worst < 1e-7 and layer.checked > 0 for layer in answer.layers)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_with_and_without_biases_mean_and_sum(bias: bool, reduction: str) -> None:
    given = problem(
        network([4, 5, 3], "tanh", "softmax", bias),
        X,
        np.eye(3)[RNG.integers(0, 3, 11)],
        1,
        reduction=reduction,
    )
    assert nn.gradcheck(given, draw(given)[0]).ok


def test_kinks_are_left_out_and_reported() -> None:
    given = xor(1, hidden=3, activation="relu", loss="squared")
    theta = draw(given)[0]
    theta[given.network.slices[0].bias] = 0.0  # the pattern 00 then has z = 0 exactly
    answer = nn.gradcheck(given, theta)
    assert answer.ok and answer.layers[0].at_kinks == 3 and answer.layers[1].at_kinks == 0
    assert np.isnan(answer.differences).sum() == 3


def test_gradcheck_finds_what_is_not_a_derivative() -> None:
    given = xor(1, loss="squared", knobs=({"derivative_offset": np.array([0.1])}, {}))
    answer = nn.gradcheck(given, draw(given)[0])
    assert not answer.ok and not answer.layers[0].ok and answer.layers[1].ok
    assert answer.conventions == ("derivative_offset",)


@pytest.mark.parametrize("offset", [0.0, 1e-3])
def test_slopes_below_the_rounding_of_the_loss_are_left_out_and_reported(offset: float) -> None:
    """Twenty logistic layers: the first ones' slopes are 1e-12, differences of the loss know 1e-11. Larger
    ones are judged.
    """
    net = network([2, *[8] * 20, 1], "logistic")
    knobs = ({},) * 19 + ({"derivative_offset": np.array([offset])}, {})
    given = problem(net, XOR_X, XOR_Y, 1, knobs=knobs)
    answer = nn.gradcheck(given, draw(given)[0])
    first, last = answer.layers[0], answer.layers[19]
    assert first.too_small == first.parameters and first.checked == 0
    assert last.checked == last.parameters and last.too_small == 0
    assert answer.ok == (offset == 0.0)


def test_a_step_function_passes_nothing_back_as_its_derivative_says() -> None:
    given = xor(1, activation="binary_step", loss="squared")
    answer = nn.gradcheck(given, draw(given)[0])
    assert answer.ok and not answer.backpropagated[given.network.slices[0].whole].any()


def test_a_trace_is_the_engines_step_term_by_term() -> None:
    given = xor(1)
    theta = draw(given)
    step = nn.trace(given, theta[0])
    state, records = train(given, theta, 1)
    np.testing.assert_array_equal(step.theta_after, state.theta[0])
    assert step.loss == records.epochs["loss"][0] == pytest.approx(step.terms.mean(), rel=1e-15)
    hidden, output = step.layers
    h = output.a
    np.testing.assert_allclose(-step.pull, XOR_Y / h - (1 - XOR_Y) / (1 - h), rtol=1e-13)
    np.testing.assert_allclose(output.delta, h - XOR_Y, rtol=1e-15)
    np.testing.assert_allclose(
        hidden.delta, output.delta * given.network.unpack(theta)[1].weights[0].T * hidden.slope
    )
    for layer, below in ((hidden, XOR_X), (output, hidden.a)):
        np.testing.assert_allclose(layer.weight_terms, below[:, :, None] * layer.delta[:, None, :])
        np.testing.assert_allclose(
            layer.weight_terms.mean(axis=0), layer.gradient_weights, rtol=1e-13, atol=1e-17
        )
        np.testing.assert_allclose(layer.delta.mean(axis=0), layer.gradient_bias, rtol=1e-13, atol=1e-17)
    (z, a), _ = nn.forward(given.network, theta[0], given.knobs, XOR_X)
    np.testing.assert_allclose(hidden.z, z, rtol=1e-14)
    np.testing.assert_allclose(hidden.a, a, rtol=1e-14)


@pytest.mark.parametrize("output", ["logistic", "prelu"])
@pytest.mark.parametrize("width", [3, 20])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_trace_of_prelu_has_its_alphas_terms(output: str, width: int, reduction: str) -> None:
    given = problem(network([4, width, 3], "prelu", output), X, Y, 1, loss="squared", reduction=reduction)
    theta = draw(given)
    step = nn.trace(given, theta[0])
    rate = given.hyper["learning_rate"][0]
    for layer, at in zip(step.layers, given.network.slices, strict=True):
        assert layer.knob_terms.keys() == layer.gradient_knobs.keys() == at.knobs.keys()
        for name, place in at.knobs.items():
            used = getattr(layer.knob_terms[name], reduction)()
            assert layer.gradient_knobs[name] == pytest.approx(used, rel=1e-12)
            assert used == pytest.approx((theta[0, place] - step.theta_after[place]) / rate)


@pytest.mark.parametrize("hidden", ["identity", "relu", "leaky_relu", "prelu"])
@pytest.mark.parametrize("width", [3, 20])
def test_the_records_alone_audit_backpropagation(hidden: str, width: int) -> None:
    given = problem(network([4, width, width, 3], hidden), X, Y, 3, series=("w_dot_g", "b_dot_g"))
    records = train(given, draw(given), 10)[1]
    w, b = records.layers["w_dot_g"], records.layers["b_dot_g"]
    np.testing.assert_allclose((w + b)[:, :-1], w[:, 1:], rtol=1e-10, atol=1e-14)


def test_sharpness_of_a_quadratic_is_the_largest_eigenvalue() -> None:
    """One linear layer under squared loss: the Hessian is the second moment of inputs and constant."""
    y = RNG.normal(size=(11, 1))
    given = problem(network([4, 1], [], "identity"), X, y, 2, loss="squared", series=("sharpness",))
    values = train(given, draw(given), 3)[1].epochs["sharpness"]
    inputs = np.concatenate([X, np.ones((11, 1))], axis=1)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(inputs.T @ inputs / 11)[-1], rtol=1e-7)


@pytest.mark.parametrize("inputs", [1, 120])
def test_sharpness_is_known_beside_large_weights(inputs: int) -> None:
    """That of a quadratic is the same everywhere; weights that pull nowhere are as large as they like."""
    x = np.zeros((7, inputs))
    x[:, 0] = np.linspace(1.0, 2.0, 7)
    net = network([inputs, 1], [], "identity", bias=inputs > 1)
    given = problem(net, x, np.zeros((7, 1)), 5, loss="squared", series=("sharpness",))
    theta = np.zeros((5, net.parameters))
    theta[:, 0] = [0.5, 1e3, 1e6, 1e11, 1e12]
    values = nn.start(given, theta)[1].epochs["sharpness"]
    second = np.concatenate([x, np.ones((7, net.parameters - inputs))], axis=1)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(second.T @ second / 7)[-1], rtol=1e-5)
    own = nn.start(given.take([4]), theta[[4]])[1].epochs["sharpness"]
    assert own.tobytes() == values[4:].tobytes()


@pytest.mark.parametrize("sizes", [[4, 3, 3], [4, 18, 3]])
@pytest.mark.slow
def test_sharpness_by_iteration_is_of_the_whole_hessian(
    sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From below, to 1 % after the iterations it has, to 1e-3 with more of them."""
    given = problem(network(sizes, "tanh"), X, Y, 3, series=("sharpness",))
    theta = train(replace(given, hyper={"learning_rate": np.full(3, 1.0)}), draw(given), 200)[0].theta

    def found() -> np.ndarray:
        return nn.start(given, theta)[1].epochs["sharpness"]

    monkeypatch.setattr("bpsvc.nn.sharpness.WHOLE", 1000)
    whole = found()
    monkeypatch.setattr("bpsvc.nn.sharpness.WHOLE", 0)
    share = found() / whole
    assert np.all(share > 0.99) and np.all(share < 1.0 + 1e-6)
    monkeypatch.setattr("bpsvc.nn.sharpness.ITERATIONS", 400)
    np.testing.assert_allclose(found(), whole, rtol=1e-3)


@pytest.mark.parametrize("sizes", [[4, 2, 3], [4, 16, 3]])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_series_on_request_leave_training_alone_and_are_bit_identical_alone(
    sizes: list[int], batch_size: int | None
) -> None:
    plain = problem(network(sizes, "tanh"), X, Y, 3, batch_size=batch_size)
    asked = replace(plain, series=EXTRA)
    theta = draw(plain)
    (a, first), (b, second) = train(plain, theta, 4), train(asked, theta, 4)
    assert a.theta.tobytes() == b.theta.tobytes()
    assert all(first.epochs[name].tobytes() == second.epochs[name].tobytes() for name in first.epochs)
    own = train(asked.take([1]), theta[[1]], 4)[1]
    for name in ("sharpness",):
        assert own.epochs[name].tobytes() == second.of(1).epochs[name].tobytes()
    for name in ("w_dot_g", "b_dot_g"):
        assert own.layers[name].tobytes() == second.of(1).layers[name].tobytes()
