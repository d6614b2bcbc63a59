"""The same mathematics once more, in JAX: a plain forward pass, and autodiff for all the rest.

Nothing is fused, stacked, cached or reused, and nothing is shared with the engine. Parameters are a list of
dicts (W, b, alpha), one for each layer; a likelihood is taken from the output layer's pre-activations z.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

Array = Any
Parameters = list[dict[str, Array]]

# name -> f(z, knobs). `alpha` is a knob, or a learned parameter for prelu.
ACTIVATIONS: Mapping[str, Callable[[Array, Mapping[str, float]], Array]] = {
    "identity": lambda z, k: z,
    "binary_step": lambda z, k: jnp.where(z < 0, 0.0, 1.0),
    "logistic": lambda z, k: jax.nn.sigmoid(z),
    "tanh": lambda z, k: jnp.tanh(z),
    "arctan": lambda z, k: jnp.arctan(z),
    "relu": lambda z, k: jax.nn.relu(z),
    "leaky_relu": lambda z, k: jax.nn.leaky_relu(z, k["alpha"]),
    "prelu": lambda z, k: jnp.where(z >= 0, z, k["alpha"] * z),
    "elu": lambda z, k: jax.nn.elu(z, k["alpha"]),
    "softplus": lambda z, k: jax.nn.softplus(z),
    "softmax": lambda z, k: jax.nn.softmax(z, axis=-1),
    "softsign": lambda z, k: jax.nn.soft_sign(z),
    "gelu": lambda z, k: jax.nn.gelu(z, approximate=False),
    "silu": lambda z, k: jax.nn.silu(z),
    "selu": lambda z, k: jax.nn.selu(z),
    "mish": lambda z, k: jax.nn.mish(z),
}


def negative_log_likelihood(output: str, z: Array, y: Array) -> Array:
    """-log p(y) of one example, for outputs that have a likelihood (Gaussian: without its constant)."""
    if output == "logistic":
        return -jnp.sum(y * jax.nn.log_sigmoid(z) + (1 - y) * jax.nn.log_sigmoid(-z))
    if output == "softmax":
        return -jnp.sum(y * jax.nn.log_softmax(z))
    if output == "identity":
        return 0.5 * jnp.sum((z - y) ** 2)
    raise ValueError(f"no likelihood for {output} outputs")


def huber(r: Array, delta: float) -> Array:
    return jnp.where(jnp.abs(r) <= delta, 0.5 * r**2, delta * (jnp.abs(r) - 0.5 * delta))


class Net(NamedTuple):
    """Activation and fixed knobs of each layer; what is descended."""

    activations: tuple[str, ...]
    knobs: tuple[Mapping[str, float], ...]
    loss: str
    reduction: str = "mean"
    delta: float = 1.0

    def outputs(
        self, parameters: Parameters, x: Array, nudges: Sequence[Array] | None = None
    ) -> list[tuple[Array, Array]]:
        """Each layer's (z, a) of one example x (I,). `nudges` are added to z: to differentiate by it."""
        a, layers = x, []
        for k, (name, fixed, p) in enumerate(zip(self.activations, self.knobs, parameters, strict=True)):
            z = a @ p["W"]
            if "b" in p:
                z = z + p["b"]
            if nudges is not None:
                z = z + nudges[k]
            learned = {"alpha": p["alpha"]} if "alpha" in p else {}
            a = ACTIVATIONS[name](z, {**fixed, **learned})
            layers.append((z, a))
        return layers

    def example_loss(
        self, parameters: Parameters, x: Array, y: Array, nudges: Sequence[Array] | None = None
    ) -> Array:
        z, a = self.outputs(parameters, x, nudges)[-1]
        if self.loss == "log_likelihood":
            return negative_log_likelihood(self.activations[-1], z, y)
        if self.loss == "squared":
            return 0.5 * jnp.sum((a - y) ** 2)
        if self.loss == "huber":
            return jnp.sum(huber(a - y, self.delta))
        raise ValueError(f"the reference does not know the loss {self.loss}")

    def total_loss(self, parameters: Parameters, x: Array, y: Array) -> Array:
        """x (N, I), y (N, O) -> the mean or the sum over examples."""
        losses = jax.vmap(self.example_loss, in_axes=(None, 0, 0))(parameters, x, y)
        return jnp.mean(losses) if self.reduction == "mean" else jnp.sum(losses)

    def signals(self, parameters: Parameters, x: Array, y: Array) -> list[Array]:
        """Each layer's dloss/dz of every example: (N, D)."""
        zeros = [jnp.zeros(p["W"].shape[1]) for p in parameters]
        by_z = jax.grad(self.example_loss, argnums=3)
        return jax.vmap(by_z, in_axes=(None, 0, 0, None))(parameters, x, y, zeros)


def flat(layers: Parameters) -> np.ndarray:
    """W row by row, then b, then alpha; layer after layer: (P,)."""
    parts = [np.ravel(layer[name]) for layer in layers for name in ("W", "b", "alpha") if name in layer]
    return np.concatenate(parts)
