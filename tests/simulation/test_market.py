"""Laws of the whole simulated market."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.frames import FIELDS
from liqwarn.simulation.cascade_facts import cascade_bars
from liqwarn.simulation.config import DEFAULT_SPECS, SIM_SYMBOLS, MarketConfig, Venue
from liqwarn.simulation.layout import CHANNELS
from liqwarn.simulation.market import draw_world, simulate_market

SECOND, MINUTE, HOUR = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours"))


def test_equal_arguments_give_equal_bits_and_other_seeds_do_not():
    config = MarketConfig(n_bars=200)
    one, same, other = (simulate_market(config, seed) for seed in (1, 1, 2))
    for name, plane in one.frame.fields.items():
        assert plane.tobytes() == same.frame.fields[name].tobytes(), name
    assert one.truth.near_coins.tobytes() == same.truth.near_coins.tobytes()
    assert not np.array_equal(one.frame.field("close"), other.frame.field("close"))


def test_the_axes_are_those_asked_for(market):
    frame = market.frame
    assert frame.symbols == SIM_SYMBOLS
    assert frame.bar == HOUR
    assert frame.times[0] == np.datetime64("2022-01-01T01:00:00")


def check_possible(frame):
    """Every value is finite and possible, and candles are candles."""
    for name, plane in frame.fields.items():
        assert np.isfinite(plane).all(), name
        spec = FIELDS[name]
        if spec.floor is not None:
            assert (plane > spec.floor if spec.floor_open else plane >= spec.floor).all(), name
    o, h, low, c = (frame.field(n) for n in ("open", "high", "low", "close"))
    assert (low <= np.minimum(o, c)).all()
    assert (h >= np.maximum(o, c)).all()
    assert (h > low).all()
    np.testing.assert_array_equal(o[:, 1:], c[:, :-1])


def test_every_value_is_finite_and_possible(market):
    check_possible(market.frame)
    assert (market.frame.field("whale_ratio") <= 1.0).all()
    assert (market.frame.field("reserve") > 0.0).all()


def test_all_that_an_exchange_and_a_chain_show_is_there(market):
    absent = {"leverage_ratio", "next_macro_h", "next_unlock_h", "next_unlock_frac"}
    absent |= {"implied_volatility"}  # of options, which no one trades there
    assert set(market.frame.fields) == set(FIELDS) - absent


def test_longs_equal_shorts_equal_open_interest(market):
    held = market.frame.field("open_interest")
    for side in range(2):
        np.testing.assert_allclose(market.truth.cohort_coins[:, :, side], held, rtol=1e-9)


def test_the_parts_of_a_move_sum_to_the_move(market):
    frame, truth = market.frame, market.truth
    move = np.log(frame.field("close") / frame.field("open"))
    assert tuple(truth.channels) == CHANNELS
    np.testing.assert_allclose(sum(truth.channels.values()), move, atol=1e-11)
    np.testing.assert_allclose(truth.exogenous + truth.endogenous, move, atol=1e-11)


def test_every_channel_moves_price(market):
    for name, moved in market.truth.channels.items():
        assert moved.any(), name


def test_forced_channels_of_a_side_push_its_way(market):
    truth, usd = market.truth, market.truth.liquidated_usd
    longs_alone = (usd[:, :, 0] > 0.0) & (usd[:, :, 1] == 0.0)
    shorts_alone = (usd[:, :, 1] > 0.0) & (usd[:, :, 0] == 0.0)
    forced = truth.channels["liquidation"]
    assert (forced[longs_alone] <= 0.0).all()
    assert (forced[shorts_alone] >= 0.0).all()
    assert longs_alone.sum() > 1_000 < shorts_alone.sum()


def test_truth_is_possible(market):
    truth, usd = market.truth, market.truth.liquidated_usd
    held_usd = market.frame.field("open_interest") * market.frame.field("close")
    assert min(usd.min(), truth.adl_usd.min(), truth.insurance_usd.min()) >= 0.0
    assert (truth.adl_usd <= usd.sum(axis=2) * (1.0 + 1e-9)).all()
    assert (truth.near_coins.sum(axis=3) <= truth.cohort_coins * (1.0 + 1e-9)).all()
    assert (truth.insurance_usd < held_usd).all()
    assert 0.0 < np.median(truth.insurance_usd / held_usd) < 0.03


def test_without_a_fund_bankruptcies_are_closed_against_the_other_side():
    config = MarketConfig(n_bars=400, venue=Venue(insurance_frac=0.0))
    poor, rich = simulate_market(config, 3), simulate_market(MarketConfig(n_bars=400), 3)
    assert poor.truth.adl_usd.sum() > rich.truth.adl_usd.sum()
    assert not poor.truth.insurance_usd.any()


def test_funding_is_positive_where_longs_are_crowded(market):
    crowded = np.quantile(market.truth.crowding, [0.1, 0.9])
    for name in ("funding_rate", "funding_rate_2"):
        rate = market.frame.field(name)
        lowest = rate[market.truth.crowding < crowded[0]].mean()
        highest = rate[market.truth.crowding > crowded[1]].mean()
        assert lowest < highest > 0.0, name


def test_falls_liquidate_longs_and_rises_shorts(market):
    frame = market.frame
    move = np.log(frame.field("close") / frame.field("open"))
    usd = (
        market.truth.liquidated_usd
        / (frame.field("open_interest") * frame.field("close"))[:, :, None]
    )
    assert usd[move < -0.02][:, 0].mean() > 10.0 * usd[move < -0.02][:, 1].mean()
    assert usd[move > 0.02][:, 1].mean() > 10.0 * usd[move > 0.02][:, 0].mean()


def test_prints_are_truncated_and_never_invented(market):
    seen = np.stack([market.frame.field(f"{s}_liq_usd") for s in ("long", "short")], axis=-1)
    true = market.truth.liquidated_usd
    assert (seen <= true * (1.0 + 1e-12)).all()
    assert (seen[true == 0.0] == 0.0).all()
    assert seen.sum() < 0.9 * true.sum()


def test_without_leverage_the_same_news_and_nothing_forced(market, unlevered):
    np.testing.assert_array_equal(market.truth.exogenous, unlevered.truth.exogenous)
    assert unlevered.truth.liquidated_usd.sum() == 0.0
    for name in ("liquidation", "stop", "margin_call", "cross_margin", "contagion"):
        assert not unlevered.truth.channels[name].any(), name
    with_leverage, without = (cascade_bars(m.frame).sum() for m in (market, unlevered))
    assert without < 0.5 * with_leverage
    tail = np.abs(market.truth.exogenous) > 0.02
    fallen = [np.abs(m.truth.endogenous[tail]).mean() for m in (market, unlevered)]
    assert fallen[1] < 0.7 * fallen[0]


def test_large_holders_coins_are_scaled_by_open_interest():
    config = MarketConfig(n_bars=2_000)
    world, shocks = draw_world(config, 1)
    coins = np.array([s.open_interest_usd / s.price for s in DEFAULT_SPECS])[:, None]
    np.testing.assert_allclose(world.supply, shocks.supply * coins)
    assert world.climate.mood.shape == world.activity.shape == (12, 2_000)


@pytest.mark.parametrize("engine", ["partial", "tiered"])
def test_gentler_venues_liquidate_no_more_at_a_time(engine):
    config = MarketConfig(n_bars=600, step=10 * SECOND, specs=DEFAULT_SPECS[2:4])
    full = simulate_market(config, 2)
    other = simulate_market(
        MarketConfig(
            n_bars=600, step=10 * SECOND, specs=DEFAULT_SPECS[2:4], venue=Venue(engine=engine)
        ),
        2,
    )
    np.testing.assert_array_equal(full.truth.exogenous, other.truth.exogenous)
    assert 0.0 < other.truth.liquidated_usd.sum() < full.truth.liquidated_usd.sum()


@pytest.mark.parametrize(
    ("bar", "step"),
    [
        (10 * SECOND, 10 * SECOND),
        (MINUTE, 10 * SECOND),
        (15 * MINUTE, MINUTE),
        (30 * MINUTE, 5 * MINUTE),
        (4 * HOUR, 5 * MINUTE),
    ],
    ids=str,
)
def test_other_bars_and_a_single_symbol(bar, step):
    config = MarketConfig(specs=DEFAULT_SPECS[1:2], bar=bar, step=step, n_bars=100)
    market = simulate_market(config, seed=1)
    assert market.frame.shape == (1, 100)
    assert market.frame.bar == bar
    check_possible(market.frame)
    held = market.frame.field("open_interest")
    np.testing.assert_allclose(market.truth.cohort_coins[:, :, 0], held, rtol=1e-9)


def test_bars_of_a_second():
    config = MarketConfig(specs=DEFAULT_SPECS[1:3], bar=SECOND, step=SECOND, n_bars=600)
    check_possible(simulate_market(config, seed=1).frame)
