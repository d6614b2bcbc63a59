"""Laws over the whole table of activations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpsvc.nn.activations import ACTIVATIONS, Activation
from bpsvc.nn.piecewise import SELU_ALPHA, SELU_SCALE

ELEMENTWISE = [name for name, record in ACTIVATIONS.items() if record.through is None]
LECTURE = ["identity", "binary_step", "logistic", "tanh", "arctan", "relu", "prelu", "elu", "softplus"]


def sigma(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def softplus(z: float) -> float:
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def elu(z: float, alpha: float) -> float:
    return z if z >= 0 else alpha * math.expm1(z)


# Each formula again, with scalars: (f, f').
REFERENCE = {
    "identity": (lambda z: z, lambda z: 1.0),
    "binary_step": (lambda z: float(z >= 0), lambda z: 0.0),
    "logistic": (sigma, lambda z: sigma(z) * sigma(-z)),
    "tanh": (math.tanh, lambda z: 1 - math.tanh(z) ** 2),
    "arctan": (math.atan, lambda z: 1 / (1 + z * z)),
    "relu": (lambda z: max(z, 0.0), lambda z: float(z >= 0)),
    "leaky_relu": (lambda z: z if z >= 0 else 0.01 * z, lambda z: 1.0 if z >= 0 else 0.01),
    "prelu": (lambda z: z if z >= 0 else 0.25 * z, lambda z: 1.0 if z >= 0 else 0.25),
    "elu": (lambda z: elu(z, 1.0), lambda z: 1.0 if z >= 0 else math.exp(z)),
    "softplus": (softplus, sigma),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
    "gelu": (
        lambda z: z * 0.5 * math.erfc(-z / math.sqrt(2)),
        lambda z: 0.5 * math.erfc(-z / math.sqrt(2)) + z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    ),
    "silu": (lambda z: z * sigma(z), lambda z: sigma(z) * (1 + z * sigma(-z))),
    "selu": (
        lambda z: SELU_SCALE * elu(z, SELU_ALPHA),
        lambda z: SELU_SCALE if z >= 0 else SELU_SCALE * SELU_ALPHA * math.exp(z),
    ),
    "mish": (
        lambda z: z * math.tanh(softplus(z)),
        lambda z: math.tanh(softplus(z)) + z * (1 - math.tanh(softplus(z)) ** 2) * sigma(z),
    ),
}
POINTS = np.array(
    [
        0.0,
        *(
            s * m
            for m in (1e-300, 1e-12, 1e-6, 0.1, 0.5, 1.0, 2.5, 7.0, 30.0, 40.0, 700.0, 1000.0)
            for s in (1, -1)
        ),
    ]
)


def test_the_lectures_nine_and_the_others_are_there() -> None:
    assert set(LECTURE) <= set(ACTIVATIONS)
    assert set(ACTIVATIONS) == {*REFERENCE, "softmax"}, "REFERENCE, above, has a second formula for each"
    assert ACTIVATIONS.canonical("sigmoid") == "logistic"


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_value_is_the_formula_from_near_zero_to_a_thousand(name: str) -> None:
    expected = [REFERENCE[name][0](z) for z in POINTS]
    np.testing.assert_allclose(ACTIVATIONS[name](POINTS), expected, rtol=5e-15, atol=1e-307)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_derivative_is_the_formula_from_near_zero_to_a_thousand(name: str) -> None:
    expected = [REFERENCE[name][1](z) for z in POINTS]
    np.testing.assert_allclose(ACTIVATIONS[name].prime(POINTS), expected, rtol=5e-15, atol=5e-16)


def away_from_kinks(record: Activation, z: np.ndarray, by: float) -> np.ndarray:
    """Also away from where f'' jumps: there difference quotients are of lower order."""
    for kink in (*record.kinks, *([0.0] if record.name == "softsign" else [])):
        z = z[np.abs(z - kink) > by]
    return z


def difference(record: Activation, z: np.ndarray, step: float, **knobs: float) -> np.ndarray:
    """f'(z) by differences of fourth order."""
    f = lambda shift: record(z + shift * step, **knobs)  # noqa: E731
    return (8 * (f(1) - f(-1)) - (f(2) - f(-2))) / (12 * step)


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(alpha=st.floats(0.01, 0.99), offset=st.floats(0.0, 0.01))
def test_derivative_is_the_difference_quotient_away_from_kinks(
    name: str, alpha: float, offset: float
) -> None:
    record = ACTIVATIONS[name]
    knobs = {knob.name: alpha for knob in record.knobs if knob.name == "alpha"}
    z = away_from_kinks(record, np.linspace(-8.0, 8.0, 161) + offset, 0.01)
    np.testing.assert_allclose(
        record.prime(z, **knobs), difference(record, z, 1e-3, **knobs), rtol=2e-9, atol=2e-9
    )


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_steepest_is_the_largest_slope_and_range_holds(name: str) -> None:
    record = ACTIVATIONS[name]
    z = np.linspace(-20, 20, 400_001)
    slopes, values = np.abs(record.prime(z)), record(z)
    assert slopes.max() == pytest.approx(
        float(record.steepest(record.with_defaults({}))), rel=1e-4, abs=1e-12
    )
    assert values.min() >= record.low and values.max() <= record.high


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if ACTIVATIONS[name].kinks])
def test_at_the_kink_the_right_branch_counts_unless_the_knob_says_otherwise(name: str) -> None:
    record = ACTIVATIONS[name]
    zero = np.array([-0.0, 0.0])
    right = record.prime(np.array([1e-9]))[0]
    np.testing.assert_array_equal(record.prime(zero), right)
    if any(knob.name == "derivative_at_zero" for knob in record.knobs):
        np.testing.assert_array_equal(record.prime(zero, derivative_at_zero=0.125), 0.125)
        np.testing.assert_array_equal(record.prime(np.array([1e-9]), derivative_at_zero=0.125), right)


def test_a_smooth_function_has_no_such_knob() -> None:
    smooth = [name for name in ELEMENTWISE if not ACTIVATIONS[name].kinks]
    assert not [n for n in smooth if any(k.name == "derivative_at_zero" for k in ACTIVATIONS[n].knobs)]


def test_relatives() -> None:
    z = np.linspace(-6, 6, 97)
    leaky, prelu, relu = (ACTIVATIONS[name] for name in ("leaky_relu", "prelu", "relu"))
    np.testing.assert_array_equal(leaky(z, alpha=1.0), z)
    np.testing.assert_array_equal(leaky(z, alpha=0.0), relu(z))
    np.testing.assert_array_equal(leaky(z, alpha=0.3), prelu(z, alpha=0.3))
    np.testing.assert_allclose(ACTIVATIONS["tanh"](z), 2 * ACTIVATIONS["logistic"](2 * z) - 1, atol=1e-15)
    np.testing.assert_allclose(ACTIVATIONS["softplus"].prime(z), ACTIVATIONS["logistic"](z), rtol=1e-15)


def test_prelu_learns_alpha_by_the_negative_part() -> None:
    z, step = np.linspace(-3, 3, 61), 1e-6
    record = ACTIVATIONS["prelu"]
    slope = (record(z, alpha=0.25 + step) - record(z, alpha=0.25 - step)) / (2 * step)
    np.testing.assert_allclose(slope, np.minimum(z, 0.0), atol=1e-9)


def test_softmax_is_a_distribution_over_units_and_of_two_a_logistic() -> None:
    z = np.array([[1000.0, 0.0, -3.0], [-1000.0, 0.0, 2.0]])
    a = ACTIVATIONS["softmax"](z)
    np.testing.assert_allclose(a.sum(axis=0), 1.0, rtol=1e-15)
    np.testing.assert_allclose(a[0], ACTIVATIONS["logistic"](z[0] - z[1]), rtol=1e-15)
    assert [name for name, record in ACTIVATIONS.items() if record.output_only] == ["softmax"]


def test_fahlmans_offset_is_added_to_the_logistic_slope() -> None:
    z = np.linspace(-50, 50, 11)
    record = ACTIVATIONS["logistic"]
    np.testing.assert_allclose(record.prime(z, derivative_offset=0.1), record.prime(z) + 0.1, rtol=1e-15)
