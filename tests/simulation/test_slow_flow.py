"""Orders that take their time: the square-root law, in pieces and over time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.simulation import layout as at
from liqwarn.simulation.slow_flow import move_price, trade_slowly

sides = pytest.mark.parametrize("side", [0, 1])


def sell(bench, coins, side=0):
    return trade_slowly(bench.rules, bench.cells, 0, (side, float(coins)))


def test_a_move_lasts_in_part_and_its_channel_keeps_the_sum(bench):
    made = bench()
    move_price.py_func(made.cells, 0, at.STOP, -0.02, -0.03)
    assert made[at.VALUE] == pytest.approx(np.log(100.0) - 0.02)
    assert made[at.PULL] == -0.03
    assert made.moved["stop"] == pytest.approx(-0.05)
    assert sum(made.moved.values()) == made.moved["stop"]


@sides
def test_a_day_of_volume_moves_price_by_its_constant_times_a_days_deviation(bench, side):
    made = bench()
    size = sell(made, made[at.DAILY_VOLUME], side)
    daily = made[at.IN_STD] * np.sqrt(24.0 / made.rules.step_h)
    assert size == pytest.approx(made.config.liquidity.slow_impact * daily)
    assert made.moved["slow_flow"] == pytest.approx((-1, 1)[side] * size)
    assert made[at.VALUE] - np.log(100.0) == pytest.approx(
        made.config.liquidity.slow_permanent * made.moved["slow_flow"]
    )
    assert made[at.PULL] == pytest.approx(made.moved["slow_flow"] + np.log(100.0) - made[at.VALUE])


@sides
def test_four_times_the_volume_moves_price_twice_as_far(bench, side):
    small, large = bench(), bench()
    assert sell(large, 400.0, side) == pytest.approx(2.0 * sell(small, 100.0, side))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=12))
def test_an_order_in_pieces_moves_price_as_far_as_in_one(bench, pieces):
    one, many = bench(), bench()
    whole = sell(one, sum(pieces))
    assert sum(sell(many, piece) for piece in pieces) == pytest.approx(whole, abs=1e-12)
    assert many.price == pytest.approx(one.price, abs=1e-12)
    assert many[at.ORDERS] == pytest.approx(sum(pieces))


def test_sells_and_buys_are_remembered_apart(bench):
    made = bench()
    down, up = sell(made, 100.0, 0), sell(made, 100.0, 1)
    assert down == up > 0.0
    assert made.price == pytest.approx(np.log(100.0))


@sides
def test_what_came_before_makes_the_next_piece_cheaper_until_it_is_forgotten(bench, side):
    fresh = sell(bench(), 100.0, side)
    costs = []
    for minutes in (0, 240, 2_400):
        made = bench()
        sell(made, 300.0, side)
        for _ in range(minutes // 5):
            made.advance()
        assert made[at.ORDERS + side] == pytest.approx(300.0 * 0.5 ** (minutes / 240.0))
        costs.append(sell(made, 100.0, side))
    assert costs == sorted(costs)
    assert costs[0] < 0.6 * fresh
    assert costs[-1] == pytest.approx(fresh, rel=0.06)


def test_supply_is_sold_slowly_by_the_step_and_negative_supply_bought(bench):
    sold, bought = bench(), bench()
    for made, coins in ((sold, 500.0), (bought, -500.0)):
        made.cells[0, at.IN_SUPPLY] = coins
        made.advance()
    assert sold.moved["slow_flow"] == pytest.approx(-bought.moved["slow_flow"])
    assert sold.price < np.log(100.0) < bought.price
    assert sold[at.ORDERS] == bought[at.ORDERS + 1] == 500.0


def test_more_than_zero_volatility_scales_the_impact(bench):
    calm, wild = bench(), bench()
    wild.cells[0, at.IN_STD] *= 3.0
    assert sell(wild, 100.0) == pytest.approx(3.0 * sell(calm, 100.0))
