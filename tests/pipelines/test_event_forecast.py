"""A forecast of a stretch of time by a model that knew nothing of it."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES
from liqwarn.models.alarms import ALARM_BUDGETS
from liqwarn.models.bundle import load_bundle, save_bundle
from liqwarn.models.splits import EMBARGO
from liqwarn.pipelines.evaluate import labelled_rows
from liqwarn.pipelines.event_forecast import Source, forecast
from liqwarn.pipelines.train import TrainOrder, fit_bundle


@pytest.fixture(scope="module")
def start(study):
    """Close of a bar 150 days into the market."""
    return study.events[0].onset.replace(hour=0) + timedelta(days=132)


@pytest.fixture(scope="module")
def fresh(policy, small):
    return Source(model=None, policy=policy, train=TrainOrder(settings=small))


@pytest.fixture(scope="module")
def told(study, start, fresh):
    return forecast(study, start, fresh)


def test_the_model_knew_no_outcome_of_the_last_day_before_the_stretch(told, start):
    assert told.fitted
    assert told.decided.bundle.training.trained_until <= start - EMBARGO


def test_it_is_the_model_that_training_until_then_gives(study, told, start, small, tmp_path):
    order = TrainOrder(until=start - EMBARGO, settings=small)
    _, _, digest = fit_bundle(study, (), order, tmp_path / "model")

    assert told.decided.bundle.stamp.sha256 == digest


def test_what_happens_later_changes_nothing(study, told, start, fresh):
    """Prices, labels and events after the start are another story; the model stays the same."""
    labels, later = study.labels, study.labels.times > np.datetime64(start.replace(tzinfo=None))
    y = np.where(later[None, :, None, None], 1.0 - labels.y, labels.y)
    other = replace(study, labels=replace(labels, y=y))

    again = forecast(other, start, fresh)

    assert again.decided.bundle.stamp.sha256 == told.decided.bundle.stamp.sha256
    np.testing.assert_array_equal(again.thresholds, told.thresholds)


def test_thresholds_put_their_share_of_unseen_training_rows_in_alarm(
    study, told, start, small, tmp_path
):
    order = TrainOrder(until=start - EMBARGO, settings=small)
    model, rows, _ = fit_bundle(study, (), order, tmp_path / "model")
    h = labelled_rows(study).horizons_h.index(4)

    for j in range(len(SIDES)):
        p = model.training_p_[np.isfinite(rows.y[:, j, h]), j, h]
        p = p[np.isfinite(p)]
        for k, budget in enumerate(ALARM_BUDGETS):
            above = (p > told.thresholds[j, k]).mean()
            assert above == pytest.approx(budget, abs=2 / len(p))


def test_scores_and_tiers_begin_a_day_before_the_stretch(told, start):
    scores, history = told.decided.risk.scores, told.decided.history

    assert scores.moments()[0] == start - EMBARGO
    assert (history.tiers >= 0).all()
    assert np.isfinite(scores.quantile).mean() > 0.9


def test_too_little_history_is_refused_with_what_is_needed(study, fresh):
    early = study.events[0].onset + timedelta(days=20)

    with pytest.raises(
        ModelError, match=r"has \d+ days of known outcomes, \d+ long and .* 90 days"
    ):
        forecast(study, early, fresh)


def test_without_onsets_of_a_side_nothing_is_fitted(study, start, fresh):
    longs = replace(study, events=tuple(e for e in study.events if e.side == "long"))

    with pytest.raises(ModelError, match=r"0 short events: .* onsets of both sides"):
        forecast(longs, start, fresh)


def test_a_given_bundle_keeps_the_thresholds_of_its_own_training(
    study, start, policy, bundle_folder
):
    told = forecast(study, start, Source(model=bundle_folder, policy=policy))
    bundle = load_bundle(bundle_folder, version="x")
    running, frame = study.labels.running, study.market.frame

    assert not told.fitted
    assert told.decided.bundle.stamp.sha256 == bundle.stamp.sha256
    for j, side in enumerate(SIDES):
        table = bundle.history
        kept = [
            p
            for symbol, time, p in zip(table["symbol"], table["time"], table[side], strict=True)
            if not running[
                frame.symbols.index(symbol),
                np.searchsorted(frame.times, np.datetime64(time.tz_localize(None), "s")),
                j,
            ]
        ]
        expected = np.nanquantile(kept, [1 - budget for budget in ALARM_BUDGETS])
        np.testing.assert_allclose(told.thresholds[j], expected)


def test_a_bundle_of_another_panel_keeps_all_it_remembers(study, start, policy, bundle, tmp_path):
    training = replace(bundle.training, panel="another")
    history = pd.DataFrame(
        {"symbol": ["X"] * 9, "time": bundle.history["time"][:9], "long": 0.2, "short": 0.1}
    )
    save_bundle(tmp_path / "model", bundle.model, training, history)

    told = forecast(study, start, Source(model=tmp_path / "model", policy=policy))

    np.testing.assert_allclose(told.thresholds, [[0.2] * 4, [0.1] * 4])
