"""One series from several venues, which says who is missing."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.across_venues import across_venues, venue_bars
from liqwarn.errors import FrameError

HOUR = timedelta(hours=1)


def minutes(long, covered=None, start="2026-01-01T00:01"):
    """Minutes of liquidated longs; half as much of shorts."""
    long = np.asarray(long, dtype=np.float64)
    covered = np.full(long.size, 60.0) if covered is None else np.asarray(covered)
    known = np.where(covered >= 60.0, 1.0, np.nan)
    return pd.DataFrame(
        {
            "time": pd.date_range(start, periods=long.size, freq="min", tz="UTC"),
            "long_sum_usd": long * known,
            "short_sum_usd": long / 2 * known,
            "long_largest_usd": long * known,
            "short_largest_usd": long / 2 * known,
            "active_seconds": known,
            "saturated": 0.0 * known,
            "covered_s": covered,
        }
    )


def test_bars_are_named_by_their_close_and_add_up():
    bars = venue_bars(minutes(range(120)), HOUR)

    assert [time.isoformat() for time in bars.index] == [
        "2026-01-01T01:00:00+00:00", "2026-01-01T02:00:00+00:00",
    ]  # fmt: skip
    assert bars["long_usd"].tolist() == [sum(range(60)), sum(range(60, 120))]
    assert bars["net_usd"].tolist() == [sum(range(60)) / 2, sum(range(60, 120)) / 2]
    assert bars["largest_usd"].tolist() == [59, 119]
    assert bars["covered_min"].tolist() == [60, 60]


@pytest.mark.parametrize(("lost", "known"), [(0, True), (3, True), (4, False), (60, False)])
def test_a_venue_speaks_for_a_bar_it_mostly_listened_to(lost, known):
    covered = [59.0] * lost + [60.0] * (60 - lost)

    bars = venue_bars(minutes(np.ones(60), covered), HOUR)

    assert bars["covered_min"].tolist() == [60 - lost]
    assert bars["long_usd"].notna().tolist() == [known]
    assert not known or bars["long_usd"].tolist() == [60 - lost]  # never scaled up


def test_a_total_says_who_is_missing_and_is_unknown_when_all_are():
    deaf = minutes(np.ones(120), [60.0] * 60 + [0.0] * 60)
    gone = minutes(np.ones(180), [60.0] * 120 + [0.0] * 60)

    series = across_venues({"okx": venue_bars(deaf, HOUR), "binance": venue_bars(gone, HOUR)})

    assert series["long_usd"].fillna(-1).tolist() == [120.0, 60.0, -1.0]
    assert series["venues"].tolist() == [2, 1, 0]
    assert series["missing"].tolist() == ["", "okx", "binance+okx"]
    assert series["okx_covered_min"].tolist() == [60.0, 0.0, 0.0]
    assert list(series.columns[-4:]) == [
        "okx_long_usd", "okx_short_usd", "okx_net_usd", "okx_covered_min",
    ]  # fmt: skip


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200), st.sampled_from([1, 5, 60]))
def test_every_bar_length_keeps_the_sum(long, n):
    bars = venue_bars(minutes(long), timedelta(minutes=n), 0.0)

    assert bars["long_usd"].sum() == sum(long)
    assert bars["covered_min"].sum() == len(long)


@pytest.mark.parametrize("bar", [timedelta(seconds=90), timedelta(0)])
def test_bars_of_parts_of_minutes_are_refused(bar):
    with pytest.raises(FrameError, match="expected a whole number of minutes"):
        venue_bars(minutes([1.0]), bar)


def test_a_minute_that_is_there_twice_is_refused():
    twice = pd.concat([minutes([1.0]), minutes([2.0])])

    with pytest.raises(FrameError, match=r"minute 2026-01-01 00:01:00\+00:00 twice"):
        venue_bars(twice, HOUR)


def test_no_venue_is_refused():
    with pytest.raises(FrameError, match="no venue"):
        across_venues({})
