import numpy as np
import pytest

from liqwarn.models.bootstrap import (
    draw_weights,
    interval,
    mean_of_runs,
    mean_samples,
    one_of_runs,
    week_codes,
    week_numbers,
    week_positions,
)
from liqwarn.models.ranking import rank_rows, weighted_pr_auc


def test_weeks_begin_on_monday_at_midnight_utc():
    times = np.array(
        [
            "2024-01-07T23:59:59",  # a Sunday
            "2024-01-08T00:00:00",
            "2024-01-14T23:59:59",
            "2024-01-15T00:00:00",
        ],
        dtype="datetime64[s]",
    )

    assert week_codes(times)[0].tolist() == [0, 1, 1, 2]


def test_weeks_without_rows_are_not_drawn_and_a_year_does_not_cut_one():
    times = np.array(["2024-12-31", "2025-01-01", "2023-06-01"], dtype="datetime64[s]")
    codes, n_weeks = week_codes(times)

    assert codes.tolist() == [1, 1, 0]
    assert n_weeks == 2


def test_the_weeks_of_a_resample_are_as_many_as_there_are():
    weights = draw_weights(13, 500, seed=1)

    assert weights.shape == (500, 13)
    assert (weights.sum(axis=1) == 13).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(13), abs=0.2)
    # drawn with replacement: about a third of the weeks is left out each time
    assert (weights == 0).mean() == pytest.approx((1 - 1 / 13) ** 13, abs=0.02)


def test_the_same_seed_draws_the_same_weeks():
    assert np.array_equal(draw_weights(20, 100, seed=7), draw_weights(20, 100, seed=7))
    assert not np.array_equal(draw_weights(20, 100, seed=7), draw_weights(20, 100, seed=8))


def test_a_week_is_drawn_with_all_its_symbols():
    times = np.repeat(np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]"), 2)
    symbols = np.tile(["BTC", "ETH"], len(times) // 2)
    codes, n_weeks = week_codes(times.astype("datetime64[s]"))
    weights = draw_weights(n_weeks, 50, seed=3)[:, codes]

    assert np.array_equal(weights[:, symbols == "BTC"], weights[:, symbols == "ETH"])
    assert np.array_equal(weights[:, :14], np.repeat(weights[:, :1], 14, axis=1))


def test_models_measured_on_the_same_draws_are_paired():
    rng = np.random.default_rng(4)
    y, week = (rng.random(800) < 0.2).astype(float), np.repeat(np.arange(40), 20)
    score = y + rng.normal(0.0, 1.0, 800)
    weights = draw_weights(40, 300, seed=0)
    first, again = (weighted_pr_auc(rank_rows(y, s, week), weights) for s in (score, np.exp(score)))
    alone = weighted_pr_auc(rank_rows(y, score, week), draw_weights(40, 300, seed=1))

    assert interval(first - again) == (0.0, 0.0)
    assert interval(first - alone)[1] > 0.01


def test_the_interval_of_a_mean_of_weeks_is_the_normal_one():
    rng = np.random.default_rng(11)
    weekly = rng.normal(2.0, 3.0, 200)
    means = draw_weights(200, 4000, seed=5) @ weekly / 200
    low, high = interval(means)
    error = weekly.std() / np.sqrt(200)

    assert low == pytest.approx(weekly.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(weekly.mean() + 1.96 * error, abs=0.1 * error)


def test_the_interval_covers_the_truth_where_rows_of_a_week_move_together():
    """Resampling single rows would cover it about a third of the time."""
    rng = np.random.default_rng(2)
    covered = []
    for seed in range(200):
        rows = rng.normal(0.0, 1.0, (60, 1)) + rng.normal(0.0, 0.3, (60, 24))
        low, high = interval(draw_weights(60, 400, seed) @ rows.mean(axis=1) / 60)
        covered.append(low <= 0.0 <= high)

    assert 0.88 <= np.mean(covered) <= 0.99


def test_an_interval_leaves_out_resamples_without_events():
    samples = np.array([np.nan, *np.arange(101.0), np.nan])

    assert interval(samples) == pytest.approx((2.5, 97.5))
    assert interval(samples, level=0.8) == pytest.approx((10.0, 90.0))
    assert np.isnan(interval(np.full(3, np.nan))).all()
    assert np.isnan(interval(np.empty(0))).all()


def test_a_moment_of_an_unlisted_week_belongs_to_the_last_one_before_it():
    listed = np.array(["2024-01-10", "2024-01-24"], dtype="datetime64[s]")
    moments = np.array(
        ["2024-01-01", "2024-01-08", "2024-01-17", "2024-01-22", "2024-05-01"],
        dtype="datetime64[s]",
    )

    assert week_positions(week_numbers(listed), moments).tolist() == [0, 0, 0, 1, 1]
    assert week_positions(week_numbers(listed), moments[:0]).tolist() == []


def test_the_mean_of_a_resample_counts_what_its_weeks_hold():
    rng = np.random.default_rng(0)
    x, weeks = rng.random(40), rng.integers(0, 7, 40)
    weights = draw_weights(7, 50, seed=0)

    found = mean_samples(x, weeks, weights)

    assert found == pytest.approx([np.average(x, weights=w[weeks]) for w in weights])
    assert np.isnan(mean_samples(x[:0], weeks[:0], weights)).all()


def test_one_run_is_drawn_for_each_resample():
    samples = np.arange(3.0)[:, None] + np.linspace(0.0, 0.5, 3000)

    found = one_of_runs(samples, seed=0)

    runs = found - np.linspace(0.0, 0.5, 3000)
    assert set(runs.round(9)) == {0.0, 1.0, 2.0}
    assert np.bincount(runs.round().astype(int)) / 3000 == pytest.approx([1 / 3] * 3, abs=0.04)
    np.testing.assert_array_equal(found, one_of_runs(samples, seed=0))


def test_the_mean_of_runs_varies_less_than_one_of_them():
    samples = np.repeat(np.random.default_rng(1).normal(size=(5, 1)), 4000, axis=1)

    one, mean = one_of_runs(samples, seed=0), mean_of_runs(samples, seed=0)

    assert mean.mean() == pytest.approx(samples[:, 0].mean(), abs=0.02)
    assert mean.std() == pytest.approx(samples[:, 0].std() / np.sqrt(5), rel=0.1)
    assert one.std() == pytest.approx(samples[:, 0].std(), rel=0.1)


def test_runs_that_say_the_same_leave_the_chance_of_weeks_alone():
    weeks = np.random.default_rng(2).normal(size=100)
    same = np.tile(weeks, (4, 1))

    assert mean_of_runs(same, seed=0) == pytest.approx(weeks)
    np.testing.assert_array_equal(one_of_runs(same, seed=0), weeks)
