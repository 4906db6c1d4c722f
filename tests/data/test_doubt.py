"""Values that cannot all be true: both rules, alone, and in the quality of a bar."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.doubt import APART_FRAC, DOUBT_FIELDS, doubts
from liqwarn.data.panel import Panel
from liqwarn.data.quality import LiveQuality, measure_quality
from liqwarn.frames import MarketFrame, bar_times

N = np.nan
CALM = {
    "open": 100.0,
    "high": 101.0,
    "low": 99.0,
    "close": 100.0,
    "mark": 100.0,
    "index": 100.0,
    "long_liq_usd": 0.0,
    "short_liq_usd": 0.0,
    "open_interest": 5.0,
}


def frame(*bars):
    """One symbol, each bar calm but for what is said."""
    cells = [CALM | bar for bar in bars]
    return MarketFrame(
        symbols=("BTCUSDT",),
        times=bar_times(np.datetime64("2024-01-01T01:00:00"), len(cells), timedelta(hours=1)),
        bar=timedelta(hours=1),
        fields={name: np.array([[c[name] for c in cells]]) for name in CALM},
        ages={},
    )


def panel():
    time = {"column": "t", "unit": "s", "label": "end", "step": "1h"}
    fields = {name: name for name in CALM}
    source = {"name": "all", "file": "p.csv", "time": time, "symbol": "BTCUSDT", "fields": fields}
    return Panel.model_validate(
        {
            "name": "test",
            "market": "real",
            "bar": "1h",
            "symbols": ["BTCUSDT"],
            "core": ["close"],
            "sources": [source],
        }
    )


@pytest.mark.parametrize(
    ("bar", "apart", "mute"),
    [
        ({}, False, False),
        ({"mark": 102.9}, False, False),
        ({"mark": 103.1}, True, False),
        ({"mark": 97.0}, True, False),
        ({"index": 103.1}, True, False),
        ({"index": 97.0}, True, False),
        ({"mark": N, "index": N}, False, False),
        ({"low": 97.0}, False, True),  # longs were run against, and none was liquidated
        ({"low": 97.0, "long_liq_usd": 0.01}, False, False),
        ({"low": 97.0, "long_liq_usd": N}, False, False),
        ({"low": 97.0, "long_liq_usd": N, "short_liq_usd": 9.0}, False, False),
        ({"low": 97.2}, False, False),
        ({"high": 103.1}, False, True),
        ({"high": 103.1, "short_liq_usd": 1.0}, False, False),
        ({"high": 103.1, "long_liq_usd": 1.0}, False, True),
        ({"high": 102.9}, False, False),
        ({"high": 103.1, "open": N}, False, False),
        ({"low": 97.0, "mark": 90.0}, True, True),
    ],
)
def test_what_is_in_doubt(bar, apart, mute):
    found = doubts(frame({}, bar, {}))

    assert found.apart.tolist() == [[False, apart, False]]
    assert found.mute.tolist() == [[False, mute, False]]


def test_a_frame_without_these_fields_is_never_in_doubt():
    bare = MarketFrame(
        symbols=("BTCUSDT",),
        times=bar_times(np.datetime64("2024-01-01T01:00:00"), 2, timedelta(hours=1)),
        bar=timedelta(hours=1),
        fields={"close": np.array([[1.0, 9.0]])},
        ages={},
    )

    assert not np.any(doubts(bare))


def test_a_doubtful_bar_is_degraded_and_still_complete():
    found = measure_quality(frame({}, {"mark": 90.0}, {"low": 90.0}, {}), panel())

    assert found.quality[0].tolist() == ["ok", "degraded", "degraded", "ok"]
    assert found.completeness[0].tolist() == [1.0] * 4
    assert found.usable.all()


def test_a_bar_without_a_core_field_stays_stale():
    found = measure_quality(frame({}, {"close": N, "low": 90.0}), panel())

    assert found.quality[0].tolist() == ["ok", "stale"]


near = st.sampled_from([0.0, 1.0, N, np.inf, 97.0, 97.08, 100.0, 103.0, 103.0000001, 1e300])


@settings(max_examples=150, deadline=None)
@given(bars=st.lists(st.fixed_dictionaries(dict.fromkeys(DOUBT_FIELDS, near)), min_size=2))
def test_bar_by_bar_it_is_the_same(bars):
    whole, ours = frame(*bars), panel()
    expected = measure_quality(whole, ours)
    live = LiveQuality.start(whole.between(0, 1), ours)

    for bar in range(1, len(bars)):
        column = {name: plane[:, bar] for name, plane in whole.fields.items()}
        found = live.advance(column, whole.times[bar])
        assert found.quality.tolist() == expected.quality[:, bar].tolist()


@settings(max_examples=100, deadline=None)
@given(
    close=st.floats(1e-6, 1e6),
    other=st.floats(1e-6, 1e6),
    scale=st.sampled_from([0.5, 2.0, 1024.0]),
)
def test_prices_are_compared_by_their_ratio_both_ways(close, other, scale):
    def apart(a, b):
        return bool(doubts(frame({"close": a, "mark": b, "index": N})).apart[0, 0])

    assert apart(close, other) == apart(other, close) == apart(scale * close, scale * other)
    ratio = max(close, other) / min(close, other)
    if abs(ratio - 1.0 - APART_FRAC) > 1e-9:
        assert apart(close, other) == (ratio > 1.0 + APART_FRAC)
