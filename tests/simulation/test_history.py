"""One long history: what is recorded is what happened, in one go or in pieces."""

import numpy as np
import pytest

from liqwarn.simulation import layout as at
from liqwarn.simulation.books import new_books
from liqwarn.simulation.climate import Climate
from liqwarn.simulation.config import DEFAULT_SPECS, Habits, MarketConfig, Venue
from liqwarn.simulation.history import World, new_record, run
from liqwarn.simulation.market import draw_world
from liqwarn.simulation.rules import rules_of

BARS = 40
START = float(np.log(100.0))


def lived(seed=1, *, phi=0.0, spans=((0, BARS),), before=lambda books: None, **parts):
    """A market of three symbols over `spans`; `before` tells its participants something."""
    config = MarketConfig(specs=DEFAULT_SPECS[:3], n_bars=BARS, **parts)
    rules = rules_of(config, phi=phi)
    world, _ = draw_world(config, seed)
    world = world._replace(returns=4.0 * world.returns)  # a wild time
    books, record = new_books(config, rules), new_record(3, BARS)
    before(books)
    for span in spans:
        run(rules, world, books, record, span)
    return config, books, record


def quiet(bench, returns, n_bars=2):
    """A planted market of one symbol, whose news are given."""
    bars = np.ones((1, n_bars))
    steps = np.zeros((1, n_bars * 12))
    steps[0, : len(returns)] = returns
    calm = Climate(*(np.zeros((1, n_bars)) for _ in range(5)))
    return World(steps, np.zeros((2, *steps.shape)), 0.002 * bars, bars, 0.0 * bars, calm)


def played(bench, returns, planted=(), **options):
    made = bench(rules={"entry_steps": 10**9, "cut": 0.0, "topped_up": 0.0}, **options)
    for side, away, coins in planted:
        made.plant(side, away, coins)
    record = new_record(1, 2)
    run(made.rules, quiet(bench, returns), made.books, record, (0, 2))
    return made, record


def test_a_history_in_pieces_is_the_history_in_one():
    one = lived()
    many = lived(spans=((0, 1), (1, 17), (17, BARS)))
    for a, b in zip((*one[1], *one[2]), (*many[1], *many[2]), strict=True):
        assert a.tobytes() == b.tobytes()


def test_equal_seeds_give_equal_bits_and_others_do_not():
    prices = [lived(seed)[2].prices for seed in (1, 1, 2)]
    assert prices[0].tobytes() == prices[1].tobytes() != prices[2].tobytes()


@pytest.mark.parametrize("engine", ["full", "partial", "tiered"])
@pytest.mark.parametrize("phi", [0.0, 0.4])
def test_both_sides_sum_to_open_interest_at_every_close(engine, phi):
    def told(books):
        books.cells[:-1, at.IN_ENTRY] = 0.2
        books.cells[:-1, at.IN_ROOM : at.IN_ROOM + 2] = 0.08
        books.cells[:-1, at.IN_CUT : at.IN_CUT + 2] = 0.1
        books.cells[:-1, at.IN_RUSH] = 0.001

    _, books, record = lived(
        phi=phi,
        before=told if phi else lambda books: None,
        venue=Venue(engine=engine, insurance_frac=0.0001),
        habits=Habits(stop_share=0.3),
    )
    liquidated = record.tally[:, :, at.LIQUIDATED_COINS - at.TALLY]
    assert (liquidated > 1e-3 * record.held).any()
    assert record.tally[:, :, at.ADL_USD - at.TALLY].any()
    for side in range(2):
        np.testing.assert_allclose(record.cohorts[:, :, side], record.held, rtol=1e-9)
    assert bool(books.cells[:, at.CUT_USD].any()) is (phi > 0.0)


def test_the_recorded_sum_is_that_of_the_rings(bench):
    made, record = played(bench, [-0.06], [(0, 0.05, 500.0), (1, 0.05, 300.0)])
    made.assert_conserved()
    assert record.cohorts[0, -1, 0] == pytest.approx(made.recount(0))
    assert record.held[0, -1] == made[at.HELD]


def test_candles_hold_the_path():
    _, _, record = lived()
    o, high, low, c = record.prices
    assert (low <= np.minimum(o, c)).all()
    assert (high >= np.maximum(o, c)).all()
    np.testing.assert_array_equal(o[:, 1:], c[:, :-1])


def test_channels_sum_to_the_move_of_every_bar():
    _, _, record = lived()
    moved = np.diff(record.moved, axis=1, prepend=0.0).sum(axis=2)
    np.testing.assert_allclose(moved, record.prices[3] - record.prices[0], atol=1e-12)


def test_a_bars_tally_is_its_own(bench):
    _, record = played(bench, [-0.06], [(0, 0.05, 500.0)])
    coins = record.tally[0, :, at.LIQUIDATED_COINS - at.TALLY]
    np.testing.assert_allclose(coins, [500.0, 0.0])
    usd = record.tally[0, 0, at.LIQUIDATED_USD - at.TALLY]
    assert usd == pytest.approx(500.0 * np.exp(START - 0.06))


def test_the_distance_bands_hold_what_was_planted(bench):
    away = (0.005, 0.015, 0.025, 0.04, 0.07, 0.2)
    planted = [(side, d, 10.0 * (k + 1)) for side in range(2) for k, d in enumerate(away)]
    _, record = played(bench, [0.0], planted)
    expected = [10.0, 20.0, 30.0, 40.0, 50.0]
    np.testing.assert_allclose(record.near[0, 0], [expected, expected])


def test_stops_are_not_counted_as_liquidations_to_come(bench):
    made = bench(rules={"entry_steps": 10**9})
    made.plant(0, 0.05, 10.0, kind=at.STOPPED)
    record = new_record(1, 2)
    run(made.rules, quiet(bench, [0.0]), made.books, record, (0, 2))
    assert not record.near.any()


def test_recorded_depth_is_calm_depth_less_what_makers_withdrew(bench):
    made, record = played(bench, [-0.02])
    bid, ask = record.depth[0, :, 0], record.depth[0, :, 1]
    assert bid[0] < ask[0] < made[at.DEPTH]
    assert bid[1] > bid[0]
    assert bid[1] == pytest.approx(made[at.DEPTH] * np.exp(-made[at.THIN]), rel=1e-6)


def test_price_can_leave_every_cohort_behind(bench):
    made, record = played(bench, [0.4] * 10, [(0, 0.05, 100.0)])
    assert record.prices[3, 0, -1] - START > at.BIN_WIDTH * made.ring.shape[2]
    made.assert_conserved()
    np.testing.assert_allclose(record.cohorts[0, -1], made[at.HELD], rtol=1e-12)


def test_large_holders_sell_in_the_steps_they_were_given(bench):
    made = bench()
    world = quiet(bench, [])
    world.supply[0, 0] = 100.0
    record = new_record(1, 2)
    run(made.rules, world, made.books, record, (0, 2))
    moved = np.diff(record.moved[0, :, at.SLOW_FLOW], prepend=0.0)
    assert moved[0] < 0.0 == moved[1]


def test_climate_reaches_the_book(bench):
    made = bench()
    world = quiet(bench, [])
    world.climate.depth[0] = 0.5, -0.5
    world.climate.tilt[0] = 0.1
    world.climate.mood[0] = 0.7
    record = new_record(1, 2)
    run(made.rules, world, made.books, record, (0, 2))
    np.testing.assert_allclose(np.log(record.depth[0, 0] / made[at.DEPTH]), [0.6, 0.4])
    np.testing.assert_allclose(np.log(record.depth[0, 1] / made[at.DEPTH]), [-0.4, -0.6])
    assert record.crowding[0, 0] == pytest.approx(0.7)
