"""Optimizers against their formulas written out weight by weight, schedules, weight decay and clipping."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from nn_building import draw, network, problem, train

from bpsvc import nn

RNG = np.random.default_rng(2)
X, Y = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 2))
NET = network([3, 4, 2], "tanh", "identity")
RATE = 0.05

Rule = Callable[[float, Iterator[float]], Iterator[float]]


def sgd(w: float, gs: Iterator[float]) -> Iterator[float]:
    for g in gs:
        w -= RATE * g
        yield w


def momentum(w: float, gs: Iterator[float]) -> Iterator[float]:
    v = 0.0
    for g in gs:
        v = 0.9 * v + g
        w -= RATE * v
        yield w


def nesterov(w: float, gs: Iterator[float]) -> Iterator[float]:
    v = 0.0
    for g in gs:
        v = 0.9 * v + g
        w -= RATE * (g + 0.9 * v)
        yield w


def rmsprop(w: float, gs: Iterator[float]) -> Iterator[float]:
    s = 0.0
    for g in gs:
        s = 0.9 * s + 0.1 * g * g
        w -= RATE * g / (math.sqrt(s) + 1e-8)
        yield w


def adam(w: float, gs: Iterator[float]) -> Iterator[float]:
    m = s = 0.0
    for t, g in enumerate(gs, 1):
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        w -= RATE * (m / (1 - 0.9**t)) / (math.sqrt(s / (1 - 0.999**t)) + 1e-8)
        yield w


def rprop(w: float, gs: Iterator[float], back: bool = False) -> Iterator[float]:
    size, before, move = RATE, 0.0, 0.0
    for g in gs:
        if before * g > 0:
            size = min(size * 1.2, 50.0)
            move = -math.copysign(size, g)
        elif before * g < 0:
            size = max(size * 0.5, 1e-6)
            move, g = -move if back else 0.0, 0.0
        else:
            move = -math.copysign(size, g)
        before = g
        w += move
        yield w


def rprop_1993(w: float, gs: Iterator[float]) -> Iterator[float]:
    return rprop(w, gs, back=True)


def quickprop(w: float, gs: Iterator[float], split: float = 1.0) -> Iterator[float]:
    """After Fahlman's published program, which keeps slopes as improvement: s = -g - decay w."""
    d = q = 0.0
    for g in gs:
        s, step = -g - 1e-4 * w, 0.0
        if d > 0:
            step += RATE / split * s if s > 0 else 0.0
            step += 1.75 * d if s >= 1.75 / 2.75 * q else d * s / (q - s)
        elif d < 0:
            step += RATE / split * s if s < 0 else 0.0
            step += 1.75 * d if s <= 1.75 / 2.75 * q else d * s / (q - s)
        else:
            step += RATE / split * s
        d, q = step, s
        w += step
        yield w


RULES: dict[str, tuple[str, Rule, dict[str, float]]] = {
    "sgd": ("sgd", sgd, {}),
    "momentum": ("momentum", momentum, {}),
    "nesterov": ("nesterov", nesterov, {}),
    "rmsprop": ("rmsprop", rmsprop, {}),
    "adam": ("adam", adam, {}),
    "rprop": ("rprop", rprop, {}),
    "rprop_1993": ("rprop", rprop_1993, {"backtracking": 1.0}),
    "quickprop": ("quickprop", quickprop, {"split_epsilon": 0.0}),
}


def hyper(runs: int, **knobs: float) -> dict[str, np.ndarray]:
    return {name: np.full(runs, value) for name, value in {"learning_rate": RATE, **knobs}.items()}


def gradients(given: nn.Problem, theta: np.ndarray) -> np.ndarray:
    """g (R, P), from a unit step of plain descent."""
    plain = problem(
        given.network,
        given.x,
        given.y,
        len(theta),
        loss=given.loss,
        reduction=given.reduction,
        loss_knobs=given.loss_knobs,
        hyper={"learning_rate": np.ones(len(theta))},
    )
    return theta - nn.advance(plain, nn.start(plain, theta)[0], 1)[0].theta


def trajectory(given: nn.Problem, theta: np.ndarray, epochs: int) -> list[np.ndarray]:
    state, path = nn.start(given, theta)[0], [theta]
    for _ in range(epochs):
        state = nn.advance(given, state, 1)[0]
        path.append(state.theta)
    return path


def test_every_optimizer_is_checked() -> None:
    assert {name for name, _, _ in RULES.values()} == set(nn.OPTIMIZERS)


@pytest.mark.parametrize("rule", RULES)
def test_each_weight_moves_by_the_formula(rule: str) -> None:
    name, reference, knobs = RULES[rule]
    given = problem(NET, X, Y, 1, loss="squared", optimizer=name, hyper=hyper(1, **knobs))
    path = trajectory(given, draw(given), 25)
    slopes = [gradients(given, theta)[0] for theta in path]
    for k in range(NET.parameters):
        by_hand = list(reference(path[0][0, k], iter([g[k] for g in slopes[:-1]])))
        np.testing.assert_allclose([theta[0, k] for theta in path[1:]], by_hand, rtol=1e-7, atol=1e-9)


def test_quickprop_divides_epsilon_by_the_number_of_sources() -> None:
    given = problem(NET, X, Y, 1, loss="squared", optimizer="quickprop", hyper=hyper(1, decay=0.0))
    theta = draw(given)
    moved = nn.advance(given, nn.start(given, theta)[0], 1)[0].theta - theta
    sources = np.concatenate([np.full(3 * 4 + 4, 4.0), np.full(4 * 2 + 2, 5.0)])
    np.testing.assert_allclose(moved[0], -RATE / sources * gradients(given, theta)[0], rtol=1e-9, atol=1e-12)


def test_momentum_forms_differ_only_when_epsilon_changes() -> None:
    """v <- mu v + ε g, w <- w - v is the same for a constant ε."""
    given = problem(NET, X, Y, 1, loss="squared", optimizer="momentum", hyper=hyper(1))
    path = trajectory(given, draw(given), 10)
    v, theta = np.zeros(NET.parameters), path[0][0].copy()
    for later in path[1:]:
        v = 0.9 * v + RATE * gradients(given, theta[None])[0]
        theta = theta - v
        np.testing.assert_allclose(theta, later[0], rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "knobs", "expected"),
    [
        ("constant", {}, lambda e: 1.0),
        ("constant", {"warm_up": 4.0}, lambda e: min(1.0, (e + 1) / 4)),
        ("step", {"every": 3.0, "gamma": 0.5}, lambda e: 0.5 ** (e // 3)),
        ("exponential", {"gamma": 0.9}, lambda e: 0.9**e),
        (
            "cosine",
            {"over": 6.0, "final": 0.1},
            lambda e: 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * min(1, e / 6))),
        ),
        (
            "cosine",
            {"over": 6.0, "warm_up": 2.0},
            lambda e: min(1, (e + 1) / 2) * 0.5 * (1 + math.cos(math.pi * min(1, e / 6))),
        ),
    ],
)
def test_schedules_are_functions_of_the_epoch(name: str, knobs: dict[str, float], expected) -> None:
    given = problem(
        NET,
        X,
        Y,
        2,
        loss="squared",
        hyper=hyper(2),
        schedule=name,
        schedule_knobs={k: np.full(2, v) for k, v in knobs.items()},
    )
    path = trajectory(given, draw(given), 9)
    for epoch in range(9):
        step = path[epoch] - path[epoch + 1]
        np.testing.assert_allclose(
            step, expected(epoch) * RATE * gradients(given, path[epoch]), rtol=1e-7, atol=1e-12
        )


def test_every_schedule_has_been_checked() -> None:
    assert set(nn.SCHEDULES) == {"constant", "step", "exponential", "cosine"}


@pytest.mark.parametrize("everything", [False, True])
def test_weight_decay_pulls_weights_not_biases_unless_asked(everything: bool) -> None:
    net = network([3, 4, 2], "prelu", "identity")
    plain = problem(net, X, Y, 2, loss="squared", hyper=hyper(2))
    decayed = replace(plain, weight_decay=np.array([0.3, 0.7]), decay_biases=everything)
    theta = draw(plain)
    a, b = (nn.advance(p, nn.start(p, theta)[0], 1)[0].theta for p in (plain, decayed))
    weights = np.zeros(net.parameters, dtype=bool)
    for at in net.slices:
        weights[at.whole if everything else at.weights] = True
    np.testing.assert_allclose(
        a - b, RATE * decayed.weight_decay[:, None] * theta * weights, rtol=1e-9, atol=1e-15
    )
    records = [nn.start(p, theta)[1] for p in (plain, decayed)]
    np.testing.assert_array_equal(records[0].layers["gradient_l2"], records[1].layers["gradient_l2"])


def test_clipping_by_global_norm() -> None:
    plain = problem(NET, X, Y, 3, loss="squared", hyper=hyper(3))
    theta = draw(plain)
    g = gradients(plain, theta)
    norms = np.linalg.norm(g, axis=1)
    limits = np.array([0.1, 0.5, 2.0]) * norms
    clipped = replace(plain, clip=limits)
    moved = theta - nn.advance(clipped, nn.start(clipped, theta)[0], 1)[0].theta
    np.testing.assert_allclose(
        moved, RATE * g * np.minimum(1.0, limits / norms)[:, None], rtol=1e-9, atol=1e-13
    )
    records = [nn.start(p, theta)[1] for p in (plain, clipped)]
    np.testing.assert_array_equal(records[0].epochs["gradient_l2"], records[1].epochs["gradient_l2"])


def test_atanh_error_passes_back_fahlmans_error() -> None:
    net = network([3, 2], [], "logistic")
    targets = (Y > 0).astype(float)
    given = problem(
        net, X, targets, 1, loss="squared", loss_knobs={"atanh_error": np.ones(1)}, reduction="sum"
    )
    theta = draw(given)
    h = nn.forward(net, theta[0], [{}], X)[0][1]
    d = h - targets
    delta = np.log((1 + d) / (1 - d)) * h * (1 - h)
    expected = np.concatenate([(X.T @ delta).ravel(), delta.sum(axis=0)])
    np.testing.assert_allclose(gradients(given, theta)[0], expected, rtol=1e-9)
    far = replace(given, y=1.0 - np.round(h))
    assert np.isfinite(gradients(far, 1e6 * theta)).all()


def test_online_adam_counts_updates_not_epochs() -> None:
    given = problem(
        NET, X, Y, 1, loss="squared", optimizer="adam", hyper=hyper(1), batch_size=4, shuffle=False
    )
    theta = draw(given)
    once = train(given, theta, 2)[0].theta
    halves = [replace(given, x=X[k : k + 4], y=Y[k : k + 4], batch_size=None) for k in (0, 4)]
    m, s, w = np.zeros_like(theta), np.zeros_like(theta), theta.copy()
    for t in range(1, 5):
        g = gradients(halves[(t - 1) % 2], w)
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        w = w - RATE * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(once, w, rtol=1e-8)
