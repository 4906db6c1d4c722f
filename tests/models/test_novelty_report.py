"""The report of novelty: folds ask signals of their own past, groups are measured apart."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from liqwarn.models.folds import OutOfSample
from liqwarn.models.metrics import brier_skill
from liqwarn.models.novelty_report import FaultyRows, novelty_report
from liqwarn.models.ranking import roc_auc

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of = synthetic["rows_of"]

ODD = slice(9000, 9300)


@pytest.fixture(scope="module")
def rows():
    """A hundred hours of the second fold have a volatility a million times too high."""
    rows = rows_of(days=180)
    X = rows.X.copy()
    X[ODD, rows.names.index("rv_1d")] *= 1e6
    return replace(rows, X=X)


@pytest.fixture(scope="module")
def found(rows):
    test = np.arange(len(rows) // 2, len(rows))
    p = np.random.default_rng(0).random((len(test), *rows.y.shape[1:])) * 0.1
    base = np.full(p.shape, 0.05)
    return OutOfSample(
        rows=rows.take(test),
        fold=np.repeat([0, 1], [len(test) // 3, len(test) - len(test) // 3]),
        p={"liqwarn": p, "B0": base},
        alarms={},
        thresholds={},
    )


@pytest.fixture(scope="module")
def report(rows, found):
    return novelty_report(rows, found)


def test_the_keys_are_those_of_the_contract(report):
    assert set(report) == {"share_novel", "by_quarter", "groups", "injected"}
    assert report["injected"] == []
    keys = {"group", "side", "n", "base_rate", "mean_p", "brier_skill_vs_climatology", "roc_auc"}
    assert all(set(group) == keys for group in report["groups"])


def test_the_odd_rows_are_the_novel_ones(report, found):
    assert report["share_novel"] == 300 / len(found.rows)
    quarters = {one["quarter"]: one["share"] for one in report["by_quarter"]}
    assert list(quarters) == ["2024-Q1", "2024-Q2"]
    assert quarters["2024-Q1"] < 0.01 < quarters["2024-Q2"]


def test_groups_are_measured_at_four_hours(report, found):
    odd = np.zeros(len(found.rows), dtype=bool)
    odd[ODD.start - 6480 : ODD.stop - 6480] = True
    group = next(g for g in report["groups"] if g["group"] == "novel" and g["side"] == "short")
    y, p = found.rows.y[odd, 1, 1], found.p["liqwarn"][odd, 1, 1]

    assert group["n"] == 300
    assert (group["base_rate"], group["mean_p"]) == (y.mean(), p.mean())
    assert group["roc_auc"] == roc_auc(y, p)
    assert group["brier_skill_vs_climatology"] == brier_skill(y, p, np.full(300, 0.05))
    n = {(g["group"], g["side"]): g["n"] for g in report["groups"]}
    assert n["familiar", "long"] + n["novel", "long"] == len(found.rows)


def test_without_novel_rows_or_a_model_there_are_no_numbers(rows, found):
    calm = slice(0, 600)
    few = replace(found, rows=found.rows.take(calm), fold=found.fold[calm], p={})

    report = novelty_report(rows, few)

    novel = [g for g in report["groups"] if g["group"] == "novel"]
    assert [g["n"] for g in novel] == [0, 0]
    assert all(np.isnan(g["base_rate"]) for g in novel)
    assert all(np.isnan(g["roc_auc"]) for g in report["groups"])


def test_a_fault_is_judged_by_the_fold_of_its_first_bar(rows, found):
    times = found.rows.times
    X = found.rows.X[:24].copy()
    broken = X.copy()
    broken[-1, 0] = 1e9  # one row is enough
    late = np.full(X.shape, np.nan)
    faults = [
        FaultyRows(fault="units", since=times[100], X=broken),
        FaultyRows(fault="units", since=times[-100], X=X),
        FaultyRows(fault="units", since=rows.times[0], X=broken),  # before the first test row
        FaultyRows(fault="gap", since=times[-1], X=late),
    ]

    report = novelty_report(rows, found, faults)

    assert report["injected"] == [
        {"fault": "units", "n": 2, "detected": 1},
        {"fault": "gap", "n": 1, "detected": 0},
    ]


def test_a_fold_knows_nothing_of_later_rows(rows, found, report):
    """What was odd in the first fold's future does not become familiar to it."""
    second = found.fold == 1
    X = rows.X.copy()
    X[rows.times >= found.rows.times[second].min()] = 1e6
    spoilt = replace(rows, X=X)

    again = novelty_report(spoilt, replace(found, rows=spoilt.take(np.arange(6480, len(rows)))))

    assert again["by_quarter"][0]["share"] == report["by_quarter"][0]["share"]
    assert again["share_novel"] > 0.6
