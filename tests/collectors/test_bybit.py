"""What is asked of Bybit, and within which limits."""

import json

import pytest

from liqwarn.collectors.bybit import Bybit
from liqwarn.collectors.happenings import KINDS
from liqwarn.errors import ConfigError


def args(line):
    return [topic for greeting in line.greetings for topic in json.loads(greeting)["args"]]


def test_each_kind_is_asked_for_on_the_line_of_its_own():
    lines = {line.name: line for line in Bybit().lines(["BTCUSDT"], frozenset(KINDS))}

    assert {name: args(line) for name, line in lines.items()} == {
        "liquidations-1": ["allLiquidation.BTCUSDT"],
        "market-1": ["tickers.BTCUSDT", "kline.1.BTCUSDT"],
        "books-1": ["orderbook.1000.BTCUSDT"],
        "trades-1": ["publicTrade.BTCUSDT"],
    }
    assert {line.path for line in lines.values()} == {"/v5/public/linear"}
    assert {line.ping for line in lines.values()} == {b'{"op":"ping"}'}
    assert {line.ping_every_s for line in lines.values()} == {8.0}


def test_only_liquidations_may_be_silent_for_hours():
    lines = Bybit().lines(["BTCUSDT"], frozenset(KINDS))

    assert [t for line in lines for t, after in line.topics if after is None] == [
        "allLiquidation.BTCUSDT"
    ]


def test_a_symbol_that_the_venue_does_not_know_spoils_no_other():
    (line,) = Bybit().lines(["BTCUSDT", "NOSUCHUSDT"], frozenset({"trade"}))

    assert len(line.greetings) == 2


def test_arguments_of_a_connection_stay_within_21000_characters():
    symbols = [f"COIN{n}USDT" for n in range(2_000)]
    lines = Bybit().lines(symbols, frozenset({"liquidation"}))

    assert len(lines) > 1
    assert all(len(json.dumps(args(line))) <= 21_000 for line in lines)
    assert [t for line in lines for t in args(line)] == [f"allLiquidation.{s}" for s in symbols]
    assert len({line.name for line in lines}) == len(lines)


def test_what_is_not_asked_for_opens_no_line():
    assert Bybit().lines(["BTCUSDT"], frozenset({"position"})) == ()
    assert Bybit().lines([], frozenset(KINDS)) == ()
    assert Bybit().polls(["BTCUSDT"], frozenset(KINDS)) == ()


def test_a_depth_that_the_venue_does_not_offer_is_refused():
    with pytest.raises(ConfigError, match="found a book of 500 levels, expected 50, 200, 1000"):
        Bybit(levels=500)


def test_its_liquidations_are_all_by_its_own_word():
    assert Bybit().completeness.grade == "all"
    assert "February 2025" in Bybit().completeness.note
