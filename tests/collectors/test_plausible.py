"""A number far outside what a perpetual can have is a broken frame."""

import pytest

from liqwarn.collectors.plausible import alike, coins, notional, price, rate
from liqwarn.errors import DataError


@pytest.mark.parametrize(
    ("read", "value", "why"),
    [
        (price, "1e9", "expected 1e-12 to 1e"),
        (price, "0", "expected a number above 0"),
        (price, 1.0, "expected a number as text"),
        (coins, "1e19", "expected "),
        (coins, "-1", "expected a number above 0"),
        (rate, "0.11", "expected a rate of -0.1 to 0.1"),
        (rate, "-0.11", "expected a rate of -0.1 to 0.1"),
        (rate, "", "expected a number as text"),
    ],
)
def test_a_number_that_cannot_be_is_refused_by_its_name(read, value, why):
    with pytest.raises(DataError, match=f"frame, field 'f': found .*, {why}"):
        read({"f": value}, "f", "frame")


def test_numbers_that_can_be_pass():
    row = {"p": "0.00000123", "q": "1000000000", "r": "-0.03"}

    assert (price(row, "p", "x"), coins(row, "q", "x"), rate(row, "r", "x")) == (
        1.23e-6,
        1e9,
        -0.03,
    )


def test_contracts_taken_for_coins_are_told():
    notional(85_000.0, 50_000.0, "x")
    with pytest.raises(DataError, match="contracts taken for coins"):
        notional(85_000.0, 100_000.0, "x")


def test_prices_that_belong_together_are_near_one_another():
    alike(100.0, 499.0, 5.0, "mark and index", "x")
    alike(499.0, 100.0, 5.0, "mark and index", "x")
    with pytest.raises(DataError, match="x, mark and index: found 100 and 501"):
        alike(100.0, 501.0, 5.0, "mark and index", "x")
    with pytest.raises(DataError, match="found 501 and 100"):
        alike(501.0, 100.0, 5.0, "mark and index", "x")
