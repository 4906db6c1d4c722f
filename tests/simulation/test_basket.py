"""Accounts that hold every symbol on one collateral: a loss in one sells the others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.simulation import layout as at
from liqwarn.simulation.basket import step_basket
from liqwarn.simulation.config import CrossMargin

NEVER = {"entry_steps": 10**9}
START = float(np.log(100.0))
sides = pytest.mark.parametrize(("side", "sign"), [(0, -1.0), (1, 1.0)], ids=["long", "short"])


def baskets(bench, away, units, *, side=0, n=3, **rules):
    made = bench(n, cross=CrossMargin(share=0.2), rules={**NEVER, **rules})
    made.plant(side, away, units, i=n)
    return made


@sides
def test_a_move_of_one_symbol_sells_the_basket_in_all(bench, side, sign):
    made = baskets(bench, 0.02, 0.3, side=side)
    weight = made.cells[0, at.WEIGHT]
    made.advance((sign * 0.03 / weight, 0.0, 0.0))
    np.testing.assert_allclose(made.cells[:-1, at.OWED + side], 0.3 * made.cells[:-1, at.UNIT])
    assert not made.cells[1:-1, at.MOVED : at.MOVED + 9].any()
    made.assert_conserved()
    made.advance()
    for i in range(1, 3):
        moved = made.cells[i, at.MOVED + at.CROSS_MARGIN]
        coins = 0.3 * made.cells[i, at.UNIT]
        assert sign * moved > 0.0
        assert moved == pytest.approx(sign * 0.01 * coins / made.cells[i, at.DEPTH])
        assert made.cells[i, at.LIQUIDATED_COINS + side] == pytest.approx(coins)
    assert not made.cells[:-1, at.OWED : at.OWED + 2].any()
    made.assert_conserved()


def test_a_smaller_fall_sells_nobody(bench):
    made = baskets(bench, 0.02, 0.3)
    made.advance((-0.018 / made.cells[0, at.WEIGHT], 0.0, 0.0))
    assert not made.cells[:-1, at.OWED].any()
    assert made.units(0) == pytest.approx(1.0)


def test_what_a_rise_of_one_covers_of_the_fall_of_another_saves_the_account(bench):
    made = baskets(bench, 0.02, 0.3, n=2)
    weights = made.cells[:2, at.WEIGHT]
    made.advance((-0.05 / weights[0], 0.05 / weights[1]))
    assert not made.cells[:-1, at.OWED].any()


def test_its_price_is_the_weighted_mean_of_log_prices(bench):
    made = baskets(bench, 0.5, 0.1)
    made.advance((-0.01, 0.02, 0.03))
    rows, weight = made.cells[:-1], made.cells[:-1, at.WEIGHT]
    assert made.cells[-1, at.VALUE] == pytest.approx(weight @ rows[:, at.VALUE])
    assert made.cells[-1, at.PULL] == pytest.approx(weight @ rows[:, at.PULL])


@settings(deadline=None, max_examples=30)
@given(st.floats(0.001, 0.2), st.floats(0.3, 1.5), st.integers(1, 30))
def test_its_turnover_leaves_open_interest_unchanged(bench, turnover, units, steps):
    made = bench(2, cross=CrossMargin(share=0.2), rules={"turnover": 0.0, "entry_steps": 1})
    made.rules = made.rules._replace(turnover=turnover)
    held = made.cells[:-1, at.HELD].copy()
    for side in range(2):  # some of the basket's holders hold their coins outside, or more inside
        made.cells[2, made.lane(side) + at.FAR] = made.cells[2, at.MASS + 2 * side] = units
        for i in range(2):
            alone = held[i] - made.cells[i, at.UNIT] * units
            made.cells[i, made.lane(side) + at.FAR] = made.cells[i, at.MASS + 2 * side] = alone
    for _ in range(steps):
        step_basket(made.rules, made.cells, made.ring, 1.0)
        made.cells[2, at.CLOCK] += 1.0
        made.assert_conserved()
    np.testing.assert_array_equal(made.cells[:-1, at.HELD], held)
    for side in range(2):
        left = 1.0 + (units - 1.0) * (1.0 - turnover) ** steps
        assert made.units(side) == pytest.approx(left)


def test_it_shrinks_with_the_market(bench):
    made = bench(2, cross=CrossMargin(share=0.2), rules=NEVER)
    made.rules = made.rules._replace(turnover=0.1, entry_steps=1)
    for i in range(2):
        made.cells[i, at.HELD] *= 0.9
        for side in range(2):
            gone = 0.1 * made.cells[i, at.OPEN_INTEREST]
            made.cells[i, made.lane(side) + at.FAR] -= gone
            made.cells[i, at.MASS + 2 * side] -= gone
    for _ in range(200):
        step_basket(made.rules, made.cells, made.ring, 1.0)
    assert made.units(0) == pytest.approx(0.9)
    assert made.units(1) == pytest.approx(0.9)
    made.assert_conserved()


def test_new_accounts_enter_at_the_leverages_of_the_basket(bench):
    made = bench(2, cross=CrossMargin(share=0.2), rules={"entry_steps": 1})
    made.rules = made.rules._replace(turnover=0.1)
    step_basket(made.rules, made.cells, made.ring, 1.0)
    n = made.rules.rungs
    for side in range(2):
        found = made.reachable(side, i=2)
        assert sum(found.values()) == pytest.approx(0.1)
        nearest = made.cells[2, at.MIX + (2 + side) * n : at.MIX + (3 + side) * n]
        offered = nearest[np.array(made.config.cross.mix) > 0.0]
        assert min(found) == pytest.approx(offered.min(), abs=2e-3)


@sides
def test_a_haircut_sells_who_is_under_water_in_the_next_step(bench, side, sign):
    made = baskets(bench, 0.05, 0.3, side=side)
    made.cells[3, made.lane(side) + at.TOP] = np.floor((sign * -START - 0.05) / at.BIN_WIDTH)
    made.advance(collateral=0.05)
    np.testing.assert_allclose(made.cells[:-1, at.OWED + side], 0.3 * made.cells[:-1, at.UNIT])
    made.advance()
    assert made.cells[1, at.LIQUIDATED_COINS + side] > 0.0
    made.assert_conserved()


def test_a_haircut_makes_a_smaller_fall_fatal(bench):
    for collateral, sold in ((1.0, False), (0.6, True)):
        made = baskets(bench, 0.05, 0.3)
        made.advance(collateral=collateral)
        made.advance(-0.035)
        assert made.cells[1:3, at.OWED].any() == sold
        made.assert_conserved()


def test_collateral_that_keeps_its_value_moves_nobody(bench):
    made = baskets(bench, 0.05, 0.3)
    before = made.ring.copy()
    step_basket(made.rules, made.cells, made.ring, 1.0)
    np.testing.assert_array_equal(made.ring, before)


def test_while_one_venue_is_down_its_share_waits(bench):
    made = baskets(bench, 0.02, 0.3)
    made.cells[1, at.IN_OPEN] = 0.0
    made.advance((-0.04 / made.cells[0, at.WEIGHT], 0.0, 0.0))
    made.advance()
    assert made.cells[1, at.OWED] == pytest.approx(0.3 * made.cells[1, at.UNIT])
    assert made.cells[2, at.OWED] == 0.0
    made.plant(0, 0.01, 0.2, i=3)
    made.advance((-0.02 / made.cells[0, at.WEIGHT], 0.0, 0.0))
    assert made.cells[1, at.OWED] == pytest.approx(0.5 * made.cells[1, at.UNIT])
    made.cells[1, at.IN_OPEN] = 1.0
    made.advance()
    assert made.cells[1, at.OWED] == 0.0
    assert made.cells[1, at.LIQUIDATED_COINS] > 0.0
    made.assert_conserved()
