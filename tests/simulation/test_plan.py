"""A plan holds what its scenario says: totals, places, overlaps."""

import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from liqwarn.errors import ConfigError
from liqwarn.simulation.config import DEFAULT_SPECS, SIM_SYMBOLS, CrossMargin
from liqwarn.simulation.plan import Plan, market_of, plan_of
from liqwarn.simulation.scenario import (
    AdlShock,
    DepthShock,
    FundingShock,
    OutageShock,
    PriceShock,
    StoreStart,
    UnlockShock,
)

SHARED = runpy.run_path(str(Path(__file__).with_name("scenarios.py")))
scenario_of, minutes = SHARED["scenario_of"], SHARED["minutes"]
NOW, HOUR = timedelta(0), timedelta(hours=1)
MARKET = market_of(scenario_of(), DEFAULT_SPECS)
BTC, FET = SIM_SYMBOLS.index("BTCUSDT"), SIM_SYMBOLS.index("FETUSDT")
EXACT = {"rel": 1e-12, "abs": 1e-13}


def plan(*shocks, **changed):
    scenario = scenario_of(*shocks, **changed)
    return plan_of(scenario, market_of(scenario, DEFAULT_SPECS))


def steps_of(plane):
    """First and last step in which anything happens."""
    return tuple(np.flatnonzero(plane)[[0, -1]].tolist())


def rows_in(shock):
    wanted = SIM_SYMBOLS if shock.symbols is None else shock.symbols
    return np.array([symbol in wanted for symbol in SIM_SYMBOLS])


def test_without_shocks_nothing_happens():
    calm = plan()

    assert calm.news.shape == calm.depth.shape == calm.supply.shape == calm.up.shape == (12, 360)
    assert calm.erosion.shape == (12, 2, 360)
    assert calm.collateral.shape == calm.drained.shape == (360,)
    assert not any(getattr(calm, n).any() for n in ("news", "depth", "erosion", "supply"))
    assert (calm.collateral == 1.0).all()
    assert calm.up.all()
    assert not calm.drained.any()


@settings(max_examples=150, deadline=None)
@given(shock=SHARED["price_shocks"])
def test_the_news_of_a_price_shock_is_its_move_in_logs(shock):
    found, hit = plan(shock).news.sum(axis=1), rows_in(shock)
    specs = [spec for spec, here in zip(DEFAULT_SPECS, hit, strict=True) if here]
    largest = max(specs, key=lambda spec: spec.open_interest_usd)
    pull = np.array([s.volatility * s.beta for s in specs]) / (largest.volatility * largest.beta)
    scale = pull if shock.follow == "beta" else np.ones(len(specs))

    assert found[hit] == pytest.approx(np.log1p(shock.move) * scale, **EXACT)
    assert not found[~hit].any()


def test_under_beta_the_largest_takes_the_move_and_the_volatile_follow_further():
    news = plan(PriceShock(at=NOW, move=-0.1, follow="beta")).news.sum(axis=1)
    alone = plan(PriceShock(at=NOW, move=-0.1, follow="beta", symbols=("FETUSDT",))).news

    assert np.expm1(news[BTC]) == pytest.approx(-0.1)
    assert news.argmax() == BTC
    moved = [DEFAULT_SPECS[i].volatility * DEFAULT_SPECS[i].beta for i in (FET, BTC)]
    assert news[FET] / news[BTC] == pytest.approx(moved[0] / moved[1])
    assert np.expm1(alone[FET].sum()) == pytest.approx(-0.1)


def test_a_price_shock_shorter_than_a_step_lands_in_one():
    news = plan(PriceShock(at=timedelta(seconds=90), move=0.1, over=timedelta(seconds=59))).news

    assert steps_of(news[BTC]) == (1, 1)
    assert steps_of(plan(PriceShock(at=HOUR, move=0.1, over=minutes(30))).news[BTC]) == (60, 89)


def test_depth_falls_stays_and_returns_with_its_half_life():
    depth = plan(
        DepthShock(at=HOUR, to=0.25, lasts=HOUR, half_life=minutes(10), symbols=("BTCUSDT",))
    ).depth

    assert np.exp(depth[BTC, [59, 60, 119, 120, 130, 140]]) == pytest.approx(
        [1.0, 0.25, 0.25, 0.25, 0.5, 0.25**0.25]
    )
    assert not np.delete(depth, BTC, axis=0).any()


def test_the_payer_s_prices_come_nearer_and_the_receiver_s_go_away():
    pays = FundingShock(at=HOUR, rate=0.003, payments=3, every=HOUR, symbols=("FETUSDT",))
    erosion = plan(pays).erosion

    assert np.flatnonzero(erosion[FET, 0]).tolist() == [60, 120, 180]
    assert erosion[FET, :, 60].tolist() == [0.003, -0.003]
    assert not np.delete(erosion, FET, axis=0).any()
    assert plan(replace(pays, rate=-0.003)).erosion[FET, :, 60].tolist() == [-0.003, 0.003]


def test_several_payments_in_one_step_add_up():
    often = FundingShock(at=NOW, rate=0.001, payments=6, every=timedelta(seconds=10))

    assert plan(often).erosion[:, 0, 0] == pytest.approx(0.006)


@settings(max_examples=150, deadline=None)
@given(shock=SHARED["haircut_shocks"], share=st.floats(0.0, 1.0))
def test_a_haircut_takes_its_share_of_the_collateral(shock, share):
    market = replace(MARKET, cross=CrossMargin(collateral_share=share))
    left = plan_of(scenario_of(shock), market).collateral

    assert left.prod() == pytest.approx(1.0 - share * shock.haircut, **EXACT)
    assert ((left >= 0.0) & (left <= 1.0)).all()


@settings(max_examples=150, deadline=None)
@given(shock=SHARED["unlock_shocks"])
def test_an_unlock_sells_its_share(shock):
    supply, hit = plan(shock).supply, rows_in(shock)

    assert supply[hit].sum(axis=1) == pytest.approx(shock.share, **EXACT)
    assert (supply >= 0.0).all()
    assert not supply[~hit].any()


def test_an_outage_takes_down_every_step_it_touches():
    down = OutageShock(at=timedelta(seconds=90), lasts=minutes(2), symbols=("FETUSDT",))
    lasting = OutageShock(at=HOUR, lasts=9 * HOUR)

    assert np.flatnonzero(~plan(down).up[FET]).tolist() == [1, 2, 3]
    assert np.delete(plan(down).up, FET, axis=0).all()
    assert plan(lasting).up.sum() == 12 * 60


def test_the_insurance_stays_empty():
    assert np.flatnonzero(plan(AdlShock(at=5 * HOUR)).drained).tolist() == list(range(300, 360))


@settings(max_examples=150, deadline=None)
@given(one=SHARED["shocks"], two=SHARED["shocks"])
def test_overlapping_shocks_add_up(one, two):
    if one == two:
        return
    first, second, both = plan(one), plan(two), plan(one, two)

    for name in ("news", "depth", "erosion", "supply"):
        total = getattr(first, name) + getattr(second, name)
        assert_allclose(getattr(both, name), total, rtol=1e-12, atol=1e-13)
    assert_allclose(both.collateral, first.collateral * second.collateral, rtol=1e-12, atol=1e-13)
    assert (both.up == (first.up & second.up)).all()
    assert (both.drained == (first.drained | second.drained)).all()


@settings(max_examples=100, deadline=None)
@given(shocks=st.lists(SHARED["shocks"], max_size=4, unique_by=repr))
def test_a_plan_is_finite_and_the_same_in_any_order_and_on_finer_steps(shocks):
    found, turned = plan(*shocks), plan(*shocks[::-1])
    finer = plan(*shocks, step=timedelta(seconds=30))

    for name, plane, other in zip(Plan._fields, found, turned, strict=True):
        assert np.isfinite(plane).all(), name
        assert_allclose(plane, other, rtol=1e-12, atol=1e-13)
    for name in ("news", "erosion", "supply"):
        coarse, fine = getattr(found, name).sum(axis=-1), getattr(finer, name).sum(axis=-1)
        assert fine == pytest.approx(coarse, rel=1e-9, abs=1e-12)
    assert finer.collateral.prod() == pytest.approx(found.collateral.prod(), abs=1e-12)


def test_every_unknown_symbol_is_named():
    scenario = scenario_of(
        PriceShock(at=NOW, move=0.1, symbols=("BTCUSDT", "ETHUSDC")),
        UnlockShock(at=NOW, share=0.1, over=HOUR, symbols=("PEPE",)),
    )
    for refused in (
        lambda: plan_of(scenario, MARKET),
        lambda: market_of(scenario, DEFAULT_SPECS),
    ):
        with pytest.raises(ConfigError, match=r"scenario test: .*ETHUSDC, did .*'ETHUSDT'.*PEPE"):
            refused()


def test_a_market_on_other_steps_is_refused():
    with pytest.raises(ConfigError, match=r"step of the market is 0:01:00, expected 0:00:30"):
        plan_of(scenario_of(step=timedelta(seconds=30)), MARKET)


def test_nobody_can_follow_a_symbol_without_beta():
    still = tuple(replace(spec, beta=0.0) for spec in DEFAULT_SPECS)
    scenario = scenario_of(PriceShock(at=NOW, move=0.1, follow="beta"))

    with pytest.raises(ConfigError, match="BTCUSDT has beta 0, expected above 0"):
        plan_of(scenario, market_of(scenario, still))


def test_the_market_has_the_scenario_s_symbols_bars_and_overrides():
    market = market_of(
        scenario_of(
            symbols=("FETUSDT", "BTCUSDT"),
            bar=minutes(30),
            market={"venue": {"engine": "tiered"}},
        ),
        DEFAULT_SPECS,
    )

    assert market.symbols == ("BTCUSDT", "FETUSDT")
    assert (market.n_bars, market.steps_per_bar) == (12, 30)
    assert market.venue.engine == "tiered"
    assert market.cross == CrossMargin()


def test_a_real_start_is_the_market_s_start():
    at = datetime(2025, 2, 2, 20, tzinfo=UTC)
    start = StoreStart(panel=PurePosixPath("p.yaml"), at=at)

    assert market_of(scenario_of(start=start), DEFAULT_SPECS).start == at


def test_a_bar_that_divides_no_day_still_has_a_market():
    market = market_of(scenario_of(bar=minutes(7), horizon=minutes(70)), DEFAULT_SPECS)

    assert market.n_bars == 10


def test_every_fault_of_a_market_is_named():
    scenario = scenario_of(
        symbols=("BTCUSDT", "BTCUSDC"), market={"venu": {}, "cross": {"shar": 0.1}}
    )
    with pytest.raises(ConfigError, match=r"unknown symbol BTCUSDC.*market\.venu: .*'share'\?$"):
        market_of(scenario, DEFAULT_SPECS)
