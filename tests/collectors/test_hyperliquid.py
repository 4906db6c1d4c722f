"""What is asked of Hyperliquid, and within which limits."""

import json

import pytest

from liqwarn.collectors.happenings import KINDS
from liqwarn.collectors.hyperliquid import Hyperliquid
from liqwarn.collectors.hyperliquid_names import HLP_LIQUIDATORS
from liqwarn.errors import ConfigError

SOMEBODY = "0x" + "aB" * 20


def asked(line):
    return [json.loads(greeting)["subscription"] for greeting in line.greetings]


def test_each_kind_is_asked_for_on_the_line_of_its_own():
    venue = Hyperliquid(liquidators=(SOMEBODY,))
    lines = {line.name: line for line in venue.lines(["1000PEPEUSDT"], frozenset(KINDS))}

    assert {name: asked(line) for name, line in lines.items()} == {
        "fills": [{"type": "userFills", "user": SOMEBODY.lower()}],
        "market-1": [
            {"type": "l2Book", "coin": "BTC"},
            {"type": "activeAssetCtx", "coin": "kPEPE"},
            {"type": "candle", "coin": "kPEPE", "interval": "1m"},
        ],
        "trades-1": [{"type": "trades", "coin": "kPEPE"}],
        "books-3-1": [{"type": "l2Book", "coin": "kPEPE", "nSigFigs": 3}],
        "books-4-1": [{"type": "l2Book", "coin": "kPEPE", "nSigFigs": 4}],
    }
    assert {line.path for line in lines.values()} == {"/ws"}
    assert {line.ping for line in lines.values()} == {b'{"method":"ping"}'}


def test_only_fills_may_be_silent_for_hours():
    lines = Hyperliquid().lines(["BTCUSDT"], frozenset(KINDS))

    assert [t for line in lines for t, after in line.topics if after is None] == [
        f"userFills:{vault}" for vault in HLP_LIQUIDATORS
    ]


def test_many_coins_are_spread_over_lines_without_the_clock_for_candles_alone():
    symbols = [f"COIN{n}USDT" for n in range(450)]
    lines = Hyperliquid().lines(symbols, frozenset({"candle"}))

    assert [len(line.greetings) for line in lines] == [200, 200, 50]
    assert {told["type"] for line in lines for told in asked(line)} == {"candle"}


def test_positions_are_asked_for_account_by_account():
    venue = Hyperliquid(watched=(SOMEBODY,))
    (poll,) = venue.polls(["BTCUSDT"], frozenset(KINDS))

    assert poll.name == f"positions-{SOMEBODY.lower()}"
    assert (poll.path, poll.every_s) == ("/info", 60.0)
    assert json.loads(poll.body or b"") == {
        "type": "clearinghouseState",
        "user": SOMEBODY.lower(),
    }
    assert venue.polls(["BTCUSDT"], frozenset({"trade"})) == ()
    assert Hyperliquid().polls(["BTCUSDT"], frozenset(KINDS)) == ()


def test_many_accounts_are_asked_less_often():
    accounts = tuple(f"0x{n:040x}" for n in range(600))
    polls = Hyperliquid(watched=accounts).polls(["BTCUSDT"], frozenset(KINDS))

    assert {poll.every_s for poll in polls} == {120.0}
    assert sum(2.0 * 60.0 / poll.every_s for poll in polls) <= 600.0


def test_an_account_that_is_given_twice_is_followed_once():
    venue = Hyperliquid(liquidators=(SOMEBODY, SOMEBODY.lower()))

    assert venue.liquidators == (SOMEBODY.lower(),)


def test_more_than_ten_accounts_or_no_account_are_refused():
    eleven = tuple(f"0x{n:040x}" for n in range(11))

    with pytest.raises(ConfigError, match="found 11 liquidators, expected at most 10"):
        Hyperliquid(liquidators=eleven)
    with pytest.raises(ConfigError, match="found account '0x12', expected 0x and 40"):
        Hyperliquid(watched=("0x12",))


def test_its_liquidations_are_an_unknown_part():
    assert Hyperliquid().completeness.grade == "unknown part"
