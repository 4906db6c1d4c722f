"""Other definitions and another way to cut time: the same measures, on what they are said to be."""

import runpy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from liqwarn.frames import FeatureMatrix
from liqwarn.models.combinatorial import CombinatorialPurged
from liqwarn.models.evaluation import EvaluationPlan, default_makers, primary, walk_forward
from liqwarn.models.events import detect_events
from liqwarn.models.labels import make_labels, make_milder_labels
from liqwarn.models.ranking import pr_auc
from liqwarn.models.results import HAR, MODEL
from liqwarn.models.robustness import DEFINITIONS, combinatorial, relabelled, robustness
from liqwarn.models.rows import make_rows
from liqwarn.models.splits import WalkForward

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, events_of, SMALL = (synthetic[k] for k in ("rows_of", "events_of", "SMALL"))
PLAN = EvaluationPlan(
    splitter=WalkForward(period="none", test_from=datetime(2024, 2, 1, tzinfo=UTC)),
    settings=replace(SMALL, milder_trees=4, onset_trees=4),
    n_bootstrap=100,
)
KEYS = {
    "variant",
    "side",
    "horizon_h",
    "n",
    "events",
    "base_rate",
    "pr_auc",
    "pr_auc_ci",
    "roc_auc",
    "har_pr_auc",
    "har_roc_auc",
    "delta_pr_auc_vs_har",
}


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=60, symbols=("BTCUSDT", "ETHUSDT"))


@pytest.fixture(scope="module")
def crossed(rows):
    told = []
    found = combinatorial(rows, events_of(rows), PLAN, on_progress=lambda *step: told.append(step))
    return found, told


def test_every_variant_is_measured_a_side_at_the_primary_horizon(rows):
    variants = {"thresholds_plus_33": (rows, events_of(rows)), "price_only": (rows, ())}
    told = []

    found = robustness(variants, PLAN, on_progress=lambda *step: told.append(step))

    assert [(row["variant"], row["side"]) for row in found] == [
        (variant, side) for variant in variants for side in ("long", "short")
    ]
    for row in found:
        assert set(row) == KEYS
        assert row["horizon_h"] == 4
    assert [row["events"] for row in found[2:]] == [0, 0]
    assert ("robustness: price only", 1, 1) in told


def test_the_figures_are_those_of_the_walk_forward(rows):
    """The definition itself as a variant gives the headline again, bit for bit."""
    headline = walk_forward(primary(rows), events_of(rows), PLAN)

    for row in robustness({"same": (rows, events_of(rows))}, PLAN):
        ours, hars = (
            next(
                r
                for r in headline.results
                if (r["side"], r["horizon_h"], r["model"]) == (row["side"], 4, model)
            )
            for model in (MODEL, HAR)
        )
        for key in ("n", "events", "base_rate", "pr_auc", "pr_auc_ci", "roc_auc"):
            assert row[key] == ours[key], key
        assert row["delta_pr_auc_vs_har"] == ours["delta_pr_auc_vs_har"]
        assert (row["har_pr_auc"], row["har_roc_auc"]) == (hars["pr_auc"], hars["roc_auc"])


def test_only_the_panels_own_rows_train(rows):
    plan = replace(PLAN, extra=(rows_of(1, days=20, start="2023-01-01"),))

    assert robustness({"same": (rows, ())}, plan) == robustness({"same": (rows, ())}, PLAN)


def test_the_variants_relabel_the_same_rows(market_random, market_config):
    """Lower thresholds find more events, higher ones fewer, and price alone needs no more."""
    frame = market_random(5, n_bars=1500)
    names = ("a",)
    matrix = FeatureMatrix(
        symbols=frame.symbols,
        times=frame.times,
        bar=frame.bar,
        names=names,
        families={"a": "market"},
        values=np.zeros((*frame.shape, 1)),
    )
    config = market_config(frame.bar)
    plain = detect_events(frame, config)

    found = relabelled(frame, matrix, config)

    assert (
        list(found)
        == list(DEFINITIONS)
        == [
            "thresholds_minus_33",
            "thresholds_plus_33",
            "price_only",
        ]
    )
    low, high, price = (len(found[name][1]) for name in found)
    assert high < len(plain) < low
    assert len(plain) < price
    labels = make_labels(frame, plain, config)
    main = make_rows(matrix, labels, labels)
    assert found["price_only"][0].times.size > main.times.size  # open interest may be missing
    for name, (variant, events) in found.items():
        assert variant.names == names
        changed = DEFINITIONS[name](config)
        own = make_labels(frame, events, changed)
        again = make_rows(matrix, own, make_milder_labels(frame, changed))
        np.testing.assert_array_equal(variant.milder, again.milder)
        assert np.nansum(variant.milder) > np.nansum(variant.y)


def test_combinatorial_gives_every_row_one_probability_a_path(crossed, rows):
    found, told = crossed

    assert [(row["variant"], row["side"]) for row in found] == [
        ("combinatorial", "long"),
        ("combinatorial", "short"),
    ]
    for row in found:
        assert set(row) == KEYS | {"paths", "path_pr_auc", "path_har_pr_auc"}
        assert row["paths"] == len(row["path_pr_auc"]) == len(row["path_har_pr_auc"]) == 5
        assert row["n"] == len(rows)
        assert row["pr_auc"] == pytest.approx(np.mean(row["path_pr_auc"]))
        assert row["har_pr_auc"] == pytest.approx(np.mean(row["path_har_pr_auc"]))
        assert row["pr_auc_ci"][0] < row["pr_auc"] < row["pr_auc_ci"][1]
        assert row["delta_pr_auc_vs_har"]["ci"][0] > 0  # the skill is planted
        assert len(set(row["path_pr_auc"])) == 5
    assert told == [("combinatorial", k, 15) for k in range(16)]


def test_a_path_is_made_of_the_splits_that_stand_for_its_groups(crossed, rows):
    """The fourth path, fitted and pieced together by hand."""
    near, splitter = primary(rows), CombinatorialPurged()
    groups = splitter.groups(near.times)
    folds = list(splitter.split(near.times, near.end))
    p = np.full(len(near), np.nan)
    for group, k in enumerate(splitter.paths()[3]):
        model = default_makers(PLAN)[HAR](PLAN.seed).fit(near.take(folds[k].train))
        at = np.flatnonzero(groups == group)
        p[at] = model.predict_proba(near.take(at))[:, 1, 0]

    assert pr_auc(near.y[:, 1, 0], p) == crossed[0][1]["path_har_pr_auc"][3]


def test_combinatorial_finds_nothing_in_noise():
    """A ROC-AUC below 0.5 is its own: a split's rate of events leans away from what it tests."""
    noise = rows_of(seed=4, days=60, skill=0.0)

    for row in combinatorial(noise, (), PLAN):
        assert row["delta_pr_auc_vs_har"]["mean"] < 0.01
        assert row["roc_auc"] < 0.55
