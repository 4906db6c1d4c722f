"""How much of an order may be sent, over every tier, size and position."""

from decimal import Decimal
from itertools import product

import pytest
from market import START, SYMBOL, flag

from liqwarn.decisions import Limits
from liqwarn_nautilus.allowance import House, opening_allowed, price_refusal, split
from liqwarn_nautilus.flag_book import FlagBook

D = Decimal


def verdict(tier, *, halted=False):
    book = FlagBook([SYMBOL])
    book.take(flag(START, tier, 0, halted=halted), START)
    return book.verdict(SYMBOL, "long", START)


SIZES = [D("0.001"), D(1), D(7), D(1000)]
HOUSES = [House(), House(order=D(5)), House(position=D(10)), House(D(5), D(10))]


@pytest.mark.parametrize("house", HOUSES)
def test_a_higher_tier_never_allows_more_and_never_more_than_was_asked(house):
    for quantity, exposure in product(SIZES, [D(0), *SIZES]):
        allowed = [
            opening_allowed(quantity, exposure, verdict(tier), house).quantity for tier in range(6)
        ]
        assert allowed == sorted(allowed, reverse=True)
        assert all(0 <= a <= quantity for a in allowed)
        assert allowed[3:] == [0, 0, 0]


def test_an_order_and_its_position_split_without_loss():
    for quantity, opposite in product(SIZES, [D(0), *SIZES]):
        reducing, opening = split(quantity, opposite)
        assert reducing + opening == quantity
        assert 0 <= reducing <= opposite
        assert opening == 0 or reducing == opposite


def test_the_numbers_of_the_default_policy():
    assert opening_allowed(D(4), D(0), verdict(0), House()).quantity == 4
    assert opening_allowed(D(4), D(0), verdict(1), House()).quantity == 3
    assert opening_allowed(D(4), D(0), verdict(2), House()).quantity == 2
    assert opening_allowed(D(4), D(0), verdict(1), House(order=D(8))).quantity == 4
    assert opening_allowed(D(9), D(4), verdict(2), House(position=D(10))).quantity == 1
    assert opening_allowed(D(9), D(6), verdict(2), House(position=D(10))).allowed is False


def test_entries_by_their_price_and_kind():
    collar, rest = Limits(collar_frac=0.01), Limits(post_only=True)

    assert price_refusal(D(100), D(100), post_only=False, limits=Limits()) is None
    assert price_refusal(D(101), D(100), post_only=False, limits=collar) is None
    assert "beyond" in price_refusal(D("101.1"), D(100), post_only=False, limits=collar)
    assert "no price" in price_refusal(D(100), None, post_only=False, limits=collar)
    assert "at market" in price_refusal(None, D(100), post_only=False, limits=collar)
    assert "post-only" in price_refusal(None, D(100), post_only=False, limits=rest)
    assert price_refusal(D(100), D(100), post_only=True, limits=rest) is None
