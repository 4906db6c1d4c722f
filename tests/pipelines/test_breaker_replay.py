"""Scores of a walk-forward as the breaker meets them: in place, carried a day, past only."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.models.baselines import BASELINES
from liqwarn.models.calibration import Calibrated
from liqwarn.models.evaluation import EvaluationPlan, out_of_sample
from liqwarn.models.rows import make_rows
from liqwarn.models.splits import trainable
from liqwarn.pipelines.breaker_replay import replayed_scores


def climatology(_seed):
    return Calibrated(BASELINES["B0"])


@pytest.fixture(scope="module")
def found(thin):
    rows = make_rows(thin.matrix, thin.labels, thin.milder)
    made = out_of_sample(rows, EvaluationPlan(), {"B0": climatology})[0]
    marked = np.random.default_rng(0).uniform(0.01, 0.2, made.p["B0"].shape)
    return replace(made, p={"B0": marked})


@pytest.fixture(scope="module")
def scores(thin, found):
    return replayed_scores(thin, found, "B0")


def test_every_row_is_in_its_place(thin, found, scores):
    symbols = np.array(scores.symbols)
    for k in np.random.default_rng(1).integers(0, len(found.rows), 50):
        symbol = int(np.flatnonzero(symbols == found.rows.symbols[k])[0])
        bar = int(np.flatnonzero(scores.times == found.rows.times[k])[0])
        if thin.market.quality.usable[symbol, thin.market.frame.times == scores.times[bar]][0]:
            np.testing.assert_array_equal(scores.probability[symbol, bar], found.p["B0"][k])


def test_a_missing_row_has_the_last_probability_for_a_day_at_most(thin, found):
    times = found.rows.times
    start = times.min() + np.timedelta64(20, "D")
    hole = (times > start) & (times <= start + np.timedelta64(40, "h"))
    kept = np.flatnonzero(~hole)
    cut = replace(
        found,
        rows=found.rows.take(kept),
        fold=found.fold[kept],
        p={"B0": found.p["B0"][kept]},
    )
    scores = replayed_scores(thin, cut, "B0")
    at = int(np.flatnonzero(scores.times == start)[0])
    before = scores.probability[:, at]
    assert np.isfinite(before).any()
    for late in range(1, 25):
        np.testing.assert_array_equal(scores.probability[:, at + late], before)
    assert not np.isfinite(scores.probability[:, at + 25 : at + 41]).any()


def test_base_rates_are_those_of_each_folds_own_training(thin, found, scores):
    rows = make_rows(thin.matrix, thin.labels, thin.milder)
    for k in np.unique(found.fold):
        start = found.rows.times[found.fold == k].min()
        y = rows.take(trainable(rows.times, rows.end, start)).y[:, :, 1]
        bar = int(np.flatnonzero(scores.times == start)[0])
        np.testing.assert_allclose(scores.base_rate[0, bar], np.nanmean(y, axis=0))
    assert np.isfinite(scores.base_rate).all()


def test_the_future_of_the_walk_forward_changes_no_earlier_score(thin, found, scores):
    times = found.rows.times
    middle = np.sort(times)[len(times) // 2]
    later = times >= middle
    changed = {"B0": np.where(later[:, None, None], 0.5, found.p["B0"])}
    moved = replayed_scores(thin, replace(found, p=changed), "B0")
    past = scores.times < middle
    for name in ("probability", "quantile", "base_rate", "in_progress"):
        np.testing.assert_array_equal(
            getattr(scores, name)[:, past], getattr(moved, name)[:, past], err_msg=name
        )
    assert np.isnan(scores.quantile[:, : 24 * 29]).all()  # too little past to rank
    assert np.isfinite(scores.quantile[:, -1]).any()


def test_without_price_or_open_interest_there_is_no_score(thin, found):
    usable = thin.market.quality.usable.copy()
    usable[:, -500:-400] = False
    quality = replace(thin.market.quality, usable=usable)
    blind = replace(thin, market=replace(thin.market, quality=quality))
    scores = replayed_scores(blind, found, "B0")
    times = thin.market.frame.times[-500:-400]
    inside = np.isin(scores.times, times)
    assert inside.any()
    assert np.isnan(scores.probability[:, inside]).all()
