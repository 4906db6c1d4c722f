"""Compiled futures of one market: what a plan says happens, and what is kept of a path."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.simulation import layout as at
from liqwarn.simulation.books import copied
from liqwarn.simulation.config import CrossMargin, Liquidity
from liqwarn.simulation.futures import drivers_of
from liqwarn.simulation.monte_carlo import new_futures, run_paths
from liqwarn.simulation.opening import Opening
from liqwarn.simulation.plan import Plan

MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
STEPS, BARS = 60, 4
START = float(np.log(100.0))


def calm(n):
    return Plan(
        news=np.zeros((n, STEPS)),
        depth=np.zeros((n, STEPS)),
        erosion=np.zeros((n, 2, STEPS)),
        collateral=np.ones(STEPS),
        supply=np.zeros((n, STEPS)),
        up=np.ones((n, STEPS), dtype=np.bool_),
        drained=np.zeros(STEPS, dtype=np.bool_),
    )


class Lab:
    """An hour in minutes from a planted market, with no noise but what a test asks for."""

    def __init__(self, bench, n=1, *, noise=0.0, **options):
        options = {"rules": {"entry_steps": 10**9, "cut": 0.0, "topped_up": 0.0}} | options
        self.made = bench(n, step=MINUTE, bar=QUARTER, **options)
        self.plan = calm(n)
        self.noise = noise

    def run(self, paths=1, *, kept=8, span=None, seed=1):
        made = self.made
        n = made.n
        opening = Opening(
            config=made.config,
            books=made.books,
            activity=np.ones(n),
            depth=np.zeros((n, 2)),
            appetite=np.zeros(n),
            mood=np.zeros(n),
        )
        drivers = drivers_of(opening, self.plan, seed)
        drivers = drivers._replace(
            loadings=self.noise * drivers.loadings, std=np.full(n, 0.001), volatility_std=0.0
        )
        out = new_futures((paths, n, len(at.CHANNELS)), BARS, kept)
        run_paths(made.rules, made.books, drivers, self.plan, out, span or (0, paths))
        return out


@pytest.fixture
def lab(bench):
    def build(*args, **options):
        return Lab(bench, *args, **options)

    return build


def test_every_path_starts_from_the_same_market_and_leaves_it_as_it_was(lab):
    one = lab(2, noise=1.0)
    before = copied(one.made.books)
    one.run(5)
    for array, same in zip(one.made.books, before, strict=True):
        np.testing.assert_array_equal(array, same)
    alone = one.run(5, span=(3, 4))
    np.testing.assert_array_equal(alone.end[3], one.run(5).end[3])


def test_paths_differ_by_number_and_by_seed(lab):
    one = lab(2, noise=1.0)
    ends = one.run(40).end
    assert np.unique(ends[:, 0]).size == 40
    assert not np.intersect1d(ends, one.run(40, seed=2).end).size


def test_without_noise_every_path_is_the_plan(lab):
    one = lab(2)
    one.plan.news[:, 10] = -0.02
    out = one.run(3)
    assert np.ptp(out.end, axis=0).max() == 0.0
    np.testing.assert_allclose(out.closes[0, :, -1], START - 0.02, atol=2e-3)
    np.testing.assert_allclose(out.moved[0, :, at.NEWS], -0.02)


def test_news_are_noise_of_the_right_size(lab):
    one = lab(noise=1.0)
    ends = one.run(400).end[:, 0] - START
    assert ends.std() == pytest.approx(0.001 * np.sqrt(STEPS), rel=0.12)
    assert abs(ends.mean()) < 4.0 * ends.std() / 20.0


def test_parts_of_the_worst_move_sum_to_it(lab):
    one = lab(2, noise=1.0)
    one.plan.news[0, 20:30] = -0.004
    one.plan.news[1, 20:30] = 0.004
    one.made.plant(0, 0.03, 0.05 * one.made[at.HELD])
    out = one.run(10)
    np.testing.assert_allclose(out.moved.sum(axis=2), out.worst - START, atol=1e-12)
    assert (out.worst[:, 0] <= out.end[:, 0]).all()
    assert (out.worst[:, 1] >= out.end[:, 1]).all()
    assert (out.other[:, 0] >= out.end[:, 0]).all()
    assert (out.other[:, 1] <= out.end[:, 1]).all()


def test_the_worst_hour_is_that_of_the_extreme(lab):
    one = lab()
    one.plan.news[0, 29], one.plan.news[0, 30:] = -0.05, 0.0005
    out = one.run()
    assert out.worst_h[0, 0] == pytest.approx(0.5)
    assert out.worst[0, 0] == pytest.approx(START - 0.05)
    assert one.run().end[0, 0] > out.worst[0, 0]


def test_a_path_on_which_nothing_gets_worse_has_the_start_as_its_worst(lab):
    one = lab()
    one.plan.news[0] = 0.0005, *[0.0] * 59
    one.plan.news[0, 1] = -0.0005
    out = one.run()
    assert out.worst[0, 0] <= START
    assert (out.worst_h[0, 0] > 0.0) == (out.worst[0, 0] < START)


def test_planned_liquidations_are_summed_over_the_path(lab):
    one = lab()
    one.made.plant(0, 0.03, 50.0)
    one.made.plant(1, 0.03, 30.0)
    one.plan.news[0, 5], one.plan.news[0, 40] = -0.04, 0.09
    out = one.run()
    assert out.liquidated_usd[0, 0] == pytest.approx([5_000.0, 3_000.0], rel=0.06)
    assert out.burnt_usd[0, -1] == pytest.approx(out.liquidated_usd.sum())
    assert (np.diff(out.burnt_usd[0]) >= 0.0).all()
    assert out.burnt_usd[0, 0] == pytest.approx(out.liquidated_usd[0, 0, 0])


def test_planned_depth_makes_the_same_flow_move_price_further(lab):
    moved = []
    for depth in (0.0, -1.0):
        one = lab(rules={"entry_steps": 10**9, "withdrawal": 0.0})
        one.made.plant(0, 0.03, 50.0)
        one.plan.news[0, 5] = -0.04
        one.plan.depth[:] = depth
        moved.append(one.run().moved[0, 0, at.LIQUIDATION])
    assert moved[1] / moved[0] == pytest.approx(np.e)


def test_planned_funding_brings_liquidation_nearer(lab):
    for erosion, reached in ((0.0, False), (0.002, True)):
        one = lab()
        one.made.plant(0, 0.03, 50.0)
        one.plan.erosion[0, 0, :10] = erosion
        one.plan.news[0, 20] = -0.02
        assert (one.run().liquidated_usd[0, 0, 0] > 0.0) == reached


def test_planned_supply_presses_on_price(lab):
    one = lab()
    one.plan.supply[0, :30] = 0.01
    assert one.run().moved[0, 0, at.SLOW_FLOW] < 0.0


def test_planned_outages_delay_liquidations(lab):
    one = lab()
    one.made.plant(0, 0.03, 50.0)
    one.plan.news[0, 5] = -0.04
    one.plan.up[0, 3:40] = False
    out = one.run()
    assert out.burnt_usd[0, :2].sum() == 0.0 < out.burnt_usd[0, 2]
    one.plan.up[0, 3:] = False
    assert one.run().liquidated_usd.sum() == 0.0


def test_a_planned_haircut_liquidates_cross_margin_accounts(lab):
    for left, sold in ((1.0, False), (0.5, True)):
        one = lab(2, cross=CrossMargin(share=0.2))
        one.made.plant(0, 0.03, 0.5, i=2)
        one.plan.collateral[5] = left
        one.plan.news[:, 20] = -0.02
        out = one.run()
        assert (out.liquidated_usd[0, :, 0] > 0.0).all() == sold
        assert out.liquidated_usd[0].any() == sold


def test_a_planned_empty_fund_ends_in_deleveraging(lab):
    one = lab()
    one.made.plant(0, 0.03, 50.0)
    one.plan.news[0, 20] = -0.2
    assert one.run().adl_usd[0, 0] == 0.0 < one.run().fund[0, 0]
    one.plan.drained[10:] = True
    out = one.run()
    assert out.adl_usd[0, 0] == pytest.approx(out.liquidated_usd[0, 0, 0])
    assert out.fund[0, 0] == 0.0


def test_bars_are_kept_of_the_first_paths_only(lab):
    one = lab(noise=1.0)
    out = one.run(6, kept=2)
    assert out.closes.shape == (2, 1, BARS)
    np.testing.assert_array_equal(out.closes, one.run(6).closes[:2])
    np.testing.assert_array_equal(out.end[:2, 0], out.closes[:, 0, -1])
    assert one.run(6, kept=0).burnt_usd.shape == (0, BARS)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_path_that_leaves_the_world_is_marked_and_reads_nan(lab, sign):
    one = lab()
    one.plan.news[0, 20] = 3.5 * sign
    out = one.run(2)
    assert out.diverged.all()
    for name in ("worst", "other", "worst_h", "end", "moved", "liquidated_usd", "adl_usd", "fund"):
        assert np.isnan(getattr(out, name)).all(), name
    assert np.isnan(out.closes).all()


def test_what_a_diverged_path_burnt_reads_nan_too(lab):
    one = lab()
    one.plan.news[0, 20] = -3.5
    assert np.isnan(one.run().burnt_usd).all()


def test_one_path_that_diverges_leaves_the_others_alone(lab):
    one = lab(noise=1.0, liquidity=Liquidity(aftershock=0.0))
    fine = one.run(4)
    one.plan.news[0, -1] = 2.9999
    ends = one.run(40)
    assert 0 < ends.diverged.sum() < 40
    assert np.isfinite(ends.end[~ends.diverged]).all()
    np.testing.assert_array_equal(
        fine.closes[:, :, :3][~ends.diverged[:4]], ends.closes[:4, :, :3][~ends.diverged[:4]]
    )
