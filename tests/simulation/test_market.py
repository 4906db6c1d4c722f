"""Laws of the whole simulated market."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.frames import FIELDS
from liqwarn.simulation.config import DEFAULT_SPECS, SIM_SYMBOLS, MarketConfig
from liqwarn.simulation.market import simulate_market
from liqwarn.simulation.realism import cascade_bars


def test_equal_arguments_give_equal_bits_and_other_seeds_do_not():
    config = MarketConfig(n_bars=200)
    one, same, other = (simulate_market(config, seed) for seed in (1, 1, 2))
    for name, plane in one.frame.fields.items():
        assert plane.tobytes() == same.frame.fields[name].tobytes(), name
    assert not np.array_equal(one.frame.field("close"), other.frame.field("close"))


def test_the_axes_are_those_asked_for(market):
    frame = market.frame
    assert frame.symbols == SIM_SYMBOLS
    assert frame.bar == timedelta(hours=1)
    assert frame.times[0] == np.datetime64("2022-01-01T01:00:00")


def test_every_value_is_finite_and_possible(market):
    for name, plane in market.frame.fields.items():
        assert np.isfinite(plane).all(), name
        spec = FIELDS[name]
        if spec.floor is not None:
            assert (plane > spec.floor if spec.floor_open else plane >= spec.floor).all(), name
    assert (market.frame.field("whale_ratio") <= 1.0).all()
    assert (market.frame.field("reserve") > 0.0).all()


def test_all_that_an_exchange_and_a_chain_show_is_there(market):
    absent = {"leverage_ratio", "next_macro_h", "next_unlock_h", "next_unlock_frac"}
    assert set(market.frame.fields) == set(FIELDS) - absent


def test_candles_are_candles(market):
    o, h, low, c = (market.frame.field(n) for n in ("open", "high", "low", "close"))
    assert (low <= np.minimum(o, c)).all()
    assert (h >= np.maximum(o, c)).all()
    assert (h > low).all()
    np.testing.assert_array_equal(o[:, 1:], c[:, :-1])


def test_longs_equal_shorts_equal_open_interest(market):
    held = market.frame.field("open_interest")
    for side in range(2):
        np.testing.assert_allclose(market.truth.cohort_coins[:, :, side], held, rtol=1e-10)


def test_the_parts_of_a_move_sum_to_the_move(market):
    frame, truth = market.frame, market.truth
    move = np.log(frame.field("close") / frame.field("open"))
    np.testing.assert_allclose(truth.exogenous + truth.endogenous, move, atol=1e-12)


def test_takers_sum_to_volume_and_flows_to_netflow_and_reserve(market):
    f = market.frame.fields
    np.testing.assert_allclose(f["taker_buy_volume"] + f["taker_sell_volume"], f["volume"])
    np.testing.assert_allclose(f["inflow"] - f["outflow"], f["netflow"])
    np.testing.assert_allclose(np.diff(f["reserve"]), f["netflow"][:, 1:], atol=1e-3)


def test_funding_is_positive_where_longs_are_crowded(market):
    crowded = np.quantile(market.truth.crowding, [0.1, 0.9])
    for name in ("funding_rate", "funding_rate_2"):
        rate = market.frame.field(name)
        lowest = rate[market.truth.crowding < crowded[0]].mean()
        highest = rate[market.truth.crowding > crowded[1]].mean()
        assert lowest < 0.0 < highest, name


def test_funding_changes_at_settlements_only(market):
    rate = market.frame.field("funding_rate")
    hours = market.frame.times.astype("datetime64[h]").astype(int)
    changed = (np.diff(rate, axis=1) != 0.0).any(axis=0)
    assert set(hours[1:][changed] % 8) == {0}


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


def test_without_leverage_the_endogenous_part_vanishes(market, unlevered):
    np.testing.assert_array_equal(market.truth.exogenous, unlevered.truth.exogenous)
    assert unlevered.truth.liquidated_usd.sum() == 0.0
    with_leverage, without = (cascade_bars(m.frame).sum() for m in (market, unlevered))
    assert without < 0.3 * with_leverage
    tail = np.abs(market.truth.exogenous) > 0.02
    for one, bound in ((market, 0.003), (unlevered, 0.003)):
        size = np.abs(one.truth.endogenous[tail]).mean()
        assert (size > bound) == (one is market)


@pytest.mark.parametrize("bar", [timedelta(minutes=30), timedelta(hours=4)])
def test_other_bars_and_a_single_symbol(bar):
    config = MarketConfig(specs=DEFAULT_SPECS[1:2], bar=bar, n_bars=100)
    frame = simulate_market(config, seed=1).frame
    assert frame.shape == (1, 100)
    assert all(np.isfinite(plane).all() for plane in frame.fields.values())
