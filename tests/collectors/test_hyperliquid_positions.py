"""Positions of an account, and those that are there no more."""

import json
import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.collectors.hyperliquid_positions import read_positions
from liqwarn.errors import DataError

F = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("hyperliquid_frames.py"))))
COINS = {"BTC": "BTCUSDT", "ETH": "ETHUSDT"}


def held(*positions, at=F.T0):
    return read_positions(json.loads(F.state(*positions, at=at)), F.WATCHED, COINS, "x")


def test_a_short_has_a_negative_size():
    (told,) = held(F.position(size="-1.5")).after(None)

    assert (told.symbol, told.owner, told.size, told.time_ms) == (
        ("BTCUSDT", F.WATCHED, -1.5, F.T0)
    )
    assert (told.entry, told.liquidation_price, told.leverage) == (61_000.5, 70_000.25, 20.0)


def test_a_price_that_the_venue_does_not_tell_is_nan():
    (told,) = held(F.position(liquidationPx=None)).after(None)

    assert math.isnan(told.liquidation_price)


def test_a_position_that_is_gone_is_told_once_with_size_0():
    first = held(F.position(), F.position("ETH", "2.0"))
    second = held(F.position(), at=F.T0 + 60_000)
    third = held(F.position(), at=F.T0 + 120_000)

    assert [(p.symbol, p.size, p.time_ms) for p in second.after(first)] == [
        ("BTCUSDT", -1.5, F.T0 + 60_000),
        ("ETHUSDT", 0.0, F.T0 + 60_000),
    ]
    assert [p.symbol for p in third.after(second)] == ["BTCUSDT"]


def test_coins_that_were_not_asked_for_are_passed_over():
    assert held(F.position("DOGE", "5")).after(None) == ()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"szi": -1.5}, "a number as text"),
        ({"szi": "NaN"}, "a number as text"),
        ({"entryPx": "-1"}, "above 0"),
        ({"liquidationPx": "0"}, "above 0"),
        ({"leverage": {"type": "cross", "value": 0}}, "expected above 0"),
        ({"leverage": {"type": "cross", "value": "20"}}, "a finite number"),
        ({"leverage": 20}, "an object"),
        ({"coin": ""}, "expected text"),
    ],
)
def test_what_cannot_be_is_refused(change, why):
    with pytest.raises(DataError, match=why):
        held(F.position(**change))


@pytest.mark.parametrize("name", ["szi", "entryPx", "liquidationPx", "leverage", "coin"])
def test_a_field_that_is_gone_is_refused(name):
    gone = F.position()
    del gone["position"][name]

    with pytest.raises(DataError, match=name):
        held(gone)


def test_a_coin_that_is_there_twice_is_refused():
    with pytest.raises(DataError, match="a coin is there twice"):
        held(F.position(), F.position())
