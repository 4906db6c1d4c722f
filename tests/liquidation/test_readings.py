"""What maps say at every bar: by hand from a state, when nothing is said, and never from later."""

import runpy
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.frames import MAP_FIELDS, SIDES
from liqwarn.liquidation import fit
from liqwarn.liquidation.cohort_map import MapState, advance
from liqwarn.liquidation.fit import Draws, FitConfig, SymbolJob, choose, symbol_evidence
from liqwarn.liquidation.frame_bars import bars_of
from liqwarn.liquidation.kernel import BINS, STEP
from liqwarn.liquidation.parameters import MapParameters
from liqwarn.liquidation.posterior import candidates
from liqwarn.liquidation.readings import EDGES, map_fields, trace_of
from liqwarn.liquidation.schedule import blocks_of
from liqwarn.liquidation.side_values import WHATS, side_values
from liqwarn.liquidation.tiers import Tier, TierTable, VenueTiers

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
SMALL = FitConfig(n_candidates=8, n_draws=4, n_effective=3.0)
WEEK = 7 * 24


def job_of(bars, venue=None, **more):
    return SymbolJob(frame=synthetic.frame(bars, **more), venue=venue, config=SMALL)


def in_force(job, weights):
    """Draws that are the same in every month."""
    blocks = blocks_of(job.frame.times)
    posterior = np.zeros((len(blocks), SMALL.n_candidates))
    return Draws(blocks=blocks, posterior=posterior, drawn=(weights,) * len(blocks))


def fitted(job):
    """The whole way from a frame to its readings."""
    draws = choose(job.frame.times, symbol_evidence(job), job.config)
    return map_fields(job, draws)


def at_row(fields, row):
    return {name: float(values[row]) for name, values in fields.items()}


# --- by hand --------------------------------------------------------------------------------


def held_within(state, k, row, price, reach):
    """Coins of one side of one map up to `reach` from the price, summed bin by bin."""
    sign = 1.0 if row == 0 else -1.0
    here = sign * np.log(price) / STEP
    top = int(np.floor(here))
    coins = 0.0
    for lane in range(10 * row, 10 * row + 10):
        growth = state.lanes[k, 20 + lane]
        for b in range(top, top - int(reach / STEP) - 2, -1):
            upper = min(b + 1.0, here)
            lower = max(float(b), here - reach / STEP)
            share = max(upper - lower, 0.0) / (upper - b) if upper > b else 0.0
            coins += share * state.mass[k, lane, b % BINS] / growth
    return coins


@pytest.fixture(scope="module", params=[300, 3_600])
def walked(request):
    """Readings at the last bar of a market in one month, and the states they were read from."""
    n_bars = 2_300 if request.param == 300 else 400
    bars = synthetic.bars(n_bars, seed=5, bar_s=request.param)
    job = job_of(bars)
    guesses = [candidates(SMALL.n_candidates, SMALL.seed)[k] for k in (1, 6)]
    state, passage = advance(MapState.fresh(2), bars_of(job.frame, job.symbol), guesses)
    fields = map_fields(job, in_force(job, {1: 0.3, 6: 0.7}))
    return bars, state, passage, at_row(fields, -1)


def test_fields_are_those_the_frame_knows(walked):
    assert set(walked[3]) == set(MAP_FIELDS)


@pytest.mark.parametrize("row", [0, 1])
def test_coins_within_each_reach(walked, row):
    bars, state, _, found = walked
    for percent in (1, 2, 3, 5, 10):
        each = [held_within(state, k, row, bars.close[-1], percent / 100) for k in (0, 1)]
        expected = 0.3 * each[0] + 0.7 * each[1]
        assert found[f"map_{SIDES[row]}_within_{percent}"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("row", [0, 1])
def test_the_nearest_the_mean_and_the_peak(walked, row):
    bars, state, _, found = walked
    side, close = SIDES[row], bars.close[-1]
    whole = [
        sum(w * held_within(state, k, row, close, x) for k, w in ((0, 0.3), (1, 0.7)))
        for x in (0.0, *EDGES)
    ]
    inside = np.diff(whole)
    middle = (np.arange(len(inside)) + 0.5) * 0.0025
    heavy = np.flatnonzero(inside >= 0.01 * bars.open_interest[-1])
    assert found[f"map_{side}_nearest"] == pytest.approx(middle[heavy[0]])
    mean = (inside[:40] * middle[:40]).sum() / whole[40]
    assert found[f"map_{side}_mean_distance"] == pytest.approx(mean, rel=1e-6)
    peak = max(whole[k + 4] - whole[k] for k in range(37))
    assert found[f"map_{side}_peak"] == pytest.approx(peak, rel=1e-6)


@pytest.mark.parametrize("row", [0, 1])
def test_doubt_is_what_the_maps_disagree_on(walked, row):
    bars, state, _, found = walked
    one, other = (held_within(state, k, row, bars.close[-1], 0.05) for k in (0, 1))
    mean = 0.3 * one + 0.7 * other
    spread = np.sqrt(0.3 * (one - mean) ** 2 + 0.7 * (other - mean) ** 2)
    assert found[f"map_{SIDES[row]}_doubt"] == pytest.approx(spread / mean, rel=1e-5)


def test_swept_is_the_weighted_mean(walked):
    _, _, passage, found = walked
    for row, side in enumerate(SIDES):
        expected = 0.3 * passage.swept[0, -1, row] + 0.7 * passage.swept[1, -1, row]
        assert found[f"map_{side}_swept"] == pytest.approx(expected, rel=1e-12)


def test_one_map_has_no_doubt():
    job = job_of(synthetic.bars(300, seed=1))
    fields = map_fields(job, in_force(job, {3: 1.0}))
    for side in SIDES:
        doubt = fields[f"map_{side}_doubt"]
        assert np.isnan(doubt[: WEEK - 1]).all()
        assert (doubt[WEEK - 1 :] == 0.0).all()


def test_one_map_is_its_trace():
    job = job_of(synthetic.bars(300, seed=1))
    traced = trace_of(job, candidates(SMALL.n_candidates, SMALL.seed)[3])
    fields = map_fields(job, in_force(job, {3: 1.0}))
    assert synthetic.same_bits(fields["map_long_within_10"], traced.within[:, 0, 39])
    assert synthetic.same_bits(fields["map_short_swept"], traced.swept[:, 1])
    assert synthetic.same_bits(fields["map_quality"], traced.quality)


def test_nothing_heavy_has_no_distance():
    still = synthetic.flat(400, bar_s=3_600)
    low = MapParameters(median_leverage=2.0, leverage_spread=0.1, spent=0.0)
    traced = trace_of(job_of(still), low)
    long = side_values(traced.within, traced.square, traced.stock)[0]
    assert np.isnan(long[WHATS.index("nearest")]).all()
    assert (long[WHATS.index("peak")][WEEK:] < 1e-3).all()


# --- when nothing is said -----------------------------------------------------------------------


def plain_fields(bars, **more):
    job = job_of(bars, **more)
    return map_fields(job, in_force(job, {0: 0.5, 4: 0.5}))


def said(fields):
    """Bars at which the maps say how many coins lie where."""
    coins = ("swept", "peak", "within_1", "within_10")
    known = [np.isfinite(v) for name, v in fields.items() if name.endswith(coins)]
    assert all(np.array_equal(one, known[0]) for one in known)
    for side in SIDES:
        for what, reach in (("mean_distance", 10), ("doubt", 5)):
            held = known[0] & (np.nan_to_num(fields[f"map_{side}_within_{reach}"]) > 0.0)
            assert np.array_equal(np.isfinite(fields[f"map_{side}_{what}"]), held)
    return known[0]


@pytest.mark.parametrize("bar_s", [300, 3_600, 14_400])
def test_a_map_says_nothing_in_its_first_week(bar_s):
    week = 7 * 86_400 // bar_s
    fields = plain_fields(synthetic.bars(week + 20, seed=2, bar_s=bar_s))
    assert np.flatnonzero(said(fields))[0] == week - 1
    assert said(fields)[week - 1 :].all()
    assert not fields["map_quality"][: week - 1].any()


def test_a_map_is_stale_after_a_day_without_open_interest():
    bars = synthetic.at(synthetic.bars(500, seed=3), slice(400, 440), open_interest=np.nan)
    bars = synthetic.at(bars, slice(None), marked=True)
    fields = plain_fields(bars)
    assert np.flatnonzero(~said(fields)[WEEK:]).tolist() == list(range(424 - WEEK, 440 - WEEK))
    quality = fields["map_quality"]
    assert np.allclose(quality[400:424], 1.0 - np.arange(1, 25) / 48.0)
    assert not quality[424:440].any()
    assert quality[440] > quality[423] > 0.0


def test_a_map_begun_anew_is_young_again():
    bars = synthetic.bars(900, seed=3)
    bars = synthetic.at(bars, slice(300, 300 + WEEK + 1), open_interest=np.nan)
    begun = 300 + WEEK + 1
    known = said(plain_fields(bars))
    assert not known[300 + 24 : begun + WEEK - 1].any()
    assert known[begun + WEEK - 1 :].all()


def test_a_bar_without_a_price_says_nothing():
    fields = plain_fields(synthetic.at(synthetic.bars(400, seed=3), slice(300, 303), low=1e12))
    assert np.flatnonzero(~said(fields)[WEEK:]).tolist() == [300 - WEEK + k for k in range(3)]
    assert not fields["map_quality"][300:303].any()


def test_a_market_without_open_interest_says_nothing_at_all():
    bars = synthetic.at(synthetic.bars(900, seed=3), slice(None), open_interest=np.nan)
    fields = fitted(job_of(bars))
    assert not fields.pop("map_quality").any()
    assert all(np.isnan(values).all() for values in fields.values())


@pytest.mark.parametrize("n_bars", [1, 2])
def test_a_frame_of_a_bar_or_two_says_nothing(n_bars):
    fields = fitted(job_of(synthetic.bars(n_bars, seed=3)))
    assert {len(values) for values in fields.values()} == {n_bars}
    assert not said(fields).any()
    assert not fields["map_quality"].any()


# --- quality --------------------------------------------------------------------------------


def test_quality_grows_for_two_weeks_and_knows_its_source():
    bars = synthetic.at(synthetic.bars(500, seed=4), slice(None), marked=True)
    marked = plain_fields(bars)["map_quality"]
    assert marked[WEEK - 1] == pytest.approx(0.5)
    assert (marked[2 * WEEK - 1 :] == 1.0).all()
    assert (np.diff(marked[WEEK - 1 : 2 * WEEK]) > 0.0).all()
    trades = plain_fields(synthetic.at(bars, slice(None), marked=False))["map_quality"]
    assert (trades[2 * WEEK - 1 :] == 0.9).all()
    assert np.allclose(trades, 0.9 * marked)


@pytest.mark.parametrize("bar_s", [300, 3_600, 14_400])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_quality_is_a_share_and_readings_make_sense(bar_s, seed):
    bars = synthetic.faulty(7_000 if bar_s == 300 else 900, seed=seed, bar_s=bar_s)
    fields = plain_fields(bars)
    quality = fields["map_quality"]
    assert ((quality >= 0.0) & (quality <= 1.0)).all()
    known = said(fields)
    assert known.any()
    assert np.array_equal(known, quality > 0.0)
    for side in SIDES:
        within = [fields[f"map_{side}_within_{k}"][known] for k in (1, 2, 3, 5, 10)]
        assert all((a <= b * (1 + 1e-12)).all() for a, b in pairwise(within))
        assert (within[0] >= 0.0).all()
        held = known & np.isfinite(fields[f"map_{side}_doubt"])
        assert (fields[f"map_{side}_doubt"][held] >= 0.0).all()
        assert (fields[f"map_{side}_peak"][known] <= within[-1] * (1 + 1e-12)).all()
        mean = fields[f"map_{side}_mean_distance"]
        mean = mean[np.isfinite(mean)]
        assert ((mean > 0.0) & (mean < 0.1)).all()


# --- the past does not know the future ------------------------------------------------------------


def venue():
    """Tables that change within the history, by coins, so that the price matters too."""

    def table(effective, rate):
        rows = zip(np.arange(1, 90) / 5, rate + np.arange(89) * 1e-4, strict=True)
        return TierTable(
            venue="a",
            symbols=("BTCUSDT",) if effective else ("*",),
            contract="linear",
            effective=effective,
            source="a test",
            measure="coins",
            tiers=tuple(Tier(cap=c, rate=r, max_leverage=100.0, amount=0.0) for c, r in rows),
        )

    dated = (table(date(2024, 1, 1), 0.001), table(date(2024, 3, 15), 0.0005))
    return VenueTiers(venue="a", tables=dated, default=table(None, 0.0008))


def history(bars, seed):
    """A job of many months with liquidations, so that the fit changes from quarter to quarter."""
    rng = np.random.default_rng(seed)
    _, passage = advance(MapState.fresh(1), bars, [MapParameters(spent=0.3, median_leverage=40.0)])
    swept = np.nan_to_num(passage.swept[0]) * np.nan_to_num(bars.close, posinf=1.0)[:, None]
    usd = swept * rng.lognormal(size=swept.shape)
    return job_of(bars, venue(), long_liq_usd=usd[:, 0], short_liq_usd=usd[:, 1])


def cut(job, t):
    return SymbolJob(frame=job.frame.between(0, t), venue=job.venue, config=job.config)


def perturbed(job, t, seed):
    """The same history up to `t`, and another after."""
    other = history(synthetic.faulty(len(job.frame.times), seed=seed + 99), seed + 99)
    fields = {
        name: np.concatenate([plane[:, :t], other.frame.field(name)[:, t:]], axis=1)
        for name, plane in job.frame.fields.items()
    }
    frame = type(job.frame)(
        symbols=job.frame.symbols, times=job.frame.times, bar=job.frame.bar, fields=fields, ages={}
    )
    return SymbolJob(frame=frame, venue=job.venue, config=job.config)


def knows_the_future(times=(1_001, 2_282, 3_031, 3_599)):
    """Whether any reading up to a bar changes with what comes after it."""
    for seed, t in enumerate(times):
        job = history(synthetic.faulty(3_600, seed=seed), seed)
        expected = fitted(job)
        for given in (cut(job, t), perturbed(job, t, seed)):
            found = fitted(given)
            if not all(synthetic.same_bits(found[n][:t], expected[n][:t]) for n in expected):
                return True
    return False


def test_readings_up_to_a_bar_do_not_change_with_what_comes_after():
    assert not knows_the_future()


def test_a_schedule_that_peeks_is_caught(monkeypatch):
    def until_now(times):
        return tuple(
            type(one)(start=one.start, stop=one.stop, month=one.month, evidence_until=one.month + 1)
            for one in blocks_of(times)
        )

    monkeypatch.setattr(fit, "blocks_of", until_now)
    assert knows_the_future()


def test_tiers_at_a_later_price_are_caught(monkeypatch):
    honest = fit.in_force

    def at_the_last_price(job, block, bars, parameters):
        return honest(job, block, bars.take(np.arange(len(bars.close))[::-1]), parameters)

    monkeypatch.setattr(fit, "in_force", at_the_last_price)
    assert knows_the_future()
