"""Calendar features: what the clock and the schedules say."""

from datetime import timedelta

import numpy as np
import pytest

WEEK = {"close": np.ones(168)}  # closes of Monday 2024-01-01 01:00 to Monday 2024-01-08 00:00


def test_hour_of_day_and_week_turn_once(column):
    turn = 2 * np.pi * np.arange(1, 169)

    np.testing.assert_allclose(column("hour_of_day_sin", **WEEK), np.sin(turn / 24), atol=1e-12)
    np.testing.assert_allclose(column("hour_of_day_cos", **WEEK), np.cos(turn / 24), atol=1e-12)
    np.testing.assert_allclose(column("hour_of_week_sin", **WEEK), np.sin(turn / 168), atol=1e-12)
    np.testing.assert_allclose(column("hour_of_week_cos", **WEEK), np.cos(turn / 168), atol=1e-12)


def test_the_weekend_is_saturday_and_sunday_by_the_bars_close(column):
    assert column("weekend", **WEEK).tolist() == [0.0] * 120 + [1.0] * 48


def test_hours_to_the_next_settlement(column):
    found = column("funding_next_h", **WEEK)[:9]
    assert found.tolist() == [7, 6, 5, 4, 3, 2, 1, 8, 7]

    half = column("funding_next_h", bar=timedelta(minutes=30), first="2024-01-01T07:30", close=[1])
    assert half.tolist() == [0.5]


def test_scheduled_events_further_than_a_week_are_all_alike(column):
    ahead = [0.0, 30.0, 500.0, np.nan]

    np.testing.assert_equal(column("macro_next_h", next_macro_h=ahead), [0, 30, 168, np.nan])
    np.testing.assert_equal(column("unlock_next_h", next_unlock_h=ahead), [0, 30, 168, np.nan])


@pytest.mark.parametrize(("ahead", "size"), [(10.0, 0.04), (168.0, 0.04), (169.0, 0.0)])
def test_the_size_of_an_unlock_counts_when_it_is_near(column, ahead, size):
    found = column("unlock_size_7d", next_unlock_h=[ahead], next_unlock_frac=[0.04])

    assert found.tolist() == [size]
