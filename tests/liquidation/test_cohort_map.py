"""The liquidation map's laws over random markets, sound and faulty, and what breaks them."""

import runpy
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.liquidation import cohort_map
from liqwarn.liquidation.cohort_map import MapState, Reader, advance
from liqwarn.liquidation.parameters import MapParameters

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
GUESSES, same_bits, same_state = synthetic.GUESSES, synthetic.same_bits, synthetic.same_state

READER = Reader(edges=np.arange(1, 43) * 0.0025, weights={0: 0.25, 2: 0.75})
PARTS = {"swept": 1, "within": 0, "square": 0}  # axis of bars
N_BARS = 240
BAR_S = st.sampled_from([300, 3_600, 14_400])
SEEDS = st.integers(0, 2**20)
CUTS = st.lists(st.integers(0, N_BARS), max_size=6)
CALM = settings(deadline=None, max_examples=40, derandomize=True)


def fresh():
    return MapState.fresh(len(GUESSES))


def market(kind, seed, bar_s, n_bars=N_BARS):
    return getattr(synthetic, kind)(n_bars, seed=seed, bar_s=bar_s)


def walked(bars, cuts=(), move=advance):
    """The state after all bars and what happened, advanced from cut to cut."""
    state, passages = fresh(), []
    edges = [0, *sorted(cuts), len(bars.close)]
    for start, stop in pairwise(edges):
        state, passage = move(state, bars.between(start, stop), GUESSES, READER)
        passages.append(passage)
    joined = {
        name: np.concatenate([getattr(one, name) for one in passages], axis=axis)
        for name, axis in PARTS.items()
    }
    runs = {
        name: np.concatenate([getattr(one.runs, name) for one in passages])
        for name in ("age", "silent", "restarts")
    }
    return state, joined | runs


def same_passage(found, expected):
    return all(same_bits(found[name], expected[name]) for name in expected)


def settled(bars):
    """Bars after which the map must hold open interest."""
    return np.isfinite(bars.stock()) & (bars.volume != 0.0)


# --- chunks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bars", "faulty"])
@CALM
@given(seed=SEEDS, bar_s=BAR_S, cuts=CUTS)
def test_any_chunks_give_the_same_bits(kind, seed, bar_s, cuts):
    bars = market(kind, seed, bar_s)
    whole, passage = walked(bars)
    parts, pieces = walked(bars, cuts)
    assert same_state(parts, whole)
    assert same_passage(pieces, passage)


@pytest.mark.parametrize("seed", [1, 4])
@pytest.mark.parametrize("bar_s", [300, 3_600])
def test_one_bar_at_a_time_gives_the_same_bits_through_every_fault(bar_s, seed):
    bars = market("faulty", seed, bar_s, 400)
    state, passage = walked(bars)
    assert state.ledger.shifted >= 2
    assert state.ledger.rescaled >= 2
    assert state.ledger.untraded >= 1
    single, pieces = walked(bars, range(1, 400))
    assert same_state(single, state)
    assert same_passage(pieces, passage)


def test_a_cut_at_a_restart_changes_nothing():
    bars = market("bars", 3, 3_600, 500)
    bars = synthetic.at(bars, slice(100, 300), open_interest=np.nan)
    whole, passage = walked(bars)
    assert whole.ledger.restarted == 1
    for cut in (99, 100, 101, 268, 269, 270, 299, 300, 301):
        parts, pieces = walked(bars, [cut])
        assert same_state(parts, whole), cut
        assert same_passage(pieces, passage), cut


def test_open_interest_of_bars_without_a_price_counts_in_no_chunk():
    bars = synthetic.bars(40, seed=6)
    for row, times in ((20, 2.0), (21, 5.0), (22, 13.0)):
        bars = synthetic.at(bars, row, close=np.nan, open_interest=times * bars.open_interest[19])
    whole, passage = walked(bars)
    assert whole.ledger.rescaled == 0
    for cut in (20, 21, 22, 23):
        parts, pieces = walked(bars, [cut])
        assert same_state(parts, whole), cut
        assert same_passage(pieces, passage), cut


def test_no_bars_change_nothing():
    bars = market("bars", 1, 3_600, 50)
    state, _ = walked(bars)
    after, passage = advance(state, bars.between(0, 0), GUESSES, READER)
    assert same_state(after, state)
    assert passage.swept.shape == (3, 0, 2)


def test_the_given_state_is_left_as_it_is():
    bars = market("faulty", 4, 3_600)
    state, _ = walked(bars.between(0, 100))
    mass, lanes, ledger = state.mass.copy(), state.lanes.copy(), state.ledger
    advance(state, bars.between(100, N_BARS), GUESSES, READER)
    assert same_bits(state.mass, mass)
    assert same_bits(state.lanes, lanes)
    assert state.ledger == ledger


# --- conservation ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bars", "faulty"])
@settings(deadline=None, max_examples=12, derandomize=True)
@given(seed=SEEDS, bar_s=BAR_S)
def test_each_side_holds_open_interest_after_every_bar_that_has_it(kind, seed, bar_s):
    bars = market(kind, seed, bar_s, 160)
    state = fresh()
    stock, known = bars.stock(), settled(bars)
    for k in range(160):
        state, _ = advance(state, bars.between(k, k + 1), GUESSES)
        if known[k]:
            assert np.allclose(state.coins, stock[k], rtol=1e-9, atol=0.0)
        assert (state.coins >= 0.0).all()
        assert (state.lanes[:, :20] >= 0.0).all()


@pytest.mark.parametrize("kind", ["bars", "faulty"])
@CALM
@given(seed=SEEDS, bar_s=BAR_S)
def test_no_bin_holds_fewer_coins_than_none_and_bins_sum_to_their_lane(kind, seed, bar_s):
    state, _ = walked(market(kind, seed, bar_s))
    total, growth = state.lanes[:, :20], state.lanes[:, 20:40]
    scale = np.maximum(total.sum(axis=1, keepdims=True), 1.0)
    bins = state.mass / growth[:, :, None] / scale[:, :, None]
    assert (bins > -1e-12).all()
    assert np.allclose(bins.sum(axis=2), total / scale, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["bars", "faulty"])
@CALM
@given(seed=SEEDS, bar_s=BAR_S)
def test_swept_is_unknown_exactly_where_the_bar_has_no_price(kind, seed, bar_s):
    bars = market(kind, seed, bar_s)
    _, passage = walked(bars)
    priced = bars.priced()
    assert (np.isnan(passage["swept"]) == ~priced[None, :, None]).all()
    assert (passage["swept"][:, priced] >= 0.0).all()
    assert (passage["within"][~priced] == 0.0).all()


def test_readings_grow_with_distance_and_never_exceed_open_interest():
    bars = market("bars", 8, 3_600)
    _, passage = walked(bars)
    within = passage["within"]
    assert (np.diff(within, axis=2) >= 0.0).all()
    assert (within[:, :, -1] <= bars.open_interest[:, None] * (1.0 + 1e-9)).all()


# --- maps beside one another ------------------------------------------------------------------


@pytest.mark.parametrize("one", range(len(GUESSES)))
def test_a_map_alone_is_the_same_map_among_others(one):
    bars = market("faulty", 21, 3_600)
    among, swept = walked(bars)
    alone, passage = advance(
        MapState.fresh(1), bars, [GUESSES[one]], Reader(edges=READER.edges, weights={0: 1.0})
    )
    assert same_bits(alone.mass[0], among.mass[one])
    assert same_bits(alone.lanes[0], among.lanes[one])
    assert same_bits(passage.swept[0], swept["swept"][one])


def test_reading_is_the_weighted_sum_over_the_maps_read():
    bars = market("bars", 22, 300)
    _, both = walked(bars)
    alone = [
        advance(fresh(), bars, GUESSES, Reader(edges=READER.edges, weights={k: 1.0}))[1]
        for k in range(3)
    ]
    expected = 0.25 * alone[0].within + 0.75 * alone[2].within
    assert same_bits(both["within"], expected)
    assert same_bits(both["square"], 0.25 * alone[0].square + 0.75 * alone[2].square)


def test_each_map_needs_its_parameters():
    with pytest.raises(FrameError, match="2 parameters for 3 maps"):
        advance(fresh(), synthetic.flat(3), GUESSES[:2])


# --- the past does not know the future ----------------------------------------------------------


def later_changed(bars, t, seed):
    """The same bars up to `t`, and quite another market after."""
    other = market("faulty", seed + 77, bars.bar_s, len(bars.close))
    names = ("open", "high", "low", "close", "open_interest", "volume", "crowding", "marked")
    tail = slice(t, None)
    return synthetic.at(bars, tail, **{name: getattr(other, name)[tail] for name in names})


def knows_the_future(move, seeds=range(8)):
    """Whether anything up to a bar changes with what comes after it."""
    for seed in seeds:
        bars = market("faulty", seed, (300, 3_600)[seed % 2])
        t = 20 + 25 * seed
        passages = [
            walked(given, move=move)[1]
            for given in (bars, later_changed(bars, t, seed), bars.between(0, t))
        ]
        for name, axis in {**PARTS, "age": 0, "silent": 0, "restarts": 0}.items():
            first, *others = (np.take(p[name], range(t), axis=axis) for p in passages)
            if not all(same_bits(other, first) for other in others):
                return True
    return False


def test_what_comes_after_a_bar_changes_nothing_up_to_it():
    assert not knows_the_future(advance)


def peeks_at_the_next_stock(state, bars, parameters, reader):
    """A mutant: holds the open interest of the bar after."""
    ahead = np.append(bars.open_interest[1:], bars.open_interest[-1:])
    return advance(state, synthetic.at(bars, slice(None), open_interest=ahead), parameters, reader)


def peeks_at_the_average(state, bars, parameters, reader):
    """A mutant: crowding about the mean of all bars it was given."""
    about = np.nan_to_num(bars.crowding, posinf=1.0, neginf=-1.0)
    changed = synthetic.at(bars, slice(None), crowding=about - about.mean())
    return advance(state, changed, parameters, reader)


@pytest.mark.parametrize("mutant", [peeks_at_the_next_stock, peeks_at_the_average])
def test_a_map_that_peeks_is_caught(mutant):
    assert knows_the_future(mutant)


# --- breaks: what no market does ----------------------------------------------------------------


def steady(n_bars=400, bar_s=3_600):
    """A calm market before a break, so that a break alone could sweep."""
    return synthetic.bars(n_bars, seed=2, bar_s=bar_s, hourly=0.002)


@pytest.mark.parametrize("bar_s", [300, 3_600, 14_400])
@pytest.mark.parametrize("factor", [1_000.0, 1.0 / 1_000.0, 2.5, 1.0 / 2.5])
def test_a_split_moves_every_cohort_along(bar_s, factor):
    row = 300
    plain = steady(bar_s=bar_s)
    state, expected = walked(plain)
    after, found = walked(synthetic.split(plain, row, factor))
    assert after.ledger.shifted == 1
    assert state.ledger.shifted == 0
    # a bin is 0.1 %: what is within 0.25 % more holds all that was within, and the other way round
    within, was = found["within"][row:], expected["within"][row:]
    slack = 0.005 * plain.open_interest[row:, None, None]
    assert (within[:, :, 1:] >= was[:, :, :-1] - slack).all()
    assert (was[:, :, 1:] >= within[:, :, :-1] - slack).all()
    allowed = 0.02 * plain.open_interest[row]
    assert (np.abs(found["swept"][:, row] - expected["swept"][:, row]) < allowed).all()


def test_a_split_seen_as_a_crash_would_sweep_everything(monkeypatch):
    bars = synthetic.split(steady(), 300, 1.0 / 2.5)
    monkeypatch.setattr(cohort_map, "shift_maps", lambda maps, ratio: None)
    _, found = walked(bars)
    assert found["swept"][0, 300, 0] > 0.5 * bars.open_interest[299]


def test_a_split_with_a_missing_open_moves_the_cohorts_too():
    plain = steady()
    state, found = walked(synthetic.at(synthetic.split(plain, 300, 1_000.0), 300, open=np.nan))
    _, expected = walked(plain)
    assert state.ledger.shifted == 1
    allowed = 0.03 * plain.open_interest[300]
    assert (found["swept"][:, 300] <= expected["swept"][:, 300] + allowed).all()


@pytest.mark.parametrize("opened", [1e9, 1e-9, np.inf, np.nan, 0.0, -5.0])
def test_an_impossible_open_moves_nothing(opened):
    plain = steady()
    state, found = walked(synthetic.at(plain, 300, open=opened))
    assert state.ledger.shifted == 0
    expected = walked(plain)[1]["within"][301:, 0, -1]
    assert np.allclose(found["within"][301:, 0, -1], expected, rtol=0.05)


@pytest.mark.parametrize("bar_s", [300, 3_600])
def test_a_crash_inside_a_bar_is_swept(bar_s):
    plain = steady(bar_s=bar_s)
    opened = plain.close[299]
    bars = synthetic.at(plain, 300, open=opened, low=0.2 * opened, close=0.3 * opened)
    state, found = walked(bars)
    assert state.ledger.shifted == 1  # the next bar opens at more than twice the close: a new unit
    assert (found["swept"][:, 300, 0] > 0.99 * bars.open_interest[299]).all()
    through = synthetic.split(bars, 301, 0.3)
    assert walked(through)[0].ledger.shifted == 0


@pytest.mark.parametrize("bar_s", [300, 3_600, 14_400])
@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_open_interest_in_another_unit_scales_every_cohort(bar_s, factor):
    row = 300
    calm = steady(bar_s=bar_s)  # of a jump the map cannot tell which part of it was traded
    plain = synthetic.at(calm, row, open_interest=calm.open_interest[row - 1])
    state, expected = walked(plain)
    after, found = walked(synthetic.migrated(plain, row, factor))
    assert after.ledger.rescaled == 1
    assert state.ledger.rescaled == 0
    for name, axis in PARTS.items():
        power = 2 if name == "square" else 1
        one, other = (np.take(p[name], range(row, 400), axis=axis) for p in (found, expected))
        assert np.allclose(one, factor**power * other, rtol=1e-7, atol=1e-3)


def test_a_migration_without_the_rule_would_open_a_giant_cohort(monkeypatch):
    plain = steady()
    bars = synthetic.migrated(plain, 300, 10.0)
    right = walked(bars)[1]["within"][300]
    monkeypatch.setattr(cohort_map, "rescale_maps", lambda maps, ratio: None)
    wrong = walked(bars)[1]["within"][300]
    assert not np.allclose(wrong, right, rtol=0.1)


# --- what is not known ------------------------------------------------------------------------


def test_hours_without_open_interest_only_sweep():
    bars = synthetic.at(steady(), slice(300, 312), open_interest=np.nan)
    before, _ = walked(bars.between(0, 300))
    state, passage = advance(before, bars.between(300, 312), GUESSES)
    swept = passage.swept.sum(axis=1)
    assert np.allclose(state.coins, before.coins - swept, rtol=1e-9)
    assert (state.ledger.unknown, state.ledger.silent_bars) == (12, 12)
    assert state.ledger.restarted == 0


def test_all_that_a_bar_sweeps_on_its_way_is_counted():
    before, _ = walked(steady(300))
    opened = 0.98 * before.close  # longs are swept at the open, and again on the way down
    bar = synthetic.at(synthetic.flat(1, bar_s=3_600, price=opened), 0, open_interest=np.nan)
    bar = synthetic.at(bar, 0, low=0.95 * opened, close=0.97 * opened)
    gap, _ = advance(before, synthetic.at(bar, 0, low=opened, close=opened), GUESSES)
    after, passage = advance(before, bar, GUESSES)
    assert (gap.coins[:, 0] < before.coins[:, 0]).all()
    assert (after.coins[:, 0] < gap.coins[:, 0]).all()
    assert np.allclose(after.coins, before.coins - passage.swept[:, 0], rtol=1e-9)


def test_a_week_without_open_interest_begins_anew():
    week = 7 * 24
    bars = market("bars", 5, 3_600, 700)
    short = synthetic.at(bars, slice(300, 300 + week), open_interest=np.nan)
    long = synthetic.at(bars, slice(300, 301 + week), open_interest=np.nan)
    kept, _ = walked(short)
    begun, passage = walked(long)
    assert (kept.ledger.restarted, kept.ledger.age_bars) == (0, 700)
    assert (begun.ledger.restarted, begun.ledger.age_bars) == (1, 700 - 301 - week)
    rest = MapState.fresh(3)
    anew, _ = advance(rest, long.between(301 + week, 700), GUESSES)
    assert np.allclose(begun.lanes[:, :20], anew.lanes[:, :20], rtol=1e-9)
    found, expected = (one.mass / one.lanes[:, 20:40, None] for one in (begun, anew))
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert np.flatnonzero(passage["restarts"]).tolist() == [301 + week]


def test_a_market_without_open_interest_holds_nothing():
    bars = synthetic.at(steady(), slice(None), open_interest=np.nan)
    state, passage = walked(bars)
    assert not state.coins.any()
    assert not passage["swept"].any()
    assert (state.ledger.age_bars, state.ledger.silent_bars) == (0, 400)
    assert (passage["age"] == 0).all()


def test_open_interest_that_comes_late_begins_the_map_then():
    bars = synthetic.at(steady(), slice(0, 250), open_interest=np.nan)
    state, passage = walked(bars)
    assert (state.ledger.age_bars, state.ledger.restarted) == (150, 0)
    assert passage["age"][249:252].tolist() == [0, 1, 2]
    assert np.allclose(state.coins, bars.open_interest[-1])


@pytest.mark.parametrize("value", [-5.0, 0.0])
def test_impossible_open_interest_is_unknown_and_counted(value):
    plain = steady()
    state, found = walked(synthetic.at(plain, slice(300, 305), open_interest=value))
    _, expected = walked(synthetic.at(plain, slice(300, 305), open_interest=np.nan))
    assert same_passage(found, expected)
    assert (state.ledger.unbelievable, state.ledger.unknown) == (5, 0)
    assert state.ledger.rescaled == 0


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_open_interest_is_unknown(value):
    plain = steady()
    state, found = walked(synthetic.at(plain, slice(300, 305), open_interest=value))
    _, expected = walked(synthetic.at(plain, slice(300, 305), open_interest=np.nan))
    assert same_passage(found, expected)
    assert state.ledger.unknown == 5


def test_nothing_is_opened_or_closed_without_trades():
    bars = synthetic.at(steady(), slice(300, 310), volume=0.0)
    before, _ = walked(bars.between(0, 300))
    state, passage = advance(before, bars.between(300, 310), GUESSES)
    assert np.allclose(state.coins, before.coins - passage.swept.sum(axis=1), rtol=1e-9)
    assert (state.ledger.untraded, state.ledger.silent_bars) == (10, 10)


def test_a_market_that_never_trades_never_gets_old():
    state, passage = walked(synthetic.at(steady(), slice(None), volume=0.0))
    assert not state.coins.any()
    assert (passage["age"] == 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"close": np.nan},
        {"low": np.nan},
        {"high": np.nan},
        {"high": np.inf},
        {"low": -np.inf},
        {"low": 0.0},
        {"low": 1e9},
        {"close": np.inf},
        {"close": 1e9},
        {"close": 1e-9},
        {"close": -1.0},
    ],
)
@pytest.mark.parametrize("bar_s", [300, 3_600])
def test_a_bar_with_an_impossible_price_is_skipped(wrong, bar_s):
    plain = steady(bar_s=bar_s)
    state, found = walked(synthetic.at(plain, 300, **wrong))
    assert state.ledger.unpriced == 1
    assert (state.ledger.shifted, state.ledger.rescaled) == (0, 0)
    assert np.isnan(found["swept"][:, 300]).all()
    without = plain.take(np.delete(np.arange(400), 300))
    expected, _ = walked(without)
    assert same_bits(state.mass, expected.mass)
    assert same_bits(state.lanes, expected.lanes)


@pytest.mark.parametrize(("value", "same"), [(np.inf, 1.0), (-np.inf, -1.0), (np.nan, 0.0)])
def test_crowding_is_cut_to_its_bounds(value, same):
    found, expected = (
        walked(synthetic.at(steady(), 300, crowding=one))[0] for one in (value, same)
    )
    assert same_state(found, expected)


def test_one_bar_holds_its_open_interest():
    state, _ = advance(MapState.fresh(1), synthetic.flat(1), [MapParameters()])
    assert np.allclose(state.coins, 50.0)
    assert (state.ledger.bars, state.ledger.age_bars) == (1, 1)


@pytest.mark.parametrize("edges", [[0.0, 0.01], [0.02, 0.01], [0.01, 2.05], [-0.01, 0.01]])
def test_a_reader_refuses_distances_that_no_ring_holds(edges):
    with pytest.raises(FrameError, match="expected ascending log distances above 0"):
        Reader(edges=np.array(edges), weights={0: 1.0})
