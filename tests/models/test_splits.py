from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ModelError
from liqwarn.models.splits import EMBARGO, Fold, InnerFolds, WalkForward, trainable

DAY = np.timedelta64(1, "D")
DAY_S = DAY.astype("timedelta64[s]")
NIGHT = np.timedelta64(int(EMBARGO.total_seconds()), "s")


def days(first, last, step=DAY):
    return np.arange(np.datetime64(first), np.datetime64(last), step).astype("datetime64[s]")


@st.composite
def rows(draw):
    """Times in any order, several symbols a bar, and labels that take hours to weeks to settle."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    start = np.datetime64("2019-01-01", "s") + np.timedelta64(draw(st.integers(0, 800)), "D")
    n_days = draw(st.integers(40, 1400))
    hours = np.sort(rng.choice(24 * n_days, size=min(24 * n_days, 600), replace=False))
    symbols = draw(st.integers(1, 3))
    times = rng.permutation(np.repeat(start + hours * np.timedelta64(3600, "s"), symbols))
    settled = rng.integers(1, draw(st.integers(2, 24 * 14)), len(times))
    return times, times + settled * np.timedelta64(3600, "s")


def no_bar_both_trains_and_tests(folds, times, end):
    return not any(np.isin(times[f.train], times[f.test]).any() for f in folds)


def training_is_past(folds, times, end):
    return all(
        times[f.train].max() < times[f.test].min() for f in folds if f.train.size and f.test.size
    )


def no_training_label_saw_the_embargo(folds, times, end):
    return all((end[f.train] <= times[f.test].min() - NIGHT).all() for f in folds)


def training_expands(folds, times, end):
    return all(np.isin(a.train, b.train).all() for a, b in pairwise(folds))


def blocks_follow_one_another(folds, times, end):
    return all(times[a.test].max() < times[b.test].min() for a, b in pairwise(folds))


LAWS = (
    no_bar_both_trains_and_tests,
    training_is_past,
    no_training_label_saw_the_embargo,
    training_expands,
    blocks_follow_one_another,
)


class Mutant:
    """A splitter that cheats: the blocks of the real one, other training rows."""

    def __init__(self, splitter, cheat):
        self.splitter = splitter
        self.cheat = cheat

    def split(self, times, label_end):
        for fold in self.splitter.split(times, label_end):
            yield self.cheat(fold, times, label_end)


def without_purge(fold, times, end):
    return Fold(np.flatnonzero(times < times[fold.test].min()), fold.test)


def without_embargo(fold, times, end):
    return Fold(np.flatnonzero(end <= times[fold.test].min()), fold.test)


def shuffled(fold, times, end):
    rng = np.random.default_rng(fold.test[0])
    mixed = rng.permutation(np.union1d(fold.train, fold.test))
    return Fold(mixed[: fold.train.size], mixed[fold.train.size :])


def sliding(fold, times, end):
    young = times[fold.train] >= times[fold.test].min() - 300 * DAY_S
    return Fold(fold.train[young], fold.test)


MUTANTS = {
    without_purge: no_training_label_saw_the_embargo,
    without_embargo: no_training_label_saw_the_embargo,
    shuffled: training_is_past,
    sliding: training_expands,
}


@settings(max_examples=60, deadline=None)
@given(rows=rows(), period=st.sampled_from(["month", "quarter", "year", "none"]))
def test_the_laws_of_the_walk_forward(rows, period):
    times, end = rows
    folds = list(WalkForward(period=period).split(times, end))

    assert folds
    for law in LAWS:
        assert law(folds, times, end), law.__name__
    # every row from the first test bar on is tested once
    tested = np.concatenate([fold.test for fold in folds])
    assert np.array_equal(np.sort(tested), np.flatnonzero(times >= times[tested].min()))


@settings(max_examples=60, deadline=None)
@given(rows=rows(), n_folds=st.integers(1, 6), first_share=st.floats(0.1, 0.8))
def test_the_laws_of_the_inner_folds(rows, n_folds, first_share):
    times, end = rows
    folds = list(InnerFolds(n_folds, first_share).split(times, end))

    assert len(folds) <= n_folds
    for law in LAWS:
        assert law(folds, times, end), law.__name__
    for fold in folds:
        assert fold.train.size
        assert fold.test.size


@pytest.mark.parametrize("splitter", [WalkForward(), InnerFolds()], ids=["outer", "inner"])
@pytest.mark.parametrize("cheat", MUTANTS, ids=lambda cheat: cheat.__name__)
def test_the_laws_reject_a_splitter_that_cheats(splitter, cheat):
    times = days("2020-01-01", "2023-01-01", np.timedelta64(4, "h"))
    end = times + np.timedelta64(34, "h")
    honest = list(splitter.split(times, end))
    folds = list(Mutant(splitter, cheat).split(times, end))

    assert MUTANTS[cheat](honest, times, end)
    assert not MUTANTS[cheat](folds, times, end)


@settings(max_examples=60, deadline=None)
@given(rows=rows(), period=st.sampled_from(["month", "quarter", "year"]))
def test_blocks_start_with_the_calendar_and_no_sooner_than_18_months(rows, period):
    times, _ = rows
    starts = WalkForward(period=period).block_starts(times)
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    eighteen_months = times.min() + 547 * DAY_S

    assert starts == sorted(set(starts))
    assert starts[-1] <= times.max()
    for start in starts[1:]:
        assert start == start.astype("datetime64[M]")
        assert int(start.astype("datetime64[M]").astype(int)) % months == 0
    if starts[0] < eighteen_months:
        # too short a panel: no whole block would be left after 18 months
        first = starts[0].astype("datetime64[M]").astype(int)
        assert times.max() < eighteen_months + 2 * months * 31 * DAY_S, first


def test_quarters_after_18_months():
    times = days("2020-02-10", "2022-08-01")
    starts = WalkForward().block_starts(times)

    # 547 days after 10 February 2020 is 10 August 2021
    assert [str(s)[:10] for s in starts] == ["2021-10-01", "2022-01-01", "2022-04-01", "2022-07-01"]


def test_months_start_where_a_month_starts():
    times = days("2020-01-01", "2021-10-20")
    starts = WalkForward(period="month").block_starts(times)

    # 547 days after 1 January 2020 is 1 July 2021
    assert [str(s)[:10] for s in starts] == ["2021-07-01", "2021-08-01", "2021-09-01", "2021-10-01"]


def test_training_once_tests_all_the_rest():
    times = days("2020-01-01", "2023-01-01")
    (fold,) = WalkForward(period="none").split(times, times + DAY)

    assert times[fold.test[0]] == np.datetime64("2021-07-01")
    assert times[fold.test[-1]] == times[-1]


def test_a_short_panel_trains_on_a_share_of_it():
    times = days("2022-01-01", "2022-12-20")
    starts = WalkForward(period="month").block_starts(times)
    later = WalkForward(period="month", first_share=0.8).block_starts(times)

    # half of it is 25 June
    assert str(starts[0])[:10] == "2022-07-01"
    assert str(later[0])[:10] == "2022-11-01"


def test_a_very_short_panel_starts_within_a_month():
    times = days("2022-01-02", "2022-01-22", np.timedelta64(1, "h"))

    assert WalkForward().block_starts(times) == [np.datetime64("2022-01-11T23:30:00")]


def test_the_first_test_bar_may_be_given():
    times = days("2020-01-01", "2020-12-01")
    starts = WalkForward(test_from=datetime(2020, 5, 10, tzinfo=UTC)).block_starts(times)

    assert [str(s)[:10] for s in starts] == ["2020-05-10", "2020-07-01", "2020-10-01"]


def test_a_block_without_rows_is_passed_over():
    times = np.concatenate([days("2020-01-01", "2020-03-01"), days("2020-05-01", "2020-06-01")])
    plan = WalkForward(period="month", test_from=datetime(2020, 2, 1, tzinfo=UTC))
    folds = list(plan.split(times, times + DAY))

    assert [str(times[f.test[0]])[:7] for f in folds] == ["2020-02", "2020-05"]


def test_nothing_to_split_or_to_test():
    times = days("2020-01-01", "2020-02-01")

    with pytest.raises(ModelError, match="no rows to split"):
        list(WalkForward().split(times[:0], times[:0]))
    with pytest.raises(ModelError, match="testing starts 2021-01-01T00:00:00, but the rows end"):
        list(WalkForward(test_from=datetime(2021, 1, 1, tzinfo=UTC)).split(times, times))


def test_a_label_may_end_an_embargo_before_the_test_and_no_later():
    start = np.datetime64("2024-01-10T00:00:00")
    limit = start - np.timedelta64(24, "h")
    times = np.full(3, start - np.timedelta64(30, "h"))
    end = limit + np.array([-1, 0, 1]).astype("timedelta64[s]")

    assert timedelta(hours=24) == EMBARGO
    assert trainable(times, end, start).tolist() == [0, 1]
    # a row of the test block never trains, whatever its label says
    assert trainable(start[None], limit[None], start).tolist() == []


def test_inner_folds_are_equal_shares_of_the_rows():
    times = days("2020-01-01", "2020-04-10")
    folds = list(InnerFolds(3, 0.4).split(times, times + DAY))

    assert [fold.test.size for fold in folds] == [20, 20, 20]
    assert folds[0].test[0] == 40
    assert folds[-1].test[-1] == 99
    # the label of the row a day and more before is known an embargo ahead
    assert [int(fold.train[-1]) for fold in folds] == [38, 58, 78]


def test_rows_too_few_to_fold_give_no_fold():
    times = days("2020-01-01", "2020-01-02")

    assert list(InnerFolds().split(times, times + DAY)) == []
