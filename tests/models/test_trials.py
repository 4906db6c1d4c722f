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
from liqwarn.models import splits, trials
from liqwarn.models.evaluation import EvaluationPlan, model_maker, out_of_sample, primary
from liqwarn.models.placebos import LEAK
from liqwarn.models.placebos import shifted_outcomes as shifted
from liqwarn.models.placebos import shuffled_features as shuffled
from liqwarn.models.ranking import roc_auc
from liqwarn.models.results import MODEL
from liqwarn.models.splits import WalkForward
from liqwarn.models.trials import Without, ablation, placebo

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, SMALL = synthetic["rows_of"], synthetic["SMALL"]
ONCE = WalkForward(period="none", test_from=datetime(2024, 2, 1, tzinfo=UTC))
PLAN = EvaluationPlan(
    splitter=ONCE,
    trial_splitter=ONCE,
    settings=SMALL,
    n_bootstrap=200,
    ablation_seeds=2,
    trial_seeds=3,
)
FAST = replace(PLAN, settings=replace(SMALL, milder_trees=3, onset_trees=3), n_bootstrap=40)
FORTNIGHT = timedelta(days=14, hours=11)


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=120)


@pytest.fixture(scope="module")
def ablated(rows):
    told = []
    return ablation(rows, PLAN, on_progress=lambda *step: told.append(step)), told


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
    found, told = ablated

    assert {(row["family"], row["side"], row["horizon_h"]) for row in found} == {
        (family, side, 4) for family in rows.families.values() for side in ("long", "short")
    }
    assert len(found) == 8
    sizes = {row["family"]: row["n_features"] for row in found}
    assert sizes == {"market": 5, "planted": 1, "open_interest": 1, "noise": 2}
    assert {row["seeds"] for row in found} == {2}
    assert told == [(f"ablation, run {k} of 2", done, 1) for k in (1, 2) for done in (0, 1)]


@pytest.mark.parametrize("side", ["long", "short"])
def test_the_planted_family_carries_the_skill(ablated, side):
    delta = {row["family"]: row["delta_pr_auc"] for row in ablated[0] if row["side"] == side}

    planted = delta.pop("planted")

    assert planted["ci"][0] > 0.1
    assert all(other["ci"][1] < planted["ci"][0] for other in delta.values())


def delta_of(found, family="noise", side="long"):
    return next(
        row["delta_pr_auc"] for row in found if (row["family"], row["side"]) == (family, side)
    )


def test_seeds_are_averaged_and_their_chance_is_in_the_interval(rows):
    """Two runs alone, and both together: the mean of the two, an interval that holds each."""
    alone = [
        delta_of(ablation(rows, replace(FAST, seed=seed, ablation_seeds=1))) for seed in (0, 1)
    ]

    both = delta_of(ablation(rows, replace(FAST, ablation_seeds=2)))

    means = [delta["mean"] for delta in alone]
    assert means[0] != means[1]
    assert both["mean"] == pytest.approx(np.mean(means))
    assert both["ci"][0] <= min(means)
    assert max(means) <= both["ci"][1]


class Sees:
    """A forecaster of one family's column, a different one from every seed."""

    def __init__(self, seed, log):
        self.seed = seed
        self.log = log

    def fit(self, rows):
        self.log.append((self.seed, rows.horizons_h, len(rows), rows.names))
        self.training_p_ = np.full(rows.y.shape, 0.5)
        return self

    def predict_proba(self, rows):
        signal = rows.column("basis") if "basis" in rows.names else np.zeros(len(rows))
        return np.broadcast_to((1 / (1 + np.exp(-signal)))[:, None, None], rows.y.shape).copy()


def test_the_full_model_runs_beside_the_reduced_ones(rows, monkeypatch):
    """From the same seeds, on the same rows, to the same horizon."""
    log = []
    monkeypatch.setattr(trials, "model_maker", lambda plan: lambda seed: Sees(seed, log))

    found = ablation(rows, replace(FAST, ablation_seeds=2))

    assert len(log) == 2 * (1 + 4)
    for seed in (0, 1):
        mine = [entry for entry in log if entry[0] == seed]
        assert {(hours, n) for _, hours, n, _ in mine} == {((4,), mine[0][2])}
        assert [entry[3] for entry in mine].count(rows.names) == 1
    # what does not use a family gains nothing from it, in any draw
    assert delta_of(found) == {"mean": 0.0, "ci": [0.0, 0.0]}
    assert delta_of(found, "planted")["ci"][0] > 0


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

    model = Without(lambda _: spy, ("basis", "gappy"), seed=0).fit(rows)
    model.predict_proba(rows)

    left = tuple(n for n in rows.names if n not in ("basis", "gappy"))
    for seen in spy.shown:
        assert seen.names == left
        for name in left:
            np.testing.assert_array_equal(seen.column(name), rows.column(name))
    assert model.training_p_.shape == rows.y.shape


def test_leaving_nothing_out_is_the_full_model_bit_for_bit(rows):
    makers = {
        MODEL: model_maker(FAST),
        "all of it": lambda seed: Without(model_maker(FAST), (), seed),
    }

    found, _ = out_of_sample(primary(rows), FAST, makers)

    np.testing.assert_array_equal(found.p["all of it"], found.p[MODEL])


def test_one_family_cannot_be_left_out(rows):
    lone = rows.without([n for n in rows.names if n != "basis"])

    with pytest.raises(ModelError, match=r"families \['planted'\]: leaving one out needs two"):
        ablation(lone, PLAN)


def of_kind(found, *kinds):
    return [row for row in found if row["kind"] in kinds]


NOTHING = ("shuffled_features", "shifted_labels")


def test_placebos_show_no_skill(placebos):
    assert [(row["kind"], row["side"]) for row in placebos] == [
        (kind, side) for kind in (*NOTHING, LEAK) for side in ("long", "short")
    ]
    for row in of_kind(placebos, *NOTHING):
        low, high = row["roc_auc_ci"]
        assert low <= 0.5 <= high
        assert low <= row["roc_auc"] <= high
        assert row["pr_auc_ci"][0] <= row["base_rate"] * 1.3
        assert row["delta_pr_auc_vs_har"]["ci"][0] <= 0
        assert row["seeds"] == 3
        assert not row["says_nothing"]
        assert 0 <= row["flattened_frac"] <= 1
        assert {"n", "horizon_h", "model", "har_roc_auc"} <= set(row)


def test_the_positive_control_is_found(placebos):
    """Or the harness is blind, and clean placebos say nothing."""
    for row in of_kind(placebos, LEAK):
        assert row["roc_auc_ci"][0] > 0.5
        assert row["delta_pr_auc_vs_har"]["ci"][0] > 0
        assert row["har_roc_auc"] < 0.54


def test_runs_are_averaged_each_with_a_shuffle_and_a_fit_of_its_own(rows):
    plan = replace(FAST, trial_seeds=1)
    alone = [placebo(rows, replace(plan, seed=seed))[0] for seed in (0, 1)]

    both = placebo(rows, replace(FAST, trial_seeds=2))[0]

    for key in ("pr_auc", "roc_auc", "har_roc_auc"):
        found = [row[key] for row in alone]
        assert found[0] != found[1]
        assert both[key] == pytest.approx(np.mean(found))


class Mute(Sees):
    """A forecaster that says one number, whatever it is shown."""

    def predict_proba(self, rows):
        return np.full(rows.y.shape, 0.2)


def test_a_forecast_of_one_number_is_said_to_say_nothing(rows, monkeypatch):
    kept = trials.default_makers
    monkeypatch.setattr(
        trials, "default_makers", lambda plan: {**kept(plan), MODEL: lambda seed: Mute(seed, [])}
    )
    monkeypatch.setattr(trials, "Unflattened", lambda make, seed: make(seed))

    for row in placebo(rows, replace(FAST, trial_seeds=2)):
        assert row["says_nothing"]
        assert row["flattened_frac"] == 1.0
        assert (row["roc_auc"], row["roc_auc_ci"]) == (0.5, [0.5, 0.5])


def test_placebos_catch_a_harness_that_trains_on_its_test(rows, monkeypatch):
    """The mutant: the rule that purges, for folds and inner folds alike, lets every row train."""
    for module in (harness, splits):
        monkeypatch.setattr(module, "trainable", lambda times, end, start: np.arange(len(times)))

    for row in of_kind(placebo(rows, replace(PLAN, trial_seeds=1)), *NOTHING):
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
    for row in of_kind(placebo(leaky, replace(PLAN, trial_seeds=2)), *NOTHING):
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
