"""The trailing percentile of a probability: exact, past-only, and the same from any start."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.models.score_quantile import score_quantile

HOUR = timedelta(hours=1)


def draw(n_bars: int, seed: int) -> np.ndarray:
    """Probabilities with ties and gaps."""
    rng = np.random.default_rng(seed)
    p = rng.integers(0, 50, size=(2, n_bars, 2)) / 50.0
    p[rng.random(p.shape) < 0.05] = np.nan
    return p


def plainly(past, present, t, window, least):
    seen = past[max(0, t - window) : t]
    seen = seen[np.isfinite(seen)]
    if seen.size < least or not np.isfinite(present[t]):
        return np.nan
    return 0.5 * ((seen < present[t]).sum() + (seen <= present[t]).sum()) / seen.size


def test_it_equals_counting():
    past, present = draw(6000, 1), draw(6000, 2)

    found = score_quantile(past, present, 7, HOUR)

    for t in [*range(700, 740), *range(4310, 4330), 5999]:
        expected = plainly(past[1, :, 0], present[1, :, 0], t, 4320, 720)
        np.testing.assert_array_equal(found[1, t, 0], expected)


@settings(max_examples=15, deadline=None)
@given(start=st.integers(0, 40), bar_minutes=st.sampled_from([5, 30, 60, 240]))
def test_a_history_that_starts_later_gives_the_same_bits(start, bar_minutes):
    bar = timedelta(minutes=bar_minutes)
    memory = timedelta(days=180) // bar
    n_bars = memory + 300
    p = draw(n_bars, bar_minutes)[:1]

    whole = score_quantile(p, p, 1000, bar)
    later = score_quantile(p[:, start:], p[:, start:], 1000 + start, bar)

    tail = slice(memory + start + 1, None)
    assert np.isfinite(whole[0, tail]).any()
    np.testing.assert_array_equal(whole[:, tail], later[:, tail.start - start :])


def test_the_present_is_not_in_its_own_past():
    p = np.full((1, 800, 2), 0.1)
    p[0, -1] = 0.9

    found = score_quantile(p, p, 0, HOUR)

    assert found[0, -2, 0] == 0.5  # it says the same of every bar: no bar stands out
    assert found[0, -1, 0] == 1.0
    changed = p.copy()
    changed[0, -1] = 0.05
    assert score_quantile(changed, changed, 0, HOUR)[0, -1, 0] == 0.0


def test_shapes_must_fit():
    with pytest.raises(FrameError, match=r"past has shape \(1, 2, 2\), expected \(1, 3, 2\)"):
        score_quantile(np.zeros((1, 2, 2)), np.zeros((1, 3, 2)), 0, HOUR)
