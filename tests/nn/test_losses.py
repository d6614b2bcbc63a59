"""Laws over the whole table of losses: derivatives, and fused = composed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpsvc.nn.activations import ACTIVATIONS
from bpsvc.nn.arrays import Work
from bpsvc.nn.losses import LOSSES, Loss, Term

TERMS = [
    pytest.param(loss, output, id=f"{loss.name}-{output}")
    for loss in LOSSES.values()
    for output in (loss.terms or ["logistic", "identity", "tanh"])
]
FUSED = [
    pytest.param(term, output, fused, id=f"{loss.name}-{output}")
    for loss in LOSSES.values()
    for term in [*loss.terms.values(), *([loss.term] if loss.term else [])]
    for output, fused in term.fused.items()
]
KNOBS = {"delta": 0.7}


def targets(rng: np.random.Generator, output: str) -> np.ndarray:
    if output == "softmax":
        return np.eye(4)[rng.integers(0, 4, size=9)].T
    return rng.integers(0, 2, size=(4, 9)).astype(float) if output == "logistic" else rng.normal(size=(4, 9))


def value(term: Term, a: np.ndarray, y: np.ndarray) -> np.ndarray:
    out = np.empty_like(a)
    term.value(a, y, KNOBS, out, Work.like(a))
    return out


def derivative(term: Term, a: np.ndarray, y: np.ndarray) -> np.ndarray:
    out = np.empty_like(a)
    term.derivative(a, y, KNOBS, out, Work.like(a))
    return out


@pytest.mark.parametrize(("loss", "output"), TERMS)
@given(seed=st.integers(0, 2**32))
def test_derivative_is_the_difference_quotient(loss: Loss, output: str, seed: int) -> None:
    rng, term, step = np.random.default_rng(seed), loss.for_output(output), 1e-6
    y = targets(rng, output)
    a = (
        rng.uniform(0.05, 0.95, size=y.shape)
        if output in ("logistic", "softmax")
        else 2 * rng.normal(size=y.shape)
    )
    if loss.name == "huber":
        a = np.where(np.abs(np.abs(a - y) - KNOBS["delta"]) < 1e-4, y, a)  # away from its kink
    slope = (value(term, a + step, y) - value(term, a - step, y)) / (2 * step)
    np.testing.assert_allclose(derivative(term, a, y), slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("term", "output", "fused"), FUSED)
@given(seed=st.integers(0, 2**32))
def test_fused_is_composed(term: Term, output: str, fused, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, record = targets(rng, output), ACTIVATIONS[output]
    z = 2 * rng.normal(size=y.shape)
    a, work, terms, delta = record(z), Work.like(z), np.empty_like(z), np.empty_like(z)
    fused.value(z, y, terms, work)
    np.testing.assert_allclose(terms, value(term, a, y), rtol=1e-10, atol=1e-12)
    fused.delta(a, y, delta)
    composed = derivative(term, a, y)
    if record.through:
        record.through(composed, a, composed, work)
    else:
        composed *= record.prime(z)
    np.testing.assert_allclose(delta, composed, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("z", [-1000.0, -40.0, 40.0, 1000.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_bernoulli_keeps_its_tail_where_the_output_rounds_to_0_or_1(z: float, y: float) -> None:
    fused = LOSSES["log_likelihood"].terms["logistic"].fused["logistic"]
    zs, out = np.array([[z]]), np.empty((1, 1))
    fused.value(zs, np.array([[y]]), out, Work.like(zs))
    wrong = (z > 0) == (y == 0)
    tail = np.exp(-abs(z))
    assert out[0, 0] == pytest.approx(abs(z) + tail if wrong else tail, rel=1e-15, abs=0.0)


def test_categorical_of_two_is_bernoulli_on_the_difference() -> None:
    z, y = np.array([[0.3, 800.0], [-1.1, -800.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    two, one = np.empty((2, 2)), np.empty((1, 2))
    LOSSES["log_likelihood"].terms["softmax"].fused["softmax"].value(z, y, two, Work.like(z))
    difference = z[:1] - z[1:]
    LOSSES["log_likelihood"].terms["logistic"].fused["logistic"].value(
        difference, y[:1], one, Work.like(difference)
    )
    np.testing.assert_allclose(two.sum(axis=0), one[0], rtol=1e-14)


def test_huber_is_squared_within_delta_and_straight_beyond() -> None:
    a, y = np.array([[0.1, 0.69, 3.0, -5.0]]), np.zeros((1, 4))
    squares = value(LOSSES["squared"].term, a, y)
    hubers = value(LOSSES["huber"].term, a, y)
    np.testing.assert_allclose(hubers[0, :2], squares[0, :2], rtol=1e-15)
    np.testing.assert_allclose(hubers[0, 2:], [0.7 * (3 - 0.35), 0.7 * (5 - 0.35)], rtol=1e-15)


def test_log_likelihood_goes_with_outputs_that_are_distributions() -> None:
    assert set(LOSSES["log_likelihood"].terms) == {"logistic", "softmax", "identity"}
    assert LOSSES["log_likelihood"].for_output("relu") is None
    assert LOSSES["squared"].for_output("relu") is not None
