"""Constants a step: the same market at any length of step."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.liquidation.margin import liquidation_price
from liqwarn.simulation import layout as at
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig, Venue
from liqwarn.simulation.rules import columns_of, ladder_of, log_distance, rules_of

STEPS = [timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1)]
every_step = pytest.mark.parametrize("step", STEPS, ids=str)


def left(rules, per_step, minutes):
    return per_step ** (minutes / (60.0 * rules.step_h))


@every_step
def test_half_lives_are_times_not_steps(step):
    config = MarketConfig(step=step)
    rules, book = rules_of(config), config.liquidity
    assert left(rules, rules.recovery, book.recovery_half_life_min) == pytest.approx(0.5)
    assert left(rules, rules.rebound, book.rebound_half_life_min) == pytest.approx(0.5)
    assert left(rules, 1.0 - rules.forgotten, book.slow_memory_min) == pytest.approx(0.5)


@every_step
def test_rates_are_by_the_hour(step):
    config = MarketConfig(step=step)
    rules = rules_of(config)
    assert rules.turnover / rules.step_h == pytest.approx(config.positioning.turnover_per_h)
    assert rules.day**2 * rules.step_h == pytest.approx(24.0)
    assert rules.entry_steps * rules.step_h == pytest.approx(
        max(config.positioning.entry_min / 60.0, rules.step_h)
    )


@every_step
def test_makers_who_withdraw_each_step_stand_as_far_back_at_any_step(step):
    rules, usual = rules_of(MarketConfig(step=step)), rules_of(MarketConfig())
    for name in ("withdrawal", "common_withdrawal"):
        found = getattr(rules, name) / (1.0 - rules.recovery)
        assert found == pytest.approx(getattr(usual, name) / (1.0 - usual.recovery))


def test_habits_that_follow_moves_are_those_asked_for_at_the_calibrated_step():
    config = MarketConfig()
    rules = rules_of(config)
    assert rules.withdrawal == pytest.approx(config.liquidity.withdrawal)
    assert rules.panic == pytest.approx(config.positioning.panic)
    assert np.exp(-rules.deepest) == pytest.approx(config.liquidity.floor)


@pytest.mark.parametrize(
    ("engine", "code", "at_once"), [("full", 0, 1.0), ("partial", 1, 0.2), ("tiered", 2, 0.4)]
)
def test_what_a_venue_takes_at_once(engine, code, at_once):
    rules = rules_of(MarketConfig(venue=Venue(engine=engine)))
    assert (rules.venue, rules.at_once) == (code, at_once)


@pytest.mark.parametrize(("seconds", "released"), [(1, 1 / 30), (15, 0.5), (30, 1.0), (300, 1.0)])
def test_the_rest_of_a_partial_liquidation_follows_within_its_time(seconds, released):
    rules = rules_of(MarketConfig(step=timedelta(seconds=seconds)))
    assert rules.released == pytest.approx(released)


def test_distances_are_whole_bins():
    rules = rules_of(MarketConfig())
    assert (rules.top_up, rules.relief) == (30, 6)


@pytest.mark.parametrize(("phi", "populations"), [(0.0, 1), (0.4, 2), (1.0, 2)])
def test_only_a_market_with_the_obedient_has_two_populations(phi, populations):
    rules = rules_of(MarketConfig(), phi=phi)
    assert (rules.phi, rules.populations) == (phi, populations)


def test_constants_of_symbols():
    config = MarketConfig()
    table = columns_of(config)
    assert table.shape == (12, at.DAILY_VOLUME + 1)
    for row, spec in zip(table, DEFAULT_SPECS, strict=True):
        coins = spec.open_interest_usd / spec.price
        assert row[at.DEPTH] == pytest.approx(spec.depth_usd / spec.price)
        assert row[at.BETA] == spec.beta
        assert row[at.OPEN_INTEREST] == pytest.approx(coins)
        assert row[at.UNIT] == pytest.approx(config.cross.share * coins)
        hourly = config.positioning.volume_to_oi * coins
        assert row[at.DAILY_VOLUME] == pytest.approx(24.0 * hourly)
    assert table[:, at.WEIGHT].sum() == pytest.approx(1.0)
    assert table[:, at.WEIGHT].argmax() == config.symbols.index("BTCUSDT")


def test_without_leverage_nobody_holds_the_basket():
    assert not columns_of(MarketConfig(leverage_off=True))[:, at.UNIT].any()
    assert rules_of(MarketConfig(leverage_off=True)).leverage_off


def test_a_ladder_is_blocks_of_what_is_known_of_each_rung():
    config = MarketConfig()
    lever, n = config.leverage, len(config.leverage.ladder)
    blocks = ladder_of(config, config.cross.mix).reshape(at.BLOCKS, n)
    for k in (0, 1, 5):
        np.testing.assert_array_equal(blocks[k], config.cross.mix)
    for k, side in ((2, "long"), (3, "short")):
        prices = [float(liquidation_price(side, 100.0, x, 0.005)) for x in lever.ladder]
        np.testing.assert_allclose(blocks[k], np.abs(np.log(np.array(prices) / 100.0)))
    np.testing.assert_allclose(np.exp(blocks[4]), lever.ladder)
    np.testing.assert_array_equal(blocks[6][:5], [0.02, 0.04, 0.07, 0.12, 0.0])


def test_more_leverage_is_nearer_to_liquidation():
    far = [log_distance(x, side, 0.005) for side in ("long", "short") for x in (2.0, 10.0, 100.0)]
    assert far[:3] == sorted(far[:3], reverse=True)
    assert far[3:] == sorted(far[3:], reverse=True)
    assert min(far) > 0.0
