"""Fifty epochs of every optimizer that optax has, against the engine, in float64."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from engine_side import RUNS, Case
from jax_reference import Net, Parameters, flat

from bpsvc.nn import OPTIMIZERS, Problem, advance, start

pytestmark = pytest.mark.oracle

EPOCHS = 50
TOLERANCE = 1e-10


def rprop(learning_rate: float, *knobs: float) -> optax.GradientTransformation:
    """optax's rprop, but the step that it has just found: up to 0.2.8 it hands out the one before, so that
    the first is 0 and all others are late by one (google-deepmind/optax, pull request 1725).
    """
    theirs = optax.scale_by_rprop(learning_rate, *knobs)

    def update(gradient: Any, state: Any, parameters: Any = None) -> tuple[Any, Any]:
        _, state = theirs.update(gradient, state, parameters)
        return jax.tree.map(jnp.negative, state.prev_updates), state

    return optax.GradientTransformation(theirs.init, update)


# name -> our hyper-parameters, optax's transformation of the same meaning. rprop is the one without
# backtracking: no library has the paper's, which takes the last move back. Its steps are short, so that no
# gradient comes near 0: there its sign would be that of a rounding error, and each program has its own.
SAME: Mapping[str, tuple[dict[str, float], optax.GradientTransformation]] = {
    "sgd": ({"learning_rate": 0.5}, optax.sgd(0.5)),
    "momentum": ({"learning_rate": 0.1, "mu": 0.9}, optax.sgd(0.1, momentum=0.9)),
    "nesterov": ({"learning_rate": 0.1, "mu": 0.8}, optax.sgd(0.1, momentum=0.8, nesterov=True)),
    "rmsprop": (
        {"learning_rate": 0.01, "rho": 0.95, "eps": 1e-6},
        optax.rmsprop(0.01, decay=0.95, eps=1e-6, eps_in_sqrt=False),
    ),
    "adam": (
        {"learning_rate": 0.02, "beta1": 0.85, "beta2": 0.99, "eps": 1e-8},
        optax.adam(0.02, b1=0.85, b2=0.99, eps=1e-8),
    ),
    "rprop": (
        {"learning_rate": 0.002, "eta_minus": 0.5, "eta_plus": 1.2, "step_min": 1e-4, "step_max": 0.02},
        rprop(0.002, 0.5, 1.2, 1e-4, 0.02),
    ),
}
NOT_IN_OPTAX = {"quickprop"}  # reproduced instead: Fahlman's encoder, specs/published
NETS = {"few": (3, 4, 2), "many": (12, 16, 9, 3)}


def batches(case: Case) -> list[slice]:
    size = case.batch_size or case.examples
    starts = [*range(0, case.examples, size), case.examples]
    return [slice(lo, hi) for lo, hi in pairwise(starts)]


def descended(
    net: Net, case: Case, parameters: Parameters, rule: optax.GradientTransformation
) -> tuple[np.ndarray, np.ndarray]:
    """optax's parameters after EPOCHS epochs, flat, and the losses 0 … EPOCHS."""
    x, y = case.data()
    initial = jax.tree.map(jnp.asarray, parameters)
    step = jax.jit(lambda p, state, x, y: rule.update(jax.grad(net.total_loss)(p, x, y), state, p))
    loss = jax.jit(net.total_loss)
    state, p, losses = rule.init(initial), initial, [loss(initial, x, y)]
    for _ in range(EPOCHS):
        for rows in batches(case):
            updates, state = step(p, state, x[rows], y[rows])
            p = optax.apply_updates(p, updates)
        losses.append(loss(p, x, y))
    return flat(p), np.array(losses)


def agree(case: Case, rule: optax.GradientTransformation, problem: Problem | None = None) -> None:
    problem = problem or case.problem()
    parameters = case.parameters()
    state, first = start(problem, np.stack([flat(p) for p in parameters]))
    state, rest = advance(problem, state, EPOCHS)
    for run in range(RUNS):
        theta, losses = descended(case.net(run), case, parameters[run], rule)
        ours = [first.epochs["loss"][run], *rest.of(run).epochs["loss"]]
        np.testing.assert_allclose(ours, losses, rtol=TOLERANCE)
        np.testing.assert_allclose(state.theta[run], theta, rtol=0.0, atol=TOLERANCE * np.max(np.abs(theta)))


def test_no_optimizer_goes_unseen() -> None:
    assert set(SAME) | NOT_IN_OPTAX == set(OPTIMIZERS)


@pytest.mark.parametrize("batch_size", [None, 7], ids=["full", "batches-of-7"])
@pytest.mark.parametrize("widths", NETS.values(), ids=NETS)
@pytest.mark.parametrize("name", SAME)
def test_fifty_epochs(name: str, widths: tuple[int, ...], batch_size: int | None) -> None:
    hyper, rule = SAME[name]
    agree(Case(widths=widths, examples=23, optimizer=name, hyper=hyper, batch_size=batch_size), rule)


@pytest.mark.parametrize("hidden", ["logistic", "prelu"])
def test_fifty_epochs_of_adam_elsewhere(hidden: str) -> None:
    hyper, rule = SAME["adam"]
    agree(Case(hidden=hidden, output="softmax", widths=(3, 5, 3), optimizer="adam", hyper=hyper), rule)


def test_clipping_by_global_norm() -> None:
    case = Case(hyper={"learning_rate": 0.5}, reduction="sum")
    agree(
        case,
        optax.chain(optax.clip_by_global_norm(0.3), optax.sgd(0.5)),
        replace(case.problem(), clip=np.full(RUNS, 0.3)),
    )


def test_weight_decay_spares_biases_unless_asked() -> None:
    case = Case(hyper=dict(SAME["momentum"][0]), optimizer="momentum")

    def only_weights(parameters: Parameters) -> list[dict[str, bool]]:
        return [{name: name == "W" for name in layer} for layer in parameters]

    decay, momentum = np.full(RUNS, 0.05), SAME["momentum"][1]
    spared = optax.chain(optax.add_decayed_weights(0.05, mask=only_weights), momentum)
    agree(case, spared, replace(case.problem(), weight_decay=decay))
    everything = optax.chain(optax.add_decayed_weights(0.05), momentum)
    agree(case, everything, replace(case.problem(), weight_decay=decay, decay_biases=True))


# As functions: optax's own schedules count in float32, and are off by 1e-8.
SCHEDULES = {
    "step": ({"every": 15, "gamma": 0.5}, lambda t: 0.5 * 0.5 ** jnp.float64(t // 15)),
    "exponential": ({"gamma": 0.97}, lambda t: 0.5 * 0.97 ** jnp.float64(t)),
    "cosine": (
        {"over": 40, "final": 0.1},
        lambda t: 0.5 * (0.1 + 0.45 * (1 + jnp.cos(jnp.pi * jnp.minimum(jnp.float64(t) / 40, 1.0)))),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_learning_rate_schedules(name: str) -> None:
    knobs, schedule = SCHEDULES[name]
    case = Case()
    problem = replace(
        case.problem(), schedule=name, schedule_knobs={k: np.full(RUNS, v, float) for k, v in knobs.items()}
    )
    agree(case, optax.sgd(schedule), problem)


def test_warm_up() -> None:
    """ε/n, 2ε/n … ε: it does not begin at 0, as optax's linear schedule does."""
    case = Case()
    knobs = {"warm_up": np.full(RUNS, 10.0)}
    agree(
        case,
        optax.sgd(lambda t: 0.5 * jnp.minimum((jnp.float64(t) + 1) / 10, 1.0)),
        replace(case.problem(), schedule_knobs=knobs),
    )
