"""Folds computed once: an interrupted evaluation goes on, and nothing stale is ever found."""

import os
import runpy
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ModelError, StoreError
from liqwarn.models.baselines import BASELINES
from liqwarn.models.boosting import BoostedTrees, BoostSettings
from liqwarn.models.calibration import Calibrated
from liqwarn.models.folds import FoldTask, run_fold
from liqwarn.pipelines.fold_keys import FoldKeys, task_key
from liqwarn.pipelines.fold_store import FoldStore

FLIPS = 200 if os.environ.get("LIQWARN_FAULTS") == "full" else 3
synthetic = runpy.run_path(str(Path(__file__).parents[1] / "models" / "synthetic.py"))
rows_of = synthetic["rows_of"]


def calibrated(name, seed):
    return Calibrated(BASELINES[name])


@pytest.fixture(scope="module")
def tasks():
    rows = rows_of(days=30)
    makers = {"B0": partial(calibrated, "B0"), "B2": partial(calibrated, "B2")}
    third = len(rows) // 3
    return [
        FoldTask(
            train=rows.take(slice(0, k)), test=rows.take(slice(k, k + 90)), makers=makers, seed=0
        )
        for k in (third, third + 90, third + 180)
    ]


class Counting:
    """The builtin map, counting what it was asked to run, and stopping where told."""

    def __init__(self, *, eager=False, stop_after=None):
        self.ran = []
        self.eager, self.stop_after = eager, stop_after

    def __call__(self, task, items, /):
        for item in list(items) if self.eager else items:
            if len(self.ran) == self.stop_after:
                raise KeyboardInterrupt
            self.ran.append(task_key(item))
            yield task(item)


def same(a, b):
    assert list(a.p) == list(b.p)
    for name in a.p:
        np.testing.assert_array_equal(a.p[name], b.p[name])
        np.testing.assert_array_equal(a.thresholds[name], b.thresholds[name])
    assert a.n_train == b.n_train


@pytest.mark.parametrize("eager", [False, True])
def test_an_interrupted_evaluation_goes_on_where_it_stopped(tasks, tmp_path, eager):
    with pytest.raises(KeyboardInterrupt):
        list(FoldStore(tmp_path, Counting(eager=eager, stop_after=1))(run_fold, iter(tasks)))
    rest = Counting(eager=eager)

    found = list(FoldStore(tmp_path, rest)(run_fold, iter(tasks)))

    assert rest.ran == [task_key(task) for task in tasks[1:]]
    for result, task in zip(found, tasks, strict=True):
        same(result, run_fold(task))


@pytest.mark.parametrize("eager", [False, True])
def test_results_come_in_order_whatever_is_there_already(tasks, tmp_path, eager):
    list(FoldStore(tmp_path, Counting())(run_fold, [tasks[1]]))
    run = Counting(eager=eager)

    found = list(FoldStore(tmp_path, run)(run_fold, iter([*tasks, tasks[0]])))

    assert task_key(tasks[1]) not in run.ran
    for result, task in zip(found, [*tasks, tasks[0]], strict=True):
        same(result, run_fold(task))


def test_everything_a_fold_depends_on_is_in_its_key(tasks):
    one = tasks[0]
    X, y, milder = (given.copy() for given in (one.train.X, one.train.y, one.train.milder))
    X[5, 3] += 1e-9
    y[5, 0, 0] = 1.0 - y[5, 0, 0]
    milder[5, 0, 0] = 1.0 - milder[5, 0, 0]
    others = [
        replace(one, seed=1),
        replace(one, train=replace(one.train, X=X)),
        replace(one, train=replace(one.train, y=y)),
        replace(one, train=replace(one.train, milder=milder)),
        replace(one, test=tasks[1].test),
        replace(one, makers={"B0": partial(calibrated, "B0")}),
        replace(one, makers={"B0": partial(calibrated, "B0"), "B2": partial(calibrated, "B1")}),
    ]

    keys = [task_key(task) for task in (one, replace(one), *others)]

    assert keys[0] == keys[1]
    assert len(set(keys)) == len(others) + 1


def test_makers_that_cannot_be_told_apart_are_refused(tasks):
    nameless = replace(tasks[0], makers={"one": lambda seed: calibrated("B0", seed)})

    with pytest.raises(ModelError, match="has no name, expected a function of a module"):
        task_key(nameless)


def cut(content):
    return content[:-100]


def emptied(_content):
    return b""


def without_names(_content):
    stream = BytesIO()
    np.savez(stream, n_train=np.array(3))
    return stream.getvalue()


def a_bare_array(_content):
    stream = BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


@pytest.mark.parametrize("damage", [cut, emptied, without_names, a_bare_array])
def test_a_damaged_result_is_an_error_and_not_a_number(tasks, tmp_path, damage):
    list(FoldStore(tmp_path, map)(run_fold, tasks[:1]))
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(StoreError, match=r"npz is damaged .* remove it, and it is made again"):
        list(FoldStore(tmp_path, map)(run_fold, tasks[:1]))


def trees(seed):
    settings = BoostSettings(milder_trees=3, onset_trees=3, min_rows=5)
    return Calibrated(partial(BoostedTrees, settings, seed=seed))


@pytest.fixture(scope="module")
def week_on_week():
    """The tasks of a walk with trees, and those of a week later: the last block has grown."""
    rows = rows_of(days=40)
    makers = {"liqwarn": trees, "B0": partial(calibrated, "B0")}
    edges = [len(rows) // 2, len(rows) * 2 // 3, len(rows) * 4 // 5]

    def walk(last):
        return [
            FoldTask(
                train=rows.take(slice(0, a)), test=rows.take(slice(a, b)), makers=makers, seed=0
            )
            for a, b in pairwise([*edges, last])
        ]

    return walk(len(rows) - 100), walk(len(rows))


class Fitting(Counting):
    """Counting, and which models each task brought fitted."""

    def __init__(self):
        super().__init__()
        self.given = []

    def __call__(self, task, items, /):
        for item in items:
            self.given.append(sorted(item.kept))
            yield from super().__call__(task, [item])


def test_a_block_that_grew_is_scored_by_the_trees_that_were_kept(week_on_week, tmp_path):
    before, after = week_on_week
    list(FoldStore(tmp_path, map, rolling=True)(run_fold, iter(before)))
    run = Fitting()

    found = list(FoldStore(tmp_path, run, rolling=True)(run_fold, iter(after)))

    assert (run.ran, run.given) == ([task_key(after[-1])], [["liqwarn"]])
    for result, task in zip(found, after, strict=True):
        same(result, run_fold(task))


def test_a_repeated_walk_says_which_files_are_still_of_use(week_on_week, tmp_path):
    before, after = week_on_week
    store = FoldStore(tmp_path, map, rolling=True)
    for tasks in (before, after, after):
        list(store(run_fold, iter(tasks)))
        each = [FoldKeys().of(task) for task in tasks]

        assert store.used == [key.result for key in each] + [f"fit-{key.fit}" for key in each[-2:]]
        assert {path.stem for path in tmp_path.iterdir()} >= set(store.used)


def test_a_walk_that_stopped_half_way_says_nothing_of_what_is_used(week_on_week, tmp_path):
    store = FoldStore(tmp_path, Counting(stop_after=1), rolling=True)

    with pytest.raises(KeyboardInterrupt):
        list(store(run_fold, iter(week_on_week[0])))

    assert store.used == []


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]


def test_a_damaged_file_of_a_repeated_walk_is_made_again(week_on_week, tmp_path):
    _, after = week_on_week
    last = after[-1:]
    whole = run_fold(last[0])
    list(FoldStore(tmp_path, map, rolling=True)(run_fold, last))
    kept = {path: path.read_bytes() for path in tmp_path.iterdir()}
    rng = np.random.default_rng(0)
    for path, content in kept.items():
        damages = [cut(content), emptied(content), without_names(content), a_bare_array(content)]
        damages += [flipped(content, at) for at in rng.integers(0, len(content), FLIPS).tolist()]
        for damage in damages:
            for file in tmp_path.iterdir():
                if path.name.startswith("fit-"):
                    file.unlink()  # else the trees would not be asked for
            path.write_bytes(damage)

            (found,) = FoldStore(tmp_path, map, rolling=True)(run_fold, last)

            same(found, whole)


def test_a_key_is_the_same_whatever_was_hashed_before(week_on_week):
    before, after = week_on_week
    keys = FoldKeys()

    found = [keys.of(task) for task in [*before, *after, *before[::-1]]]

    assert found == [FoldKeys().of(task) for task in [*before, *after, *before[::-1]]]
    assert found[0].fit != found[1].fit
    assert (found[2].fit, found[2].result == found[5].result) == (found[5].fit, False)


def test_rows_that_only_look_like_a_continuation_are_hashed_anew(week_on_week):
    _, after = week_on_week
    X = after[2].train.X.copy()
    X[3, 3] += 1e-9  # in the rows of the fold before
    changed = replace(after[2], train=replace(after[2].train, X=X))
    keys = FoldKeys()
    keys.of(after[1])

    assert keys.of(changed) == FoldKeys().of(changed) != FoldKeys().of(after[2])


def of_workers(seed, *, workers):
    return Calibrated(partial(BoostedTrees, seed=seed), workers=workers)


def test_how_many_fits_run_at_once_is_no_part_of_a_key(tasks):
    one, two = (
        replace(tasks[0], makers={"liqwarn": partial(of_workers, workers=n)}) for n in (1, 2)
    )

    assert task_key(one) == task_key(two)
