"""When to record: counts and neighbours agree with the plain list."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpsvc.nn import Cadence, Criterion

CADENCES = st.one_of(st.just(Cadence("decades")), st.integers(1, 50).map(Cadence))


def listed(cadence: Cadence, a: int, b: int) -> list[int]:
    return [epoch for epoch in range(a + 1, b + 1) if cadence.records(epoch)]


@given(CADENCES, st.integers(0, 3000), st.integers(0, 3000))
def test_epochs_and_count_are_those_that_record(cadence: Cadence, a: int, more: int) -> None:
    epochs = listed(cadence, a, a + more)
    np.testing.assert_array_equal(cadence.epochs(a, a + more), epochs)
    assert cadence.count(a, a + more) == len(epochs)


@given(CADENCES, st.integers(0, 200_000))
def test_neighbours_are_recorded_and_enclose(cadence: Cadence, epoch: int) -> None:
    below, above = cadence.neighbours(epoch)
    assert cadence.records(below) and cadence.records(above)
    assert below <= epoch <= above
    assert (below == above) == cadence.records(epoch)
    assert cadence.count(below, above) == (below != above)


def test_decades_as_the_design_says() -> None:
    decades = Cadence("decades")
    expected = [*range(101), *range(110, 1001, 10), *range(1100, 10001, 100)]
    assert [0, *decades.epochs(0, 10_000)] == expected
    assert decades.count(0, 10**9) == 100 + 90 * 7
    assert decades.neighbours(12_345) == (12_000, 13_000)


def test_criteria() -> None:
    values = np.array([0.5, 1.0, np.nan, 2.0])
    np.testing.assert_array_equal(Criterion("accuracy", at_least=1.0).met(values), [False, True, False, True])
    np.testing.assert_array_equal(Criterion("max_error", below=1.0).met(values), [True, False, False, False])
    assert Criterion("validation_loss", below=1.0).of_validation


@pytest.mark.parametrize("every", [1, 7, "decades"])
def test_epoch_zero_is_always_recorded(every) -> None:
    assert Cadence(every).records(0)
