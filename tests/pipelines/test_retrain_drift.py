"""Drift stops a retraining only when the inputs look broken."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import orjson
import pytest

from liqwarn.pipelines.retrain_drift import check_drift
from liqwarn.pipelines.retrain_limits import DriftLimits

LIMITS = DriftLimits()
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

    (told,) = [text for text in checked(change).reasons if "of the recent rows" in text]

    assert "of the recent rows are unlike anything in training" in told
    assert "robust deviations beyond anything in training" in told


def test_a_symbol_in_another_unit_for_three_days_is_told_by_name(checked, study):
    def change(recent):
        recent[0, -72:] *= 1e6

    found = checked(change, replace(LIMITS, symbols=0.5))

    assert found.reasons == ()
    assert found.figures["odd"] == [study.matrix.symbols[0]]
    (note,) = found.notes
    assert f"100 % of the newest rows of {study.matrix.symbols[0]}, 3 days" in note


def test_more_than_a_quarter_of_the_symbols_in_another_unit_stop(checked, study):
    def change(recent):
        recent[0, -72:] *= 1e6

    found = checked(change)

    assert len(found.figures["odd"]) == 1 > 0.25 * len(study.matrix.symbols)
    assert "of the newest rows of" in found.reasons[0]
    assert found.notes == ()


def test_features_that_stand_still_stop_with_their_names(checked):
    def change(recent):
        recent[:] = recent[:, :1]

    told = [text for text in checked(change).reasons if "have become constant" in text]

    assert len(told) == 1


def test_the_limits_are_the_orders(checked):
    found = checked(limits=replace(LIMITS, large=-1.0))

    assert "of the features have drifted far, expected -100 % at most" in found.reasons[0]
