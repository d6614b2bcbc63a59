"""The lecture, slide by slide: every formula written out by hand with scalars, against the engine.

Notation of the gradient slides: w_sd goes from source s to unit d; source 0 is the constant 1. Units 1 and 2
are hidden, unit 3 is the output, x1 and x2 the inputs. In the engine weights[l][s, d] and bias[l][d] hold the
same numbers:

    layer 1: W = [[w11, w12], [w21, w22]], b = [w01, w02]      layer 2: W = [[w13], [w23]], b = [w03]

(The XOR topology slide writes its indices the other way around, w_ds: its w31 is w13 here.)
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bpsvc import nn

X = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
Y = [0.0, 1.0, 1.0, 0.0]


def sigma(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z))


@dataclass(frozen=True)
class Weights:
    w01: float
    w11: float
    w21: float
    w02: float
    w12: float
    w22: float
    w03: float
    w13: float
    w23: float

    @classmethod
    def of(cls, net: nn.Network, theta: np.ndarray) -> "Weights":
        first, second = net.unpack(theta)
        (w11, w12), (w21, w22) = first.weights
        (w01, w02), ((w13,), (w23,)), (w03,) = first.bias, second.weights, second.bias
        return cls(w01, w11, w21, w02, w12, w22, w03, w13, w23)

    def theta(self, net: nn.Network) -> np.ndarray:
        return net.pack(
            [
                nn.LayerParameters(
                    np.array([[[self.w11, self.w12], [self.w21, self.w22]]]), np.array([[self.w01, self.w02]])
                ),
                nn.LayerParameters(np.array([[[self.w13], [self.w23]]]), np.array([[self.w03]])),
            ]
        )


# XOR topology slide: h1 = x1 AND x2, h2 = x1 OR x2, y = h2 AND NOT h1
BY_HAND = Weights(w01=-1.5, w11=1, w21=1, w02=-0.5, w12=1, w22=1, w03=-0.5, w13=-1, w23=1)
SOME = Weights(w01=0.3, w11=-0.8, w21=0.5, w02=-0.2, w12=0.9, w22=0.7, w03=0.1, w13=-0.6, w23=1.1)


def net(activation: str = "logistic") -> nn.Network:
    return nn.Network(2, (nn.Layer(2, activation), nn.Layer(1, activation)))


def problem(
    epsilon: float = 1.0, *, activation: str = "logistic", loss: str = "log_likelihood"
) -> nn.Problem:
    return nn.Problem(
        network=net(activation),
        loss=loss,
        reduction="mean",
        x=np.array(X),
        y=np.array(Y)[:, None],
        seeds=np.zeros(1, dtype=np.uint64),
        knobs=({}, {}),
        optimizer="sgd",
        hyper={"learning_rate": np.array([epsilon])},
    )


def one_epoch(given: nn.Problem, weights: Weights) -> Weights:
    state, _ = nn.start(given, weights.theta(given.network))
    state, _ = nn.advance(given, state, 1)
    return Weights.of(given.network, state.theta[0])


def hidden_and_output(w: Weights, x1: float, x2: float) -> tuple[float, float, float]:
    h1 = sigma(w.w01 + w.w11 * x1 + w.w21 * x2)
    h2 = sigma(w.w02 + w.w12 * x1 + w.w22 * x2)
    return h1, h2, sigma(w.w03 + w.w13 * h1 + w.w23 * h2)


# Slide "Logistic activation"


def test_logistic_neuron_and_its_derivative() -> None:
    """f(z) = 1/(1 + e^-z), f' = f (1 - f), output strictly between 0 and 1 until floats round."""
    logistic = nn.ACTIVATIONS["logistic"]
    for z in (-3.0, -0.5, 0.0, 0.7, 4.0):
        f = sigma(z)
        assert logistic(np.array([z]))[0] == pytest.approx(f, rel=1e-15)
        assert logistic.prime(np.array([z]))[0] == pytest.approx(f * (1 - f), rel=1e-14)
    assert logistic(np.array([-800.0, 800.0])).tolist() == [0.0, 1.0]


# Slide "How do we do gradient ascent?"


def test_a_step_goes_up_the_log_likelihood() -> None:
    """w <- w + ε ∂log L/∂w: log L rises, the stored loss is -log L / N and falls."""
    given = problem(0.5)
    state, first = nn.start(given, SOME.theta(given.network))
    state, later = nn.advance(given, state, 20)
    path = [*first.epochs["log_likelihood"], *later.epochs["log_likelihood"]]
    assert path == sorted(path)
    np.testing.assert_allclose(later.epochs["loss"], -later.epochs["log_likelihood"] / 4, rtol=1e-15)
    expected = 0.0
    for (x1, x2), y in zip(X, Y, strict=True):
        h = hidden_and_output(SOME, x1, x2)[2]
        expected += y * math.log(h) + (1 - y) * math.log(1 - h)
    assert first.epochs["log_likelihood"][0] == pytest.approx(expected, rel=1e-14)


# Slide "XOR topology": hand-set weights, step units, the table


def test_hand_set_step_units_compute_the_table() -> None:
    given = problem(activation="binary_step", loss="squared")
    theta = BY_HAND.theta(given.network)
    (_, hidden), (_, output) = nn.forward(given.network, theta[0], [{}, {}], given.x)
    np.testing.assert_array_equal(hidden, [[0, 0], [0, 1], [0, 1], [1, 1]])  # h1 = AND, h2 = OR
    np.testing.assert_array_equal(output[:, 0], Y)
    records = nn.start(given, theta)[1]
    assert records.epochs["accuracy"][0] == 1.0 and records.epochs["mean_abs_error"][0] == 0.0


@pytest.mark.parametrize(("scale", "solves"), [(1.0, False), (3.0, True), (10.0, True)])
def test_with_logistic_units_the_hand_set_weights_must_be_scaled(scale: float, solves: bool) -> None:
    given = problem()
    theta = scale * BY_HAND.theta(given.network)
    h = nn.forward(given.network, theta[0], [{}, {}], given.x)[-1][1][:, 0]
    expected = {3.0: [0.272, 0.600, 0.600, 0.272], 10.0: [0.007, 0.992, 0.992, 0.007]}
    if scale in expected:
        np.testing.assert_allclose(h, expected[scale], atol=1e-3)
    assert (nn.start(given, theta)[1].epochs["accuracy"][0] == 1.0) == solves


# Slides "Learning XOR": forward, "just remember it"


def test_forward_pass_of_the_two_layer_net() -> None:
    given = problem()
    (_, hidden), (_, output) = nn.forward(given.network, SOME.theta(given.network)[0], [{}, {}], given.x)
    for i, (x1, x2) in enumerate(X):
        h1, h2, h = hidden_and_output(SOME, x1, x2)
        np.testing.assert_allclose([*hidden[i], output[i, 0]], [h1, h2, h], rtol=1e-15)


# Slides "Learning XOR": the last layer


def last_layer_updates(w: Weights, epsilon: float) -> dict[str, float]:
    """w03, w13, w23 <- w + ε ¼ Σ_i (1 | h1 | h2) h (1 - h) (y/h - (1-y)/(1-h))."""
    d03 = d13 = d23 = 0.0
    for (x1, x2), y in zip(X, Y, strict=True):
        h1, h2, h = hidden_and_output(w, x1, x2)
        shared = h * (1 - h) * (y / h - (1 - y) / (1 - h))
        d03 += shared
        d13 += h1 * shared
        d23 += h2 * shared
    return {
        "w03": w.w03 + epsilon / 4 * d03,
        "w13": w.w13 + epsilon / 4 * d13,
        "w23": w.w23 + epsilon / 4 * d23,
    }


@pytest.mark.parametrize("epsilon", [0.1, 1.0])
def test_last_layer(epsilon: float) -> None:
    new = one_epoch(problem(epsilon), SOME)
    for name, value in last_layer_updates(SOME, epsilon).items():
        assert getattr(new, name) == pytest.approx(value, rel=1e-13), name


# Slides "Learning XOR": the first layer, and hidden unit 2, which no slide writes out


def first_layer_updates(w: Weights, epsilon: float) -> dict[str, float]:
    """w01, w11, w21 <- w + ε ¼ Σ_i (1 | x1 | x2) w13 h1 (1 - h1) h (1 - h) (y/h - (1-y)/(1-h)), and so for
    unit 2.

    "This is the w13 from before it was updated."
    """
    d = dict.fromkeys(["w01", "w11", "w21", "w02", "w12", "w22"], 0.0)
    for (x1, x2), y in zip(X, Y, strict=True):
        h1, h2, h = hidden_and_output(w, x1, x2)
        already_calculated = h * (1 - h) * (y / h - (1 - y) / (1 - h))
        through_1 = w.w13 * h1 * (1 - h1) * already_calculated
        through_2 = w.w23 * h2 * (1 - h2) * already_calculated
        d["w01"] += through_1
        d["w11"] += x1 * through_1
        d["w21"] += x2 * through_1
        d["w02"] += through_2
        d["w12"] += x1 * through_2
        d["w22"] += x2 * through_2
    return {name: getattr(w, name) + epsilon / 4 * value for name, value in d.items()}


@pytest.mark.parametrize("epsilon", [0.1, 1.0])
def test_first_layer(epsilon: float) -> None:
    new = one_epoch(problem(epsilon), SOME)
    for name, value in first_layer_updates(SOME, epsilon).items():
        assert getattr(new, name) == pytest.approx(value, rel=1e-13), name


def test_the_first_layer_uses_w13_from_before_its_update() -> None:
    """With the updated w13 the result would be another one, and not by rounding."""
    epsilon = 10.0
    new = one_epoch(problem(epsilon), SOME)
    too_late = replace(SOME, **last_layer_updates(SOME, epsilon))
    wrong = first_layer_updates(too_late, epsilon)["w01"] - too_late.w01 + SOME.w01
    assert new.w01 == pytest.approx(first_layer_updates(SOME, epsilon)["w01"], rel=1e-13)
    assert abs(new.w01 - wrong) > 1e-3


def test_many_epochs_by_hand() -> None:
    by_hand, given = SOME, problem(1.0)
    state, _ = nn.start(given, SOME.theta(given.network))
    for _ in range(100):
        by_hand = Weights(**{**first_layer_updates(by_hand, 1.0), **last_layer_updates(by_hand, 1.0)})
    state, _ = nn.advance(given, state, 100)
    engine = Weights.of(given.network, state.theta[0])
    np.testing.assert_allclose(engine.theta(given.network), by_hand.theta(given.network), rtol=1e-11)


def test_sum_over_examples_needs_a_quarter_of_the_step() -> None:
    """The slides differentiate the sum and update with ε ¼ Σ: `reduction: mean`."""
    given = replace(problem(0.25), reduction="sum")
    assert one_epoch(given, SOME) == one_epoch(problem(1.0), SOME)


# Slides "Computing gradients of lower layers", "Forward and backward updates": any depth, from K to 1, over
# all paths


@pytest.mark.parametrize("hidden", [[3], [4, 3], [2, 5, 3, 2], [30, 20]])
def test_chain_rule_through_many_layers(hidden: list[int]) -> None:
    """Each weight's gradient is the difference quotient of the loss: no path is missing."""
    sizes = [*hidden, 2]
    deep = nn.Network(2, tuple(nn.Layer(units, "logistic") for units in sizes))
    y = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    given = replace(problem(1.0), network=deep, y=y, knobs=tuple({} for _ in sizes))
    theta = nn.initialize(deep, "uniform", {"range": np.ones(1)}, given.seeds)
    state, _ = nn.start(given, theta)
    gradient = theta[0] - nn.advance(given, state, 1)[0].theta[0]
    chosen = np.linspace(0, deep.parameters - 1, 40).astype(int)
    moved = np.repeat(theta, 2 * len(chosen), axis=0)
    moved[np.arange(len(chosen)), chosen] += 1e-5
    moved[np.arange(len(chosen), 2 * len(chosen)), chosen] -= 1e-5
    stack = given.take(np.zeros(len(moved), dtype=int))
    losses = nn.start(stack, moved)[1].epochs["loss"]
    np.testing.assert_allclose(
        gradient[chosen], (losses[: len(chosen)] - losses[len(chosen) :]) / 2e-5, rtol=1e-6, atol=1e-9
    )


# Slide "Sigmoid impact on gradients"


def test_sigmoids_make_the_signal_of_early_layers_tiny() -> None:
    """Each layer multiplies by some σ(1-σ) <= ¼; relu with scaled weights does not."""
    depth, rms = 10, {}
    for activation in ("logistic", "relu"):
        deep = nn.Network(2, (*(nn.Layer(8, activation) for _ in range(depth)), nn.Layer(1, "logistic")))
        seeds = np.arange(20, dtype=np.uint64)
        given = replace(
            problem(),
            network=deep,
            knobs=tuple({} for _ in deep.layers),
            seeds=seeds,
            hyper={"learning_rate": np.ones(20)},
        )
        theta = nn.initialize(deep, "uniform", {"range": np.ones(20)}, seeds)
        layers = nn.start(given, theta)[1].layers
        rms[activation] = np.median(layers["delta_rms"][:, 0] / layers["delta_rms"][:, depth - 1])
    assert rms["logistic"] < 1e-3 < 0.05 < rms["relu"]


def test_along_one_path_the_signal_is_the_product_of_weights_and_slopes() -> None:
    """Thirty sigmoids in a row: w σ(1-σ) thirty times over, exact to the last digits although it is 1e-24."""
    depth, w, b = 30, 0.7, 0.3
    deep = nn.Network(1, tuple(nn.Layer(1, "logistic") for _ in range(depth + 1)))
    given = replace(
        problem(), network=deep, x=np.array([[1.0]]), y=np.array([[1.0]]), knobs=({},) * (depth + 1)
    )
    records = nn.start(given, np.tile([w, b], depth + 1)[None])[1]
    path = [1.0]
    for _ in range(depth + 1):
        path.append(sigma(w * path[-1] + b))
    expected = 1.0 - path[-1]
    for h in path[depth:0:-1]:
        expected *= w * h * (1 - h)
    assert records.layers["delta_rms"][0, 0] == pytest.approx(expected, rel=1e-12) and expected < 1e-20
    assert records.layers["gradient_max_abs"][0, 0] == pytest.approx(expected, rel=1e-12)


# Slides "ReLU", "Leaky ReLU", the table of nine


def test_relu_sometimes_gives_no_signal_at_all() -> None:
    given = problem(activation="relu", loss="squared")
    dead = replace(SOME, w01=-5.0, w02=-5.0)
    records = nn.start(given, dead.theta(given.network))[1]
    assert records.layers["dead"][0, 0] == 1.0 and records.layers["delta_rms"][0, 0] == 0.0
    assert records.layers["delta_rms"][0, 1] > 0.0


def test_leaky_relus_signal_also_shrinks_along_negative_paths() -> None:
    """alpha^depth, whatever the slide says."""
    depth, alpha = 5, 0.01
    deep = nn.Network(1, (*(nn.Layer(1, "leaky_relu") for _ in range(depth)), nn.Layer(1, "identity")))
    theta = np.tile([1.0, -0.1], depth + 1)[None]
    given = replace(
        problem(loss="squared"),
        network=deep,
        x=np.array([[-1.0]]),
        y=np.array([[0.0]]),
        knobs=tuple({} for _ in deep.layers),
    )
    rms = nn.start(given, theta)[1].layers["delta_rms"][0]
    assert rms[0] / rms[depth] == pytest.approx(alpha**depth, rel=1e-12)


def test_the_table_of_nine_with_its_derivatives() -> None:
    z = np.array([-1.5, -0.25, 0.0, 0.25, 2.0])
    negative = z < 0
    table = {
        "identity": (z, np.ones(5)),
        "binary_step": (np.where(negative, 0.0, 1.0), np.zeros(5)),
        "logistic": (1 / (1 + np.exp(-z)), np.exp(-z) / (1 + np.exp(-z)) ** 2),
        "tanh": (2 / (1 + np.exp(-2 * z)) - 1, 1 - np.tanh(z) ** 2),
        "arctan": (np.arctan(z), 1 / (z**2 + 1)),
        "relu": (np.where(negative, 0, z), np.where(negative, 0.0, 1.0)),
        "prelu": (np.where(negative, 0.25 * z, z), np.where(negative, 0.25, 1.0)),
        "elu": (np.where(negative, np.exp(z) - 1, z), np.where(negative, np.exp(z), 1.0)),
        "softplus": (np.log(1 + np.exp(z)), 1 / (1 + np.exp(-z))),
    }
    for name, (value, derivative) in table.items():
        np.testing.assert_allclose(nn.ACTIVATIONS[name](z), value, rtol=1e-13, atol=1e-16, err_msg=name)
        np.testing.assert_allclose(nn.ACTIVATIONS[name].prime(z), derivative, rtol=1e-13, err_msg=name)
    leak = next(knob for knob in nn.ACTIVATIONS["leaky_relu"].knobs if knob.name == "alpha")
    assert leak.default == 0.01 and leak.bounds() == "0 < alpha < 1"


# Slide "Weight initialization"


def test_uniform_in_a_small_range_is_the_default() -> None:
    theta = nn.initialize(net(), "uniform", {}, np.arange(1000, dtype=np.uint64))
    assert theta.min() >= -0.1 and theta.max() < 0.1
    assert np.all(np.abs(theta).max(axis=0) > 0.099)  # every weight, the w_0d too


def test_xors_plateau_is_not_saturation() -> None:
    """At the origin Σ (y - ½) x = 0: the first-order signal vanishes although no unit is saturated."""
    given = problem()
    records = nn.start(given, np.zeros((1, 9)))[1]
    assert not records.layers["gradient_l2"].any() and not records.layers["saturated"].any()


# Slide "Any differentiable loss", e.g. squared


def test_squared_loss_turns_the_sign_and_keeps_the_factor() -> None:
    """w13 <- w13 - ε ¼ Σ h1 (h - y) h (1 - h)."""
    epsilon, gradient = 0.5, 0.0
    for (x1, x2), y in zip(X, Y, strict=True):
        h1, _, h = hidden_and_output(SOME, x1, x2)
        gradient += h1 * (h - y) * h * (1 - h)
    new = one_epoch(problem(epsilon, loss="squared"), SOME)
    assert new.w13 == pytest.approx(SOME.w13 - epsilon / 4 * gradient, rel=1e-13)


def test_a_saturated_output_is_no_accident() -> None:
    """y/h - (1-y)/(1-h) divides by zero once h rounds to 1 (z > 36.8): the engine's y - h does not."""
    wrong = replace(SOME, w03=800.0)
    given = problem(1.0)
    _, records = nn.start(given, wrong.theta(given.network))
    assert records.epochs["loss"][0] == pytest.approx(400.0, rel=0.01)  # two of four wrong, by about 800 nats
    assert one_epoch(given, wrong).w03 == pytest.approx(800.0 - 0.5, rel=1e-15)
