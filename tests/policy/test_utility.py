"""Strategies and figures: equal exposure, no restriction is no difference, past only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.policy.allowance import Allowance
from liqwarn.policy.levered_book import BookTerms, Tape, run_book
from liqwarn.policy.utility import (
    breaker_plan,
    figures,
    mean_exposure,
    pooled,
    unrestricted_plan,
    volatility_plan,
)

N = 24 * 40
FREE = BookTerms(fee_frac=0.0, slippage_frac=0.0)


def tape_of(seed=0, side="long", n=N):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, n)))
    gap = (np.arange(n) > 300) & (np.arange(n) < 360)
    return Tape(
        side=side,
        close=close,
        worst=close,
        funding=np.where(np.arange(n) % 8 == 0, 1e-4, 0.0),
        running=rng.random(n) < 0.02,
        week_end=np.arange(n) % 168 == 167,
        present=~gap,
    )


def allowed_of(tape, frac=1.0, grows=True):
    n = tape.close.size
    return Allowance(
        leverage_frac=np.broadcast_to(np.asarray(frac, dtype=float), n).copy(),
        add_frac=np.ones(n),
        may_increase=np.broadcast_to(np.asarray(grows), n).copy(),
    )


def volatility_of(seed=1, n=N):
    return np.exp(np.random.default_rng(seed).normal(0, 0.02, n).cumsum()) * 0.01


@pytest.mark.parametrize("side", ["long", "short"])
def test_always_normal_is_unrestricted(side):
    tape, terms = tape_of(side=side), BookTerms()
    ours = run_book(tape, breaker_plan(tape, terms, allowed_of(tape)), terms)
    free = run_book(tape, unrestricted_plan(tape, terms), terms)
    for name in ("pnl", "carry", "cost", "exposure", "turnover", "liquidated"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(free, name))


def test_the_unrestricted_book_is_sized_at_week_ends_and_after_gaps():
    tape = tape_of()
    plan = unrestricted_plan(tape, FREE)
    assert np.flatnonzero(plan.resized).tolist() == [0, 167, 335, 360, 503, 671, 839]
    ledger = run_book(tape, plan, FREE)
    assert ledger.exposure[[0, 167, 360]] == pytest.approx(3.0)
    assert (ledger.exposure[301:360] == 0.0).all()


def test_the_breaker_comes_down_and_grows_back_when_it_may():
    tape = tape_of()
    hours = np.arange(N)
    frac = np.where((hours >= 40) & (hours < 80), 0.5, 1.0)
    grows = ~((hours >= 60) & (hours < 100))
    plan = breaker_plan(tape, FREE, allowed_of(tape, frac, grows))

    assert plan.leverage[[39, 40, 79, 80, 99, 100]].tolist() == [3, 1.5, 1.5, 1.5, 1.5, 3]
    assert np.flatnonzero(plan.resized)[:4].tolist() == [0, 40, 100, 167]


def test_a_book_held_small_over_a_week_end_is_sized_anew_when_it_may_grow():
    tape = tape_of()
    falling = np.linspace(100, 90, N)
    tape = Tape(**{n: getattr(tape, n) for n in tape.__slots__} | {"close": falling})
    grows = ~((np.arange(N) >= 160) & (np.arange(N) < 180))
    plan = breaker_plan(tape, FREE, allowed_of(tape, 1.0, grows))
    ledger = run_book(tape, plan, FREE)

    assert ledger.exposure[167] < 3.0  # fewer dollars than wanted, and none may be added
    assert ledger.exposure[180] == pytest.approx(3.0)


@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
def test_the_rival_holds_as_much_on_average(seed, share):
    tape, terms = tape_of(seed, n=400), BookTerms(maintenance_frac=1e-6)
    target = share * mean_exposure(tape, run_book(tape, unrestricted_plan(tape, terms), terms))
    plan = volatility_plan(tape, terms, volatility_of(seed, 400), target)
    ledger = run_book(tape, plan, terms)
    assert mean_exposure(tape, ledger) == pytest.approx(target, abs=1e-9)
    assert plan.leverage.max() <= terms.leverage


def test_the_rival_holds_less_when_volatility_is_high_and_trades_by_the_band():
    tape = tape_of()
    volatility = np.where(np.arange(N) < 480, 0.01, 0.02)
    volatility[:480] *= 1 + 0.04 * np.sin(np.arange(480))  # within the band
    plan = volatility_plan(tape, FREE, volatility, 1.5)
    weekly = np.flatnonzero(unrestricted_plan(tape, FREE).resized)
    assert set(np.flatnonzero(plan.resized)) - set(weekly) == {480}
    assert plan.leverage[479] / plan.leverage[480] == pytest.approx(2.0, rel=0.05)


def test_apart_from_its_constant_the_rival_sees_no_future():
    tape, volatility = tape_of(), volatility_of()
    later = volatility.copy()
    later[500:] *= np.linspace(1, 3, N - 500)
    before = volatility_plan(tape, FREE, volatility, 1.2).leverage[:500]
    after = volatility_plan(tape, FREE, later, 1.2).leverage[:500]
    inside = (before < 3.0) & (after < 3.0)
    scale = (before / after)[inside]
    assert inside.sum() > 100
    assert scale == pytest.approx(scale[0])


def test_the_last_known_volatility_stands():
    tape, volatility = tape_of(), volatility_of()
    gaps = volatility.copy()
    gaps[100:130] = np.nan
    filled = volatility.copy()
    filled[100:130] = volatility[99]
    given, wanted = (volatility_plan(tape, FREE, v, 1.2).leverage for v in (gaps, filled))
    np.testing.assert_array_equal(given, wanted)


def test_a_price_that_stands_still_or_is_not_listed_yet_has_no_volatility():
    tape, volatility = tape_of(), volatility_of()
    odd, filled = volatility.copy(), volatility.copy()
    odd[:3], filled[:3] = np.nan, volatility[3]
    odd[50:60], filled[50:60] = 0.0, volatility[49]

    given, wanted = (volatility_plan(tape, FREE, v, 1.2).leverage for v in (odd, filled))

    np.testing.assert_array_equal(given, wanted)
    nothing = volatility_plan(tape, FREE, np.full(volatility.size, np.nan), 1.2).leverage
    assert np.isfinite(nothing).all()


def test_figures_by_hand():
    n = 6
    tape = Tape(
        side="long",
        close=np.array([100.0, 110.0, 99.0, 99.0, 108.9, 108.9]),
        worst=np.array([100.0, 110.0, 99.0, 99.0, 108.9, 108.9]),
        funding=np.array([0, 0, 0, 0.01, 0, 0]),
        running=np.zeros(n, dtype=bool),
        week_end=np.zeros(n, dtype=bool),
        present=np.ones(n, dtype=bool),
    )
    terms = BookTerms(leverage=1.0, fee_frac=0.01, slippage_frac=0.0)
    ledger = run_book(tape, unrestricted_plan(tape, terms), terms)
    during = np.array([False, False, True, True, False, False])
    weeks = np.array([ledger.pnl[:3].sum(), ledger.pnl[3:].sum()])
    found = figures(ledger, ledger.pnl * during, weeks)

    assert found["pnl_frac"] == pytest.approx(-0.01 + 0.10 - 0.11 - 0.0099 + 0.099)
    assert found["loss_in_events_frac"] == pytest.approx(0.11 + 0.0099)
    assert found["carry_frac"] == pytest.approx(-0.0099)
    assert found["cost_frac"] == pytest.approx(0.01)
    assert found["worst_week_frac"] == pytest.approx(-0.02)
    assert found["max_drawdown_frac"] == pytest.approx(0.11 + 0.0099)
    assert found["turnover"] == pytest.approx(1.0)
    assert found["liquidations"] == 0
    assert mean_exposure(tape, ledger) == pytest.approx((1 + 1.1 + 0.99 * 2 + 1.089) / 5)


def test_a_pool_is_the_mean_of_its_books_and_counts_every_liquidation():
    tapes = [tape_of(seed) for seed in (1, 2)]
    ledgers = [run_book(tape, unrestricted_plan(tape, FREE), FREE) for tape in tapes]
    for ledger in ledgers:
        ledger.liquidated[7] = 1
    pool = pooled(ledgers)
    assert pool.pnl == pytest.approx((ledgers[0].pnl + ledgers[1].pnl) / 2)
    assert pool.liquidated[7] == 2
