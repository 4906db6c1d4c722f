"""Bybit's ticker: a snapshot tells all, a change some."""

import pytest

from liqwarn.collectors.bybit_ticker import Ticker, read_ticker
from liqwarn.errors import DataError

WHOLE = {
    "markPrice": "100.5",
    "indexPrice": "100",
    "singleOpenInterest": "7.5",
    "openInterest": "15",
    "fundingRate": "0.0001",
}


@pytest.mark.parametrize("name", ["markPrice", "indexPrice", "singleOpenInterest", "fundingRate"])
def test_a_snapshot_must_tell_all(name):
    row = {key: value for key, value in WHOLE.items() if key != name}

    with pytest.raises(DataError, match=f"field '{name}': missing"):
        read_ticker(row, None, 1, "x")


def test_the_interval_is_told_only_where_the_venue_tells_it():
    assert "funding_interval_h" not in read_ticker(WHOLE, None, 1, "x").values
    assert read_ticker({**WHOLE, "fundingIntervalHour": "4"}, None, 1, "x").values[
        "funding_interval_h"
    ] == pytest.approx(4.0)


def test_what_does_not_apply_any_more_is_forgotten():
    before = Ticker(time_ms=1, values={"mark": 100.0, "funding_rate": 0.1})

    assert read_ticker({"fundingRate": ""}, before, 2, "x").values == {"mark": 100.0}


def test_no_open_interest_is_no_reading():
    row = {**WHOLE, "singleOpenInterest": "0", "openInterest": "0"}

    assert "open_interest" not in read_ticker(row, None, 1, "x").values


def test_a_change_is_checked_against_what_is_remembered():
    before = Ticker(time_ms=1, values={"mark": 100.0, "index": 100.0})

    with pytest.raises(DataError, match="mark and index: found 100000 and 100"):
        read_ticker({"markPrice": "100000"}, before, 2, "x")
    assert before.values == {"mark": 100.0, "index": 100.0}
