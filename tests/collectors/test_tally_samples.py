"""Candles from samples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.tally_samples import SampledCandle

SAMPLES = st.lists(
    st.tuples(st.integers(0, 59_999), st.integers(60_000, 70_000), st.floats(1.0, 9.0)), max_size=12
)


def candle(samples):
    found = SampledCandle()
    for sample in samples:
        found.add(*sample)
    return found


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_a_quarter_without_a_sample_leaves_no_candle(missing):
    times = [1_000 + 15_000 * k for k in range(4) if k != missing]

    assert candle([(t, t, 5.0) for t in times]).prices is None


def test_no_price_is_0():
    assert candle([(15_000 * k, 60_000, 0.0) for k in range(4)]).prices is None


@given(SAMPLES, st.randoms())
def test_the_order_of_samples_does_not_matter(samples, random):
    shuffled = list(samples)
    random.shuffle(shuffled)

    assert candle(shuffled) == candle(samples)


@given(SAMPLES, SAMPLES)
def test_parts_merge_to_the_whole(first, second):
    merged = candle(first)
    merged.merge(candle(second))

    assert merged == candle(first + second)


@given(SAMPLES)
def test_open_and_close_lie_between_high_and_low(samples):
    prices = candle(samples).prices

    if prices is not None:
        first, high, low, last = prices
        assert low <= min(first, last) <= max(first, last) <= high
