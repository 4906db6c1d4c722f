"""Which channels and questions OKX needs, within its limits."""

import json

import pytest

from liqwarn.collectors.okx import Okx
from liqwarn.collectors.okx_instruments import index_of, swap_of
from liqwarn.errors import ConfigError

SYMBOLS = ["BTCUSDT", "ETHUSDC"]
VENUE = Okx()


def asked(line):
    return [arg for greeting in line.greetings for arg in json.loads(greeting)["args"]]


def test_lines_of_everything():
    lines = {line.name: line for line in VENUE.lines(SYMBOLS, VENUE.kinds)}

    assert {name: line.path for name, line in lines.items()} == {
        "liquidations": "/ws/v5/public",
        "readings": "/ws/v5/public",
        "books": "/ws/v5/public",
        "candles": "/ws/v5/business",
    }
    assert asked(lines["liquidations"]) == [{"channel": "liquidation-orders", "instType": "SWAP"}]
    assert {"channel": "index-tickers", "instId": "ETH-USDC"} in asked(lines["readings"])
    assert {"channel": "open-interest", "instId": "BTC-USDT-SWAP"} in asked(lines["readings"])
    assert len(asked(lines["readings"])) == 8


def test_a_text_ping_comes_before_the_venue_closes_the_line():
    for line in VENUE.lines(SYMBOLS, VENUE.kinds):
        assert line.ping == b"ping"
        assert line.ping_every_s < 30 < line.silence_s


def test_topics_are_those_of_the_reader():
    lines = {line.name: line for line in VENUE.lines(["BTCUSDT"], VENUE.kinds)}

    assert [topic for topic, _ in lines["readings"].topics] == [
        "mark-price:BTC-USDT-SWAP",
        "funding-rate:BTC-USDT-SWAP",
        "open-interest:BTC-USDT-SWAP",
        "index-tickers:BTC-USDT",
    ]
    assert lines["liquidations"].topics == (("liquidation-orders", 1800.0),)


def test_many_symbols_take_several_lines_and_greetings():
    symbols = [f"A{n}USDT" for n in range(120)]

    lines = VENUE.lines(symbols, frozenset({"mark", "depth"}))

    assert [line.name for line in lines] == [
        "readings-1", "readings-2", "books-1", "books-2", "books-3", "books-4", "books-5"
    ]  # fmt: skip
    assert all(len(asked(line)) < 30 for line in lines[2:])
    assert [len(line.greetings) for line in lines] == [2, 1, 1, 1, 1, 1, 1]
    assert all(len(greeting) < 65_536 for line in lines for greeting in line.greetings)


def test_contract_sizes_are_asked_for_at_each_start_and_once_an_hour():
    (poll,) = VENUE.polls(SYMBOLS, frozenset({"liquidation"}))

    assert (poll.name, poll.path, poll.every_s) == (
        "instruments", "/api/v5/public/instruments?instType=SWAP", 3600.0
    )  # fmt: skip
    assert VENUE.polls([], VENUE.kinds) == ()
    assert VENUE.polls(SYMBOLS, frozenset({"trade"})) == ()


def test_names():
    assert (swap_of("BTCUSDT"), index_of("BTCUSDT")) == ("BTC-USDT-SWAP", "BTC-USDT")


@pytest.mark.parametrize("symbol", ["BTCUSD", "USDT", "btcusdt", "BTC-USDT-SWAP", ""])
def test_a_symbol_that_is_no_linear_swap_is_refused(symbol):
    with pytest.raises(ConfigError, match="expected a coin and USDT or USDC"):
        VENUE.reader([symbol])


def test_the_feed_is_told_not_to_be_the_total():
    assert VENUE.completeness.grade == "unknown part"
    assert "does not represent the total" in VENUE.completeness.note
