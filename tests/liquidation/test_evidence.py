"""Evidence: knowing where liquidations will be counts, knowing that price moved does not."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.liquidation import evidence
from liqwarn.liquidation.cohort_map import MapState, advance
from liqwarn.liquidation.evidence import (
    adverse_moves,
    log_likelihood,
    realised_coins,
    within_strata,
)
from liqwarn.liquidation.parameters import MapParameters

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
NONE = float("nan")
HOUR = 3_600


def month(seed=0, n_bars=720, noise=1.0):
    """Moves of a month, and liquidations that grow with them."""
    rng = np.random.default_rng(seed)
    moves = 0.01 * np.abs(rng.standard_t(4, n_bars))
    return rng, moves, moves**2 * np.exp(noise * rng.normal(size=n_bars))


# --- moves and what was realised --------------------------------------------------------------


def test_moves_are_measured_from_the_close_before():
    bars = synthetic.at(synthetic.flat(3), 1, low=95.0, high=104.0)
    found = adverse_moves(bars, 100.0)
    assert found[1] == pytest.approx([np.log(100 / 95), np.log(104 / 100)])
    assert found[[0, 2]].tolist() == [[0.0, 0.0]] * 2
    assert np.isnan(adverse_moves(bars, NONE)[0]).all()


def test_moves_of_a_bar_without_a_price_are_unknown():
    bars = synthetic.flat(4)
    for wrong in ({"close": np.nan}, {"low": 0.0}, {"high": np.inf}, {"low": 1e9}):
        found = adverse_moves(synthetic.at(bars, 2, **wrong), 100.0)
        assert np.isnan(found[2]).all()
        assert np.isfinite(found[[0, 1, 3]]).all()


def test_a_split_is_no_move():
    bars = synthetic.bars(20, seed=2)
    found = adverse_moves(synthetic.split(bars, 9, 1_000.0), NONE)
    expected = adverse_moves(bars, NONE)
    assert np.allclose(found, expected, atol=1e-3, equal_nan=True)


def test_published_liquidations_are_coins():
    bars = synthetic.flat(3)
    usd = np.array([[200.0, 0.0], [NONE, 100.0], [50.0, NONE]])
    found = realised_coins(usd, bars, 100.0, 50.0)
    assert np.array_equal(found, usd / 100.0, equal_nan=True)


def falling(n_bars=50):
    """Open interest falls by a coin a bar; bars 10, 20, 30 and 40 go far down, bar 25 far up."""
    bars = synthetic.flat(n_bars)
    for row in (10, 20, 30, 40):
        bars = synthetic.at(bars, row, low=90.0)
    bars = synthetic.at(bars, 25, high=111.0)
    return synthetic.at(bars, slice(None), open_interest=1_000.0 - np.arange(n_bars))


def test_falls_of_open_interest_stand_in_in_large_moves_only():
    silent = np.full((50, 2), NONE)
    found = realised_coins(silent, falling(), 100.0, 1_001.0)
    assert np.flatnonzero(np.isfinite(found[:, 0])).tolist() == [10, 20, 30, 40]
    assert found[[10, 20, 30, 40], 0].tolist() == [1.0] * 4
    assert np.flatnonzero(np.isfinite(found[:, 1])).tolist() == [25]


def test_a_rise_of_open_interest_is_no_liquidation():
    bars = synthetic.at(falling(), slice(20, None), open_interest=2_000.0)
    found = realised_coins(np.full((50, 2), NONE), bars, 100.0, 1_001.0)
    assert found[20, 0] == 0.0


def test_another_unit_of_open_interest_is_no_liquidation():
    bars = synthetic.migrated(falling(), 20, 0.1)
    found = realised_coins(np.full((50, 2), NONE), bars, 100.0, 1_001.0)
    assert np.flatnonzero(np.isfinite(found[:, 0])).tolist() == [10, 30, 40]


def test_a_side_with_a_feed_uses_its_feed_alone():
    usd = np.full((50, 2), NONE)
    usd[3, 0] = 70.0
    found = realised_coins(usd, falling(), 100.0, 1_001.0)
    assert np.flatnonzero(np.isfinite(found[:, 0])).tolist() == [3]
    assert np.isfinite(found[25, 1])


def test_nothing_known_is_nothing_realised():
    bars = synthetic.at(synthetic.flat(5), slice(None), close=np.nan)
    assert np.isnan(realised_coins(np.full((5, 2), 9.0), bars, NONE, NONE)).all()
    assert np.isnan(realised_coins(np.full((5, 2), NONE), bars, NONE, NONE)).all()


# --- ranks in strata ----------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**20), n_bars=st.integers(5, 90), strata=st.integers(1, 5))
def test_ranks_are_about_the_middle_of_their_stratum(seed, n_bars, strata):
    rng = np.random.default_rng(seed)
    values, moves = rng.integers(0, 9, (3, n_bars)).astype(float), rng.normal(size=n_bars)
    found = within_strata(values, moves, strata)
    assert (np.abs(found) < 0.5).all()
    for members in np.array_split(np.argsort(moves, kind="stable"), strata):
        assert np.allclose(found[:, members].sum(axis=1), 0.0)
        for values_in, ranks in zip(values[:, members], found[:, members], strict=True):
            order = np.argsort(values_in, kind="stable")
            assert (np.diff(ranks[order]) >= 0.0).all()


# --- likelihood ---------------------------------------------------------------------------------


def test_the_better_a_map_ranks_the_more_it_earns():
    rng, moves, realised = month()
    noise = rng.normal(size=(2, 720))
    maps = [
        realised * np.exp(0.5 * noise[0]),
        realised * np.exp(2.0 * noise[1]),
        rng.random(720),
        -realised,
    ]
    best, good, random, wrong = log_likelihood(np.stack(maps), realised, moves, HOUR)
    assert best > good > 1.0 > random
    assert wrong == 0.0


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_the_move_alone_earns_nothing(noise, power):
    _, moves, realised = month(noise=noise)
    assert log_likelihood(moves[None, :] ** power, realised, moves, HOUR).tolist() == [0.0]


def test_a_map_of_the_move_and_noise_earns_next_to_nothing():
    earned = []
    for seed in range(20):
        rng, moves, realised = month(seed, noise=0.5)
        earned.append(
            log_likelihood((moves * rng.lognormal(size=720))[None, :], realised, moves, HOUR)
        )
    assert np.mean(earned) < 0.1


def test_strata_alone_would_pay_for_the_move(monkeypatch):
    _, moves, realised = month(noise=0.5)
    monkeypatch.setattr(evidence, "_unexplained", lambda ranks, move: ranks)
    assert log_likelihood(moves[None, :], realised, moves, HOUR)[0] > 3.0


@settings(deadline=None, max_examples=30)
@given(scale=st.floats(1e-6, 1e6), power=st.floats(0.2, 4.0))
def test_only_ranks_count(scale, power):
    rng, moves, realised = month()
    swept = realised[None, :] * rng.lognormal(size=(2, 720))
    plain = log_likelihood(swept, realised, moves, HOUR)
    assert np.allclose(log_likelihood(scale * swept**power, realised, moves, HOUR), plain)
    assert np.allclose(log_likelihood(swept, scale * realised**power, moves, HOUR), plain)


def test_a_day_counts_once_however_many_bars_it_has():
    rng, moves, realised = month()
    swept = realised[None, :] * rng.lognormal(size=(1, 720))
    hourly, four_hourly = (log_likelihood(swept, realised, moves, s) for s in (HOUR, 4 * HOUR))
    assert np.allclose(four_hourly, 4.0 * hourly)


def test_a_map_alone_earns_what_it_earns_among_others():
    rng, moves, realised = month()
    swept = realised * rng.lognormal(size=(5, 720))
    together = log_likelihood(swept, realised, moves, HOUR)
    for k in range(5):
        alone = log_likelihood(swept[k : k + 1], realised, moves, HOUR)
        assert np.allclose(alone, together[k], rtol=1e-12)


def test_unknown_bars_are_left_out():
    rng, moves, realised = month()
    swept = realised[None, :] * rng.lognormal(size=(1, 720))
    with_gaps = [swept.copy(), realised.copy(), moves.copy()]
    with_gaps[0][0, 5], with_gaps[1][50], with_gaps[2][500] = NONE, NONE, NONE
    keep = np.delete(np.arange(720), [5, 50, 500])
    expected = log_likelihood(swept[:, keep], realised[keep], moves[keep], HOUR)
    assert synthetic.same_bits(log_likelihood(*with_gaps, HOUR), expected)


def test_too_few_bars_say_nothing():
    _, moves, realised = month()
    few = slice(0, 59)
    assert log_likelihood(realised[None, few], realised[few], moves[few], HOUR).tolist() == [0.0]
    enough = slice(0, 60)
    earned = log_likelihood(realised[None, enough], realised[enough], moves[enough], HOUR)
    assert earned[0] > 1.0


@pytest.mark.parametrize("still", ["swept", "realised", "moves"])
def test_what_never_changes_says_nothing(still):
    rng, moves, realised = month()
    given = {"swept": rng.random((1, 720)), "realised": realised, "moves": moves}
    given[still] = np.ones_like(given[still])
    found = log_likelihood(**given, bar_s=HOUR)
    assert np.isfinite(found).all()
    assert found[0] < 1.0


# --- recovery -----------------------------------------------------------------------------------

TRUE = MapParameters(median_leverage=15.0, half_life_h=12.0, spent=0.1)
FAR = {
    "spent": MapParameters(median_leverage=15.0, half_life_h=12.0, spent=0.4),
    "half_life_h": MapParameters(median_leverage=15.0, half_life_h=200.0, spent=0.1),
    "median_leverage": MapParameters(median_leverage=80.0, half_life_h=12.0, spent=0.1),
}


@pytest.fixture(scope="module")
def recovered():
    """Evidence of nine months for the true map and three far ones, liquidations being noisy."""
    rng = np.random.default_rng(12)
    bars = synthetic.bars(9 * 720, seed=31, hourly=0.006)
    _, passage = advance(MapState.fresh(4), bars, [TRUE, *FAR.values()])
    realised = passage.swept[0] * rng.lognormal(0.0, 1.0, passage.swept[0].shape)
    moves = adverse_moves(bars, NONE)
    earned = np.zeros(4)
    for start in range(720, 9 * 720, 720):
        rows = slice(start, start + 720)
        for side in range(2):
            swept = passage.swept[:, rows, side]
            earned += log_likelihood(swept, realised[rows, side], moves[rows, side], HOUR)
    return dict(zip(["true", *FAR], earned.tolist(), strict=True))


@pytest.mark.parametrize("name", FAR)
def test_the_parameters_that_made_the_market_are_preferred(recovered, name):
    assert recovered["true"] > recovered[name] + 10.0
    assert recovered[name] >= 0.0
