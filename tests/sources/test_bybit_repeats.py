"""Copies of trades are found by their identifiers, and only copies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import DataError
from liqwarn.sources.bybit_repeats import Repeats, hashes_of


def columns(prices):
    count = len(prices)
    return {"timestamp": np.arange(count) * 0.0, "side": np.array([b"Buy"] * count),
            "size": np.ones(count), "price": np.array(prices, float)}  # fmt: skip


@given(st.sets(st.uuids(), min_size=1, max_size=50))
def test_different_identifiers_have_different_numbers(found):
    texts = np.array([str(one).encode() for one in found])

    assert len(set(hashes_of(texts).tolist())) == len(found)


def test_the_number_of_an_identifier_does_not_depend_on_its_neighbours():
    wide = hashes_of(np.array([b"abc", b"a longer one"]))

    assert hashes_of(np.array([b"abc"]))[0] == wide[0]
    assert hashes_of(np.array([b"", b"x"]))[0] == 0


def test_what_is_there_once_or_empty_is_no_repeat():
    assert Repeats.among([hashes_of(np.array([b"a", b"b", b"", b""]))], "x") is None
    assert Repeats.among([], "x") is None


def test_the_first_one_stays_and_its_copies_go():
    one, two = np.array([b"a", b"b", b"a"]), np.array([b"c", b"a"])
    found = Repeats.among([hashes_of(one), hashes_of(two)], "x")

    assert found.copies(hashes_of(one), columns([5, 6, 5]), 0).tolist() == [False, False, True]
    assert found.copies(hashes_of(two), columns([7, 5]), 3).tolist() == [False, True]


def test_an_identifier_on_two_trades_is_refused_by_its_row():
    names = np.array([b"a", b"b", b"a"])
    found = Repeats.among([hashes_of(names)], "x.gz")

    with pytest.raises(DataError, match=r"x\.gz, row 13, field 'trdMatchID': that of an earlier"):
        found.copies(hashes_of(names), columns([5, 6, 5.5]), 10)
