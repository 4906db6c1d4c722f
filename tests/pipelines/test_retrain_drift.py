"""Drift stops a retraining only when the inputs look broken."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import orjson
import pytest

from liqwarn.pipelines.retrain_checks import checks_of
from liqwarn.pipelines.retrain_drift import check_drift
from liqwarn.pipelines.retrain_journal import Step
from liqwarn.pipelines.retrain_limits import DriftLimits, QualityLimits
from liqwarn.pipelines.retrain_result import RetrainOrder

LIMITS = DriftLimits()
WIDE = QualityLimits(stale=timedelta(days=999), ahead=timedelta(days=999))
DAYS = 30 * 24


@pytest.fixture
def checked(study, bundle):
    """The check after a change to the features of the recent bars."""
    end = bundle.training.trained_until + timedelta(days=60)

    def made(change=None, limits=LIMITS):
        values = np.array(study.matrix.values)
        if change is not None:
            change(values[:, -DAYS:])
        changed = replace(study, matrix=replace(study.matrix, values=values))
        return check_drift(changed, bundle, limits, now=end)

    return made


def test_a_market_that_goes_on_passes_and_its_figures_are_plain_data(checked):
    found = checked()

    assert found.reasons == ()
    assert set(found.figures["shares"]) == {"large", "novel", "constant"}
    assert len(found.figures["farthest"]) == 5
    assert orjson.loads(orjson.dumps(found.figures))["grades"].keys() == {
        "none", "moderate", "large", "unknown",
    }  # fmt: skip


def test_another_unit_stops_with_what_is_strange(checked):
    def change(recent):
        recent *= 1e6

    (*_, told) = checked(change).reasons

    assert "of the recent rows are unlike anything in training" in told
    assert "robust deviations beyond anything in training" in told


def test_features_that_stand_still_stop_with_their_names(checked):
    def change(recent):
        recent[:] = recent[:, :1]

    told = [text for text in checked(change).reasons if "have become constant" in text]

    assert len(told) == 1


def test_the_limits_are_the_orders(checked):
    found = checked(limits=replace(LIMITS, large=-1.0))

    assert "of the features have drifted far, expected -100 % at most" in found.reasons[0]


def test_a_person_may_go_on_with_what_drifted(study, bundle):
    end = bundle.training.trained_until + timedelta(days=60)
    order = RetrainOrder(drift=replace(LIMITS, large=-1.0), quality=WIDE, accept_drift=True)
    (_, quality), (step, found) = checks_of((study, ()), bundle, order, None, end)

    assert (quality.reasons, step, found.reasons) == ((), Step.DRIFT, ())
    assert any(text.startswith("accepted: drift: ") for text in found.notes)
