"""The percentile bar by bar is the batch's, bit for bit, however the bars are divided."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import FrameError, ModelError, StoreError
from liqwarn.models.score_memory import SCHEMA, ScoreMemory
from liqwarn.models.score_quantile import MEMORY, score_quantile
from liqwarn.models.state_bytes import pack_arrays

HOUR = timedelta(hours=1)


def draw(n_bars, seed):
    """Probabilities with ties, gaps and infinities."""
    rng = np.random.default_rng(seed)
    p = rng.integers(0, 50, size=(2, n_bars, 2)) / 50.0
    p[rng.random(p.shape) < 0.05] = np.nan
    p[rng.random(p.shape) < 0.01] = np.inf
    return p


def live(past, present, first_bar, bar, start, saved_at=None):
    """Percentiles of the bars from `start` on."""
    memory = ScoreMemory.start(past[:, :start], first_bar, bar)
    found = []
    for t in range(start, past.shape[1]):
        found.append(memory.place(present[:, t]))
        memory.remember(past[:, t], first_bar + t)
        if t == saved_at:
            memory = ScoreMemory.from_bytes(memory.to_bytes(), bar)
    return np.stack(found, axis=1)


@settings(max_examples=12, deadline=None)
@given(
    minutes=st.sampled_from([5, 30, 60, 240]),
    first_bar=st.integers(0, 5000),
    after=st.integers(0, 300),
    seed=st.integers(0, 1000),
)
def test_every_later_bar_is_the_batch_s(minutes, first_bar, after, seed):
    bar = timedelta(minutes=minutes)
    start = MEMORY // bar // (12 if minutes == 5 else 1) + after
    past, present = draw(start + 150, seed), draw(start + 150, seed + 1)

    found = live(past, present, first_bar, bar, start, saved_at=start + 60)

    expected = score_quantile(past, present, first_bar, bar)[:, start:]
    assert found.tobytes() == expected.tobytes()
    assert minutes == 5 or np.isfinite(found).any()


@pytest.mark.parametrize(("minutes", "start"), [(240, 0), (240, 1), (240, 179), (60, 715)])
def test_it_begins_to_know_when_the_batch_does(minutes, start):
    bar = timedelta(minutes=minutes)
    past, present = draw(1500, 5), draw(1500, 6)

    found = live(past, present, 77, bar, start)

    assert found.tobytes() == score_quantile(past, present, 77, bar)[:, start:].tobytes()
    assert np.isfinite(found).any()
    assert np.isnan(found[:, 0]).all()


def test_short_bars_are_sampled_hourly_over_the_whole_memory():
    bar = timedelta(minutes=30)
    past, present = draw(9200, 7), draw(9200, 8)

    found = live(past, present, 13, bar, 8500)

    assert found.tobytes() == score_quantile(past, present, 13, bar)[:, 8500:].tobytes()
    assert np.isfinite(found).any()


def test_a_history_longer_than_the_memory_counts_only_the_end():
    past = draw(6000, 9)

    whole = ScoreMemory.start(past, 100, HOUR)
    rest = ScoreMemory.start(past[:, -4320:], 100 + 6000 - 4320, HOUR)

    assert whole.to_bytes() == rest.to_bytes()


def test_a_bar_that_does_not_fit_changes_nothing():
    memory = ScoreMemory.start(draw(800, 1), 10, HOUR)
    before = memory.to_bytes()

    with pytest.raises(ModelError, match="the bar has number 811, expected 810"):
        memory.remember(np.zeros((2, 2)), 811)
    with pytest.raises(FrameError, match=r"probabilities have shape \(3, 2\), expected \(2, 2\)"):
        memory.remember(np.zeros((3, 2)), 810)
    with pytest.raises(FrameError, match=r"probabilities have shape \(4,\), expected \(2, 2\)"):
        memory.place(np.zeros(4))
    with pytest.raises(FrameError, match=r"past has shape \(2, 3\), expected"):
        ScoreMemory.start(np.zeros((2, 3)), 10, HOUR)
    assert memory.to_bytes() == before


def test_bytes_that_are_not_a_memory_s():
    data = ScoreMemory.start(draw(800, 1), 10, HOUR).to_bytes()

    with pytest.raises(StoreError, match="damaged or cut short"):
        ScoreMemory.from_bytes(data[:-8], HOUR)
    with pytest.raises(StoreError, match=r"memory is of 3600.0 s bars, expected 300.0 s"):
        ScoreMemory.from_bytes(data, timedelta(minutes=5))
    header = {"bar_s": 3600.0, "bar_number": 7}
    with pytest.raises(StoreError, match=r"values of shape \(4, 9\), expected \(_, 4320\)"):
        ScoreMemory.from_bytes(pack_arrays(SCHEMA, header, {"values": np.zeros((4, 9))}), HOUR)
