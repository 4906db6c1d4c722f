"""A map fitted as it goes: what each month says, and which maps are in force when."""

import runpy
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.liquidation import fit
from liqwarn.liquidation.cohort_map import MapState, advance
from liqwarn.liquidation.evidence import adverse_moves, log_likelihood, realised_coins
from liqwarn.liquidation.fit import (
    FitConfig,
    SymbolJob,
    choose,
    in_force,
    passages,
    readers_of,
    symbol_evidence,
    under_tiers,
)
from liqwarn.liquidation.frame_bars import bars_of, liquidated_usd
from liqwarn.liquidation.parameters import at_venue
from liqwarn.liquidation.posterior import candidates
from liqwarn.liquidation.schedule import blocks_of
from liqwarn.liquidation.tiers import Tier, TierTable, VenueTiers

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
same_bits = synthetic.same_bits
SMALL = FitConfig(n_candidates=8, n_draws=4, n_effective=3.0)
CLOUD = candidates(SMALL.n_candidates, SMALL.seed)
N_BARS = 5_000  # January to the end of July


def table(effective, lever):
    return TierTable(
        venue="a",
        symbols=("BTCUSDT",) if effective else ("*",),
        contract="linear",
        effective=effective,
        source="a test",
        tiers=(Tier(cap=1e7, rate=0.5 / lever, max_leverage=lever, amount=0.0),),
    )


VENUE = VenueTiers(
    venue="a",
    tables=(table(date(2024, 2, 10), 50.0), table(date(2024, 4, 1), 25.0)),
    default=table(None, 100.0),
)


def job_of(bars, venue=None, **more):
    return SymbolJob(frame=synthetic.frame(bars, **more), venue=venue, config=SMALL)


def liquidated(bars, parameters, seed=0):
    """Published liquidations of a market whose positions are as the parameters say, with noise."""
    _, passage = advance(MapState.fresh(1), bars, [parameters])
    noise = np.random.default_rng(seed).lognormal(size=(len(bars.close), 2))
    usd = passage.swept[0] * bars.close[:, None] * noise
    return {"long_liq_usd": usd[:, 0], "short_liq_usd": usd[:, 1]}


@pytest.fixture(scope="module")
def bars():
    return synthetic.bars(N_BARS, seed=8)


@pytest.fixture(scope="module")
def job(bars):
    return job_of(bars, **liquidated(bars, CLOUD[5]))


@pytest.fixture(scope="module")
def evidence(job):
    return symbol_evidence(job)


# --- walking --------------------------------------------------------------------------------


def test_months_follow_one_another_as_one_walk(job):
    whole, passage = advance(MapState.fresh(2), bars_of(job.frame, "BTCUSDT"), CLOUD[:2])
    walk = list(passages(job, CLOUD[:2], [None] * 7))
    assert [block for block, *_ in walk] == list(blocks_of(job.frame.times))
    swept = np.concatenate([one.swept for *_, one in walk], axis=1)
    assert same_bits(swept, passage.swept)
    last, month, state, _ = walk[-1]
    after, _ = advance(state, month, CLOUD[:2])
    assert synthetic.same_state(after, whole)
    assert last.stop == N_BARS


def test_the_tables_of_a_month_are_those_of_its_first_day(bars):
    job = job_of(bars, VENUE)
    found = [
        in_force(job, block, bars.between(block.start, block.stop), CLOUD[:1])[0].max_leverage
        for block in blocks_of(job.frame.times)
    ]
    assert found == [100.0, 100.0, 50.0, 25.0, 25.0, 25.0, 25.0]


def test_a_venue_counts_at_the_first_price_of_the_month(bars):
    job = job_of(bars, VENUE)
    block = blocks_of(job.frame.times)[3]
    month = synthetic.at(bars, block.start, close=np.nan).between(block.start, block.stop)
    (found,) = in_force(job, block, month, CLOUD[:1])
    expected = at_venue(CLOUD[0], VENUE.tables[1], 100_000.0, float(month.close[1]))
    assert found == expected


def test_without_a_venue_or_a_price_the_parameters_are_as_they_are(bars):
    job, silent = job_of(bars), synthetic.at(bars, slice(None), close=np.nan)
    block = blocks_of(job.frame.times)[0]
    assert in_force(job, block, bars, CLOUD) == list(CLOUD)
    assert in_force(job_of(silent, VENUE), block, silent, CLOUD) == list(CLOUD)


def test_tiers_change_the_map(bars):
    plain, venue = (
        np.concatenate([p.swept for *_, p in passages(job_of(bars, v), CLOUD[:1], [None] * 7)], 1)
        for v in (None, VENUE)
    )
    assert not np.allclose(plain, venue)


# --- evidence -------------------------------------------------------------------------------


def test_evidence_is_of_every_month_and_candidate(evidence, job):
    assert evidence.shape == (len(blocks_of(job.frame.times)), SMALL.n_candidates)
    assert (evidence >= 0.0).all()


@pytest.mark.parametrize("feed", [True, False])
def test_evidence_of_a_month_is_of_all_its_bars_and_both_sides(bars, feed):
    start, stop = 1_393, 2_137  # March
    last = bars.close[start - 1]
    falls = np.maximum(np.log(bars.open / bars.low) - 0.01, 0.0)  # open interest falls with price
    stock = bars.open_interest * np.exp(-np.cumsum(falls) / 2.0)
    crash = synthetic.at(bars, slice(None), open_interest=stock)
    crash = synthetic.at(crash, start, low=0.7 * last, open_interest=0.6 * stock[start])
    job = job_of(crash, **(liquidated(crash, CLOUD[5]) if feed else {}))
    assert [(b.start, b.stop) for b in blocks_of(job.frame.times)][2] == (start, stop)
    _, passage = advance(MapState.fresh(SMALL.n_candidates), bars_of(job.frame, "BTCUSDT"), CLOUD)
    month, usd = crash.between(start, stop), liquidated_usd(job.frame, "BTCUSDT")[start:stop]
    realised = realised_coins(usd, month, last, crash.open_interest[start - 1])
    moves = adverse_moves(crash, np.nan)[start:stop]
    assert np.isfinite(realised[0, 0])
    expected = sum(
        log_likelihood(passage.swept[:, start:stop, k], realised[:, k], moves[:, k], 3_600)
        for k in (0, 1)
    )
    assert (expected > 0.0).any()
    assert np.allclose(symbol_evidence(job)[2], expected, rtol=1e-12)


def test_the_candidate_that_made_the_market_is_found(evidence):
    total = evidence.sum(axis=0)
    assert int(total.argmax()) == 5
    assert total[5] > np.sort(total)[-2] + 5.0


def test_open_interest_alone_is_evidence_too(bars):
    found = symbol_evidence(job_of(bars))
    assert found.shape == (7, SMALL.n_candidates)
    assert np.isfinite(found).all()


def test_the_first_week_of_a_map_is_no_evidence(bars, monkeypatch):
    short = bars.between(0, 400)
    job = job_of(short, **liquidated(short, CLOUD[5]))
    honest = symbol_evidence(job)
    monkeypatch.setattr(fit, "WARM_S", 0)
    assert not np.allclose(symbol_evidence(job), honest)
    monkeypatch.setattr(fit, "WARM_S", 400 * 3_600 + 1)
    assert not symbol_evidence(job).any()


@pytest.mark.parametrize("t", [1_001, 2_282, 3_031])
@pytest.mark.parametrize("feed", [True, False])
def test_what_a_finished_month_says_never_changes(bars, t, feed):
    more = liquidated(bars, CLOUD[5]) if feed else {}
    job = job_of(bars, VENUE, **more)
    expected = symbol_evidence(job)
    cut = SymbolJob(frame=job.frame.between(0, t), venue=VENUE, config=SMALL)
    finished = len(blocks_of(cut.frame.times)) - 1
    assert finished >= 1
    assert same_bits(symbol_evidence(cut)[:finished], expected[:finished])
    later = synthetic.at(
        bars, slice(t, None), **{k: getattr(bars, k)[t:] * 1.5 for k in ("high", "open_interest")}
    )
    other = symbol_evidence(job_of(later, VENUE, **more))
    assert same_bits(other[:finished], expected[:finished])
    assert not same_bits(other[finished:], expected[finished:])


@pytest.mark.parametrize("bar_s", [3_600, 14_400])
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_evidence_is_a_number(bar_s, seed):
    bars = synthetic.faulty(1_500, seed=seed, bar_s=bar_s)
    usd = np.random.default_rng(seed).lognormal(size=1_500)
    found = symbol_evidence(job_of(bars, VENUE, long_liq_usd=usd))
    assert np.isfinite(found).all()
    assert (found >= 0.0).all()


# --- choosing -------------------------------------------------------------------------------


def test_weights_of_the_maps_in_force_sum_to_one(evidence, job):
    draws = choose(job.frame.times, evidence, SMALL)
    assert draws.blocks == blocks_of(job.frame.times)
    assert np.allclose(draws.posterior.sum(axis=1), 1.0)
    for month, weights in zip(draws.drawn, draws.posterior, strict=True):
        assert len(month) == SMALL.n_draws
        assert sum(month.values()) == pytest.approx(1.0)
        assert min(weights[list(month)]) >= max(np.delete(weights, list(month)))


def test_the_first_quarter_knows_nothing_and_the_next_what_was_before(evidence, job):
    draws = choose(job.frame.times, evidence, SMALL)
    assert np.allclose(draws.posterior[:3], 1.0 / SMALL.n_candidates)
    assert list(draws.drawn[0]) == [0, 1, 2, 3]
    for first, last in ((3, 6), (6, 7)):
        assert (draws.posterior[first:last].argmax(axis=1) == 5).all()
        assert (draws.posterior[first:last] == draws.posterior[first]).all()
    assert (1.0 / (draws.posterior**2).sum(axis=1) >= SMALL.n_effective * (1 - 1e-9)).all()


@pytest.mark.parametrize("block", range(7))
def test_evidence_of_the_quarter_and_after_changes_nothing(evidence, job, block):
    expected = choose(job.frame.times, evidence, SMALL)
    changed = evidence.copy()
    changed[block // 3 * 3 :] = np.random.default_rng(block).random(changed[block // 3 * 3 :].shape)
    found = choose(job.frame.times, changed, SMALL)
    assert same_bits(found.posterior[: block + 1], expected.posterior[: block + 1])
    assert found.drawn[: block + 1] == expected.drawn[: block + 1]


def test_readers_find_the_maps_they_read(evidence, job):
    draws = choose(job.frame.times, evidence, SMALL)
    ever, readers = readers_of(draws, np.array([0.01]))
    assert list(ever) == sorted({one for month in draws.drawn for one in month})
    for reader, month in zip(readers, draws.drawn, strict=True):
        assert {ever[k]: weight for k, weight in reader.weights.items()} == dict(month)


def test_more_draws_than_candidates_are_refused(evidence, job):
    config = FitConfig(n_candidates=8, n_draws=9)
    with pytest.raises(FrameError, match="9 draws of 8 candidates"):
        choose(job.frame.times, evidence, config)


def test_defaults_carry_enough_draws_for_bands():
    config = FitConfig()
    assert config.n_candidates >= config.n_draws >= 20


@pytest.mark.parametrize(("day", "lever"), [((2024, 2, 9), 100.0), ((2024, 2, 10), 50.0)])
def test_tiers_of_a_day_are_those_of_a_month_that_begins_then(day, lever):
    at = (date(*day), 30_000.0)
    found = under_tiers(CLOUD, VENUE, "BTCUSDT", at, SMALL)

    assert len(found) == len(CLOUD)
    assert {one.max_leverage for one in found} == {lever}
    assert found[0] == at_venue(CLOUD[0], VENUE.tables[0], SMALL.position_usd, 30_000.0) or (
        lever == 100.0
    )
    assert {one.max_leverage for one in under_tiers(CLOUD, VENUE, "ETHUSDT", at, SMALL)} == {100.0}
