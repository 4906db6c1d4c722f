"""Closed coarse bars: whole, anchored, and seen only when closed."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.features.resolution import cells_of, coarsen, first_coarse_cell, seen_from_base

NAN = np.nan
HOUR = timedelta(hours=1)
RULES = {"sum": sum, "high": max, "low": min, "open": lambda c: c[0], "last": lambda c: c[-1]}


@pytest.mark.parametrize(
    ("resolution", "bar", "cells"),
    [
        ("base", HOUR, 1),
        ("1h", timedelta(minutes=5), 12),
        ("1h", HOUR, 1),
        ("8h", HOUR, 8),
        ("8h", 4 * HOUR, 2),
        ("8h", 24 * HOUR, 1),
    ],
)
def test_base_bars_in_a_cell(resolution, bar, cells):
    assert cells_of(resolution, bar) == cells


def test_a_bar_that_does_not_fill_the_cell_is_refused():
    with pytest.raises(FrameError, match="bars of 0:45:00 do not fill a cell of 1:00:00"):
        cells_of("1h", timedelta(minutes=45))


def test_every_rule_on_one_cell():
    bars = np.array([[3.0, 1.0, 4.0, 2.0]])

    found = {how: coarsen(bars, how, 4, first_bar=1)[0, 0] for how in (*RULES, "close")}
    assert found == {"sum": 10, "high": 4, "low": 1, "open": 3, "last": 2, "close": 2}


def test_a_missing_bar_makes_the_whole_unknown_but_not_the_last():
    bars = np.array([[3.0, NAN, 4.0, 2.0]])

    for how in ("sum", "high", "low"):
        assert np.isnan(coarsen(bars, how, 4, first_bar=1)).all()
    assert coarsen(bars, "last", 4, first_bar=1).tolist() == [[2.0]]
    assert coarsen(bars, "open", 4, first_bar=1).tolist() == [[3.0]]


def test_a_cell_still_open_is_not_there():
    bars = np.arange(1.0, 8.0)[None]

    assert coarsen(bars, "sum", 4, first_bar=1).tolist() == [[10.0]]
    assert coarsen(bars[:, :3], "sum", 4, first_bar=1).shape == (1, 0)
    np.testing.assert_equal(
        seen_from_base(coarsen(bars, "sum", 4, 1), 4, 1, 7), [[NAN, NAN, NAN, 10, 10, 10, 10]]
    )


@given(
    how=st.sampled_from(sorted(RULES)),
    ratio=st.integers(1, 9),
    first_bar=st.integers(0, 30),
    values=st.lists(st.integers(-9, 9) | st.just(NAN), max_size=40),
)
def test_coarse_cells_agree_with_the_definition(how, ratio, first_bar, values):
    """Cell N holds bars (N-1)·ratio + 1 … N·ratio; bar n sees the last cell with N·ratio <= n."""
    by_bar = {first_bar + at: value for at, value in enumerate(values)}
    bars = np.array([values], dtype=float).reshape(1, len(values))
    seen = seen_from_base(coarsen(bars, how, ratio, first_bar), ratio, first_bar, len(values))
    expected = []
    for bar in by_bar:
        cell = bar // ratio
        members = [by_bar.get(n, NAN) for n in range((cell - 1) * ratio + 1, cell * ratio + 1)]
        spoilt = how in ("sum", "high", "low") and np.isnan(members).any()
        started = cell >= first_coarse_cell(first_bar, ratio)
        expected.append(NAN if spoilt or not started else float(RULES[how](members)))
    np.testing.assert_equal(seen[0], np.array(expected, dtype=float))
