"""Six symbols, one of which has a crowd of longs just below its price."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.errors import ConfigError
from liqwarn.liquidation.profile import Profile
from liqwarn.simulation import futures, worst_case_order
from liqwarn.simulation.config import MarketConfig, SymbolSpec
from liqwarn.simulation.futures import PathOrder, simulate_futures
from liqwarn.simulation.opening import Opening, opening_of_profiles
from liqwarn.simulation.shock_factors import specified_factors
from liqwarn.simulation.worst_case import (
    JointShock,
    baseline,
    damage_of,
    median_path,
    plan_of_shock,
    search_worst_cases,
    value_of,
)
from liqwarn.simulation.worst_case_order import WorstCaseSearch

PRICE, COINS = 100.0, 1e6
SYMBOLS = tuple(f"{letter}USDT" for letter in "ABCDEF")
CROWDED = "BUSDT"


def spec(name):
    return SymbolSpec(
        name=name,
        sector="one",
        price=PRICE,
        volatility=0.006,
        beta=0.3,
        sector_beta=0.2,
        open_interest_usd=PRICE * COINS,
        depth_usd=PRICE * COINS / 25.0,
    )


def profile(name):
    prices = PRICE * np.exp(np.linspace(-0.3, 0.3, 121))
    away = np.log(prices / PRICE)
    crowd = 0.5 if name == CROWDED else 0.01
    long = np.where((away < -0.04) & (away > -0.16), crowd * COINS / 24.0, 0.0)
    short = np.where((away > 0.04) & (away < 0.16), 0.01 * COINS / 24.0, 0.0)
    return Profile(
        symbol=name,
        as_of=np.datetime64("2025-01-01", "s"),
        price=PRICE,
        open_interest=COINS,
        prices=prices,
        long=long,
        short=short,
        long_band=np.stack([long, long]),
        short_band=np.stack([short, short]),
    )


@pytest.fixture(scope="module")
def opening() -> Opening:
    config = MarketConfig(
        specs=tuple(spec(name) for name in SYMBOLS),
        n_bars=12,
        bar=timedelta(minutes=15),
        step=timedelta(minutes=1),
    )
    climate = {"activity": np.full(6, 0.5), "mood": np.zeros(6), "depth": np.zeros((6, 2))}
    return opening_of_profiles(config, {name: profile(name) for name in SYMBOLS}, climate)


@pytest.fixture(scope="module")
def factors(opening):
    return specified_factors(opening.config.specs, 24.0)


def search_of(**changed):
    given = {"objective": "liquidated", "radii": (3.0,), "paths": 6, "evaluations": 120}
    return WorstCaseSearch(**given | changed)


@pytest.fixture(scope="module")
def grown(opening, factors):
    return search_worst_cases(opening, factors, search_of(radii=(4.0, 1.0, 2.0)))


def test_it_finds_the_crowded_symbol_and_beats_chance(opening, factors):
    (result,) = search_worst_cases(opening, factors, search_of(radii=(2.0,)))
    values = factors.values(result.shock.y)
    assert factors.names[int(np.abs(values).argmax())] == CROWDED
    moves = factors.moves(result.shock.y)
    assert moves.argmin() == SYMBOLS.index(CROWDED)
    assert result.shock.depth == pytest.approx(0.3)
    assert result.random_best.value < 0.95 * result.worst.value
    assert result.evaluations == 120
    market = -2.0 * factors.axes[0]
    common = JointShock(y=market, depth=0.3, haircut=0.1)
    assert value_of(opening, factors, search_of(), common).value < 0.5 * result.worst.value


def test_the_worst_grows_with_the_radius_and_stays_inside_it(grown, factors):
    assert [result.radius for result in grown] == [1.0, 2.0, 4.0]
    values = [result.worst.value for result in grown]
    assert values == sorted(values)
    assert values[0] < 0.5 * values[-1]
    for result in grown:
        distance = factors.distance(factors.moves(result.shock.y))
        assert distance == pytest.approx(result.radius)
        assert 0.3 <= result.shock.depth <= 1.0
        assert 0.0 <= result.shock.haircut <= 0.1


def test_a_ball_in_which_nothing_worse_is_found_keeps_the_smaller_ones_worst(opening, factors):
    """One evaluation a ball, and a market in which radius changes next to nothing."""
    search = search_of(radii=(2.0, 2.000001, 2.000002, 2.000003), evaluations=1)
    results = search_worst_cases(opening, factors, search)
    values = [result.worst.value for result in results]
    assert values == sorted(values)


def test_bits_depend_on_the_seed_alone(opening, factors):
    search = search_of(evaluations=40, paths=4)
    one = search_worst_cases(opening, factors, search)[0]
    for threads in (1, 2, 3):
        same = search_worst_cases(opening, factors, replace(search, threads=threads))[0]
        np.testing.assert_array_equal(one.shock.y, same.shock.y)
        assert (one.worst, one.random_best, one.searched) == (
            same.worst, same.random_best, same.searched
        )  # fmt: skip
    other = search_worst_cases(opening, factors, replace(search, seed=2))[0]
    assert other.worst != one.worst


def test_the_worst_is_valued_on_other_paths_than_it_was_chosen_on(opening, factors, grown):
    result, search = grown[-1], search_of(radii=(4.0,))
    plan = plan_of_shock(opening, factors, search, result.shock)
    order = PathOrder(paths=4 * search.paths, seed=search.seed_of("fresh"))
    damage = damage_of(opening, simulate_futures(opening, plan, order), search)
    assert result.worst.value == pytest.approx(damage.mean())
    low, high = result.worst.ci
    assert low < result.worst.value < high
    assert result.searched != result.worst.value
    assert search.seed_of("fresh") != search.seed_of("paths")


def test_loss_is_the_fall_weighted_by_open_interest(opening, factors):
    search = search_of(objective="loss")
    shock = JointShock(y=-1.5 * factors.axes[0], depth=1.0, haircut=0.0)
    plan = plan_of_shock(opening, factors, search, shock)
    futures = simulate_futures(opening, plan, PathOrder(paths=3))
    trough = np.minimum(futures.worst, futures.other) - np.log(PRICE)
    np.testing.assert_allclose(
        damage_of(opening, futures, search), -100.0 * np.expm1(trough).mean(axis=1), rtol=1e-9
    )
    assert (damage_of(opening, futures, search) > 0.0).all()


def test_a_rise_is_no_loss(opening, factors):
    search = search_of(objective="loss")
    rise, fall = (
        value_of(opening, factors, search, JointShock(y=y, depth=1.0, haircut=0.0)).value
        for y in (3.0 * factors.axes[0], -3.0 * factors.axes[0])
    )
    assert 0.0 <= rise < 0.3 * fall


def test_a_plan_spreads_the_move_and_the_haircut_and_nothing_else(opening, factors):
    search = search_of(over=timedelta(minutes=30))
    shock = JointShock(y=np.array([1.0, -2.0, 0.5, 0.0, 0.3, -0.1]), depth=0.5, haircut=0.08)
    plan = plan_of_shock(opening, factors, search, shock)
    np.testing.assert_allclose(plan.news.sum(axis=1), factors.moves(shock.y))
    np.testing.assert_allclose(
        plan.news[:, :30], factors.moves(shock.y)[:, None] / 30.0 @ [[1] * 30]
    )
    assert not plan.news[:, 30:].any()
    np.testing.assert_allclose(plan.depth, np.log(0.5))
    share = opening.config.cross.collateral_share
    assert plan.collateral.prod() == pytest.approx(1.0 - 0.08 * share)
    assert (plan.collateral[30:] == 1.0).all()
    assert plan.up.all()
    assert not any(part.any() for part in (plan.erosion, plan.supply, plan.drained))


def test_the_median_path_is_one_of_median_damage(opening, factors, grown):
    search = search_of(radii=(4.0,))
    closes, usd = median_path(opening, factors, search, grown[-1].shock)
    assert closes.shape == (6, 12)
    assert (np.diff(usd) >= 0.0).all()
    plan = plan_of_shock(opening, factors, search, grown[-1].shock)
    order = PathOrder(paths=24, seed=search.seed_of("fresh"))
    damage = damage_of(opening, simulate_futures(opening, plan, order), search)
    assert usd[-1] == pytest.approx(np.sort(damage)[11])


def test_the_median_path_is_one_of_those_that_are_known_bar_by_bar(
    opening, factors, grown, monkeypatch
):
    monkeypatch.setattr(futures, "KEPT_BYTES", 3 * 8 * 6 * 12)
    closes, _ = median_path(opening, factors, search_of(radii=(4.0,)), grown[-1].shock)
    assert np.isfinite(closes).all()


def test_without_a_shock_there_is_less_damage_than_with_the_worst(opening, factors, grown):
    nothing = baseline(opening, factors, search_of())
    assert 0.0 <= nothing.value < grown[0].worst.value


def test_chance_is_never_better_than_what_is_reported(grown):
    assert all(one.worst.value >= one.random_best.value for one in grown)


def test_paths_that_diverge_are_counted(opening, factors):
    shock = JointShock(y=-150.0 * factors.axes[0], depth=1.0, haircut=0.0)
    valued = value_of(opening, factors, search_of(), shock)
    assert valued.diverged == 24
    assert np.isnan(valued.value)
    assert valued.ci is None


def test_a_search_in_which_every_path_diverges_ends(opening, factors, monkeypatch):
    monkeypatch.setattr(worst_case_order, "LARGEST_RADIUS", 1e5)
    (result,) = search_worst_cases(
        opening, factors, search_of(radii=(10_000.0,), evaluations=4, paths=2)
    )
    assert result.worst.diverged == 8


def test_progress_ends_at_its_total(opening, factors):
    seen = []
    search_worst_cases(
        opening, factors, search_of(radii=(1.0, 2.0), evaluations=20, paths=2),
        on_progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen == sorted(seen)
    assert seen[-1] == (80, 80)


def test_a_shock_longer_than_the_horizon_is_refused(opening, factors):
    with pytest.raises(ConfigError, match=r"over is 4:00:00, expected at most the horizon, 3:00"):
        search_worst_cases(opening, factors, search_of(over=timedelta(hours=4)))


def test_factors_of_other_symbols_are_refused(opening):
    two = specified_factors(opening.config.specs[:2], 24.0)
    with pytest.raises(ConfigError, match="factors are of 2 symbols, expected 6"):
        search_worst_cases(opening, two, search_of())
