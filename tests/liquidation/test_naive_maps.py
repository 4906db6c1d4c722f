"""The maps found in public: rungs where they say, gone when touched, and nothing from later."""

import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.liquidation.margin import liquidation_price
from liqwarn.liquidation.naive_maps import NAIVE_MAPS, naive_within
from liqwarn.liquidation.readings import EDGES

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
at, bars_of_random, flat = synthetic.at, synthetic.bars, synthetic.flat
LEVERAGES = (10.0, 25.0, 50.0, 100.0)
FAR = np.arange(1.0, 81.0) * 0.0025  # reaches 20 %, past the rung of 10x
SIDES = ("long", "short")
WEEK = 7 * 86_400


def rungs(side, entry=100.0):
    return np.abs(np.log(liquidation_price(side, entry, LEVERAGES, 0.005) / entry))


def test_every_map_is_there():
    found = naive_within(flat(3), FAR)

    assert tuple(found) == NAIVE_MAPS == ("ladder", "volume_ladder", "sixty_forty")
    for within in found.values():
        assert within.shape == (3, 2, len(FAR))


@pytest.mark.parametrize("side", SIDES)
def test_a_rung_lies_at_its_leverages_liquidation_price(side):
    within = naive_within(flat(1), FAR)["ladder"][0, SIDES.index(side)]

    for edge, held in zip(FAR, within, strict=True):
        assert held == (rungs(side) < edge).sum()


@pytest.mark.parametrize("side", SIDES)
def test_rungs_add_up_and_are_measured_from_the_last_close(side):
    still = flat(3)
    within = naive_within(still, FAR)["ladder"][:, SIDES.index(side)]
    assert within[:, -1].tolist() == [4.0, 8.0, 12.0]

    # the third bar closes 0.3 % higher, within its own range: nothing is touched
    moved = at(still, 2, close=100.3, high=100.3)
    near = naive_within(moved, FAR)["ladder"][2, SIDES.index(side)]
    entries = np.array([100.0, 100.0, (100.3 + 100.0 + 100.3) / 3])
    places = np.concatenate([liquidation_price(side, one, LEVERAGES, 0.005) for one in entries])
    away = np.abs(np.log(places / 100.3))
    assert near.tolist() == [(away < edge).sum() for edge in FAR]


def test_a_rung_that_price_has_touched_is_gone():
    fall = at(flat(4), 2, low=97.0)  # takes 100x (99.5) and 50x (98.5) of longs, not 25x (96.5)
    within = naive_within(fall, FAR)["ladder"][:, :, -1]

    assert within[1].tolist() == [8.0, 8.0]
    # its own entry, at 99, has a short at 99.5, below the close
    assert within[2].tolist() == [2 * 2 + 4, 2 * 4 + 3]
    assert within[3].tolist() == [2 * 2 + 4 + 4, 2 * 4 + 3 + 4]


def test_a_touch_counts_for_entries_before_it_only():
    rise = at(flat(3), 0, high=120.0)  # entry at 106.7, its shorts are inside its own range
    within = naive_within(rise, FAR)["ladder"][:, 1, -1]
    assert within.tolist() == [4.0, 8.0, 12.0]

    rise = at(flat(3), 1, high=120.0)
    within = naive_within(rise, FAR)["ladder"][:, 1, -1]
    assert within.tolist() == [4.0, 4.0, 8.0]


def test_rungs_on_the_wrong_side_of_the_close_do_not_count():
    """A close far above its own high, as a mark price may be: no short below it is left."""
    odd = at(flat(1), 0, close=103.0)
    within = naive_within(odd, FAR)["ladder"][0]

    entry = (100.0 + 100.0 + 103.0) / 3
    above = liquidation_price("short", entry, LEVERAGES, 0.005) > 103.0
    assert within[1, -1] == above.sum() == 2
    assert within[0, -1] == 4


def test_volume_weighs_entries():
    weighed = at(flat(3), slice(None), volume=np.array([5.0, np.nan, 2.0]))
    within = naive_within(weighed, FAR)["volume_ladder"][:, :, -1]

    assert within.tolist() == [[20.0, 20.0], [20.0, 20.0], [28.0, 28.0]]


def test_sixty_of_a_hundred_new_coins_are_longs():
    stock = np.array([50.0, 80.0, 70.0, np.nan, 75.0, 100.0])
    grown = at(flat(6), slice(None), open_interest=stock)
    within = naive_within(grown, FAR)["sixty_forty"][:, :, -1]

    # rises of 30 and 25; the first bar, falls and what follows a gap open nothing
    added = np.array([0.0, 30.0, 30.0, 30.0, 30.0, 55.0])
    np.testing.assert_allclose(within[:, 0], 4 * 1.2 * added)
    np.testing.assert_allclose(within[:, 1], 4 * 0.8 * added)
    assert within[-1, 0] / within[-1].sum() == pytest.approx(0.6)


@pytest.mark.parametrize("bar_s", [3_600, 14_400])
def test_entries_are_forgotten_after_a_week(bar_s):
    n_bars = WEEK // bar_s + 5
    within = naive_within(flat(n_bars, bar_s=bar_s), FAR)["ladder"][:, 0, -1]

    expected = 4 * np.minimum(np.arange(1, n_bars + 1), WEEK // bar_s)
    assert within.tolist() == expected.tolist()


@pytest.mark.parametrize("name", NAIVE_MAPS)
@pytest.mark.parametrize("row", [30, 171, 398])
def test_later_bars_change_nothing(name, row):
    bars = bars_of_random(400, seed=6)
    whole = naive_within(bars, EDGES)[name]
    later = slice(row + 1, None)
    prices = {one: getattr(bars, one)[later] * 1.3 for one in ("open", "high", "low", "close")}
    wild = at(bars, later, volume=9e9, open_interest=7e7, **prices)

    found = naive_within(wild, EDGES)[name]
    assert synthetic.same_bits(found[: row + 1], whole[: row + 1])
    assert not synthetic.same_bits(found, whole)
    assert synthetic.same_bits(
        naive_within(bars.between(0, row + 1), EDGES)[name], whole[: row + 1]
    )


@pytest.mark.parametrize("name", NAIVE_MAPS)
def test_weights_within_grow_with_distance_and_are_never_negative(name):
    within = naive_within(bars_of_random(300, seed=9), EDGES)[name]

    assert (within >= 0.0).all()
    assert (np.diff(within, axis=2) >= 0.0).all()
    assert within[-1].max() > 0.0


@pytest.mark.parametrize("name", NAIVE_MAPS)
def test_faulty_bars_give_numbers(name):
    assert np.isfinite(naive_within(synthetic.faulty(400, seed=4), EDGES)[name]).all()


def test_a_gap_is_neither_an_entry_nor_a_touch():
    gap = at(flat(4), 2, high=np.nan, low=np.nan, close=np.nan, open=np.nan)
    bars = replace(gap, volume=np.full(4, 3.0))
    within = naive_within(bars, FAR)

    assert within["ladder"][:, :, -1].tolist() == [[4, 4], [8, 8], [0, 0], [12, 12]]
    assert within["volume_ladder"][3, :, -1].tolist() == [36.0, 36.0]
