"""Which lines and questions Binance needs, within its limits."""

import pytest

from liqwarn.collectors.binance import Binance
from liqwarn.errors import ConfigError

SYMBOLS = ["BTCUSDT", "ETHUSDT"]
VENUE = Binance()


def test_lines_of_everything():
    lines = VENUE.lines(SYMBOLS, VENUE.kinds)

    marks = "btcusdt@markPrice@1s/ethusdt@markPrice@1s/btcusdt@kline_1m/ethusdt@kline_1m"
    assert [(line.name, line.path) for line in lines] == [
        ("liquidations", "/market/stream?streams=!forceOrder@arr"),
        ("market", f"/market/stream?streams={marks}"),
        ("depth", "/public/stream?streams=btcusdt@depth@500ms/ethusdt@depth@500ms"),
    ]
    assert all(line.greetings == () for line in lines)


def test_every_line_lives_under_a_route_for_others_connect_and_stay_silent():
    for line in VENUE.lines(SYMBOLS, VENUE.kinds):
        assert line.path.startswith(("/market/stream?streams=", "/public/stream?streams="))


def test_silence_of_any_stream_is_a_fault():
    topics = [topic for line in VENUE.lines(SYMBOLS, VENUE.kinds) for topic in line.topics]

    assert dict(topics)["!forceOrder@arr"] == 600.0
    assert all(silent is not None for _, silent in topics)


def test_many_symbols_take_several_lines():
    symbols = [f"A{n}USDT" for n in range(250)]

    lines = VENUE.lines(symbols, frozenset({"mark", "depth"}))

    assert [line.name for line in lines] == [
        "market-1", "market-2", "market-3", "depth-1", "depth-2", "depth-3"
    ]  # fmt: skip
    assert [len(line.topics) for line in lines] == [100, 100, 50] * 2
    assert all(len(line.path) < 4096 for line in lines)


def test_questions():
    polls = {poll.name: poll for poll in VENUE.polls(SYMBOLS, VENUE.kinds)}

    assert polls["open-interest-BTCUSDT"].path == "/fapi/v1/openInterest?symbol=BTCUSDT"
    assert polls["depth-ETHUSDT"].path == "/fapi/v1/depth?symbol=ETHUSDT&limit=1000"
    assert polls["funding-info"].path == "/fapi/v1/fundingInfo"
    assert len(polls) == 5
    assert VENUE.polls(SYMBOLS, frozenset({"liquidation"})) == ()


def test_snapshots_of_many_symbols_come_less_often():
    def every(count):
        symbols = [f"A{n}USDT" for n in range(count)]
        return {poll.every_s for poll in VENUE.polls(symbols, frozenset({"depth"}))}

    assert (every(1), every(30), every(100)) == ({60.0}, {60.0}, {200.0})


def test_nothing_asked_for_needs_no_line():
    assert VENUE.lines(SYMBOLS, frozenset({"trade", "position"})) == ()
    assert VENUE.lines([], frozenset({"mark"})) == ()


@pytest.mark.parametrize("symbol", ["btcusdt", "BTC-USDT", "", "BTCUSDT/../x", "币安USDT"])
def test_a_symbol_that_is_none_is_refused(symbol):
    with pytest.raises(ConfigError, match="expected such as BTCUSDT"):
        VENUE.lines([symbol], VENUE.kinds)
    with pytest.raises(ConfigError, match="expected such as BTCUSDT"):
        VENUE.reader([symbol])


def test_the_feed_is_told_to_be_cut():
    assert VENUE.completeness.grade == "one a second"
    assert "2021-04-27" in VENUE.completeness.note
