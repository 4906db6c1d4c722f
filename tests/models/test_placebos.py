"""Bent rows: what a shuffle, a shift and a planted leak keep, and what they take away."""

import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.calibration import Platt
from liqwarn.models.evaluation import EvaluationPlan, model_maker
from liqwarn.models.placebos import (
    LEAK,
    SHIFT,
    Unflattened,
    planted_leak,
    shifts,
)
from liqwarn.models.placebos import shifted_outcomes as shifted
from liqwarn.models.placebos import shuffled_features as shuffled
from liqwarn.models.ranking import roc_auc
from liqwarn.models.splits import WalkForward

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, SMALL = synthetic["rows_of"], synthetic["SMALL"]
PLAN = EvaluationPlan(
    splitter=WalkForward(period="none", test_from=datetime(2024, 2, 1, tzinfo=UTC)),
    settings=replace(SMALL, milder_trees=4, onset_trees=4),
)
FORTNIGHT = timedelta(days=14, hours=11)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=120)


def test_shuffled_rows_keep_their_outcomes_and_swap_whole_rows_of_features(rows):
    found = shuffled(rows, seed=1)

    np.testing.assert_array_equal(found.y, rows.y)
    np.testing.assert_array_equal(found.times, rows.times)
    assert sorted(r.tobytes() for r in found.X) == sorted(r.tobytes() for r in rows.X)
    assert np.mean(found.column("basis") == rows.column("basis")) < 0.01
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
        np.testing.assert_array_equal(found.milder[k], holes.milder[there][0])
    assert (np.diff(found.times.astype(int)) >= 0).all()


def test_rows_too_few_to_shift_are_an_error(rows):
    with pytest.raises(ModelError, match="the rows span less than the 365 days"):
        shifted(rows, timedelta(days=365))


@pytest.mark.parametrize("n", [2, 5, 8])
@pytest.mark.parametrize(("days", "first", "last"), [(2000, 60, 150), (300, 20, 50)])
def test_shifts_are_different_far_from_any_forecast_and_off_the_hour_of_the_day(
    n, days, first, last
):
    four_h = rows_of(days=days, bar=timedelta(hours=4), symbols=("BTC",))

    found = shifts(four_h, n)

    assert len(set(found)) == n
    assert found[0] // DAY == first
    assert found[-1] // DAY == last
    for shift in found:
        for bar in (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=4)):
            assert (round(shift / bar) * bar) % DAY != timedelta(0)
    assert len(shifted(four_h, found[-1])) > 0


def test_the_shift_unless_told_is_whole_bars():
    assert SHIFT % timedelta(hours=1) == timedelta(0)
    assert SHIFT % timedelta(weeks=1) != timedelta(0)


def test_a_planted_leak_knows_a_little_of_both_sides_and_nothing_else_does(rows):
    near = rows.at_horizon(4)

    bent = planted_leak(near, seed=3)

    np.testing.assert_array_equal(bent.y, near.y)
    np.testing.assert_array_equal(bent.X[:, :-1], shuffled(near, 3).X)
    assert bent.names == (*near.names, LEAK)
    assert bent.families[LEAK] == LEAK
    for side in (0, 1):
        known = roc_auc(bent.outcome(side, 0), bent.column(LEAK))
        assert 0.58 < known < 0.68
        assert abs(roc_auc(bent.outcome(side, 0), bent.column("basis")) - 0.5) < 0.05
    assert not np.array_equal(planted_leak(near, 4).column(LEAK), bent.column(LEAK))


def test_a_leak_is_planted_where_outcomes_are_not_known(rows):
    y = rows.y.copy()
    y[::3, 0] = np.nan
    y[::5] = np.nan

    assert np.isfinite(planted_leak(replace(rows, y=y), 0).column(LEAK)).all()


class Fitted:
    """A model that is calibrated as it is told to be."""

    def __init__(self, rows, platts):
        self.model = model_maker(PLAN)(0).fit(rows)
        self.model.platts_ = platts

    def fit(self, rows):
        return self.model


def test_a_ranking_that_calibration_made_flat_can_be_seen(rows):
    near = rows.at_horizon(4)
    test = near.take(slice(5000, 8000))
    fitted = Fitted(near.take(slice(0, 5000)), [[Platt(0.0, -3.0)], [Platt(1.3, 0.2)]])

    seen = Unflattened(lambda _: fitted, 0).fit(near).predict_proba(test)

    said = fitted.model.predict_proba(test)
    raw = fitted.model.scorer_.raw(test)
    assert np.ptp(said[:, 0]) == 0.0
    assert seen[:, 0] == pytest.approx(said[:, 0], rel=1e-4)
    np.testing.assert_array_equal(np.argsort(seen[:, 0, 0]), np.argsort(raw[:, 0, 0]))
    np.testing.assert_array_equal(seen[:, 1], said[:, 1])
    assert fitted.model.platts_[0][0].slope == 0.0  # the model is as it was


def test_where_there_is_no_score_the_base_rate_stays(rows):
    y = rows.y.copy()
    y[:] = 0.0
    near = replace(rows, y=y).at_horizon(4)

    seen = Unflattened(model_maker(PLAN), 0).fit(near)

    assert np.ptp(seen.predict_proba(near)) == 0.0
    assert np.isfinite(seen.predict_proba(near)).all()
    np.testing.assert_array_equal(seen.training_p_, seen.model_.training_p_)
