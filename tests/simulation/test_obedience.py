"""What restrictions make the obedient do: their own positions, a share a step, at a price."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.simulation import layout as at
from liqwarn.simulation.obedience import put_right

NEVER = {"entry_steps": 10**9}
START = float(np.log(100.0))
sides = pytest.mark.parametrize("side", [0, 1])


def told(bench, side, *, room=0.1, cut=0.25, phi=0.5):
    made = bench(phi=phi, rules={**NEVER, "cut": 0.0, "topped_up": 0.0})
    made.cells[0, at.IN_ROOM + side] = room
    made.cells[0, at.IN_CUT + side] = cut
    return made


def obey(bench, side):
    put_right(bench.rules, bench.cells, bench.ring, 0, side)


@sides
def test_only_the_obedient_and_only_who_is_too_near_are_put_right(bench, side):
    made = told(bench, side)
    near = made.plant(side, 0.0404, 100.0, pop=at.OBEDIENT)
    enough = made.plant(side, 0.1504, 100.0, pop=at.OBEDIENT)
    free = made.plant(side, 0.0404, 100.0)
    obey(made, side)
    assert made.bin(side, near, pop=at.OBEDIENT) == pytest.approx(75.0)
    assert made.bin(side, enough, pop=at.OBEDIENT) == 100.0
    assert made.bin(side, free) == pytest.approx(100.0)
    made.assert_conserved()


@sides
def test_half_add_collateral_and_half_close_down_to_the_allowed_leverage(bench, side):
    made = told(bench, side)
    place = made.plant(side, 0.04, 100.0, pop=at.OBEDIENT)
    near = ((1, -1)[side] * START - place * at.BIN_WIDTH) / 0.1
    obey(made, side)
    closed = 25.0 * 0.5 * (1.0 - near)
    found = made.reachable(side, pop=at.OBEDIENT)
    assert sum(found.values()) == pytest.approx(100.0 - closed)
    assert found[max(found)] == pytest.approx(25.0 - closed)
    assert 0.1 <= max(found) < 0.1 + 2.0 * at.BIN_WIDTH
    assert made[at.CUT_USD + side] == pytest.approx(closed * 100.0)


@sides
def test_they_sell_slowly_and_pay_for_the_move(bench, side):
    made = told(bench, side)
    made.plant(side, 0.04, 100.0, pop=at.OBEDIENT)
    obey(made, side)
    assert (-1, 1)[side] * made.moved["slow_flow"] > 0.0
    usd = made[at.CUT_USD + side]
    assert made[at.SLIPPAGE_USD] == pytest.approx(0.5 * abs(made.moved["slow_flow"]) * usd)
    assert made[at.LIQUIDATED_COINS + side] == 0.0


@pytest.mark.parametrize(("room", "cut"), [(0.0, 0.5), (0.1, 0.0)])
def test_who_is_told_nothing_does_nothing(bench, room, cut):
    made = told(bench, 0, room=room, cut=cut)
    made.plant(0, 0.04, 100.0, pop=at.OBEDIENT)
    before = [array.copy() for array in made.books]
    obey(made, 0)
    for array, same in zip(made.books, before, strict=True):
        np.testing.assert_array_equal(array, same)


positions = st.lists(st.tuples(st.floats(0.002, 0.4), st.floats(1e-3, 1e4)), max_size=8)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([0, 1]), positions, st.floats(0.001, 0.3), st.floats(0.01, 1.0))
def test_in_time_none_is_nearer_than_allowed(bench, side, held, room, cut):
    made = told(bench, side, room=room, cut=cut)
    free = made.plant(side, 0.002, 5.0)
    for away, coins in held:
        made.plant(side, away, coins, pop=at.OBEDIENT)
    near = sum(c for away, c in made.reachable(side, pop=at.OBEDIENT).items() if away < room)
    made.rules = made.rules._replace(impact=0.0)  # price stays, so that distances can be compared
    slipped = 0.0
    for step in range(1, 6):
        obey(made, side)
        found = made.reachable(side, pop=at.OBEDIENT)
        left = sum(coins for away, coins in found.items() if away < room - 1e-9)
        assert left <= near * (1.0 - cut) ** step + 1e-9 * near
        assert made[at.SLIPPAGE_USD] >= slipped
        slipped = made[at.SLIPPAGE_USD]
        made.assert_conserved()
    assert made.bin(side, free) > 0.0


def test_who_obeys_is_spared_the_fall_that_takes_the_free(bench):
    made = told(bench, 0, cut=1.0)
    made.plant(0, 0.04, 100.0, pop=at.OBEDIENT)
    made.plant(0, 0.04, 100.0)
    made.advance()
    made.advance(-0.05)
    assert made[at.LIQUIDATED_COINS] == pytest.approx(100.0, rel=1e-3)
    made.assert_conserved()


def test_a_market_without_the_obedient_puts_nobody_right(bench):
    made = told(bench, 0, phi=0.0)
    place = made.plant(0, 0.04, 100.0)
    made.advance()
    assert made.bin(0, place) == 100.0
    assert made[at.CUT_USD] == 0.0
