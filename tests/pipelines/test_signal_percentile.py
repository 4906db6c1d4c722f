"""Percentiles at one bar: the same bits as the percentile of every bar, from any start."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.models.score_quantile import MEMORY, score_quantile
from liqwarn.pipelines.signal_percentile import remembered_bars, standing_of

HOUR = timedelta(hours=1)


def series(n_bars, seed=0):
    """Two symbols, two columns: with ties, with gaps."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(2, n_bars, 2)).round(1)
    values[rng.random(values.shape) < 0.1] = np.nan
    return values


def placed(values, at, first_bar, bar):
    past = remembered_bars(at, first_bar, bar)
    return standing_of(values[:, past], values[:, at], bar)


@pytest.mark.parametrize(
    ("bar", "n_bars", "first"),
    [
        (HOUR, 5200, 473_353),
        (timedelta(hours=4), 1300, 7),
        (timedelta(minutes=30), 9000, 12),
        (timedelta(minutes=30), 9000, 13),
    ],
)
def test_it_is_the_percentile_of_every_bar(bar, n_bars, first):
    values = series(n_bars)
    expected = score_quantile(values, values, first, bar)

    for at in (0, 100, n_bars // 3, n_bars - 2, n_bars - 1):
        np.testing.assert_array_equal(placed(values, at, first, bar)[0], expected[:, at])


@pytest.mark.parametrize("bar", [HOUR, timedelta(minutes=30), timedelta(hours=4)])
def test_the_bars_before_its_memory_change_no_bit(bar):
    values = series(MEMORY // bar + 500)
    at = values.shape[1] - 1
    whole = placed(values, at, 1001, bar)
    cut = values.shape[1] - 1 - MEMORY // bar

    part = placed(values[:, cut:], at - cut, 1001 + cut, bar)

    for a, b in zip(whole, part, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_future_changes_no_bit():
    values = series(2000)
    later = values.copy()
    later[:, 1501:] = 1e9

    for a, b in zip(placed(values, 1500, 0, HOUR), placed(later, 1500, 0, HOUR), strict=True):
        np.testing.assert_array_equal(a, b)


def test_under_30_days_it_is_not_known():
    values = np.arange(800.0).reshape(1, 800, 1)

    assert np.isnan(placed(values, 719, 0, HOUR)[0]).all()
    assert placed(values, 720, 0, HOUR)[0].item() == 1.0


def test_values_equal_to_it_count_by_half():
    values = np.zeros((1, 1001, 1))
    values[0, :250] = -1.0

    assert placed(values, 1000, 0, HOUR)[0].item() == 0.625


def test_a_missing_value_has_no_percentile_and_says_whether_it_was_ever_there():
    values = np.full((1, 1000, 3), np.nan)
    values[0, :999, 1] = 1.0
    values[0, 999, 2] = 1.0

    percentile, known = placed(values, 999, 0, HOUR)

    assert np.isnan(percentile).all()
    assert known.tolist() == [[False, True, True]]


def test_shapes_must_fit():
    with pytest.raises(FrameError, match=r"past has shape \(1, 9, 2\), expected .* of \(1, 3\)"):
        standing_of(np.zeros((1, 9, 2)), np.zeros((1, 3)), HOUR)
