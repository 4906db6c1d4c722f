"""The baselines: each a fair opponent, none with more than its name says."""

import runpy
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.baselines import (
    BASELINES,
    CrowdingRule,
    HourOfWeek,
    Logistic,
    cluster_columns,
    har_columns,
    last_hour_columns,
    persistence_columns,
)
from liqwarn.models.calibration import Calibrated
from liqwarn.models.ranking import roc_auc

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, HAR_COLUMNS = synthetic["rows_of"], synthetic["HAR_COLUMNS"]
names = pytest.mark.parametrize("name", sorted(BASELINES))


def with_columns(rows, **columns):
    """Rows of the given features only."""
    X = np.column_stack([np.broadcast_to(c, len(rows)) for c in columns.values()])
    X = np.ascontiguousarray(X, dtype=np.float64)
    return replace(rows, names=tuple(columns), families=dict.fromkeys(columns, "x"), X=X)


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=25)


def test_every_baseline_is_there():
    assert list(BASELINES) == ["B0", "B1", "B2", "B3", "B4", "B5", "B6"]


@names
def test_probabilities_of_every_row_side_and_horizon(name, rows):
    p = Calibrated(BASELINES[name]).fit(rows).predict_proba(rows)

    assert p.shape == rows.y.shape
    assert ((p >= 0) & (p <= 1)).all()
    assert (np.diff(p, axis=2) >= 0).all()


@names
def test_a_panel_without_its_columns_gets_an_answer_and_no_warning(name, rows):
    bare = with_columns(rows, unrelated=np.nan)

    p = Calibrated(BASELINES[name]).fit(bare).predict_proba(bare)

    assert np.isfinite(p).all()
    if name != "B0":
        np.testing.assert_allclose(np.ptp(p, axis=0), 0.0, atol=1e-12)


@names
def test_scores_of_a_row_depend_on_that_row_and_the_training_only(name, rows):
    later = rows_of(seed=4, days=5, start="2024-03-01")
    scorer = BASELINES[name]().fit(rows)
    changed = replace(later, X=later.X.copy(), y=1.0 - later.y)
    changed.X[50:] = 1e3

    np.testing.assert_array_equal(scorer.raw(changed)[:50], scorer.raw(later)[:50])


@names
def test_outcomes_it_cannot_know_are_no_outcomes(name, rows):
    y = rows.y.copy()
    y[::3] = np.nan
    known = np.isfinite(y[:, 0, 0])

    thinned = BASELINES[name]().fit(replace(rows, y=y))

    if name in ("B0", "B3"):  # the others also standardise by the rows left out
        alone = BASELINES[name]().fit(rows.take(np.flatnonzero(known)))
        np.testing.assert_array_equal(thinned.raw(rows), alone.raw(rows))
    assert np.isfinite(thinned.raw(rows)).all()


def test_b0_is_the_smoothed_rate_of_the_hour_of_the_week(rows):
    scorer = HourOfWeek(weight=10.0).fit(rows)
    row = 2 * 24 * 3 + 7  # some Wednesday row
    hours = rows.times.astype("datetime64[h]").astype(int) % 168
    same = hours == hours[row]
    y = rows.y[:, 1, 2]

    rate = (y[same].sum() + 10.0 * y.mean()) / (same.sum() + 10.0)

    found = scorer.raw(rows)[row, 1, 2]
    assert found == pytest.approx(np.log(rate / (1 - rate)), rel=1e-12)


def test_b0_finds_a_dangerous_hour():
    rows = rows_of(days=120, skill=0.0)
    hour = rows.times.astype("datetime64[h]").astype(int) % 168
    y = rows.y.copy()
    y[hour == 30] = 1.0

    p = Calibrated(BASELINES["B0"]).fit(replace(rows, y=y)).predict_proba(rows)

    assert p[hour == 30].min(axis=0).min() > p[hour != 30].max(axis=0)[:, :2].max()


def test_b1_reads_one_day_of_volatility_and_b2_five_windows(rows):
    np.testing.assert_array_equal(persistence_columns(rows, 0)[:, 0], np.log(rows.column("rv_1d")))
    expected = np.column_stack([np.log(rows.column(name)) for name in HAR_COLUMNS])
    np.testing.assert_array_equal(har_columns(rows, 1), expected)


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("B0", ()),
        ("B1", ("rv_1d",)),
        ("B2", HAR_COLUMNS),
        ("B3", ("oi_z_7d", "funding_z_60d")),
        ("B4", ()),  # its columns are not in these rows
        ("B5", ()),
    ],
)
def test_a_baseline_reads_its_own_columns_and_no_other(name, reads, rows):
    rng = np.random.default_rng(0)
    others = [k for k, column in enumerate(rows.names) if column not in reads]
    X = rows.X.copy()
    X[:, others] = rng.normal(size=(len(rows), len(others)))

    changed = replace(rows, X=X)

    expected = Calibrated(BASELINES[name]).fit(rows).predict_proba(rows)
    found = Calibrated(BASELINES[name]).fit(changed).predict_proba(changed)
    np.testing.assert_array_equal(found, expected)
    for column in reads:
        X = rows.X.copy()
        X[:, rows.names.index(column)] = rng.permutation(rows.column(column))
        moved = replace(rows, X=X)
        assert not np.array_equal(BASELINES[name]().fit(moved).raw(moved), expected)


def test_b3_needs_both_crowds_and_turns_with_the_sign_of_funding(rows):
    two = rows.take(slice(0, 4))
    crowd = with_columns(
        two,
        oi_z_7d=np.array([2.0, 2.0, 0.5, 1.0]),
        funding_z_60d=np.array([3.0, -1.5, 3.0, np.nan]),
    )

    raw = CrowdingRule().fit(crowd).raw(crowd)

    assert raw[:, 0, 0].tolist() == [2.0, -1.5, 0.5, 0.0]
    assert raw[:, 1, 2].tolist() == [-3.0, 1.5, -3.0, 0.0]


def test_b4_reads_lost_open_interest_and_the_sides_own_liquidations(rows):
    two = rows.take(slice(0, 2))
    table = with_columns(
        two,
        oi_change_1h=np.array([-0.02, 0.03]),
        liq_long_share_1h=np.array([1e-4, 0.0]),
        liq_short_share_1h=np.array([0.0, np.nan]),
    )

    np.testing.assert_allclose(last_hour_columns(table, 0), [[0.02, np.log(2.0)], [0.0, 0.0]])
    np.testing.assert_allclose(last_hour_columns(table, 1), [[0.02, 0.0], [0.0, np.nan]])


def test_b5_reads_the_sides_own_cluster(rows):
    two = rows.take(slice(0, 2))
    table = with_columns(
        two, cluster_dist_long_pct=np.array([0.0, 1.0]), cluster_dist_short_pct=np.array([3.0, -1])
    )

    np.testing.assert_allclose(cluster_columns(table, 0)[:, 0], [0.0, np.log(2.0)])
    np.testing.assert_allclose(cluster_columns(table, 1)[:, 0], [np.log(4.0), 0.0])


def test_b6_finds_planted_skill_and_b2_none():
    rows, later = rows_of(days=60), rows_of(seed=8, days=60)

    auc = {
        name: roc_auc(later.outcome(0, 2), BASELINES[name]().fit(rows).raw(later)[:, 0, 2])
        for name in ("B2", "B6")
    }

    assert auc["B6"] > 0.75
    assert abs(auc["B2"] - 0.5) < 0.05


def test_a_volatility_of_zero_counts_as_missing(rows):
    table = with_columns(rows, rv_1d=0.0)

    assert np.isnan(persistence_columns(table, 0)).all()


def test_where_there_is_nothing_to_learn_there_is_no_score(rows):
    y = rows.y.copy()
    y[:, 0] = 0.0

    raw = Logistic(har_columns).fit(replace(rows, y=y)).raw(rows)

    assert np.isnan(raw[:, 0]).all()
    assert np.isfinite(raw[:, 1]).all()


def test_an_unfitted_baseline_says_so(rows):
    with pytest.raises(ModelError, match="this baseline is not fitted"):
        partial(Logistic, har_columns)().raw(rows)
