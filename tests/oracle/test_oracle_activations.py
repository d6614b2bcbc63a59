"""Every activation and its derivative against JAX, from -40 to 40, away from kinks."""

import jax
import numpy as np
import pytest
from jax_reference import ACTIVATIONS as REFERENCE

from bpsvc.nn import ACTIVATIONS

pytestmark = pytest.mark.oracle

Z = np.concatenate([np.linspace(-40.0, 40.0, 161) + 1e-3, [-1e-8, 1e-8, -1e-3, 1e-3]])
SMOOTH = [name for name, record in ACTIVATIONS.items() if not record.output_only]


def knobs(name: str) -> dict[str, float]:
    return {"alpha": 0.3} if name in {"leaky_relu", "prelu", "elu"} else {}


def test_the_reference_knows_every_activation() -> None:
    assert set(REFERENCE) == set(ACTIVATIONS), "ACTIVATIONS in jax_reference.py is to have each"


@pytest.mark.parametrize("name", SMOOTH)
def test_value(name: str) -> None:
    ours = ACTIVATIONS[name](Z, **knobs(name))
    np.testing.assert_allclose(ours, REFERENCE[name](Z, knobs(name)), rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("name", SMOOTH)
def test_derivative(name: str) -> None:
    """Relative to the steepest slope: in a tail such as 1 - tanh² both are left with roundings of 1."""
    theirs = jax.vmap(jax.grad(lambda z: REFERENCE[name](z, knobs(name))))(Z)
    np.testing.assert_allclose(ACTIVATIONS[name].prime(Z, **knobs(name)), theirs, rtol=1e-10, atol=1e-14)


def test_softmax() -> None:
    z = np.random.default_rng(3).normal(size=(5, 7)) * 4.0
    record = ACTIVATIONS["softmax"]
    np.testing.assert_allclose(record(z), jax.nn.softmax(z, axis=0), rtol=1e-12)
    jacobian = jax.vmap(jax.jacobian(jax.nn.softmax), in_axes=1, out_axes=-1)(z)
    np.testing.assert_allclose(record.prime(z), np.einsum("kkn->kn", jacobian), rtol=1e-10, atol=1e-14)
