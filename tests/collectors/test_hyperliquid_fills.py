"""Whose side was liquidated, from the fills of either account of a trade."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.collectors.hyperliquid_fills import read_fill
from liqwarn.errors import DataError

F = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("hyperliquid_frames.py"))))
COINS = {"BTC": "BTCUSDT"}


def read(row, owner=F.VAULT):
    return read_fill(row, owner, COINS, "x")


@pytest.mark.parametrize(
    ("owner", "side", "words", "method", "expected"),
    [
        ("vault", "B", "Liquidated Isolated Long", "backstop", "long"),
        ("vault", "A", "Liquidated Cross Short", "backstop", "short"),
        ("maker", "B", "Open Long", "market", "long"),
        ("maker", "B", "Close Short", "market", "long"),
        ("maker", "A", "Open Short", "market", "short"),
        ("maker", "A", "Close Long", "market", "short"),
        ("victim", "A", "Liquidated Isolated Long", "backstop", "long"),
        ("victim", "A", "Liquidated Cross Long", "market", "long"),
        ("victim", "B", "Liquidated Isolated Short", "market", "short"),
        ("victim", "B", "Close Short", "market", "short"),
    ],
)
def test_the_side_of_the_liquidated_position(owner, side, words, method, expected):
    """A fill that sells and is of the liquidated account itself is of a long: the venue sold."""
    victim = F.VAULT if owner == "victim" else F.VICTIM
    told = read(F.fill(7, side=side, words=words, method=method, victim=victim)).liquidation

    assert told is not None
    assert (told.side, told.price, told.size) == (expected, 62_000.0, 0.5)
    assert told.price_is == "average"


def test_letters_of_an_address_may_be_large():
    told = read(F.fill(7, side="A", victim=F.VAULT.upper().replace("0X", "0x"))).liquidation

    assert told is not None
    assert told.side == "long"


def test_sides_that_contradict_one_another_are_refused():
    with pytest.raises(DataError, match="found side A of the other account and 'Liquidated Isol"):
        read(F.fill(7, side="A"))


def test_without_the_account_only_the_words_tell():
    row = F.fill(7)
    del row["liquidation"]["liquidatedUser"]
    told = read(row).liquidation

    assert told is not None
    assert told.side == "long"
    assert read({**row, "dir": "Open Long"}).liquidation is None


def test_an_ordinary_fill_is_none_and_one_in_another_coin_neither():
    assert read(F.fill(7, victim=None, words="Close Long")).liquidation is None
    assert read(F.fill(7, coin="ETH")).liquidation is None
    assert read(F.fill(7, coin="ETH")).forced


def test_a_forced_fill_without_the_field_that_says_so_is_refused():
    with pytest.raises(DataError, match="field 'liquidation': missing in a fill 'Liquidated"):
        read(F.fill(7, victim=None))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"side": "Buy"}, "expected B, A"),
        ({"px": 62000.0}, "a number as text"),
        ({"px": "0"}, "above 0"),
        ({"sz": "-1"}, "above 0"),
        ({"sz": "10000000"}, "contracts taken for coins"),
        ({"time": F.T0 // 1_000}, "milliseconds of 2010"),
        ({"tid": "7"}, "a whole number"),
        ({"coin": None}, "expected text"),
        ({"dir": 3}, "expected text"),
        ({"liquidation": True}, "an object"),
        ({"liquidation": {"liquidatedUser": F.VICTIM, "method": "adl"}}, "market, backstop"),
        ({"liquidation": {"user": F.VICTIM, "markPx": "1"}}, "field 'method': missing"),
    ],
)
def test_what_cannot_be_is_refused(change, why):
    with pytest.raises(DataError, match=why):
        read({**F.fill(7), **change})
