"""Mean-field theory against the published constants and against wide nets drawn here."""

import dataclasses
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bpsvc.reporting import FIGURES, Material, data
from bpsvc.reporting.theory import Unknown, relative_signal


def spec(units: list[int], activation: object, init: dict[str, object]) -> str:
    layers = [{"units": n, "activation": activation} for n in units] + [
        {"units": 1, "activation": "logistic"}
    ]
    return json.dumps({"init": init, "network": {"layers": layers}})


def chi(activation: str, weight_variance: float, bias_variance: float) -> float:
    """The factor of the signal's mean square per layer deep in a net: n v_w = `weight_variance`."""
    width, depth = 100, 400
    init = {"scheme": "normal", "std": (weight_variance / width) ** 0.5, "bias_std": bias_variance**0.5}
    return relative_signal(spec([width] * depth, activation, init), width, 1.0)[-2] ** 2


@pytest.mark.parametrize(
    "weight_variance, expected",
    [(0.9, 0.706349), (1.0, 0.759032), (1.5, 0.938636), (2.0, 1.047666), (2.5, 1.133516), (4.0, 1.342402)],
)
def test_tanh_with_biases_is_schoenholz(weight_variance: float, expected: float) -> None:
    assert_allclose(chi("tanh", weight_variance, 0.05), expected, atol=1e-6)


def test_the_critical_point_of_tanh() -> None:
    assert_allclose(chi("tanh", 1.76095464, 0.05), 1.0, atol=1e-8)


@pytest.mark.parametrize("width", [8, 100, 300])
def test_the_lectures_range_means_something_only_at_one_width(width: int) -> None:
    """NUMERICS R3: weights from U[-0.1, 0.1] have variance 1/300."""
    assert_allclose(chi("identity", width / 300, 0.0), width / 300)
    assert_allclose(chi("relu", width / 300, 0.0), width / 600)
    assert_allclose(chi("logistic", width / 300, 0.0), width / 4800, rtol=0.12)


@pytest.mark.parametrize(
    "activation, derivative", [("tanh", lambda z: 1 / np.cosh(z) ** 2), ("relu", lambda z: z > 0)]
)
def test_a_wide_net_drawn_here_agrees(activation: str, derivative: object) -> None:
    width, depth, std = 400, 6, 0.06
    rng = np.random.default_rng(0)
    f = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[activation]
    weights = [rng.normal(0, std, (width, width)) for _ in range(depth)]
    biases = [rng.normal(0, 0.1, width) for _ in range(depth)]
    x, z = rng.normal(size=(40, width)), []
    for w, b in zip(weights, biases, strict=True):
        z.append(x @ w + b)
        x = f(z[-1])
    delta = rng.normal(size=(40, width)) * derivative(z[-1])  # type: ignore[operator]
    measured = [np.sqrt((delta**2).mean())]
    for k in reversed(range(depth - 1)):
        delta = (delta @ weights[k + 1].T) * derivative(z[k])  # type: ignore[operator]
        measured.append(np.sqrt((delta**2).mean()))
    expected = relative_signal(
        spec([width] * depth, activation, {"scheme": "normal", "std": std, "bias_std": 0.1}), width, 1.0
    )
    assert_allclose(np.array(measured[::-1]) / measured[0], expected, rtol=0.12)
    assert expected[-1] == 1.0


@pytest.mark.parametrize("std", [0.2, 0.8])
def test_the_first_layer_hears_the_inputs_as_they_are(std: float) -> None:
    """Three inputs of ±½ beneath two wide layers of tanh: the slopes of the first follow from them."""
    width, runs = 300, 30
    rng = np.random.default_rng(1)
    x = 0.5 * np.sign(rng.normal(size=(20, 3)))
    ratios = []
    for _ in range(runs):
        z1 = x @ rng.normal(0, std, (3, width))
        w = rng.normal(0, std, (width, width))
        delta2 = rng.normal(size=(20, width)) / np.cosh(np.tanh(z1) @ w) ** 2
        delta1 = (delta2 @ w.T) / np.cosh(z1) ** 2
        ratios.append((delta1**2).mean() / (delta2**2).mean())
    text = spec([width, width], "tanh", {"scheme": "normal", "std": std, "bias_std": 0.0})
    first, last = relative_signal(text, 3, 0.25)
    assert last == 1.0
    assert_allclose(first, np.sqrt(np.mean(ratios)), rtol=0.03)


def test_he_keeps_the_signal_of_relu_and_glorot_halves_its_square() -> None:
    he = relative_signal(spec([50] * 30, "relu", {"scheme": "he_normal"}), 50, 1.0)
    assert_allclose(he, np.ones(30), rtol=1e-9)
    glorot = relative_signal(spec([50] * 30, "relu", {"scheme": "glorot_uniform"}), 50, 1.0)
    assert_allclose(glorot[0] ** 2, 0.5**29, rtol=1e-9)


def test_knobs_are_heard() -> None:
    text = spec([50] * 3, {"name": "leaky_relu", "alpha": 1.0}, {"scheme": "lecun_normal"})
    leaky = relative_signal(text, 50, 1.0)
    assert_allclose(leaky, np.ones(3), rtol=1e-9)


@pytest.mark.parametrize(
    "init", [{"scheme": "orthogonal"}, {"scheme": "explicit"}, {"scheme": "uniform", "low": 0, "high": 1}]
)
def test_what_the_theory_does_not_know_it_does_not_say(init: dict[str, object]) -> None:
    with pytest.raises(Unknown):
        relative_signal(spec([8, 8], "tanh", init), 8, 1.0)
    with pytest.raises(Unknown):
        relative_signal("{}", 8, 1.0)


def test_the_figure_hangs_the_theory_at_the_last_hidden_layer(vanishing: Material) -> None:
    frame = data(vanishing, "depth")
    last = frame[(frame["layer"] == frame["hidden_layers"]) & (frame["epoch"] == 0)]
    assert_allclose(last["theory"], last["delta_rms"])
    deep = frame[frame["configuration"] == "logistic · learning_rate 1 · depth 10"].iloc[0]
    assert abs(deep["theory_decades_per_layer"] - deep["decades_per_layer"]) < 0.1


def test_the_figure_is_silent_where_the_inputs_are_not_known(vanishing: Material) -> None:
    frame = data(dataclasses.replace(vanishing, inputs=None), "depth")
    assert frame["theory"].isna().all()
    assert "mean-field" not in FIGURES["depth"].caption(frame)
