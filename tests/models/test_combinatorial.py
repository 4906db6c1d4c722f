"""Combinatorial purged cross-validation: its counts, its purge, and the splitters it rejects."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ModelError
from liqwarn.models.combinatorial import CombinatorialFold, CombinatorialPurged

HOUR = np.timedelta64(3600, "s")
EMBARGO = 24 * HOUR


@st.composite
def rows(draw):
    """Bars with holes in any order, some of several symbols, labels that take hours to days."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n_bars = draw(st.integers(30, 300))
    hours = np.sort(rng.choice(24 * 400, size=n_bars, replace=False))
    bars = np.datetime64("2020-03-01T00:00:00") + hours * HOUR
    times = rng.permutation(np.repeat(bars, draw(st.integers(1, 3))))
    return times, times + rng.integers(1, draw(st.integers(2, 24 * 9)), len(times)) * HOUR


def spans(fold, groups, times, end):
    """First bar and last label of each test group."""
    for group in fold.groups:
        inside = groups == group
        yield times[inside].min(), end[inside].max()


def no_bar_both_trains_and_tests(folds, groups, times, end):
    return not any(np.isin(times[f.train], times[f.test]).any() for f in folds)


def no_training_label_overlaps_a_test_span(folds, groups, times, end):
    return all(
        ((end[f.train] <= first) | (times[f.train] >= last)).all()
        for f in folds
        for first, last in spans(f, groups, times, end)
    )


def an_embargo_lies_on_both_sides(folds, groups, times, end):
    return all(
        ((end[f.train] <= first - EMBARGO) | (times[f.train] >= last + EMBARGO)).all()
        for f in folds
        for first, last in spans(f, groups, times, end)
    )


def whatever_may_train_does(folds, groups, times, end):
    for f in folds:
        may = ~np.isin(groups, f.groups)
        for first, last in spans(f, groups, times, end):
            may &= (end <= first - EMBARGO) | (times >= last + EMBARGO)
        if not np.array_equal(np.flatnonzero(may), f.train):
            return False
    return True


def each_group_is_tested_as_often_as_there_are_paths(folds, groups, times, end):
    n_groups = groups.max() + 1
    counts = [sum(g in f.groups for f in folds) for g in range(n_groups)]
    return counts == [comb(n_groups - 1, len(folds[0].groups) - 1)] * n_groups


LAWS = (
    no_bar_both_trains_and_tests,
    no_training_label_overlaps_a_test_span,
    an_embargo_lies_on_both_sides,
    whatever_may_train_does,
    each_group_is_tested_as_often_as_there_are_paths,
)


@settings(max_examples=60, deadline=None)
@given(rows=rows(), n_groups=st.integers(3, 7), data=st.data())
def test_the_laws_of_the_splitter(rows, n_groups, data):
    times, end = rows
    splitter = CombinatorialPurged(n_groups, data.draw(st.integers(1, n_groups - 1)))
    groups = splitter.groups(times)
    folds = list(splitter.split(times, end))

    assert len(folds) == splitter.n_splits
    for law in LAWS:
        assert law(folds, groups, times, end), law.__name__
    for fold in folds:
        np.testing.assert_array_equal(fold.test, np.flatnonzero(np.isin(groups, fold.groups)))


def without_purge(fold, groups, times, end):
    return fold._replace(train=np.flatnonzero(~np.isin(groups, fold.groups)))


def without_embargo(fold, groups, times, end):
    free = ~np.isin(groups, fold.groups)
    for first, last in spans(fold, groups, times, end):
        free &= (end <= first) | (times >= last)
    return fold._replace(train=np.flatnonzero(free))


def purged_before_only(fold, groups, times, end):
    free = ~np.isin(groups, fold.groups)
    for first, last in spans(fold, groups, times, end):
        free &= (end <= first - EMBARGO) | (times > last - 200 * HOUR)
    return fold._replace(train=np.flatnonzero(free))


def purged_around_the_first_group_only(fold, groups, times, end):
    first, last = next(spans(fold, groups, times, end))
    free = (end <= first - EMBARGO) | (times >= last + EMBARGO)
    return fold._replace(train=np.flatnonzero(free & ~np.isin(groups, fold.groups)))


def with_a_day_too_much(fold, groups, times, end):
    return fold._replace(train=fold.train[:-24])


def shuffled(fold, groups, times, end):
    order = np.random.default_rng(0).permutation(len(times))
    return CombinatorialFold(order[fold.train], order[fold.test], fold.groups)


MUTANTS = {
    without_purge: no_training_label_overlaps_a_test_span,
    without_embargo: an_embargo_lies_on_both_sides,
    purged_before_only: no_training_label_overlaps_a_test_span,
    purged_around_the_first_group_only: no_training_label_overlaps_a_test_span,
    with_a_day_too_much: whatever_may_train_does,
    shuffled: no_training_label_overlaps_a_test_span,
}


@pytest.mark.parametrize("cheat", MUTANTS, ids=lambda cheat: cheat.__name__)
def test_the_laws_reject_a_splitter_that_cheats(cheat):
    times = np.datetime64("2020-03-01T00:00:00") + np.arange(24 * 300) * HOUR
    end = times + 30 * HOUR
    splitter = CombinatorialPurged()
    groups, folds = splitter.groups(times), list(splitter.split(times, end))

    law = MUTANTS[cheat]

    assert law(folds, groups, times, end)
    assert not law([cheat(f, groups, times, end) for f in folds], groups, times, end)


def test_six_groups_two_at_a_time_are_fifteen_splits_and_five_paths():
    splitter = CombinatorialPurged()
    times = np.datetime64("2020-03-01T00:00:00") + np.arange(24 * 300) * HOUR
    folds = list(splitter.split(times, times + 30 * HOUR))

    assert [fold.groups for fold in folds] == list(combinations(range(6), 2))
    assert (splitter.n_splits, splitter.n_paths) == (15, 5)
    assert {fold.test.size for fold in folds} == {2 * len(times) // 6}
    # two groups apart cost the label and the embargo on each of four sides: 2 * (29 + 24 + 30 + 23)
    apart = folds[combinations_index(1, 4)]
    assert len(times) - apart.train.size - apart.test.size == 2 * (53 + 52) + 2


def combinations_index(*groups):
    return list(combinations(range(6), 2)).index(groups)


@pytest.mark.parametrize(("n_groups", "n_test"), [(6, 2), (5, 3), (4, 1), (7, 4)])
def test_a_path_goes_once_through_every_group_and_uses_no_test_twice(n_groups, n_test):
    splitter = CombinatorialPurged(n_groups, n_test)
    tested = list(combinations(range(n_groups), n_test))

    paths = splitter.paths()

    assert paths.shape == (splitter.n_paths, n_groups)
    used = {(int(k), group) for path in paths for group, k in enumerate(path)}
    assert used == {(k, g) for k, part in enumerate(tested) for g in part}
    assert len(used) == paths.size


def test_symbols_of_a_bar_are_in_one_group():
    bars = np.datetime64("2020-03-01T00:00:00") + np.arange(40) * HOUR
    groups = CombinatorialPurged().groups(np.repeat(bars, 3))

    assert (groups.reshape(40, 3) == groups[::3, None]).all()
    assert np.bincount(groups).tolist() == [21, 21, 21, 21, 18, 18]


@pytest.mark.parametrize(("n_groups", "n_test"), [(6, 6), (6, 0), (50, 2)])
def test_splits_that_cannot_be_are_an_error(n_groups, n_test):
    bars = np.datetime64("2020-03-01T00:00:00") + np.arange(40) * HOUR

    with pytest.raises(ModelError, match=f"40 bars in {n_groups} groups of which {n_test} test"):
        CombinatorialPurged(n_groups, n_test).groups(bars)


def test_splits_are_those_of_skfolio():
    """Its purge counts rows, so labels of a fixed length on bars without holes are compared."""
    skfolio = pytest.importorskip("skfolio.model_selection")
    times = np.datetime64("2020-03-01T00:00:00") + np.arange(600) * HOUR
    theirs = skfolio.CombinatorialPurgedCV(n_folds=6, n_test_folds=2, purged_size=0, embargo_size=0)
    ours = list(CombinatorialPurged().split(times, times))

    splits = list(theirs.split(times[:, None]))

    assert len(splits) == len(ours)
    for (train, tests), fold in zip(splits, ours, strict=True):
        np.testing.assert_array_equal(np.sort(np.concatenate(tests)), fold.test)
        assert np.isin(fold.train, train).all()
