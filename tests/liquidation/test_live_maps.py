"""Many symbols walked bar by bar are the batch's maps, bit for bit, wherever one starts."""

import json
import runpy
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.frames import MarketFrame
from liqwarn.liquidation import live_maps
from liqwarn.liquidation.fit import FitConfig, SymbolJob, choose
from liqwarn.liquidation.frame_bars import bars_from
from liqwarn.liquidation.live_maps import LiveMaps, SymbolTerms, quarters_of, state_after
from liqwarn.liquidation.readings import map_fields
from liqwarn.liquidation.schedule import blocks_of
from liqwarn.liquidation.snapshot import from_bytes, to_bytes
from liqwarn.liquidation.tiers import Tier, TierTable, VenueTiers

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
same_bits, same_state = synthetic.same_bits, synthetic.same_state
SMALL = FitConfig(n_candidates=8, n_draws=3, n_effective=2.0)
SYMBOLS = ("AAAUSDT", "BTCUSDT", "CCCUSDT")
FOUR_HOURS = 14_400
WEEK = 7 * 86_400


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


def market_of(each, seed=0):
    """The bars of several symbols as one frame, marks of a trade before the close among them."""
    rng = np.random.default_rng(seed)
    frames = [synthetic.frame(bars, name) for bars, name in zip(each, SYMBOLS, strict=True)]
    names = frames[0].fields
    shape = (len(frames), frames[0].shape[1])
    more = {
        "funding_rate": rng.normal(0.0, 1e-4, shape),
        "funding_interval_h": np.full(shape, 8.0),
    }
    stacked = {n: np.concatenate([one.fields[n] for one in frames]) for n in names}
    return MarketFrame(
        symbols=SYMBOLS,
        times=frames[0].times,
        bar=frames[0].bar,
        fields=stacked | more,
        ages={"mark": np.where(rng.random(shape) < 0.2, 60.0, 0.0)},
    )


def faulty(n_bars, seed, bar_s):
    each = [synthetic.faulty(n_bars, seed=3 * seed + k, bar_s=bar_s) for k in range(3)]
    return market_of(each, seed)


def jobs_of(frame, venue=VENUE):
    return [
        SymbolJob(frame=frame.select((one,)), venue=venue, config=SMALL) for one in frame.symbols
    ]


def draws_of(frame, seed=0):
    """Other maps in force every quarter, whatever the bars."""
    evidence = np.random.default_rng(seed).normal(0.0, 8.0, (24, SMALL.n_candidates))
    return choose(frame.times, evidence[: len(blocks_of(frame.times))], SMALL)


def batch(frame, draws, venue=VENUE):
    rows = [map_fields(job, draws) for job in jobs_of(frame, venue)]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def begun(frame, draws, start, venue=VENUE):
    return LiveMaps.start(jobs_of(frame.between(0, start), venue), quarters_of(draws, start - 1))


def bar_of(frame, position):
    number = frame.first_bar + position
    return bars_from(
        lambda name: frame.fields.get(name, np.full(frame.shape, np.nan))[:, position],
        frame.ages["mark"][:, position],
        frame.bar_s,
        np.full(frame.shape[0], number, dtype=np.int64),
    )


def walked(maps, frame, positions):
    told = [maps.advance(bar_of(frame, t), frame.times[t]) for t in positions]
    return {name: np.stack([one[name] for one in told], axis=1) for name in told[0]}


def wrong_fields(found, expected, positions):
    """Names of the readings that differ in any bit."""
    span = slice(positions.start, positions.stop)
    return [name for name in expected if not same_bits(found[name], expected[name][:, span])]


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    bar_s=st.sampled_from([300, 3_600, FOUR_HOURS]),
    begin=st.floats(0.0, 1.0),
    saved=st.integers(1, 150),
    venue=st.sampled_from([None, VENUE]),
)
def test_bar_by_bar_is_the_batch_from_anywhere(seed, bar_s, begin, saved, venue):
    """Gaps, splits, migrations, faults, months, quarters, tiers; and bytes in between."""
    frame = faulty(700, seed, bar_s)
    draws = draws_of(frame, seed)
    start = 1 + int(begin * 540)
    positions = range(start, min(start + 220, 700))
    maps = begun(frame, draws, start, venue)
    before, after = range(start, start + saved), range(start + saved, positions.stop)
    found = walked(maps, frame, before)
    again = restored(maps, frame, venue)
    rest = [walked(one, frame, after) for one in (maps, again)] if after else []
    for one in rest:
        whole = {name: np.concatenate([found[name], one[name]], axis=1) for name in found}
        assert wrong_fields(whole, batch(frame, draws, venue), positions) == []
    for job in jobs_of(frame.between(0, positions.stop), venue):
        expected = state_after(job, quarters_of(draws, start - 1))
        assert same_state(again.state(job.symbol), expected)
        assert same_state(maps.state(job.symbol), expected)


def restored(maps, frame, venue):
    """The maps after going through JSON and bytes."""
    terms = SymbolTerms(symbols=frame.symbols, venue=venue, config=SMALL)
    document = json.loads(json.dumps(maps.to_document()))
    states = [from_bytes(to_bytes(maps.state(one))) for one in frame.symbols]
    return LiveMaps.from_document(document, terms, states)


def broken_market(n_bars=900):
    """Sound bars but for a split x5, a migration x4, and a week without open interest."""
    each = []
    for k in range(3):
        bars = synthetic.bars(n_bars, seed=k, bar_s=FOUR_HOURS)
        bars = synthetic.split(bars, 500 + k, 5.0)
        bars = synthetic.migrated(bars, 520 + k, 4.0)
        silence = slice(600 + k, 600 + k + WEEK // FOUR_HOURS + 2)
        each.append(synthetic.at(bars, silence, open_interest=np.nan))
    return market_of(each)


@pytest.fixture(scope="module")
def broken():
    frame = broken_market()
    draws = draws_of(frame)
    assert len({one.evidence_until for one in draws.blocks}) > 1
    return frame, draws, batch(frame, draws)


SPAN = range(450, 800)


def test_breaks_in_the_live_part_are_followed_and_counted(broken):
    frame, draws, expected = broken
    maps = begun(frame, draws, SPAN.start)

    assert wrong_fields(walked(maps, frame, SPAN), expected, SPAN) == []
    for symbol in SYMBOLS:
        ledger = maps.state(symbol).ledger
        assert (ledger.shifted, ledger.rescaled, ledger.restarted) == (1, 1, 1)


@pytest.mark.parametrize("left_out", ["shift_maps", "rescale_maps", "restart_maps"])
def test_a_break_that_is_not_followed_is_seen(broken, monkeypatch, left_out):
    frame, draws, expected = broken
    maps = begun(frame, draws, SPAN.start)
    monkeypatch.setattr(live_maps, left_out, lambda *_: None)

    assert wrong_fields(walked(maps, frame, SPAN), expected, SPAN)


def test_tiers_and_quarters_that_are_not_turned_are_seen(broken, monkeypatch):
    frame, draws, expected = broken
    stale = begun(frame, draws, SPAN.start)
    flat = begun(frame, draws, SPAN.start, venue=None)
    with monkeypatch.context() as patch:
        patch.setattr(LiveMaps, "_begin_month", lambda *_: None)
        assert wrong_fields(walked(stale, frame, SPAN), expected, SPAN)

    assert wrong_fields(walked(flat, frame, SPAN), expected, SPAN)


def test_symbols_do_not_touch_one_another(broken):
    frame, draws, _ = broken
    other = synthetic.faulty(900, seed=77, bar_s=FOUR_HOURS)
    fields = {n: plane.copy() for n, plane in frame.fields.items()}
    for name in ("open", "high", "low", "close", "open_interest", "volume"):
        fields[name][0] = getattr(other, name)
    changed = replace(frame, fields=fields)
    span = range(450, 560)
    one = walked(begun(frame, draws, 450), frame, span)
    two = walked(begun(changed, draws, 450), changed, span)

    for name in one:
        assert same_bits(one[name][1:], two[name][1:]), name
    assert any(not same_bits(one[name][:1], two[name][:1]) for name in one)


def test_a_quarter_without_maps_is_refused_and_changes_nothing(broken):
    frame, draws, expected = broken
    change = next(k for k, one in enumerate(draws.blocks) if one.evidence_until == 651)
    first = draws.blocks[change].start
    only = {648: quarters_of(draws, 0)[648]}
    maps = LiveMaps.start(jobs_of(frame.between(0, first)), only)
    before = json.dumps(maps.to_document())

    assert maps.knows(frame.times[first - 1])
    assert not maps.knows(frame.times[first])
    with pytest.raises(FrameError, match="no maps were chosen for the quarter of 2024-04-01"):
        maps.advance(bar_of(frame, first), frame.times[first])

    assert json.dumps(maps.to_document()) == before
    assert sum(maps.weights().values()) == pytest.approx(1.0)
    late = begun(frame, draws, first)
    span = range(first, first + 3)
    assert wrong_fields(walked(late, frame, span), expected, span) == []


def test_states_of_other_candidates_are_refused(broken):
    frame, draws, _ = broken
    maps = begun(frame, draws, 450)
    states = [maps.state(one) for one in SYMBOLS]
    fewer = {648: {0: 1.0}}
    terms = SymbolTerms(symbols=SYMBOLS, venue=VENUE, config=SMALL)

    with pytest.raises(FrameError, match=r"a state holds \d maps, expected 1"):
        LiveMaps(terms, fewer, states, bar_s=FOUR_HOURS)


def test_quarters_are_those_in_force_from_a_bar_on(broken):
    frame, draws, _ = broken
    blocks = draws.blocks

    assert set(quarters_of(draws, 0)) == {one.evidence_until for one in blocks}
    assert set(quarters_of(draws, len(frame.times) - 1)) == {blocks[-1].evidence_until}
    for quarter, drawn in quarters_of(draws, 0).items():
        same = [d for b, d in zip(blocks, draws.drawn, strict=True) if b.evidence_until == quarter]
        assert all(one == drawn for one in same)


def test_weights_are_by_place_among_the_maps_held(broken):
    frame, draws, _ = broken
    maps = begun(frame, draws, 450)
    ever = sorted({one for drawn in quarters_of(draws, 449).values() for one in drawn})
    block = next(b for b in draws.blocks if b.start <= 449 < b.stop)
    drawn = draws.drawn[draws.blocks.index(block)]

    assert {ever[place]: weight for place, weight in maps.weights().items()} == drawn
    assert len(maps.state("BTCUSDT").mass) == len(ever)


def test_a_month_without_any_price_takes_its_tiers_at_the_first_one():
    """Neither the history nor the first live bars of the month have a price."""
    each = [synthetic.bars(600, seed=k, bar_s=FOUR_HOURS) for k in range(3)]
    first = next(b.start for b in blocks_of(market_of(each).times)[1:])
    none = dict.fromkeys(("open", "high", "low", "close"), np.nan)
    each[1] = synthetic.at(each[1], slice(first, first + 20), **none)
    frame = market_of(each)
    draws = draws_of(frame)
    for start in (first - 3, first + 7, first + 25):
        maps = begun(frame, draws, start)
        span = range(start, start + 60)
        assert wrong_fields(walked(maps, frame, span), batch(frame, draws), span) == []
