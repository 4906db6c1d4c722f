"""Intervals cover what they promise to, and say nothing where they cannot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from liqwarn.simulation.intervals import chance_of, mean_interval, order_interval, spread

SAMPLES = np.random.default_rng(7).standard_exponential((2_000, 300))


@pytest.mark.parametrize(("share", "truth"), [(0.05, -np.log(0.95)), (0.95, -np.log(0.05))])
def test_order_statistics_cover_the_percentile_whatever_the_distribution(share, truth):
    ends = np.array([order_interval(row, share) for row in SAMPLES])
    covered = ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean()

    assert 0.94 < covered < 0.99


def test_the_mean_s_interval_covers_the_mean():
    ends = np.array([mean_interval(row) for row in SAMPLES])

    assert 0.93 < ((ends[:, 0] <= 1.0) & (ends[:, 1] >= 1.0)).mean() < 0.97


@given(hnp.arrays(np.float64, st.integers(100, 400), elements=st.floats(-1e6, 1e6)))
def test_a_percentile_lies_in_its_interval_and_percentiles_ascend(values):
    found = spread(values, low_tail=True)

    assert found["p05"] <= found["p50"] <= found["p95"]
    for name in ("p05", "p95"):
        low, high = found[f"{name}_ci"]
        assert low <= found[name] <= high
        assert {low, high} <= set(values.tolist())


def test_paths_without_the_number_are_left_out():
    values = np.array([1.0, np.nan, 3.0])

    assert spread(values) == spread(values[[0, 2]])
    assert spread(values)["mean"] == 2.0


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_nothing_is_null_not_zero(values):
    found = spread(np.array(values), low_tail=True)

    assert set(found) == {"mean", "ci", "p05", "p50", "p95", "p95_ci", "p05_ci"}
    assert set(found.values()) == {None}


def test_one_path_has_no_interval():
    found = spread(np.array([2.0]))

    assert (found["mean"], found["p95"]) == (2.0, 2.0)
    assert found["ci"] is None
    assert found["p95_ci"] is None


def test_a_chance_has_wilson_s_interval():
    assert chance_of([]) == {"value": None, "ci": None}
    never = chance_of([False] * 100)
    assert never["value"] == 0.0
    assert never["ci"][0] == 0.0
    assert 0.03 < never["ci"][1] < 0.04
