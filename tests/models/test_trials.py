"""Ablation and placebos, and what the placebos can and cannot catch.

What they catch is a leak of the *harness*: training rows that reach into the test, probabilities of
rows a model has seen, scores measured against what they were fitted to. Such a leak shows skill
where features and outcomes have nothing to do with each other. One that reaches the last training
only may hide: calibration on honest out-of-fold scores of noise flattens what it gives.

What they cannot catch is a leak inside a *feature*: a column that holds the future outcome of its
own row is torn from it by the shuffle and by the shift just as an honest one is. That is held by
the as-of join and the laws of the features. Nor does the shift take away what depends on the
calendar or on the symbol alone, as both move along with the rows.
"""

import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ModelError
from liqwarn.models import evaluation as harness
from liqwarn.models import splits
from liqwarn.models.evaluation import EvaluationPlan, model_maker, out_of_sample
from liqwarn.models.ranking import roc_auc
from liqwarn.models.results import MODEL
from liqwarn.models.splits import WalkForward
from liqwarn.models.trials import SHIFT, Without, ablation, placebo
from liqwarn.models.trials import shifted_outcomes as shifted
from liqwarn.models.trials import shuffled_features as shuffled

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, SMALL = synthetic["rows_of"], synthetic["SMALL"]
PLAN = EvaluationPlan(
    splitter=WalkForward(period="none", test_from=datetime(2024, 2, 1, tzinfo=UTC)),
    settings=SMALL,
    n_bootstrap=200,
)
FORTNIGHT = timedelta(days=14, hours=11)


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=120)


@pytest.fixture(scope="module")
def full(rows):
    return out_of_sample(rows, PLAN, {MODEL: model_maker(PLAN)})[0]


@pytest.fixture(scope="module")
def ablated(rows, full):
    return ablation(rows, full, PLAN)


@pytest.fixture(scope="module")
def placebos(rows):
    return placebo(rows, PLAN)


def with_column(rows, name, values):
    """The rows with one more feature."""
    return replace(
        rows,
        names=(*rows.names, name),
        families={**rows.families, name: "added"},
        X=np.column_stack([rows.X, values]),
    )


def headline(rows):
    """ROC-AUC of the long side at 4 h."""
    found, _ = out_of_sample(rows.at_horizon(4), PLAN, {MODEL: model_maker(PLAN)})
    return roc_auc(found.rows.outcome(0, 0), found.p[MODEL][:, 0, 0])


def test_every_family_is_left_out_once_a_side(ablated, rows):
    assert {(row["family"], row["side"], row["horizon_h"]) for row in ablated} == {
        (family, side, 4) for family in rows.families.values() for side in ("long", "short")
    }
    assert len(ablated) == 8
    sizes = {row["family"]: row["n_features"] for row in ablated}
    assert sizes == {"market": 5, "planted": 1, "open_interest": 1, "noise": 2}


@pytest.mark.parametrize("side", ["long", "short"])
def test_the_planted_family_carries_the_skill(ablated, side):
    """The interval is of the test weeks only: trees grown on other columns differ by chance too."""
    delta = {row["family"]: row["delta_pr_auc"] for row in ablated if row["side"] == side}

    planted = delta.pop("planted")

    assert planted["ci"][0] > 0.1
    assert all(other["ci"][1] < planted["ci"][0] for other in delta.values())


class Spy:
    """A model that remembers what it was shown."""

    def __init__(self):
        self.shown = []

    def fit(self, rows):
        self.shown.append(rows)
        self.training_p_ = np.full(rows.y.shape, 0.5)
        return self

    def predict_proba(self, rows):
        self.shown.append(rows)
        return np.full(rows.y.shape, 0.5)


def test_a_model_without_a_family_sees_exactly_the_other_columns(rows):
    spy = Spy()

    model = Without(lambda _: spy, ("signal", "gappy"), seed=0).fit(rows)
    model.predict_proba(rows)

    left = tuple(n for n in rows.names if n not in ("signal", "gappy"))
    for seen in spy.shown:
        assert seen.names == left
        for name in left:
            np.testing.assert_array_equal(seen.column(name), rows.column(name))
    assert model.training_p_.shape == rows.y.shape


def test_leaving_nothing_out_is_the_full_model_bit_for_bit(rows, full):
    """The ablation's model knows one horizon only and says the same of it."""
    primary = rows.at_horizon(4)

    found, _ = out_of_sample(
        primary, PLAN, {MODEL: lambda seed: Without(model_maker(PLAN), (), seed)}
    )

    np.testing.assert_array_equal(found.p[MODEL][:, :, 0], full.p[MODEL][:, :, 1])


def test_one_family_cannot_be_left_out(rows, full):
    lone = rows.without([n for n in rows.names if n != "signal"])

    with pytest.raises(ModelError, match=r"families \['planted'\]: leaving one out needs two"):
        ablation(lone, full, PLAN)


def test_placebos_show_no_skill(placebos):
    assert [(row["kind"], row["side"]) for row in placebos] == [
        (kind, side)
        for kind in ("shuffled_features", "shifted_labels")
        for side in ("long", "short")
    ]
    for row in placebos:
        low, high = row["roc_auc_ci"]
        assert low <= 0.5 <= high
        assert low <= row["roc_auc"] <= high
        assert row["pr_auc_ci"][0] <= row["base_rate"] * 1.3
        assert {"n", "base_rate", "pr_auc", "horizon_h", "model"} <= set(row)


def test_shuffled_rows_keep_their_outcomes_and_swap_whole_rows_of_features(rows):
    found = shuffled(rows, seed=1)

    np.testing.assert_array_equal(found.y, rows.y)
    np.testing.assert_array_equal(found.times, rows.times)
    assert sorted(r.tobytes() for r in found.X) == sorted(r.tobytes() for r in rows.X)
    assert np.mean(found.column("signal") == rows.column("signal")) < 0.01
    np.testing.assert_array_equal(shuffled(rows, seed=1).X, found.X)
    assert not np.array_equal(shuffled(rows, seed=2).X, found.X, equal_nan=True)


def test_shifted_rows_have_the_outcome_of_their_symbol_that_much_later(rows):
    holes = rows.take(np.flatnonzero(np.arange(len(rows)) % 7 != 0))

    found = shifted(holes, FORTNIGHT)

    assert 0 < len(found) < len(holes)
    later = found.times + np.timedelta64(FORTNIGHT)
    for k in range(0, len(found), 501):
        here = (holes.symbols == found.symbols[k]) & (holes.times == found.times[k])
        there = (holes.symbols == found.symbols[k]) & (holes.times == later[k])
        np.testing.assert_array_equal(found.X[k], holes.X[here][0])
        np.testing.assert_array_equal(found.y[k], holes.y[there][0])
    assert (np.diff(found.times.astype(int)) >= 0).all()


def test_the_shift_is_whole_bars_far_from_any_forecast_and_off_the_hour_of_the_week():
    for bar in (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1)):
        assert SHIFT % bar == timedelta(0)
    assert SHIFT % timedelta(weeks=1) != timedelta(0)
    four = rows_of(days=120, bar=timedelta(hours=4))
    assert len(shifted(four)) > 0  # rounded to whole bars


def test_rows_too_few_to_shift_are_an_error(rows):
    with pytest.raises(ModelError, match="the rows span less than the 365 days"):
        shifted(rows, timedelta(days=365))


def test_placebos_catch_a_harness_that_trains_on_its_test(rows, monkeypatch):
    """The mutant: the rule that purges, for folds and inner folds alike, lets every row train."""
    for module in (harness, splits):
        monkeypatch.setattr(module, "trainable", lambda times, end, start: np.arange(len(times)))

    for row in placebo(rows, PLAN):
        assert row["roc_auc_ci"][0] > 0.5, row["kind"]


def test_placebos_would_see_skill_if_there_were_any(rows):
    """They are not blind: what knows the outcomes it is measured against is found out."""
    for bent in (shuffled(rows, 0), shifted(rows, FORTNIGHT)):
        known = np.where(np.isfinite(bent.y[:, 0, 1]), bent.y[:, 0, 1], 0.0)
        assert headline(with_column(bent, "oracle", known)) > 0.9


def test_placebos_cannot_catch_a_feature_that_knows_its_own_future(rows):
    """So a clean placebo says nothing of the features; the point-in-time laws do."""
    leaky = with_column(rows, "oracle", rows.y[:, 0, 1])

    assert headline(leaky) > 0.9
    for row in placebo(leaky, PLAN):
        assert row["roc_auc_ci"][0] <= 0.5 <= row["roc_auc_ci"][1]


def test_a_shift_does_not_take_the_calendar_away():
    """Outcomes that depend on the hour alone still do after the shift; the shuffle undoes it."""
    rows = rows_of(days=120, skill=0.0)
    hour = rows.times.astype("datetime64[h]").astype(int) % 24
    rng = np.random.default_rng(0)
    y = rows.y.copy()
    y[rng.random(len(rows)) < np.where(hour == 14, 0.5, 0.0)] = 1.0
    seasonal = with_column(replace(rows, y=y), "hour", hour.astype(np.float64))

    assert headline(shifted(seasonal, FORTNIGHT)) > 0.55
    assert abs(headline(shuffled(seasonal, 0)) - 0.5) < 0.05
