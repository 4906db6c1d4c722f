"""The hazard view: what is learned an interval, and what follows for the horizons."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from liqwarn.models.hazard import at_risk, hazard_weights, interval_outcomes, within_horizons
from liqwarn.models.metrics import log_odds

rows_of = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))["rows_of"]
hazards = arrays(np.float64, (5, 3), elements=st.floats(0.0, 1.0))


@given(h=hazards, empty=st.sets(st.integers(0, 2)))
def test_the_chance_of_an_onset_never_falls_with_the_horizon(h, empty):
    h[:, sorted(empty)] = np.nan

    p = within_horizons(h)

    np.testing.assert_array_equal(np.isnan(p), np.isnan(h))
    kept = p[:, [k for k in range(3) if k not in empty]]
    assert (np.diff(kept, axis=1) >= 0).all()
    assert ((kept >= 0) & (kept <= 1)).all()


@given(
    first=st.integers(0, 3),  # the interval of the first onset; 3 is none
    known=st.integers(0, 3),  # how many horizons can be judged
)
def test_an_interval_is_judged_only_of_those_who_reach_it(first, known):
    y = np.array([float(first <= k) if k < known else np.nan for k in range(3)])

    z = interval_outcomes(y)

    for k in range(3):
        if k >= known or first < k:
            assert np.isnan(z[k])
        else:
            assert z[k] == float(first == k)


def test_rates_of_the_intervals_give_back_the_rates_of_the_horizons():
    rows = rows_of(days=40)

    z = at_risk(rows).y

    hazard = np.nansum(z, axis=0) / np.isfinite(z).sum(axis=0)
    np.testing.assert_allclose(within_horizons(hazard), rows.y.mean(axis=0), rtol=1e-12)
    assert np.isnan(z).any()
    np.testing.assert_array_equal(at_risk(rows).milder, interval_outcomes(rows.milder))


def test_a_horizon_without_outcomes_is_passed_over():
    y = np.array([np.nan, 1.0, 1.0])

    np.testing.assert_array_equal(interval_outcomes(y), [np.nan, 1.0, np.nan])
    np.testing.assert_allclose(within_horizons(np.array([np.nan, 0.2, 0.5])), [np.nan, 0.2, 0.6])


@given(h=arrays(np.float64, 2, elements=st.floats(0.01, 0.9)), which=st.integers(0, 1))
def test_a_weight_is_the_slope_of_the_log_odds(h, which):
    def risk(moved):
        logit = log_odds(h)
        logit[which] += moved
        return log_odds(within_horizons(1.0 / (1.0 + np.exp(-logit))))[-1]

    slope = (risk(1e-4) - risk(-1e-4)) / 2e-4

    assert hazard_weights(h)[which] == pytest.approx(slope, rel=1e-4)


def test_nothing_weighs_where_there_is_no_risk():
    np.testing.assert_array_equal(hazard_weights(np.array([0.0, 0.0])), [0.0, 0.0])
    np.testing.assert_array_equal(hazard_weights(np.array([np.nan, 0.5])), [0.0, 1.0])
