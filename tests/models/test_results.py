"""Rows of the evaluation: the keys others read, each number as its definition says."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from liqwarn.models.alarms import approaches
from liqwarn.models.bootstrap import week_numbers
from liqwarn.models.folds import OutOfSample
from liqwarn.models.results import (
    HAR,
    MODEL,
    alarm_rows,
    alarms_of,
    by_symbol,
    by_year,
    cells,
    measure,
    paired_delta,
    ranking_row,
    recall_intervals,
)

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, events_of = synthetic["rows_of"], synthetic["events_of"]

CONTRACT = {
    "side",
    "horizon_h",
    "model",
    "n",
    "events",
    "base_rate",
    "pr_auc",
    "pr_auc_ci",
    "roc_auc",
    "roc_auc_ci",
    "brier",
    "brier_skill_vs_har",
    "calibration_slope",
    "calibration_intercept",
    "ece",
    "event_recall",
    "event_recall_ci",
    "lead_minutes",
    "false_alarms_per_symbol_week",
    "delta_pr_auc_vs_har",
    "ratio_pr_auc_vs_har",
}
BESIDES = {"brier_skill_vs_climatology", "molchan_skill", "alarm_time"}
CURVES = {"molchan", "reliability"}
BUDGETS = ["0.01", "0.02", "0.05", "0.10"]


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def found_of(rows, **p):
    """What models said, each with alarms on its highest tenth, twentieth, …"""
    alarms = {}
    for name, one in p.items():
        limits = [np.nanquantile(one, 1 - share, axis=0) for share in (0.01, 0.02, 0.05, 0.1)]
        alarms[name] = np.stack([one > limit for limit in limits], axis=-1)
    fold = np.zeros(len(rows), dtype=np.int64)
    return OutOfSample(rows=rows, fold=fold, p=p, alarms=alarms, thresholds={})


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=100)


@pytest.fixture(scope="module")
def found(rows):
    rng = np.random.default_rng(0)
    s = 1.5 * rows.column("basis")
    hazard = np.stack([np.stack([x + b for b in (-5.0, -3.4, -2.2)], axis=1) for x in (s, -s)], 1)
    knows = sigmoid(hazard)
    rate = np.broadcast_to(rows.y.mean(axis=0), rows.y.shape)
    guess = rate * (1.0 + 0.01 * rng.random(rows.y.shape))
    return found_of(rows, liqwarn=knows, B0=rate.copy(), B2=guess)


@pytest.fixture(scope="module")
def results(found, rows):
    events = events_of(rows)
    return {
        (row["side"], row["horizon_h"], row["model"]): row
        for cell in cells(found, 300, seed=0)
        for row in measure(cell, found, events)
    }


def test_a_result_a_side_horizon_and_model(results):
    assert set(results) == {
        (side, h, m) for side in ("long", "short") for h in (1, 4, 24) for m in (MODEL, "B0", HAR)
    }


def test_results_carry_exactly_the_keys_others_read_and_the_few_named_here(results):
    for (_, _, model), row in results.items():
        assert set(row) == CONTRACT | BESIDES | (CURVES if model != "B0" else set())
        assert list(row["event_recall"]) == BUDGETS
        assert list(row["false_alarms_per_symbol_week"]) == BUDGETS
        assert list(row["lead_minutes"]) == ["median", "q25", "q75", "share_ge_15"]
        assert set(row["delta_pr_auc_vs_har"]) == {"mean", "ci"}
        assert len(row["pr_auc_ci"]) == len(row["delta_pr_auc_vs_har"]["ci"]) == 2
        assert set(row["ratio_pr_auc_vs_har"]) == {"mean", "ci"}
        assert list(row["event_recall_ci"]) == BUDGETS


def test_numbers_are_those_of_scikit_learn(results, found, rows):
    y, p = rows.outcome(1, 1), found.p[MODEL][:, 1, 1]

    row = results["short", 4, MODEL]

    assert row["n"] == len(rows)
    assert row["base_rate"] == y.mean()
    assert row["pr_auc"] == pytest.approx(average_precision_score(y, p))
    assert row["roc_auc"] == pytest.approx(roc_auc_score(y, p))
    assert row["brier"] == pytest.approx(np.mean((p - y) ** 2))
    assert row["pr_auc_ci"][0] < row["pr_auc"] < row["pr_auc_ci"][1]


def test_a_true_probability_is_calibrated_and_beats_what_knows_nothing(results):
    row = results["long", 4, MODEL]

    assert row["calibration_slope"] == pytest.approx(1.0, abs=0.1)
    assert row["calibration_intercept"] == pytest.approx(0.0, abs=0.3)
    assert row["ece"] < 0.02
    assert row["brier_skill_vs_har"] > 0.05
    assert row["brier_skill_vs_climatology"] > 0.05
    assert row["molchan_skill"] > 0.3
    assert row["delta_pr_auc_vs_har"]["ci"][0] > 0


def test_what_always_says_the_same_is_counted_and_not_a_fault(results):
    row = results["long", 4, "B0"]

    assert row["roc_auc"] == 0.5
    assert row["pr_auc"] == pytest.approx(row["base_rate"])
    assert np.isnan(row["calibration_slope"])
    assert row["brier_skill_vs_climatology"] == 0.0
    assert row["event_recall"]["0.10"] == 0.0
    assert np.isnan(row["lead_minutes"]["median"])


def test_har_against_itself_is_nothing(results):
    row = results["long", 24, HAR]

    assert row["ratio_pr_auc_vs_har"] == {"mean": 1.0, "ci": [1.0, 1.0]}

    assert row["delta_pr_auc_vs_har"] == {"mean": 0.0, "ci": [0.0, 0.0]}
    assert row["brier_skill_vs_har"] == 0.0


def test_intervals_hold_their_figure(results):
    for row in results.values():
        low, high = row["roc_auc_ci"]
        assert low <= row["roc_auc"] <= high
        ratio = row["ratio_pr_auc_vs_har"]
        assert ratio["ci"][0] <= ratio["mean"] <= ratio["ci"][1]
        for budget in BUDGETS:
            low, high = row["event_recall_ci"][budget]
            assert low <= row["event_recall"][budget] <= high


def test_the_ratio_is_that_of_the_two_areas(results):
    ours, hars = results["short", 4, MODEL], results["short", 4, HAR]

    ratio = ours["ratio_pr_auc_vs_har"]

    assert ratio["mean"] == pytest.approx(ours["pr_auc"] / hars["pr_auc"])
    assert ratio["ci"][0] > 1.0


def test_the_interval_of_recall_draws_events_with_the_week_of_their_onset(found, rows):
    """By hand, from the same draws: events warned of in a drawn week over events in it."""
    events = events_of(rows)
    cell = next(c for c in cells(found, 200, seed=3) if (c.side, c.horizon_h) == ("long", 4))
    about = alarm_rows(cell, rows.bar)
    alarms = alarms_of(found, cell, MODEL)
    met = approaches(about, events, "long")
    monday = np.datetime64("2024-01-01")  # the first row is later that day
    weeks = [(np.datetime64(m.event.onset.replace(tzinfo=None)) - monday).astype(int) for m in met]
    week = np.array(weeks) // (7 * 86_400 * 10**6)
    week = np.minimum(week, cell.weights.shape[1] - 1)
    warned = np.array([alarms[m.rows, 2].any() for m in met])
    drawn = [np.average(warned, weights=weights[week]) for weights in cell.weights]

    low, high = recall_intervals(cell, about, alarms, met)["0.05"]

    assert low == pytest.approx(np.percentile(drawn, 2.5))
    assert high == pytest.approx(np.percentile(drawn, 97.5))
    assert 0 < high - low < 0.3


def test_recall_of_no_event_has_no_interval(found, rows):
    cell = cells(found, 20, seed=0)[0]

    nothing = recall_intervals(cell, alarm_rows(cell, rows.bar), alarms_of(found, cell, HAR), [])

    assert np.isnan(list(nothing.values())).all()


def test_runs_of_other_rows_may_share_their_draws_of_weeks(rows, found):
    """The same calendar gives a week the same weight, whichever weeks a run tests."""
    calendar = np.unique(week_numbers(rows.times))
    late = np.flatnonzero(rows.times >= np.datetime64("2024-02-12"))
    part = found_of(rows.take(late), liqwarn=found.p[MODEL][late])

    whole, less = (cells(one, 30, 0, calendar)[0] for one in (found, part))

    np.testing.assert_array_equal(whole.weights, less.weights)
    np.testing.assert_array_equal(less.calendar[less.weeks], week_numbers(less.times))
    assert cells(part, 30, 0)[0].weights.shape[1] < less.weights.shape[1]


def test_the_difference_is_paired(rows, found):
    """Two models that are nearly one: each uncertain, their difference not."""
    rng = np.random.default_rng(1)
    twin = np.clip(found.p[MODEL] * (1 + 0.01 * rng.normal(size=rows.y.shape)), 0, 1)
    both = found_of(rows, liqwarn=found.p[MODEL], B2=twin)
    cell = next(c for c in cells(both, 300, seed=0) if (c.side, c.horizon_h) == ("long", 4))
    samples = {name: cell.pr_samples(name) for name in cell.p}

    delta = paired_delta(cell, (MODEL, HAR), samples)

    own = ranking_row(cell, MODEL)["pr_auc_ci"]
    assert np.ptp(delta["ci"]) < np.ptp(own) / 5
    assert delta["mean"] == pytest.approx(cell.pr_auc(MODEL) - cell.pr_auc(HAR))
    assert delta["ci"][0] <= delta["mean"] <= delta["ci"][1]
    unpaired = samples[MODEL] - np.roll(samples[HAR], 1)
    assert np.ptp(np.percentile(unpaired, [2.5, 97.5])) > 3 * np.ptp(delta["ci"])


def test_resamples_are_those_of_the_seed(found):
    first, again, other = (cells(found, 50, seed=s)[0].pr_samples(MODEL) for s in (1, 1, 2))

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_rows_without_an_outcome_are_not_tested_and_may_lack_a_probability(rows, found):
    y, p = rows.y.copy(), found.p[MODEL].copy()
    y[::2, 0] = np.nan
    p[::2, 0] = np.nan
    part = found_of(replace(rows, y=y), liqwarn=p, B2=found.p[HAR])

    cell = cells(part, 20, seed=0)[0]

    assert len(cell.y) == len(rows) // 2
    np.testing.assert_array_equal(np.flatnonzero(cell.keep), np.arange(1, len(rows), 2))
    assert np.isfinite(measure(cell, part, ())[0]["pr_auc"])


def test_a_side_without_an_onset_has_no_cell(rows, found):
    y = rows.y.copy()
    y[:, 1, 0] = 0.0
    y[:, 0, 2] = np.nan
    part = found_of(replace(rows, y=y), liqwarn=found.p[MODEL])

    assert [(c.side, c.horizon_h) for c in cells(part, 5, seed=0)] == [
        ("long", 1),
        ("long", 4),
        ("short", 4),
        ("short", 24),
    ]


def test_symbols_are_measured_apart_and_those_without_onsets_left_out(rows, found):
    y = rows.y.copy()
    y[rows.symbols == "SOLUSDT"] = 0.0
    part = replace(found, rows=replace(rows, y=y))
    cell = next(c for c in cells(part, 100, seed=0) if (c.side, c.horizon_h) == ("long", 4))

    measured = by_symbol(cell)

    assert [row["symbol"] for row in measured] == ["BTCUSDT", "ETHUSDT"]
    at = rows.symbols == "ETHUSDT"
    expected = average_precision_score(y[at, 0, 1], found.p[MODEL][at, 0, 1])
    assert measured[1]["pr_auc"] == pytest.approx(expected)
    assert measured[1]["n"] == at.sum()
    assert measured[1]["delta_pr_auc_vs_har"]["ci"][0] > 0


def test_years_are_measured_apart(rows, found):
    turned = rows.times.copy()
    turned[len(rows) // 2 :] += np.timedelta64(366, "D")
    part = replace(found, rows=replace(rows, times=turned))
    cell = next(c for c in cells(part, 100, seed=0) if (c.side, c.horizon_h) == ("short", 4))

    measured = by_year(cell)

    assert [row["year"] for row in measured] == ["2024", "2025"]
    half = slice(len(rows) // 2, None)
    expected = average_precision_score(rows.y[half, 1, 1], found.p[MODEL][half, 1, 1])
    assert measured[1]["pr_auc"] == pytest.approx(expected)
    assert sum(row["n"] for row in measured) == len(rows)


def test_events_are_warned_of_by_the_alarms_of_their_side(results, rows):
    row = results["long", 4, MODEL]

    assert row["events"] > 100
    recall = [row["event_recall"][budget] for budget in BUDGETS]
    assert recall == sorted(recall)
    assert recall[-1] > 2 * row["alarm_time"]["0.10"]
    assert row["alarm_time"]["0.10"] == pytest.approx(0.1, abs=0.005)
