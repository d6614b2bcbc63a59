"""specs/published: every file belongs to a result, every result has its files, and each is a valid spec."""

import sqlite3

import numpy as np
import pytest

from benchmarks.published.__main__ import RESULTS, SPECS
from benchmarks.published.dynamics import gradient, sharpness
from benchmarks.published.record import Database, probability, relative, shares, within
from benchmarks.published.signals import chi_1, critical
from benchmarks.published.solving import by_quartile, quartiles
from bpsvc import spec

FILES = sorted(path.stem for path in SPECS.glob("*.json"))


def test_files_and_results_belong_together() -> None:
    assert sorted({name for result in RESULTS for name in result.specs}) == FILES
    assert len(RESULTS) >= 10


@pytest.mark.parametrize("name", FILES)
def test_each_is_a_valid_spec(name: str) -> None:
    path = SPECS / f"{name}.json"
    experiment = spec.resolve(spec.read(path, source=str(path)), base=SPECS)
    assert experiment.name == name
    assert experiment.runs
    assert not experiment.warnings


def test_what_is_too_far_is_not_reproduced() -> None:
    assert within("", 1.0, 1.1, 0.11, "").met
    assert not within("", 1.0, 1.1, 0.09, "").met
    assert not within("", float("nan"), 1.1, 0.09, "").met
    assert relative("", 76.0, 100.0, 0.25, "").met
    assert not relative("", 74.0, 100.0, 0.25, "").met
    assert shares("", (965, 1000), (973, 1000), "").met
    assert not shares("", (965, 1000), (915, 1000), "").met
    assert probability("", (931, 1000), 0.9308, "").met
    assert not probability("", (880, 1000), 0.9308, "").met


def test_quartiles_count_the_unsolved_as_later_than_all_others() -> None:
    epochs = [40.0, None, 10.0, 20.0, None, 30.0, 50.0, 60.0]
    assert quartiles(epochs) == [30.0, 50.0, float("inf")]
    assert quartiles(epochs, only_solved=True) == [20.0, 40.0, 50.0]
    assert by_quartile("", epochs, (25.0, 45.0, 65.0), 0.07, "").met
    assert not by_quartile("", epochs, (5.0, 45.0, 65.0), 0.07, "").met


def test_the_gradient_behind_sharpness_is_that_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    theta, x, y = rng.normal(size=13), np.linspace(-1.0, 1.0, 7), rng.normal(size=7)

    def loss(theta: np.ndarray) -> float:
        w1, b1, w2, b2 = theta[:4], theta[4:8], theta[8:12], theta[12]
        return float(np.mean((np.tanh(np.outer(x, w1) + b1) @ w2 + b2 - y) ** 2) / 2)

    moves = 1e-6 * np.eye(13)
    slopes = [(loss(theta + move) - loss(theta - move)) / 2e-6 for move in moves]
    np.testing.assert_allclose(gradient(theta, x, y), slopes, atol=1e-8)


def test_sharpness_of_a_net_whose_hessian_is_known() -> None:
    """All weights 0: only b2 and W2 meet the outputs, and f is flat in all but b2, with curvature 1."""
    assert sharpness(np.zeros(13), np.linspace(-1.0, 1.0, 7), np.zeros(7)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.slow
def test_mean_field_theory() -> None:
    """Without biases the critical variance is 1; the numbers for 0.05 are the notes'."""
    assert chi_1(1.0, 0.0) == pytest.approx(1.0, abs=1e-3)
    assert chi_1(1.5, 0.05) == pytest.approx(0.938636, abs=1e-6)
    assert critical(0.05) == pytest.approx(1.76095464, abs=5e-9)


def test_a_database_that_lacks_the_runs_is_no_success() -> None:
    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError):
        RESULTS[0].check(Database(":memory:", connection))
    connection.close()
