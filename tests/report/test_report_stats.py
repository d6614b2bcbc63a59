"""The statistics against SciPy, which shares no code with them, and where values are "later"."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats as scipy_stats

from bpsvc.reporting.stats import (
    decades_per_step,
    holm,
    kaplan_meier,
    median_band,
    paired_difference,
    quantiles,
    sign_test,
    spearman,
    wilson,
)


@given(
    st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.8, 0.95]),
)
def test_wilson_is_scipys(case: tuple[int, int], level: float) -> None:
    successes, runs = case
    ours = wilson(successes, runs, level)
    theirs = scipy_stats.binomtest(successes, runs).proportion_ci(level, method="wilson")
    assert_allclose([ours.low, ours.high], [theirs.low, theirs.high], atol=1e-12)
    assert ours.low <= ours.share <= ours.high


def test_wilson_without_runs_knows_nothing() -> None:
    nothing = wilson(0, 0)
    assert math.isnan(nothing.share)
    assert (nothing.low, nothing.high) == (0, 1)
    with pytest.raises(ValueError, match="3 successes of 2"):
        wilson(3, 2)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0, 1))
def test_quantiles_of_finite_values_are_numpys(values: list[float], share: float) -> None:
    assert_allclose(quantiles(values, [share]), np.quantile(values, [share]), rtol=1e-9, atol=1e-6)


def test_quantiles_keep_the_place_of_later() -> None:
    epochs = [100, 200, 300, np.inf, np.inf]
    assert quantiles(epochs, [0.25, 0.5, 0.75]).tolist() == [200, 300, np.inf]
    # Between a solved and an unsolved run lies "later", never a number in between.
    assert quantiles([100, np.inf], [0.5]).tolist() == [np.inf]
    assert np.isnan(quantiles([], [0.5])).all()
    with pytest.raises(ValueError, match="not numbers"):
        quantiles([1, np.nan], [0.5])


@pytest.mark.parametrize("runs", [3, 5, 9, 15, 31])
def test_median_band_is_the_bootstrap_without_its_noise(runs: int) -> None:
    values = np.random.default_rng(runs).normal(size=runs)
    ours = median_band(values)
    theirs = scipy_stats.bootstrap(
        (values,), np.median, n_resamples=40_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours.median == np.median(values)
    ordered = np.sort(values)
    for end, simulated in ((ours.low, theirs.low), (ours.high, theirs.high)):
        # The bootstrap median is an order statistic; noise may move a simulated quantile by one of them.
        assert abs(int(np.searchsorted(ordered, end)) - int(np.searchsorted(ordered, simulated))) <= 1
    low_rank = int(np.searchsorted(ordered, ours.low)) + 1
    middle = (runs + 1) // 2
    below = scipy_stats.binom.sf(middle - 1, runs, np.array([low_rank - 1, low_rank]) / runs)
    assert below[0] <= 0.025 < below[1]


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("runs", [*range(1, 41), 101, 20_000])
def test_median_band_ends_at_the_first_ranks_past_the_tails(runs: int, level: float) -> None:
    """Also of many runs, where asking every rank for its binomial tail would take minutes."""
    share = np.arange(1, runs + 1) / runs
    at_least = [scipy_stats.binom.sf(half, runs, share) for half in ((runs - 1) // 2, runs // 2)]
    band = median_band(np.arange(runs), level)
    assert band.low == np.argmax(at_least[0] > (1 - level) / 2)
    assert band.high == np.argmax(at_least[1] >= (1 + level) / 2)


@given(st.integers(1, 30), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_median_band_holds_the_median_in_every_column(runs: int, columns: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(runs, columns))
    band = median_band(values)
    assert_allclose(band.median, np.median(values, axis=0))
    assert (band.low <= band.median).all()
    assert (band.median <= band.high).all()


def test_median_band_with_diverged_runs_and_missing_values() -> None:
    assert median_band([1.0, 2.0, np.inf]).median == 2
    assert median_band([1.0, np.inf, np.inf]).median == np.inf
    assert np.isnan(median_band([1.0, np.nan]).median)
    assert np.isnan(median_band(np.zeros((0, 2))).median).all()


def test_the_median_of_huge_values_is_between_them() -> None:
    with np.errstate(over="raise"):
        assert median_band(np.array([1.5e308, 1.7e308])).median == 1.6e308


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=40))
def test_kaplan_meier_is_scipys(cases: list[tuple[int, bool]]) -> None:
    times = np.array([time for time, _ in cases], float)
    solved = np.array([event for _, event in cases])
    ours = kaplan_meier(times, solved)
    data = scipy_stats.CensoredData.right_censored(times, ~solved)
    theirs = scipy_stats.ecdf(data).sf
    assert_allclose(ours.share, theirs.evaluate(ours.time), atol=1e-12)


def test_kaplan_meier_interval_is_scipys_log_log() -> None:
    rng = np.random.default_rng(3)
    times, solved = rng.integers(1, 50, 60).astype(float), rng.random(60) < 0.7
    ours = kaplan_meier(times, solved)
    theirs = scipy_stats.ecdf(scipy_stats.CensoredData.right_censored(times, ~solved)).sf
    with pytest.warns(RuntimeWarning, match="undefined at some observations"):
        interval = theirs.confidence_interval(method="log-log")
    inside = (ours.share > 0) & (ours.share < 1)
    assert inside.sum() > 20
    assert_allclose(ours.low[inside], interval.low.evaluate(ours.time)[inside], atol=1e-12)
    assert_allclose(ours.high[inside], interval.high.evaluate(ours.time)[inside], atol=1e-12)


@given(st.integers(0, 60), st.integers(0, 60))
def test_sign_test_is_scipys(higher: int, lower: int) -> None:
    expected = 1.0 if higher + lower == 0 else scipy_stats.binomtest(higher, higher + lower).pvalue
    assert_allclose(sign_test(higher, lower), expected, rtol=1e-9)


def test_sign_test_of_more_pairs_than_a_float_can_count() -> None:
    assert 0 < sign_test(1900, 2100) < 0.01
    # Working out every binomial coefficient from its factorials would take many minutes.
    assert_allclose(sign_test(19_800, 20_200), scipy_stats.binomtest(19_800, 40_000).pvalue, rtol=1e-6)


@given(st.integers(0, 150), st.integers(0, 150))
def test_sign_test_is_exact_to_the_last_bit(higher: int, lower: int) -> None:
    tail = sum(math.comb(higher + lower, k) for k in range(min(higher, lower) + 1))
    assert sign_test(higher, lower) == min(1.0, 2 * tail / 2 ** (higher + lower))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=30))
def test_spearman_is_scipys(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs, float).T
    ours = spearman(first, second)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert math.isnan(ours)
    else:
        assert_allclose(ours, scipy_stats.spearmanr(first, second).statistic, atol=1e-12)


def test_paired_difference_says_what_it_could_not_decide() -> None:
    first = [100, 200, 300, np.inf, 400, np.inf]
    second = [150, 260, 300, np.inf, np.inf, 500]
    result = paired_difference(first, second)
    assert (result.pairs, result.undecided) == (5, 1)
    assert (result.higher, result.lower) == (3, 1)
    assert result.median == 50
    assert result.p_value == scipy_stats.binomtest(3, 4).pvalue


def test_holm_steps_down() -> None:
    assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert_allclose(holm([0.5, np.nan, 0.9]), [1.0, np.nan, 1.0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(1, np.array(p_values) * len(p_values)) + 1e-15).all()
    assert (
        adjusted.argmin() == int(np.argmin(p_values)) or adjusted.min() == adjusted[int(np.argmin(p_values))]
    )


def test_decades_per_step_is_a_regression_of_logarithms() -> None:
    rng = np.random.default_rng(0)
    x = np.arange(1.0, 11)
    y = 10 ** (0.4 * x - 3 + rng.normal(0, 0.1, 10))
    theirs = scipy_stats.linregress(x, np.log10(y))
    ours = decades_per_step(x, y)
    assert_allclose([ours.slope, ours.intercept], [theirs.slope, theirs.intercept])
    y[0] = 0
    assert_allclose(decades_per_step(x, y).slope, scipy_stats.linregress(x[1:], np.log10(y[1:])).slope)
    assert math.isnan(decades_per_step([1, 1], [1, 10]).slope)
