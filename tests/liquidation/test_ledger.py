"""What a map has seen and missed, counted alike in one piece and in many."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.liquidation.ledger import (
    FACTS,
    FORGET_S,
    Ledger,
    Runs,
    count_runs,
    facts_of,
    ledger_after,
    next_runs,
)
from liqwarn.liquidation.market_path import find_breaks

synthetic = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("synthetic_bars.py"))))
NONE = float("nan")
WEEK = FORGET_S // 3_600


def counted(bars, ledger=None):
    runs = count_runs(bars, ledger or Ledger())
    return ledger_after(bars, ledger or Ledger(), find_breaks(bars, NONE, NONE), runs), runs


def hours(n_bars):
    return synthetic.flat(n_bars, bar_s=3_600)


def test_a_fresh_ledger_has_counted_nothing():
    assert counted(hours(0))[0] == Ledger()


def test_every_fault_is_counted_once():
    bars = hours(12)
    bars = synthetic.at(bars, 1, close=np.nan)
    bars = synthetic.at(bars, 2, low=1e9)
    bars = synthetic.at(bars, 3, open_interest=np.nan)
    bars = synthetic.at(bars, 4, open_interest=-1.0)
    bars = synthetic.at(bars, 5, open_interest=0.0)
    bars = synthetic.at(bars, 6, volume=0.0)
    bars = synthetic.at(bars, 7, marked=False)
    bars = synthetic.migrated(synthetic.split(bars, 9, 50.0), 10, 0.01)
    assert counted(bars)[0] == Ledger(
        bars=12,
        unpriced=2,
        unknown=1,
        unbelievable=2,
        untraded=1,
        unmarked=1,
        shifted=1,
        rescaled=1,
        age_bars=12,
    )


def test_age_begins_with_the_first_open_interest():
    bars = synthetic.at(hours(6), slice(0, 2), open_interest=np.nan)
    ledger, runs = counted(bars)
    assert runs.age.tolist() == [0, 0, 1, 2, 3, 4]
    assert runs.silent.tolist() == [1, 2, 0, 0, 0, 0]
    assert not runs.restarts.any()
    assert ledger.age_bars == 4


def test_silence_of_a_week_is_borne_and_of_an_hour_more_is_not():
    for length, restarts in ((WEEK, []), (WEEK + 1, [5 + WEEK + 1])):
        bars = synthetic.at(hours(5 + length + 3), slice(5, 5 + length), open_interest=np.nan)
        ledger, runs = counted(bars)
        assert np.flatnonzero(runs.restarts).tolist() == restarts
        assert runs.silent[5 + length - 1] == length
        assert ledger.restarted == len(restarts)
        assert runs.age[-1] == (3 if restarts else len(bars.close))


def test_open_interest_without_price_or_trades_ends_no_silence():
    plain = synthetic.at(hours(30), slice(5, 25), open_interest=np.nan)
    for wrong in ({"close": np.nan}, {"volume": 0.0}):
        bars = synthetic.at(plain, 15, open_interest=50.0, **wrong)
        assert count_runs(bars, Ledger()).silent[24] == 20
    bars = synthetic.at(plain, 15, open_interest=50.0)
    assert count_runs(bars, Ledger()).silent[24] == 9


def test_unknown_volume_is_no_lack_of_trades():
    ledger, _ = counted(synthetic.at(hours(9), slice(None), volume=np.nan))
    assert (ledger.untraded, ledger.age_bars, ledger.silent_bars) == (0, 9, 0)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    seed=st.integers(0, 2**20),
    bar_s=st.sampled_from([300, 3_600, 14_400]),
    cut=st.integers(0, 300),
)
def test_runs_are_the_same_in_two_pieces(seed, bar_s, cut):
    bars = synthetic.faulty(300, seed=seed, bar_s=bar_s)
    ledger, runs = counted(bars)
    first, one = counted(bars.between(0, cut))
    last, other = counted(bars.between(cut, 300), first)
    for name in ("age", "silent", "restarts"):
        joined = np.concatenate([getattr(one, name), getattr(other, name)])
        assert np.array_equal(joined, getattr(runs, name)), name
    for name in ("bars", "unpriced", "unknown", "restarted", "age_bars", "silent_bars"):
        assert getattr(last, name) == getattr(ledger, name)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(seed=st.integers(0, 2**20), bar_s=st.sampled_from([300, 3_600, 14_400]))
def test_runs_bar_by_bar_are_those_of_many_bars(seed, bar_s):
    bars = synthetic.faulty(300, seed=seed, bar_s=bar_s)
    known = np.isfinite(bars.stock()) & (bars.volume != 0.0)
    expected = count_runs(bars, Ledger())
    runs = Runs(
        age=np.zeros(1, np.int64), silent=np.zeros(1, np.int64), restarts=np.zeros(1, np.bool_)
    )
    for row in range(300):
        runs = next_runs(known[row : row + 1], runs, bar_s)
        for name in ("age", "silent", "restarts"):
            found, whole = getattr(runs, name), getattr(expected, name)
            assert np.array_equal(found, whole[row : row + 1]), (name, row)


def test_facts_of_bars_are_what_the_ledger_counts():
    bars = synthetic.faulty(400, seed=5)
    runs, breaks = count_runs(bars, Ledger()), find_breaks(bars, NONE, NONE)
    facts = facts_of(bars, breaks, runs)
    ledger = ledger_after(bars, Ledger(), breaks, runs)

    assert facts.shape == (len(FACTS), 400)
    assert {name: getattr(ledger, name) for name in FACTS} == dict(
        zip(FACTS, facts.sum(axis=1).tolist(), strict=True)
    )
    assert facts.any(axis=1).sum() >= 6
