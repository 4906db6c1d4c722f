"""Bars as steps: what a bar's path may be, what counts as a price, and what counts as a break."""

import runpy
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.liquidation.kernel import STEP
from liqwarn.liquidation.market_path import (
    before,
    breaks_after,
    find_breaks,
    path_after,
    steps_a_bar,
    walk,
)

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
LOW, HIGH, CLOSE, ENTRY, HELD, CROWDING = range(6)
NONE = float("nan")


def walked(bars):
    """The path by bar and step: shape (6, n_bars, n_steps)."""
    return walk(bars, NONE, NONE).reshape(6, len(bars.close), -1)


def one_bar(**prices):
    return synthetic.at(synthetic.flat(1, bar_s=3_600), 0, **prices)


@pytest.mark.parametrize(("bar_s", "steps"), [(60, 1), (600, 1), (601, 3), (14_400, 3)])
def test_long_bars_take_three_steps(bar_s, steps):
    assert steps_a_bar(bar_s) == steps


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 2**20), bar_s=st.sampled_from([300, 3_600, 14_400]))
def test_a_path_stays_inside_its_bar_and_reaches_both_ends(seed, bar_s):
    bars = synthetic.bars(50, seed=seed, bar_s=bar_s)
    path = walked(bars)
    assert path.shape[2] == steps_a_bar(bar_s)
    low, high = np.log(bars.low) / STEP, np.log(bars.high) / STEP
    assert np.array_equal(path[LOW].min(axis=1), low)
    assert np.array_equal(path[HIGH].max(axis=1), high)
    assert np.array_equal(path[CLOSE, :, -1], np.log(bars.close) / STEP)
    inside = (path[ENTRY] >= path[LOW]) & (path[ENTRY] <= path[HIGH])
    assert inside.all()
    assert (path[LOW] <= path[HIGH]).all()


def test_a_falling_bar_goes_up_first_and_a_rising_one_down():
    falling = walked(one_bar(open=100.0, high=110.0, low=80.0, close=90.0))
    rising = walked(one_bar(open=90.0, high=110.0, low=80.0, close=100.0))
    expected = [np.log(x) / STEP for x in (110.0, 80.0, 90.0)]
    assert falling[CLOSE, 0].tolist() == expected
    assert rising[CLOSE, 0].tolist() == [expected[1], expected[0], np.log(100.0) / STEP]


def test_steps_follow_one_another():
    path = walked(synthetic.bars(200, seed=3))
    ends, low, high = path[CLOSE], path[LOW], path[HIGH]
    assert ((ends[:, :-1] >= low[:, 1:]) & (ends[:, :-1] <= high[:, 1:])).all()


def test_the_coins_of_a_bar_are_held_from_its_last_step():
    bars = synthetic.bars(5, seed=1)
    path = walk(bars, 30_000.0, 123.0).reshape(6, 5, 3)
    assert path[HELD, :, 2].tolist() == bars.open_interest.tolist()
    assert path[HELD, 0, :2].tolist() == [123.0, 123.0]
    assert path[HELD, 1:, 0].tolist() == bars.open_interest[:-1].tolist()


@pytest.mark.parametrize("bar_s", [300, 3_600])
@pytest.mark.parametrize("wrong", [{"volume": 0.0}, {"open_interest": np.nan}])
def test_a_bar_without_trades_or_open_interest_only_sweeps(bar_s, wrong):
    path = walked(synthetic.at(synthetic.bars(4, seed=1, bar_s=bar_s), 2, **wrong))
    assert np.isnan(path[HELD, 2]).all()
    assert np.isfinite(path[HELD, 3]).all()


@pytest.mark.parametrize("bar_s", [300, 3_600])
def test_entries_fill_a_range_evenly(bar_s):
    n_bars = 1_000
    still = synthetic.flat(n_bars, bar_s=bar_s)
    bars = replace(still, low=np.full(n_bars, 90.0), high=np.full(n_bars, 110.0))
    path = walked(bars)
    for step in range(steps_a_bar(bar_s)):
        low, high, entry = (path[row, :, step] for row in (LOW, HIGH, ENTRY))
        filled = np.histogram((entry - low) / (high - low), 10, (0.0, 1.0))[0]
        assert (np.abs(filled - n_bars / 10) <= 4).all()


def test_entries_depend_on_the_absolute_bar_alone():
    bars = synthetic.bars(30, seed=2)
    assert np.array_equal(walked(bars.between(7, 30))[ENTRY][1:], walked(bars)[ENTRY][8:])


def test_an_unknown_open_is_the_close_before():
    bars = synthetic.bars(6, seed=4)
    for value in (np.nan, np.inf, 0.0, -1.0):
        path = walked(synthetic.at(bars, 3, open=value))
        expected = walked(synthetic.at(bars, 3, open=bars.close[2]))
        assert np.array_equal(path, expected, equal_nan=True)


def test_a_mark_close_beyond_the_trades_ends_a_long_bar_at_its_edge():
    path = walked(one_bar(open=100.0, high=101.0, low=99.0, close=102.0))
    assert path[CLOSE, 0, -1] == np.log(101.0) / STEP


@pytest.mark.parametrize("crowding", [7.0, np.inf])
def test_crowding_is_cut(crowding):
    bars = synthetic.at(synthetic.flat(2), 0, crowding=crowding)
    assert walked(bars)[CROWDING, :, 0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("wrong", "priced"),
    [
        ({}, True),
        ({"low": 101.0, "high": 101.0, "close": 101.0}, True),
        ({"close": 199.0}, True),
        ({"close": 51.0}, True),
        ({"close": 201.0}, False),
        ({"close": 49.0}, False),
        ({"low": 101.0}, False),
        ({"low": 0.0}, False),
        ({"low": -1.0}, False),
        ({"low": -np.inf}, False),
        ({"high": np.inf}, False),
        ({"close": np.inf}, False),
        ({"high": np.nan}, False),
        ({"close": np.nan}, False),
        ({"open": np.nan}, True),
    ],
)
def test_which_prices_can_be(wrong, priced):
    bars = one_bar(**wrong)
    assert bars.priced().tolist() == [priced]
    assert np.isfinite(bars.stock()).tolist() == [priced]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -3.0])
def test_open_interest_that_cannot_be_is_unknown(value):
    assert np.isnan(one_bar(open_interest=value).stock()).all()


def breaks_at(bars):
    found = find_breaks(bars, NONE, NONE)
    return found.shift, found.rescale


def test_a_market_has_no_breaks():
    shift, rescale = breaks_at(synthetic.bars(500, seed=5))
    assert not shift.any()
    assert not rescale.any()


@pytest.mark.parametrize("factor", [1_000.0, 2.1, 1 / 2.1, 1e-3])
def test_a_price_that_opens_beyond_twice_or_half_is_a_split(factor):
    shift, rescale = breaks_at(synthetic.split(synthetic.flat(5), 3, factor))
    assert np.flatnonzero(shift).tolist() == [3]
    assert shift[3] == pytest.approx(np.log(factor))
    assert not rescale.any()


@pytest.mark.parametrize("factor", [1.9, 1 / 1.9])
def test_a_gap_that_a_market_can_make_is_none(factor):
    assert not breaks_at(synthetic.split(synthetic.flat(5), 3, factor))[0].any()


@pytest.mark.parametrize(("factor", "found"), [(10.0, 1), (0.1, 1), (2.9, 0), (1 / 2.9, 0)])
def test_open_interest_that_triples_is_a_migration(factor, found):
    shift, rescale = breaks_at(synthetic.migrated(synthetic.flat(5), 3, factor))
    assert int((rescale != 0.0).sum()) == found
    assert not found or rescale[3] == pytest.approx(np.log(factor))
    assert not shift.any()


def test_breaks_are_measured_from_the_last_known_values():
    bars = synthetic.migrated(synthetic.split(synthetic.flat(9), 6, 4.0), 6, 5.0)
    gap = slice(3, 6)
    bars = synthetic.at(bars, gap, close=np.nan, open_interest=1e-9)
    shift, rescale = breaks_at(bars)
    assert np.flatnonzero(shift).tolist() == [6]
    assert rescale[6] == pytest.approx(np.log(5.0))
    late = find_breaks(bars.between(6, 9), 100.0, 50.0)
    assert np.array_equal(late.shift, shift[6:])
    assert np.array_equal(late.rescale, rescale[6:])


def test_a_crash_inside_a_bar_is_no_split():
    bars = synthetic.at(synthetic.flat(3), 1, low=5.0, close=60.0)
    assert not breaks_at(bars)[0].any()


def test_before_carries_the_last_known_value():
    values = np.array([np.nan, 4.0, np.nan, np.nan])
    assert before(values, 2.0).tolist() == [2.0, 2.0, 4.0, 4.0]
    assert np.isnan(before(values, NONE)[:2]).all()
    assert before(np.zeros(0), 1.0).shape == (0,)


def test_arrays_must_have_one_length():
    with pytest.raises(FrameError, match=r"bars 'low' has shape \(2,\), expected \(3,\)"):
        replace(synthetic.flat(3), low=np.ones(2))


def test_bars_are_cut_by_position():
    bars = synthetic.bars(9, seed=1)
    assert bars.between(2, 5).number.tolist() == bars.number[2:5].tolist()
    assert bars.take(np.array([0, 8])).close.tolist() == bars.close[[0, 8]].tolist()


@settings(deadline=None, max_examples=40, derandomize=True)
@given(seed=st.integers(0, 2**20), bar_s=st.sampled_from([300, 3_600, 14_400]))
def test_bars_of_several_symbols_at_once_are_each_its_own(seed, bar_s):
    """One bar each of several symbols has the breaks and the path it has among its own."""
    each = [synthetic.faulty(60, seed=seed + k, bar_s=bar_s) for k in range(4)]
    closes = [before(np.where(one.priced(), one.close, np.nan), NONE) for one in each]
    stocks = [before(one.stock(), NONE) for one in each]
    for row in range(0, 60, 7):
        together = across(each, row)
        last, earlier = (np.array([one[row] for one in x]) for x in (closes, stocks))
        breaks = breaks_after(together, last, earlier)
        path = path_after(together, last, earlier).reshape(6, 4, -1)
        for k, one in enumerate(each):
            own = find_breaks(one, NONE, NONE)
            assert synthetic.same_bits(breaks.shift[k], own.shift[row])
            assert synthetic.same_bits(breaks.rescale[k], own.rescale[row])
            if one.priced()[row]:
                alone = walk(one.between(row, row + 1), closes[k][row], stocks[k][row])
                assert synthetic.same_bits(path[:, k], alone)


def across(each, row):
    """One bar of each of several symbols."""
    values = {
        one.name: np.array([getattr(bars, one.name)[row] for bars in each])
        for one in fields(each[0])
        if one.name != "bar_s"
    }
    return replace(each[0], **values)


@pytest.mark.parametrize("bar_s", [300, 3_600])
@pytest.mark.parametrize("wrong", [-3.0, 0.0, np.inf, -np.inf, np.nan, 1e308])
def test_a_price_that_cannot_be_warns_nobody(bar_s, wrong):
    bars = synthetic.at(synthetic.bars(3, seed=1, bar_s=bar_s), 1, low=wrong, high=wrong)

    assert path_after(bars, np.full(3, wrong), np.full(3, 7.0)).shape[0] == 6
