"""Laws of rows: what is true passes, what was swapped does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.sources.row_laws import amounts, book, candle, positive_candle, shares

PRICE = st.floats(1e-6, 1e9)


def ohlc(*told):
    return dict(zip(("open", "high", "low", "close"), map(str, told), strict=True))


@given(st.lists(st.floats(-1e9, 1e9), min_size=4, max_size=4).map(sorted), st.booleans())
def test_a_candle_has_its_high_above_and_its_low_below(prices, up):
    low, one, two, high = prices
    told = (one, high, low, two) if up else (two, high, low, one)

    assert candle(ohlc(*told)) == ""
    if low < high and low < max(one, two):
        assert "expected a low below and a high above" in candle(ohlc(one, low, high, two))


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
def test_what_is_to_come_is_no_fault(name):
    row = ohlc(1, 2, 0.5, 1) | {name: ""}

    assert candle(row) == positive_candle(row) == ""


def test_prices_and_amounts_are_not_negative():
    assert candle(ohlc(-1, 1, -2, 0)) == ""
    assert positive_candle(ohlc(1, 2, -2, 0)) == "field 'low': found -2, expected 0 or more"
    assert "expected 0 or more" in positive_candle(ohlc(1, -2, "", 1))
    assert amounts({"a": "0", "b": "", "c": "1e9"}) == ""
    assert amounts({"a": "-0.1"}) == "field 'a': found -0.1, expected 0 or more"


@given(st.floats(0.005, 0.995), st.sampled_from([1.0, 100.0]))
def test_shares_go_with_their_ratio_and_swapped_they_do_not(long, whole):
    digits = 4 if whole == 1.0 else 2
    told = round(long * whole, digits), round(whole - round(long * whole, digits), digits)
    ratio = round(long / (1 - long), 2)

    assert shares(*told, ratio, whole=whole) == ""
    if abs(long - 0.5) > 0.02:
        assert "expected a ratio" in shares(*reversed(told), ratio, whole=whole)
    assert "expected shares" in shares(told[0], told[1] + 0.2 * whole, ratio, whole=whole)


def test_shares_without_a_short_have_no_ratio():
    assert shares(100.0, 0.0, 0.0, whole=100.0) == ""
    assert "expected shares" in shares(110.0, -10.0, 2.0, whole=100.0)


@given(PRICE, st.floats(0.001, 0.05), PRICE, PRICE)
def test_bids_are_cheaper_than_asks_and_swapped_they_are_not(price, away, bids, asks):
    told = [bids * price * (1 - away), bids, asks * price * (1 + away), asks]
    names = ("bids_usd", "bids_quantity", "asks_usd", "asks_quantity")
    row = {f"x_{name}": repr(value) for name, value in zip(names, told, strict=True)}
    swapped = dict(zip(row, [*list(row.values())[2:], *list(row.values())[:2]], strict=True))

    assert book(row, "x_") == ""
    assert "sides swapped?" in book(swapped, "x_")
    assert book(row | {"x_asks_usd": ""}, "x_") == ""
    assert "expected 0 or more" in book(row | {"x_asks_usd": "-1"}, "x_")
    assert book(row | {"x_asks_quantity": "0"}, "x_") == ""
