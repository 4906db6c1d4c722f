"""Frozen and controlled alarms side by side: the keys others read, each number as defined."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from liqwarn.models.alarm_budget import (
    alarm_budget,
    controlled_alarms,
    worst_quarter,
)
from liqwarn.models.alarm_control import bounded_score, run
from liqwarn.models.alarms import ALARM_BUDGETS
from liqwarn.models.folds import OutOfSample

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, events_of = synthetic["rows_of"], synthetic["events_of"]

KEYS = {
    "side",
    "horizon_h",
    "model",
    "budget",
    "kind",
    "alarm_time",
    "false_alarm_rate",
    "false_alarm_rate_ci",
    "worst_quarter_rate",
    "event_recall",
    "lead_median_min",
}


def drifting(rows, rng):
    """Probabilities whose level doubles in the second half."""
    late = rows.times > np.median(rows.times.astype(np.int64)).astype("datetime64[s]")
    odds = rng.normal(-3.0, 0.8, rows.y.shape) + late[:, None, None]
    return 1.0 / (1.0 + np.exp(-odds))


@pytest.fixture(scope="module")
def found():
    rows = rows_of(days=200)
    p = drifting(rows, np.random.default_rng(0))
    frozen = np.quantile(p[: len(rows) // 2], [1.0 - b for b in ALARM_BUDGETS], axis=0)
    alarms = p[..., None] > np.moveaxis(frozen, 0, -1)
    fold = np.repeat([0, 1], [len(rows) // 2, len(rows) - len(rows) // 2])
    thresholds = np.stack([np.moveaxis(frozen, 0, -1)] * 2)
    return OutOfSample(
        rows=rows,
        fold=fold,
        p={"liqwarn": p},
        alarms={"liqwarn": alarms},
        thresholds={"liqwarn": thresholds},
    )


@pytest.fixture(scope="module")
def table(found):
    return alarm_budget(found, events_of(found.rows), n_bootstrap=100)


def test_there_is_a_row_for_every_side_horizon_budget_and_kind(table):
    assert {frozenset(row) for row in table} == {frozenset(KEYS)}
    cells = [(r["side"], r["horizon_h"], r["budget"], r["kind"]) for r in table]
    assert len(set(cells)) == len(cells) == 2 * 3 * 4 * 2


def test_the_controlled_rate_is_nearer_to_its_budget_than_the_frozen_one(table):
    rates = {(r["side"], r["horizon_h"], r["budget"], r["kind"]): r for r in table}
    for (side, hours, budget, kind), row in rates.items():
        low, high = row["false_alarm_rate_ci"]
        assert low <= row["false_alarm_rate"] <= high
        if kind == "controlled":
            frozen = rates[side, hours, budget, "frozen"]
            for key in ("false_alarm_rate", "worst_quarter_rate"):
                miss, before = (abs(r[key] - float(budget)) for r in (row, frozen))
                assert miss < before


def test_false_alarms_are_counted_among_rows_without_an_onset_ahead(found, table):
    row = next(r for r in table if r["kind"] == "frozen" and r["budget"] == "0.05")
    y, alarm = found.rows.y[:, 0, 0], found.alarms["liqwarn"][:, 0, 0, 2]

    assert row["false_alarm_rate"] == alarm[y == 0].mean()
    assert row["alarm_time"] == alarm.mean()


def test_it_starts_from_the_threshold_frozen_in_training_and_from_no_test_score(found):
    first = found.fold == 0
    alarms = controlled_alarms(found, "liqwarn")
    own = first & (found.rows.symbols == "BTCUSDT")
    unknown = np.flatnonzero(own)[: int(24 / 1)]  # no outcome is known in the first day

    np.testing.assert_array_equal(alarms[unknown], found.alarms["liqwarn"][unknown])
    never = replace(found, thresholds={"liqwarn": np.full((2, 2, 3, 4), np.inf)})
    assert not controlled_alarms(never, "liqwarn")[unknown].any()


def test_without_any_score_there_is_never_an_alarm(found):
    blank = np.full_like(found.p["liqwarn"], np.nan)
    silent = replace(
        found, p={"liqwarn": blank}, alarms={"liqwarn": np.zeros_like(found.alarms["liqwarn"])}
    )

    assert not controlled_alarms(silent, "liqwarn").any()


def test_every_symbol_has_thresholds_of_its_own(found):
    rows, p = found.rows, found.p["liqwarn"]
    alarms = controlled_alarms(found, "liqwarn")
    start = bounded_score(found.thresholds["liqwarn"][0])
    for symbol in np.unique(rows.symbols):
        own = rows.symbols == symbol
        alone = run(rows.times[own], rows.end[own], p[own], rows.y[own], start)
        np.testing.assert_array_equal(alarms[own], alone == 1.0)


def test_the_worst_quarter_may_be_one_with_too_few_alarms():
    times = np.datetime64("2024-01-01T01", "s") + np.arange(4344) * np.timedelta64(1, "h")
    alarm = np.zeros(4344, dtype=bool)
    alarm[:2160:10] = True

    assert worst_quarter(times, alarm, 0.08) == 0.0
    assert np.isnan(worst_quarter(times[:100], alarm[:100], 0.08))
