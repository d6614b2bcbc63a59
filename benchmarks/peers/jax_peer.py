"""JAX: autodiff, a scan over epochs, `vmap` over runs, all of it compiled; float64."""

import os
import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases import Case, Trace
from benchmarks.peers import Ready

jax.config.update("jax_enable_x64", True)

Array = Any
HIDDEN = {"logistic": jax.nn.sigmoid, "relu": jax.nn.relu, "tanh": jnp.tanh}


def version() -> str:
    return f"JAX {jax.__version__}"


def loss_of(case: Case, theta: Sequence[tuple[Array, Array]], x: Array, y: Array) -> Array:
    a = x
    for w, b in theta[:-1]:
        a = HIDDEN[case.hidden](a @ w + b)
    z = a @ theta[-1][0] + theta[-1][1]
    if case.output == "softmax":
        return -jnp.sum(y * jax.nn.log_softmax(z)) / len(y)
    return jnp.sum(jax.nn.softplus(z) - y * z) / len(y)


def prepare(case: Case, runs: int, epochs: int) -> Ready:
    x, y = (jnp.asarray(part) for part in case.examples())
    descend = full_batch if case.batch_size is None else mini_batches
    one_run = descend(case, x, y, epochs)
    theta = [(jnp.asarray(layer.w), jnp.asarray(layer.b)) for layer in case.weights(runs)]
    keys = jax.random.split(jax.random.key(0), runs)
    clock = time.process_time if len(os.sched_getaffinity(0)) == 1 else time.perf_counter
    began = clock()
    compiled = jax.jit(jax.vmap(one_run)).lower(theta, keys).compile()
    took = clock() - began

    def train() -> tuple[Array, Array]:
        found: tuple[Array, Array] = jax.block_until_ready(compiled(theta, keys))
        return found

    def trace(found: tuple[Array, Array]) -> Trace:
        loss, gradients = found
        return Trace(np.asarray(loss).T, np.asarray(gradients).transpose(1, 2, 0))

    train()  # the first call is not yet warm
    return Ready(train, trace, took)


def measured(case: Case, theta: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Loss, gradient, each layer's gradient L2."""
    loss, gradient = jax.value_and_grad(lambda t: loss_of(case, t, x, y))(theta)
    norms = jnp.stack([jnp.sqrt(jnp.sum(w * w) + jnp.sum(b * b)) for w, b in gradient])
    return loss, gradient, norms


def stepped(case: Case, theta: Array, gradient: Array) -> Array:
    return jax.tree.map(lambda value, g: value - case.learning_rate * g, theta, gradient)


def full_batch(case: Case, x: Array, y: Array, epochs: int) -> Any:
    def epoch(theta: Array, _: None) -> tuple[Array, tuple[Array, Array]]:
        loss, gradient, norms = measured(case, theta, x, y)
        return stepped(case, theta, gradient), (loss, norms)

    return lambda theta, key: jax.lax.scan(epoch, theta, length=epochs)[1]


def mini_batches(case: Case, x: Array, y: Array, epochs: int) -> Any:
    size, whole = case.batch_size or len(x), len(x) // (case.batch_size or len(x))
    grad = jax.grad(lambda theta, rows: loss_of(case, theta, x[rows], y[rows]))

    def step(theta: Array, rows: Array) -> tuple[Array, None]:
        return stepped(case, theta, grad(theta, rows)), None

    def epoch(theta: Array, key: Array) -> tuple[Array, None]:
        order = jax.random.permutation(key, len(x)) if case.shuffle else jnp.arange(len(x))
        theta, _ = jax.lax.scan(step, theta, order[: whole * size].reshape(whole, size))
        return step(theta, order[whole * size :]) if len(x) % size else (theta, None)

    def stretch(theta: Array, keys: Array) -> tuple[Array, tuple[Array, Array]]:
        theta, _ = jax.lax.scan(epoch, theta, keys)
        loss, _, norms = measured(case, theta, x, y)
        return theta, (loss, norms)

    def run(theta: Array, key: Array) -> tuple[Array, Array]:
        keys = jax.random.split(key, (epochs // case.every, case.every))
        return jax.lax.scan(stretch, theta, keys)[1]

    return run
