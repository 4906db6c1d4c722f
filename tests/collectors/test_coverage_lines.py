"""Which lines carry what."""

import runpy
from pathlib import Path

import pytest

from liqwarn.collectors.binance import Binance
from liqwarn.collectors.coverage_lines import carrying_lines
from liqwarn.collectors.venues import VENUES

PAPER = runpy.run_path(str(Path(__file__).with_name("paper_venue.py")))


def test_every_line_with_a_topic_of_the_symbol_carries_it():
    venue = PAPER["PaperVenue"]()

    found = carrying_lines(venue, ["BTCUSDT", "ETHUSDT"], "liquidation", venue.kinds)

    assert found == {
        symbol: dict.fromkeys(["orders", "backup"], frozenset({f"orders.{symbol}"}))
        for symbol in ("BTCUSDT", "ETHUSDT")
    }


def test_nothing_carries_what_was_not_asked_for():
    venue = PAPER["PaperVenue"]()

    assert carrying_lines(venue, ["BTCUSDT"], "liquidation", frozenset({"mark"})) == {"BTCUSDT": {}}


@pytest.mark.parametrize("name", VENUES)
def test_every_venue_has_a_line_for_the_liquidations_of_a_symbol(name):
    venue = VENUES[name]

    found = carrying_lines(venue, ["BTCUSDT", "ETHUSDT"], "liquidation", venue.kinds)

    names = {line.name for line in venue.lines(["BTCUSDT", "ETHUSDT"], venue.kinds)}
    for lines in found.values():
        assert lines
        assert set(lines) < names  # books and candles come over others


@pytest.mark.parametrize("symbols", [["BTCUSDT"], ["BTCUSDT", "ETHUSDT"]])
def test_one_stream_for_all_symbols_carries_each(symbols):
    venue = Binance()

    found = carrying_lines(venue, symbols, "liquidation", venue.kinds)

    assert found == {symbol: {"liquidations": frozenset({"!forceOrder@arr"})} for symbol in symbols}
