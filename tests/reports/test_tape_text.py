"""Recorded liquidations in words, to the letter."""

import numpy as np
import pandas as pd

from liqwarn.reports.tape_text import across_venues_text, completeness_text, tape_days_text


def test_a_series_says_who_is_missing():
    series = pd.DataFrame(
        {
            "time": pd.to_datetime(["2026-01-01T01:00", "2026-01-01T02:00"], utc=True),
            "long_usd": [2.5e6, np.nan],
            "short_usd": [1e3, np.nan],
            "net_usd": [2.499e6, np.nan],
            "venues": [1, 0],
            "missing": ["okx", "binance+okx"],
        }
    )

    assert across_venues_text(series).splitlines() == [
        "bar ends (UTC)        longs    shorts        net  venues",
        "2026-01-01 01:00      2.5 M     1.0 k      2.5 M       1   without okx",
        "2026-01-01 02:00          –         –          –       0   without binance, okx",
        "2 bars: longs 2.5 M, shorts 1.0 k USD told; 2 bars lack a venue",
    ]


def test_a_long_series_says_that_its_beginning_is_not_shown():
    series = pd.DataFrame(
        {
            "time": pd.date_range("2026-01-01T01:00", periods=3, freq="h", tz="UTC"),
            **dict.fromkeys(("long_usd", "short_usd", "net_usd"), 0.0),
            "venues": 1,
            "missing": "",
        }
    )

    lines = across_venues_text(series, last=2).splitlines()

    assert len(lines) == 4
    assert lines[-1].startswith("3 bars, the last 2 shown: longs 0")


def test_days_are_a_line_each():
    day = {"day": "2026-01-01", "venue": "okx", "symbol": "BTCUSDT", "covered": 0.5, "orders": 12.0,
           "long_usd": 1e6, "short_usd": 0.0, "largest_usd": 5e5, "saturated_min": 3.0,
           "priced": 1.0}  # fmt: skip

    assert tape_days_text([day]).splitlines()[1].split() == [
        "2026-01-01", "okx", "BTCUSDT", "50.0", "%", "12", "1.0", "M", "0", "500.0", "k", "3",
        "100.0", "%",
    ]  # fmt: skip


def test_completeness_has_its_interval_its_grade_and_its_caveat():
    side = {"symbol": "BTCUSDT", "side": "long", "episodes": 150, "share": 0.036, "low": 0.025,
            "high": 0.043, "pooled": None}  # fmt: skip
    text = completeness_text({"panel": "p", "sides": [side], "grade": "G.", "caveat": "C."})

    assert text.splitlines()[2:] == [
        "BTCUSDT      long       150    3.6 %    2.5 % to 4.3 %        –", "G.", "C.",
    ]  # fmt: skip
