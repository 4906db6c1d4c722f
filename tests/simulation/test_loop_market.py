"""A market that is told something after every bar: the bits of one run, until it is."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.simulation.config import DEFAULT_SPECS
from liqwarn.simulation.history import new_record, run
from liqwarn.simulation.layout import LIQUIDATED_COINS, MISSED, OPENED, TALLY
from liqwarn.simulation.loop_market import loop_config, prepare
from liqwarn.simulation.restraint import Obedience, house_restraint

CONFIG = replace(loop_config(2), specs=DEFAULT_SPECS[2:5])


@pytest.fixture(scope="module")
def market():
    return prepare(CONFIG, 1, Obedience())


def lived(market, told, bars):
    one = market.start()
    for _ in range(bars):
        one.advance(told)
    return one


def test_bar_by_bar_gives_the_bits_of_one_run(market):
    n, bars = len(market.config.specs), market.config.n_bars
    stepped = lived(market, house_restraint(n), bars)
    whole = market.start()
    record = new_record(n, market.lead + bars)
    run(market.rules, market.world, whole.books, record, (market.lead, market.lead + bars))
    later = slice(market.lead, None)
    np.testing.assert_array_equal(stepped.record.prices[:, :, later], record.prices[:, :, later])
    np.testing.assert_array_equal(stepped.record.held[:, later], record.held[:, later])


def test_runs_do_not_touch_one_another(market):
    free = house_restraint(3)
    shut = free._replace(entry=np.zeros((3, 2)))
    before = lived(market, free, 8).record.prices.copy()
    lived(market, shut, 8)
    np.testing.assert_array_equal(lived(market, free, 8).record.prices, before)


def test_equal_seeds_give_equal_markets_and_others_do_not(market):
    again, other = (prepare(CONFIG, seed, Obedience()) for seed in (1, 2))
    np.testing.assert_array_equal(again.books.cells, market.books.cells)
    assert not np.array_equal(other.books.cells, market.books.cells)


def test_whoever_may_not_enter_misses_their_entries_and_both_sides_hold_the_same(market):
    shut = house_restraint(3)._replace(entry=np.tile([0.0, 1.0], (3, 1)))
    one, free = lived(market, shut, 40), lived(market, house_restraint(3), 40)
    tally = one.record.tally[:, market.lead : market.lead + 40]
    assert (tally[:, :, MISSED - TALLY] > 0.0).all()
    assert (tally[:, :, MISSED + 1 - TALLY] == 0.0).all()
    assert (tally[:, :, OPENED - TALLY] == 0.0).all()
    np.testing.assert_allclose(
        one.record.cohorts[:, one.last], one.record.held[:, one.last, None].repeat(2, 1), rtol=1e-9
    )
    assert (one.record.held[:, one.last] < free.record.held[:, one.last]).all()


def test_lower_leverage_of_the_obedient_leaves_less_to_liquidate(market):
    low = house_restraint(3)._replace(leverage=np.full((3, 2), 0.25), cut=np.ones((3, 2)))
    coins = slice(LIQUIDATED_COINS - TALLY, LIQUIDATED_COINS - TALLY + 2)
    held, free = (
        lived(market, told, market.config.n_bars).record.tally[:, market.lead :, coins].sum()
        for told in (low, house_restraint(3))
    )
    assert held < 0.8 * free


def test_where_nobody_obeys_nothing_that_is_told_changes_a_bit():
    nobody = prepare(CONFIG, 1, Obedience(phi=0.0))
    shut = house_restraint(3)._replace(entry=np.zeros((3, 2)), cut=np.ones((3, 2)))
    told, free = (lived(nobody, one, 30) for one in (shut, house_restraint(3)))
    np.testing.assert_array_equal(told.record.prices, free.record.prices)


def test_the_last_row_is_the_last_bar_that_is_over(market):
    one = lived(market, house_restraint(3), 5)
    assert one.last == market.lead + 4
    assert one.closes().shape == (3, market.lead + 5)
