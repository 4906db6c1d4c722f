import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from liqwarn.errors import FrameError
from liqwarn.simulation.shock_factors import ShockFactors, fitted_factors, specified_factors
from liqwarn.simulation.specs import DEFAULT_SPECS

FACTORS = specified_factors(DEFAULT_SPECS, 24.0)
points = st.lists(st.floats(-5.0, 5.0), min_size=12, max_size=12).map(np.array)


def past(n_bars, seed=1):
    rng = np.random.default_rng(seed)
    loadings = np.array([[0.01, 0.0], [0.01, 0.004], [0.012, -0.004]])
    return loadings @ rng.standard_normal((2, n_bars)) + 0.002 * rng.standard_normal((3, n_bars))


@settings(deadline=None)
@given(points)
def test_a_move_is_as_far_out_as_its_point_and_as_its_factor_values(y):
    moves, length = FACTORS.moves(y), np.linalg.norm(y)
    assert FACTORS.distance(moves) == pytest.approx(length, abs=1e-9)
    assert np.linalg.norm(FACTORS.values(y)) == pytest.approx(length, abs=1e-9)


def test_the_distance_is_mahalanobis_with_the_covariance_of_the_factors():
    covariance = FACTORS.loadings @ FACTORS.loadings.T
    moves = np.linspace(-0.1, 0.05, 12)
    expected = np.sqrt(moves @ np.linalg.solve(covariance, moves))
    assert FACTORS.distance(moves) == pytest.approx(expected)


def test_specified_factors_give_each_symbol_its_volatility():
    std = np.linalg.norm(FACTORS.loadings, axis=1)
    hourly = np.array([spec.volatility for spec in DEFAULT_SPECS])
    np.testing.assert_allclose(std, hourly * np.sqrt(24.0))
    ai = FACTORS.loadings[:, FACTORS.names.index("sector ai")] != 0.0
    assert [s.name for s, one in zip(DEFAULT_SPECS, ai, strict=True) if one] == [
        "FETUSDT", "NEARUSDT", "RNDRUSDT", "TAOUSDT"
    ]  # fmt: skip


def test_the_likeliest_factor_values_of_a_market_wide_fall_are_the_markets():
    y = -4.0 * FACTORS.axes[0]
    values = FACTORS.values(y)
    assert FACTORS.names[int(np.abs(values).argmax())] == "market"
    assert np.abs(values[1:]).max() < 1.0


def test_the_tail_is_that_of_as_many_dimensions_as_moves_have():
    assert FACTORS.tail(4.0) == pytest.approx(float(chi2.sf(16.0, 12)))
    draws = np.random.default_rng(2).standard_normal((20_000, 15)) @ FACTORS.loadings.T
    seen = np.mean([FACTORS.distance(move) > 4.0 for move in draws])
    assert seen == pytest.approx(FACTORS.tail(4.0), abs=0.01)


def test_fitted_factors_find_the_covariance_of_what_was_drawn():
    returns = past(48_000)
    factors = fitted_factors(returns, 24)
    np.testing.assert_allclose(
        factors.loadings @ factors.loadings.T, 24.0 * np.cov(returns), rtol=0.15
    )
    sizes = np.linalg.norm(factors.loadings, axis=0)
    assert (np.diff(sizes) < 0.0).all()
    largest = np.abs(factors.loadings).argmax(axis=0)
    assert (factors.loadings[largest, range(3)] > 0.0).all()


def test_the_share_of_past_days_further_out_is_counted():
    factors = fitted_factors(past(2_400), 24)
    assert factors.seen.shape == (100,)
    assert factors.seen_frac(0.0) == 1.0
    assert factors.seen_frac(factors.seen.max()) == 0.0
    assert factors.seen_frac(float(np.median(factors.seen))) == 0.5
    assert FACTORS.seen_frac(3.0) is None


def test_moves_end_with_the_last_bar_and_those_with_a_gap_are_left_out():
    returns = past(2_405)
    broken = returns.copy()
    broken[:, :5] = 9.0  # before the first whole move
    np.testing.assert_array_equal(
        fitted_factors(broken, 24).loadings, fitted_factors(returns[:, 5:], 24).loadings
    )
    broken[1, 100] = np.nan
    assert len(fitted_factors(broken, 24).seen) == 99


def test_a_past_without_enough_moves_is_refused():
    with pytest.raises(FrameError, match=r"29 complete past moves of 24 bars, expected at least"):
        fitted_factors(past(24 * 30 - 1), 24)


def test_a_symbol_that_never_moved_is_refused():
    returns = past(2_400)
    returns[2] = 0.0
    with pytest.raises(FrameError, match=r"rows \[2\] of the past returns never move"):
        fitted_factors(returns, 24)


def test_loadings_must_fit_their_names_and_move_something():
    with pytest.raises(FrameError, match=r"loadings have shape \(2, 2\), expected"):
        ShockFactors(names=("market",), loadings=np.ones((2, 2)))
    with pytest.raises(FrameError, match="finite, and not all 0"):
        ShockFactors(names=("market",), loadings=np.zeros((2, 1)))
