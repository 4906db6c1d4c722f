"""Coins by price: nothing lost, the same from every side it is looked at, and never from later."""

import runpy
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.frames import MarketFrame
from liqwarn.liquidation.by_price import (
    aggregated,
    coins_by_bin,
    heat_map_of,
    profile_at,
    profile_of,
    states_at,
)
from liqwarn.liquidation.cohort_map import MapState, advance
from liqwarn.liquidation.fit import FitConfig, SymbolJob, choose
from liqwarn.liquidation.kernel import BINS, STEP
from liqwarn.liquidation.live_maps import LiveMaps, quarters_of
from liqwarn.liquidation.profile import Profile
from liqwarn.liquidation.readings import EDGES, trace
from liqwarn.liquidation.schedule import blocks_of

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
GUESSES, same_bits = synthetic.GUESSES, synthetic.same_bits
CONFIG = FitConfig(n_candidates=8, n_draws=3, n_effective=2.0)
N_BARS = 6 * 180
SIDES = ("long", "short")
EVERYTHING = 6 * BINS


def job_of(frame):
    return SymbolJob(frame=frame, venue=None, config=CONFIG)


def draws_of(frame, seed=1):
    """Other maps in force every quarter, whatever the bars."""
    evidence = np.random.default_rng(seed).normal(0.0, 8.0, (12, CONFIG.n_candidates))
    return choose(frame.times, evidence[: len(blocks_of(frame.times))], CONFIG)


def cut(frame, stop):
    return frame.between(0, stop)


@pytest.fixture(scope="module")
def frame():
    """Half a year of 4-h bars: three quarters, so that the maps in force change."""
    return synthetic.frame(synthetic.bars(N_BARS, seed=3, bar_s=14_400))


@pytest.fixture(scope="module")
def job(frame):
    return job_of(frame)


@pytest.fixture(scope="module")
def draws(frame):
    found = draws_of(frame)
    assert len({tuple(one) for one in found.drawn}) > 1
    return found


@pytest.fixture(scope="module")
def traced(job, draws):
    return trace(job, draws)


# bins of a state


def everything(state, k):
    first = round(np.log(state.close) / STEP) - EVERYTHING // 2
    return first, coins_by_bin(state, k, first, EVERYTHING)


@pytest.mark.parametrize("kind", ["bars", "faulty"])
@pytest.mark.parametrize("bar_s", [300, 3_600])
@pytest.mark.parametrize("n_bars", [5, 200])
def test_the_bins_add_up_to_what_the_map_holds(kind, bar_s, n_bars):
    bars = getattr(synthetic, kind)(n_bars, seed=5, bar_s=bar_s)
    state, _ = advance(MapState.fresh(len(GUESSES)), bars, GUESSES)

    for k in range(len(GUESSES)):
        _, coins = everything(state, k)
        np.testing.assert_allclose(coins.sum(axis=1), state.coins[k], rtol=1e-9)
        assert (coins >= 0.0).all()


@pytest.mark.parametrize("direction", [-1.0, 1.0])
def test_what_is_deeper_than_the_ring_is_in_its_last_bin(direction):
    """Price goes further than a ring reaches: nothing is lost, and nothing is counted twice."""
    bars = synthetic.bars(400, seed=5, hourly=0.001)
    drift = np.exp(direction * np.linspace(0.0, 2.5 * BINS * STEP, 400))
    bars = synthetic.at(
        bars, slice(None), **{k: getattr(bars, k) * drift for k in synthetic.PRICES}
    )
    state, _ = advance(MapState.fresh(len(GUESSES)), bars, GUESSES)

    deep = 0
    for k in range(len(GUESSES)):
        first, coins = everything(state, k)
        np.testing.assert_allclose(coins.sum(axis=1), state.coins[k], rtol=1e-9)
        away = np.abs(first + np.arange(EVERYTHING) - np.log(state.close) / STEP)
        deep += coins[:, away > 0.9 * BINS].sum()
        assert coins[:, away > 1.4 * BINS].sum() == 0.0
    assert deep > 1.0


def test_a_window_is_a_part_of_the_whole():
    state, _ = advance(MapState.fresh(3), synthetic.bars(200, seed=5), GUESSES)
    first, whole = everything(state, 1)

    at = EVERYTHING // 2 - 40
    assert same_bits(coins_by_bin(state, 1, first + at, 90), whole[:, at : at + 90])
    assert coins_by_bin(state, 1, first, 0).shape == (2, 0)


@pytest.mark.parametrize("bar_s", [300, 3_600, 14_400])
def test_longs_lie_below_the_price_and_shorts_above(bar_s):
    bars, state = synthetic.bars(300, seed=8, bar_s=bar_s), MapState.fresh(len(GUESSES))
    for row in range(300):
        state, _ = advance(state, bars.between(row, row + 1), GUESSES)
        at = np.log(state.close) / STEP
        first = int(np.floor(at)) - 100
        for k in range(len(GUESSES)):
            longs, shorts = coins_by_bin(state, k, first, 200)
            low = first + np.arange(200)
            assert longs[low >= at].sum() == 0.0
            assert shorts[low + 1 <= at].sum() == 0.0


def test_a_single_cohort_lies_where_its_liquidation_prices_are():
    bars = synthetic.flat(2, price=100.0, stock=50.0)
    guess = replace(GUESSES[0], spent=0.0, tilt=0.0)
    state, _ = advance(MapState.fresh(1), bars.between(0, 1), [guess])
    first, coins = everything(state, 0)

    for side, found in zip(SIDES, coins, strict=True):
        sign = {"long": -1.0, "short": 1.0}[side]
        prices = np.log(100.0) + sign * guess.distance(side)
        expected = np.zeros(EVERYTHING)
        np.add.at(expected, np.floor(prices / STEP).astype(int) - first, 50.0 * guess.mix())
        np.testing.assert_allclose(found, expected, atol=1e-9)


# moments


def test_states_come_in_order_and_are_those_of_the_whole_walk(job, draws, frame):
    wanted = [N_BARS - 1, 40, 700, 40]
    found = list(states_at(job, draws, wanted))

    assert [position for position, _, _ in found] == [40, 700, N_BARS - 1]
    for position, state, weights in found:
        ((_, alone, same),) = states_at(job, draws, [position])
        assert sum(weights.values()) == pytest.approx(1.0)
        assert sorted(weights.values()) == sorted(same.values())
        masses = [state.mass[k] for k in sorted(weights)]
        assert same_bits(masses, [alone.mass[k] for k in sorted(same)])
        assert state.close == alone.close
    assert list(states_at(job, draws, [])) == []


@pytest.mark.parametrize("position", [300, 611, N_BARS - 1])
def test_a_profile_agrees_with_the_readings(job, draws, traced, position):
    """Coins within a distance lie between the cells that are inside and those it touches."""
    found = profile_at(job, draws, position)
    half = np.log(found.prices[1] / found.prices[0]) / 2.0
    away = np.abs(np.log(found.prices / found.price))
    mine = {"long": found.prices < found.price, "short": found.prices > found.price}
    for row, side in enumerate(SIDES):
        coins = getattr(found, side)
        for k, edge in enumerate(EDGES.tolist()):
            inner = coins[(mine[side] & (away + half <= edge)) | (away <= half)].sum()
            outer = coins[(mine[side] & (away - half <= edge)) | (away <= half)].sum()
            assert inner * (1 - 1e-9) <= traced.within[position, row, k] <= outer * (1 + 1e-9)
    assert found.open_interest == traced.stock[position]
    assert found.ledger.bars == position + 1
    assert found.as_of == job.frame.times[position]


@pytest.mark.parametrize("position", [10, 300, N_BARS - 1])
def test_a_profile_holds_what_can_be(job, draws, position):
    found = profile_at(job, draws, position)
    half = np.exp(np.log(found.prices[1] / found.prices[0]) / 2.0)

    assert (found.long[found.prices / half >= found.price] == 0.0).all()
    assert (found.short[found.prices * half <= found.price] == 0.0).all()
    for side in SIDES:
        low, high = getattr(found, f"{side}_band")
        assert (low <= high).all()
        assert 0.0 < getattr(found, side).sum() <= found.open_interest * (1 + 1e-9)
    reach = np.log(found.prices[[0, -1]] / found.price)
    assert np.abs(reach) == pytest.approx([0.3, 0.3], abs=0.003)


def test_the_band_of_one_map_is_the_map(frame):
    config = replace(CONFIG, n_draws=1, n_effective=1.0)
    alone = SymbolJob(frame=frame, venue=None, config=config)
    evidence = np.zeros((len(blocks_of(frame.times)), CONFIG.n_candidates))
    evidence[:, 5] = 90.0
    found = profile_at(alone, choose(frame.times, evidence, config), 600)

    assert same_bits(found.long_band, np.stack([found.long, found.long]))
    assert same_bits(found.short_band, np.stack([found.short, found.short]))


def test_the_band_covers_every_map_that_weighs_enough(job, draws):
    """Three maps of 5 % or more each: the band is from the least to the most of them."""
    ((_, state, weights),) = states_at(job, draws, [N_BARS - 1])
    found = profile_at(job, draws, N_BARS - 1)
    assert len(weights) == 3
    assert 0.05 < min(weights.values()) < sorted(weights.values())[1] < 0.15
    first = round(np.log(found.prices[0]) / STEP - 1)
    maps = [
        coins_by_bin(state, k, first, 2 * len(found.prices)).reshape(2, -1, 2).sum(axis=2)
        for k in weights
    ]
    np.testing.assert_array_equal(found.long_band, [np.min(maps, 0)[0], np.max(maps, 0)[0]])
    np.testing.assert_array_equal(found.short_band, [np.min(maps, 0)[1], np.max(maps, 0)[1]])


def same_profile(one, other):
    pairs = [(getattr(one, each.name), getattr(other, each.name)) for each in fields(Profile)]
    return all(
        same_bits(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
        for mine, theirs in pairs
    )


@pytest.mark.parametrize("position", [45, 530, 900])
def test_a_profile_knows_nothing_of_later_bars(frame, job, draws, position):
    expected = profile_at(job, draws, position)

    short = cut(frame, position + 1)
    assert same_profile(profile_at(job_of(short), draws_of(short), position), expected)
    rng = np.random.default_rng(position)
    wild = {name: values.copy() for name, values in frame.fields.items()}
    for values in wild.values():
        values[:, position + 1 :] *= rng.uniform(0.5, 1.5)
    other = MarketFrame(
        symbols=frame.symbols, times=frame.times, bar=frame.bar, fields=wild, ages={}
    )
    assert same_profile(profile_at(job_of(other), draws, position), expected)
    changed = profile_at(job_of(other), draws, position + 1)
    assert not same_profile(changed, profile_at(job, draws, position + 1))


@pytest.mark.parametrize("position", [-1, N_BARS, N_BARS + 7])
def test_a_bar_that_is_not_there_is_refused(job, draws, position):
    with pytest.raises(FrameError, match=rf"bar {position} of {N_BARS}, expected one of them"):
        profile_at(job, draws, position)
    with pytest.raises(FrameError, match=rf"bar {position} of {N_BARS}, expected one of them"):
        heat_map_of(job, draws, [3, position])


def test_without_a_price_there_is_no_profile(frame):
    bare = synthetic.at(synthetic.bars(60, bar_s=14_400), slice(0, 50), close=np.nan)
    bare = synthetic.frame(replace(bare, marked=np.zeros(60, bool)))
    job, draws = job_of(bare), draws_of(bare)

    with pytest.raises(FrameError, match=r"BTCUSDT: no price is known by 2024-"):
        profile_at(job, draws, 49)
    assert profile_at(job, draws, 50).long.sum() > 0.0
    with pytest.raises(FrameError, match="BTCUSDT: none of the 3 bars has a price"):
        heat_map_of(job, draws, [3, 4, 49])
    with pytest.raises(FrameError, match="BTCUSDT: none of the 0 bars has a price"):
        heat_map_of(job, draws, [])


# over time


def cells(heat_map, row):
    """Lower edge of a cell, in steps, to the coins of a row."""
    steps = np.round(np.log(heat_map.edges[:-1]) / STEP).astype(int).tolist()
    return dict(zip(steps, np.stack([heat_map.long[row], heat_map.short[row]], 1), strict=True))


def agree(one, other):
    shared = set(one) & set(other)
    assert len(shared) > 250
    return all(same_bits(one[cell], other[cell]) for cell in shared)


POSITIONS = [60, 61, 75, 480, 481, 540, 541, 1_000]


@pytest.fixture(scope="module")
def heat_map(job, draws):
    return heat_map_of(job, draws, POSITIONS)


def test_a_heat_map_is_profiles_side_by_side(job, draws, heat_map):
    for row, position in enumerate(POSITIONS):
        profile = profile_at(job, draws, position)
        steps = np.round(np.log(profile.prices) / STEP - 1).astype(int).tolist()
        mine = dict(zip(steps, np.stack([profile.long, profile.short], 1), strict=True))
        assert agree(cells(heat_map, row), mine)


@pytest.mark.parametrize("at", range(1, len(POSITIONS)))
def test_a_heat_map_cut_anywhere_has_the_same_rows(frame, job, draws, heat_map, at):
    last = POSITIONS[at - 1] + 1
    before = heat_map_of(job_of(cut(frame, last)), draws_of(cut(frame, last)), POSITIONS[:at])
    after = heat_map_of(job, draws, POSITIONS[at:])

    for row in range(len(POSITIONS)):
        part, there = (before, row) if row < at else (after, row - at)
        assert agree(cells(part, there), cells(heat_map, row))
        assert part.times[there] == heat_map.times[row]


def test_a_heat_map_has_room_for_every_price_and_its_surroundings(frame, heat_map):
    rows = np.array(POSITIONS)
    assert heat_map.edges[0] <= frame.field("low")[0, rows].min() * np.exp(-0.3)
    assert heat_map.edges[-1] >= frame.field("high")[0, rows].max() * np.exp(0.3)
    np.testing.assert_allclose(np.diff(np.log(heat_map.edges)), 0.002)
    np.testing.assert_array_equal(heat_map.times, frame.times[rows])
    np.testing.assert_array_equal(heat_map.high, frame.field("high")[0, rows])


def test_positions_may_come_in_any_order_and_twice(job, draws, heat_map):
    found = heat_map_of(job, draws, [*POSITIONS[::-1], POSITIONS[0]])

    assert same_bits(found.long, heat_map.long)
    assert same_bits(found.short, heat_map.short)


def test_a_row_of_a_map_that_is_not_usable_is_unknown():
    """Without a price, in the first week, and after a day without open interest."""
    bars = synthetic.bars(100, seed=2, bar_s=14_400)
    bars = synthetic.at(bars, slice(0, 20), open_interest=np.nan)
    bars = synthetic.at(bars, slice(70, 80), open_interest=np.nan)
    bars = synthetic.at(bars, 66, low=np.nan)
    bare = synthetic.frame(bars)
    found = heat_map_of(job_of(bare), draws_of(bare), range(100))

    unknown = np.isnan(found.long).all(axis=1)
    week, day = 42, 6  # in bars
    assert np.flatnonzero(unknown).tolist() == [*range(20 + week - 1), 66, *range(70 + day, 80)]
    known = [profile_at(job_of(bare), draws_of(bare), k).usable for k in (60, 61, 75, 76, 80)]
    assert known == [False, True, True, False, True]
    assert not np.isnan(found.long[~unknown]).any()
    assert same_bits(np.isnan(found.short), np.isnan(found.long))


# venues


@pytest.fixture(scope="module")
def venues():
    """Profiles of two venues whose prices are 5 % apart."""
    found = []
    for seed, factor in ((3, 1.0), (3, 1.05), (4, 1.0)):
        bars = synthetic.bars(120, seed=seed, bar_s=14_400)
        frame = synthetic.frame(synthetic.split(bars, 0, factor))
        found.append(profile_at(job_of(frame), draws_of(frame), 119))
    return found


@pytest.mark.parametrize("name", ["long", "short", "long_band", "short_band"])
def test_venues_add_up_price_by_price(venues, name):
    whole = aggregated(venues, "BTC")

    total = np.sum([getattr(one, name).sum(axis=-1) for one in venues], axis=0)
    np.testing.assert_allclose(getattr(whole, name).sum(axis=-1), total)
    edge = np.exp(np.ceil(np.log(venues[0].price * 0.98) / (2 * STEP)) * 2 * STEP)  # of a cell
    below = [getattr(one, name)[..., one.prices < edge].sum(axis=-1) for one in (whole, *venues)]
    np.testing.assert_allclose(below[0], np.sum(below[1:], axis=0))


def test_the_whole_has_the_mean_price_and_all_open_interest(venues):
    whole = aggregated(venues, "BTC")

    assert whole.symbol == "BTC"
    assert whole.ledger is None
    assert whole.price == pytest.approx(np.mean([one.price for one in venues]))
    assert whole.open_interest == pytest.approx(sum(one.open_interest for one in venues))
    assert whole.prices[0] <= min(one.prices[0] for one in venues) * (1 + 1e-12)
    assert whole.prices[-1] >= max(one.prices[-1] for one in venues) * (1 - 1e-12)
    assert len(whole.prices) > len(venues[0].prices)


def test_venues_may_come_in_any_order_and_alone(venues):
    assert same_bits(aggregated(venues[:2], "X").long, aggregated(venues[1::-1], "X").long)
    alone = aggregated(venues[:1], venues[0].symbol)
    np.testing.assert_allclose(alone.prices, venues[0].prices)
    assert same_bits(alone.long, venues[0].long)


def test_venues_of_other_moments_do_not_add_up(venues):
    late = replace(venues[1], as_of=venues[1].as_of + np.timedelta64(4, "h"))
    with pytest.raises(FrameError, match=r"profiles are of \['2024.*', '2024.*'\], expected one"):
        aggregated([venues[0], late], "BTC")
    with pytest.raises(FrameError, match=r"profiles are of \[\], expected one moment"):
        aggregated([], "BTC")


def test_a_profile_of_live_maps_is_that_of_the_history(job, draws):
    """The state and weights that a live loop holds give the profile that the history gives."""
    for position in (400, N_BARS - 1):
        past = job_of(cut(job.frame, position + 1))
        maps = LiveMaps.start([past], quarters_of(draws, position))
        found = profile_of(
            "BTCUSDT",
            job.frame.times[position],
            maps.state("BTCUSDT"),
            maps.weights(),
            job.frame.bar_s,
        )
        expected = profile_at(job, draws, position)
        for one in fields(expected):
            ours, theirs = getattr(found, one.name), getattr(expected, one.name)
            if isinstance(theirs, np.ndarray):
                assert np.allclose(ours, theirs, rtol=1e-12, atol=0.0), one.name
            else:
                assert ours == theirs, one.name
