"""Many futures: the bits depend on the seed alone, and orders that cannot be are refused."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.errors import ConfigError
from liqwarn.simulation import futures as module
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.futures import PathOrder, drivers_of, simulate_futures
from liqwarn.simulation.opening import synthetic_opening
from liqwarn.simulation.plan import plan_of
from liqwarn.simulation.scenario import PriceShock, Scenario
from liqwarn.simulation.scenario_start import SyntheticStart

CONFIG = MarketConfig(
    specs=DEFAULT_SPECS[:3], n_bars=4, bar=timedelta(minutes=15), step=timedelta(minutes=1)
)


@pytest.fixture(scope="module")
def opening():
    return synthetic_opening(CONFIG, SyntheticStart(seed=2, days=5))


def planned(move=-0.08):
    shock = PriceShock(at=timedelta(minutes=5), move=move, over=timedelta(minutes=10))
    crash = Scenario(
        name="crash",
        title="A crash",
        description="Price falls.",
        start=SyntheticStart(),
        horizon=timedelta(hours=1),
        shocks=(shock,),
    )
    return plan_of(crash, CONFIG)


def same(one, other):
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


def test_threads_and_chunks_change_no_bit(opening, monkeypatch):
    plan = planned()
    one = simulate_futures(opening, plan, PathOrder(paths=21))
    monkeypatch.setattr(module, "CHUNK", 4)
    for threads in (1, 3):
        assert same(one, simulate_futures(opening, plan, PathOrder(paths=21, threads=threads)))


def test_more_paths_leave_the_first_as_they_were(opening):
    few = simulate_futures(opening, planned(), PathOrder(paths=3))
    many = simulate_futures(opening, planned(), PathOrder(paths=9))
    for a, b in zip(few, many, strict=True):
        np.testing.assert_array_equal(a, b[:3])


def test_another_seed_is_another_set_of_futures(opening):
    one, other = (simulate_futures(opening, planned(), PathOrder(paths=5, seed=s)) for s in (1, 2))
    assert not np.intersect1d(one.end, other.end).size


def test_no_path_diverges_and_all_is_finite(opening):
    out = simulate_futures(opening, planned(), PathOrder(paths=50))
    assert not out.diverged.any()
    for name, plane in out._asdict().items():
        assert np.isfinite(plane).all(), name
    np.testing.assert_allclose(
        out.moved.sum(axis=2), out.worst - np.log(opening.prices), atol=1e-12
    )


def test_a_crash_liquidates_longs_and_goes_further_than_planned(opening):
    out = simulate_futures(opening, planned(), PathOrder(paths=50))
    quiet = simulate_futures(opening, planned(move=0.0001), PathOrder(paths=50))
    assert out.liquidated_usd[:, :, 0].sum() > 10.0 * out.liquidated_usd[:, :, 1].sum()
    assert out.liquidated_usd.sum() > 10.0 * quiet.liquidated_usd.sum()
    assert (out.worst - np.log(opening.prices)).mean() < np.log(0.92)


def test_the_worse_direction_is_the_one_planned_and_down_where_none_is(opening):
    for move, sign in ((-0.1, -1.0), (0.1, 1.0)):
        assert (drivers_of(opening, planned(move), 1).direction == sign).all()
    still = planned()
    still.news[:] = 0.0
    assert (drivers_of(opening, still, 1).direction == -1.0).all()


def test_drivers_are_of_unit_variance_and_of_the_step(opening):
    drivers = drivers_of(opening, planned(), 7)
    np.testing.assert_allclose((drivers.loadings**2).sum(axis=1), 1.0)
    hourly = np.array([spec.volatility for spec in CONFIG.specs])
    np.testing.assert_allclose(drivers.std, hourly / np.sqrt(60.0))
    assert (drivers.seed, drivers.n_sectors) == (7, len({s.sector for s in CONFIG.specs}))
    stationary = drivers.volatility_std**2 / (1.0 - drivers.volatility_left**2)
    assert stationary == pytest.approx(CONFIG.volatility.fast_std**2)
    wild = drivers_of(replace(opening, activity=np.full(3, 2.0)), planned(), 7)
    np.testing.assert_allclose(wild.std, 2.0 * drivers.std)


def test_progress_reaches_the_end(opening, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 4)
    seen = []
    simulate_futures(
        opening, planned(), PathOrder(paths=10), on_progress=lambda *now: seen.append(now)
    )
    assert seen == [(4, 10), (8, 10), (10, 10)]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"paths": 0}, "paths is 0, expected 1 to 1000000"),
        ({"paths": 1_000_001}, "paths is 1000001"),
        ({"seed": -1}, "seed is -1, expected 0 to"),
        ({"seed": 2**63}, "seed is 9223372036854775808"),
        ({"threads": 0}, "threads is 0, expected 1 to 256"),
        ({"kept": -1}, "kept is -1, expected 0 to 100000"),
        (
            {"paths": 0, "seed": -1, "threads": 999, "kept": -5},
            "paths is 0.*; seed is -1.*; threads is 999.*; kept is -5",
        ),
    ],
)
def test_orders_that_cannot_be_are_refused_whole(fault, message):
    with pytest.raises(ConfigError, match=message):
        PathOrder(**{"paths": 1} | fault)


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_the_ends_of_the_range_of_seeds_work(opening, seed):
    out = simulate_futures(opening, planned(), PathOrder(paths=2, seed=seed))
    assert np.isfinite(out.end).all()


def test_fewer_paths_are_kept_where_bars_would_take_too_much(opening, monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 5 * 8 * 3 * 4)  # of five paths
    out = simulate_futures(opening, planned(), PathOrder(paths=9))
    assert out.closes.shape == (5, 3, 4)
    assert out.worst.shape == (9, 3)
    assert simulate_futures(opening, planned(), PathOrder(paths=9, kept=0)).closes.shape[0] == 0
