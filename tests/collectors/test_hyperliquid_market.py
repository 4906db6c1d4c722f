"""Hyperliquid's market frames, one by one."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.collectors.hyperliquid_market import read_book, read_candle, read_context, read_trade
from liqwarn.errors import DataError

F = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("hyperliquid_frames.py"))))
COINS = {"BTC": "BTCUSDT"}


def data(frame):
    return json.loads(frame)["data"]


def depth(bids, asks):
    told = read_book(data(F.book(bids, asks)), "x").readings("BTCUSDT")
    return {reading.field: reading.value for reading in told}


def test_b_is_a_taker_who_buys():
    """The documentation: the side of a trade is the aggressing one, B a bid, A an ask."""
    sides = []
    for letter in "BA":
        (row,) = data(F.trades(5, side=letter))
        sides.append(read_trade(row, COINS, "x")[1].side)

    assert sides == ["buy", "sell"]


def test_a_context_is_hourly_funding_and_coins_of_one_side():
    told = {r.field: r.value for r in read_context(F.CONTEXT, "BTCUSDT", F.T0, "x")}

    assert told == {
        "mark": 63560.0,
        "index": 63580.0,
        "funding_rate": -0.0000125,
        "funding_interval_h": 1.0,
        "open_interest": 36295.5,
    }


def test_a_coin_that_is_traded_no_more_has_no_open_interest():
    told = read_context({**F.CONTEXT, "openInterest": "0.0"}, "BTCUSDT", F.T0, "x")

    assert "open_interest" not in {reading.field for reading in told}


def test_a_book_in_steps_of_100_reaches_beyond_the_band():
    bids, asks = F.ladder(63_500, -100), F.ladder(63_600, 100)
    near = [float(px) * 2 for px, _ in bids if float(px) >= 63_550 * 0.99]

    assert depth(bids, asks)["bid_depth_usd"] == pytest.approx(sum(near))
    assert len(near) == 6


@pytest.mark.parametrize(
    ("first", "step", "told"),
    [
        (63_550, 1, False),  # twenty levels of one dollar: 0.03 %
        (63_550, 10, False),  # 0.3 %
        (63_550, 100, True),  # 3 % in steps of 0.16 %
        (63_550, 1_000, False),  # steps of 1.6 % are too coarse
    ],
)
def test_depth_is_told_where_the_book_reaches_far_in_steps_that_are_fine(first, step, told):
    bids, asks = F.ladder(first - step, -step), F.ladder(first + step, step)

    assert bool(depth(bids, asks)) == told


def test_a_book_of_a_few_levels_is_all_there_is():
    assert set(depth([("99.9", "1"), ("99.8", "1")], [("100.1", "1"), ("100.2", "1")])) == {
        "bid_depth_usd",
        "ask_depth_usd",
    }


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"o": "103"}, "expected low and high around"),
        ({"l": "0"}, "above 0"),
        ({"v": "-1"}, "a volume of 0 on"),
        ({"o": 100.0}, "a number as text"),
        ({"T": F.T0 + 60_000}, "expected a minute in milliseconds"),
        ({"t": F.T0 // 1_000, "T": F.T0 // 1_000 + 59_999}, "milliseconds of 2010"),
        ({"i": "5m"}, "expected a minute"),
        ({"s": 7}, "expected text"),
    ],
)
def test_a_candle_that_cannot_be_is_refused(change, why):
    with pytest.raises(DataError, match=why):
        read_candle({**data(F.candle()), **change}, "x")


@pytest.mark.parametrize(
    ("bids", "asks", "why"),
    [
        ([("9", "1"), ("10", "1")], [("11", "1")], "in no order"),
        ([("9", "1")], [("12", "1"), ("11", "1")], "in no order"),
        ([("9", "1"), ("9", "2")], [("11", "1")], "each price once"),
        ([("11", "1")], [("10", "1")], "bids below asks"),
        ([("9", "0")], [("10", "1")], "above 0"),
        (F.ladder(100, -1, 21), [("101", "1")], "at most 20"),
    ],
)
def test_a_book_that_cannot_be_is_refused(bids, asks, why):
    with pytest.raises(DataError, match=why):
        read_book(data(F.book(bids, asks)), "x")


def test_a_book_of_one_side_tells_nothing():
    assert depth([], F.ladder(100, 1)) == {}
