"""The rules of one bar: those of many are those of each alone, and mistakes of bars are cut."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.liquidation.bar_rules import fill_ratios, frozen, jumps, priced_bars
from liqwarn.liquidation.market_path import breaks_after, path_after

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
ANY = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-9, 0.4, 1.0, 1.5, 2.0, 2.5, 1e308])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**20), bar_s=st.sampled_from([300, 3_600]))
def test_many_bars_are_each_of_them_alone(seed, bar_s):
    bars = synthetic.faulty(40, seed=seed, bar_s=bar_s)
    rng = np.random.default_rng(seed)
    last = bars.close * rng.choice([1.0, 3.0, np.nan], 40)
    earlier = rng.choice([5e4, 1e3, np.nan], 40)
    whole, path = breaks_after(bars, last, earlier), path_after(bars, last, earlier)
    steps = path.shape[1] // 40
    for k in range(40):
        one = slice(k, k + 1)
        alone = breaks_after(bars.between(k, k + 1), last[one], earlier[one])
        assert synthetic.same_bits(alone.shift, whole.shift[one])
        assert synthetic.same_bits(alone.rescale, whole.rescale[one])
        found = path_after(bars.between(k, k + 1), last[one], earlier[one])
        assert synthetic.same_bits(found, path[:, steps * k : steps * (k + 1)])


@given(low=ANY, high=ANY, close=ANY)
def test_a_price_is_finite_ordered_and_near_its_range(low, high, close):
    found = bool(priced_bars(np.array([low]), np.array([high]), np.array([close]))[0])
    expected = 0.0 < low <= high < np.inf and 0.5 * low <= close and 0.5 * close <= high
    assert found == expected


def test_a_fall_inside_a_bar_is_no_jump_and_a_gap_is():
    first, low, high = (np.array([x, x]) for x in (40.0, 30.0, 41.0))
    out = np.empty((2, 2))
    close, stock = np.array([41.0, 100.0]), np.array([10.0, 10.0])
    before = (close, np.array([10.0, 31.0]))
    fill_ratios((first, low, high), stock, before, np.ones(2, np.bool_), out)
    shift, rescale = jumps(np.log(out), np.log(2.0), np.log(3.0))
    assert shift.tolist() == [0.0, pytest.approx(np.log(0.4))]
    assert rescale.tolist() == [0.0, pytest.approx(np.log(10.0 / 31.0))]


def test_a_frozen_view_is_contiguous_and_leaves_the_array_free():
    given_array = np.zeros((3, 4))
    view = frozen(given_array[:, 1])
    assert view.flags.c_contiguous
    assert not view.flags.writeable
    assert given_array.flags.writeable
