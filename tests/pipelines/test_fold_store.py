"""Folds computed once: an interrupted evaluation goes on, and nothing stale is ever found."""

import runpy
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ModelError, StoreError
from liqwarn.models.baselines import BASELINES
from liqwarn.models.calibration import Calibrated
from liqwarn.models.folds import FoldTask, run_fold
from liqwarn.pipelines.fold_store import FoldStore, task_key

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
