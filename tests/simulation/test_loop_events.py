"""Cascades of a run, and what is known before: planted in records by hand."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.simulation.config import DEFAULT_SPECS
from liqwarn.simulation.history import new_record
from liqwarn.simulation.loop_events import (
    SIGNALS,
    Onset,
    cascading,
    moving_little,
    onsets,
    signals,
)
from liqwarn.simulation.loop_market import loop_config

CONFIG = replace(loop_config(2), specs=DEFAULT_SPECS[2:4])
N_BARS, FIRST = 1_400, 1_000


def quiet(seed=1):
    """Small noise on both symbols, open interest flat."""
    record = new_record(2, N_BARS)
    noise = 1e-3 * np.random.default_rng(seed).standard_normal((2, N_BARS))
    record.prices[3] = 5.0 + np.cumsum(noise, axis=1)
    record.held[:] = 100.0
    return record


def planted(fall=-0.05, kept=0.97, bar=1_200):
    """One bar in which price moves and open interest falls, and both stay."""
    record = quiet()
    record.prices[3, 0, bar:] += fall
    record.held[0, bar:] *= kept
    return record


@pytest.mark.parametrize(("fall", "side"), [(-0.05, 0), (0.05, 1)])
def test_a_planted_cascade_is_found_on_its_side_for_an_hour(fall, side):
    flags = cascading(CONFIG, planted(fall), slice(FIRST, N_BARS))
    assert np.flatnonzero(flags[0, :, side]).tolist() == [200, 201, 202, 203]
    assert not flags[0, :, 1 - side].any()
    assert not flags[1].any()


@pytest.mark.parametrize("change", [{"fall": -0.012}, {"kept": 0.995}])
def test_a_small_move_or_a_small_loss_is_none(change):
    assert not cascading(CONFIG, planted(**change), slice(FIRST, N_BARS)).any()


def test_the_price_leg_grows_with_the_days_before():
    wild = planted(fall=-0.03)
    rough = 0.006 * np.random.default_rng(2).standard_normal(N_BARS)
    wild.prices[3, 0] += np.cumsum(np.where(np.arange(N_BARS) < 1_190, rough, 0.0))
    assert not cascading(CONFIG, wild, slice(1_195, 1_210)).any()


def test_one_bar_says_what_the_whole_run_says():
    record = planted()
    whole = cascading(CONFIG, record, slice(FIRST, N_BARS))
    for bar in (1_199, 1_200, 1_203, 1_204):
        one = cascading(CONFIG, record, slice(bar, bar + 1))
        np.testing.assert_array_equal(one[:, 0], whole[:, bar - FIRST])


def test_nothing_later_changes_a_bar():
    record, cut = planted(), planted()
    cut.prices[3, :, 1_203:] = np.nan
    cut.held[:, 1_203:] = np.nan
    known = slice(FIRST, 1_203)
    np.testing.assert_array_equal(cascading(CONFIG, record, known), cascading(CONFIG, cut, known))
    record.depth[:], cut.depth[:] = 1.0, 1.0
    np.testing.assert_array_equal(signals(CONFIG, record, 1_202), signals(CONFIG, cut, 1_202))


def test_cascades_close_together_are_one():
    flags = np.zeros((1, 100, 2), dtype=bool)
    flags[0, [10, 11, 30, 60], 0] = True
    assert onsets(CONFIG, flags) == [Onset(0, 0, 10), Onset(0, 0, 60)]


def test_signals_are_what_they_say():
    record = planted()
    record.near[0, 1_200, 0] = [1.0, 2.0, 3.0, 4.0, 5.0]
    record.depth[:, 1_200] = [[2.0, 8.0], [2.0, 8.0]]
    record.crowding[:, 1_200] = 0.7
    found = signals(CONFIG, record, 1_200)
    assert found.shape == (2, 2, len(SIGNALS))
    assert found[0, 0, 0] == pytest.approx(np.log(0.05 + 3.0))
    assert found[0, 0, 1] == pytest.approx(np.log(0.05 + 7.5))
    np.testing.assert_allclose(found[:, :, 3], [[0.7, -0.7], [0.7, -0.7]])
    assert found[0, 0, 4] > 3.0
    assert found[0, 1, 4] == -found[0, 0, 4]
    usual = DEFAULT_SPECS[2].depth_usd / DEFAULT_SPECS[2].price
    assert found[0, 1, 5] == pytest.approx(np.log(8.0 / usual))


def test_a_side_is_calm_until_price_goes_a_usual_deviation_against_it():
    record = planted(fall=-0.03)
    assert moving_little(CONFIG, record, 1_199).all()
    assert moving_little(CONFIG, record, 1_200).tolist() == [[False, True], [True, True]]
    assert moving_little(CONFIG, record, 1_204).all()
