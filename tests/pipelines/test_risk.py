"""Scores of a history: placed among unseen probabilities, none where core fields are missing."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from liqwarn.decisions import Tier
from liqwarn.frames import SIDES
from liqwarn.models.score_quantile import score_quantile
from liqwarn.pipelines.risk import PRIMARY, assess
from liqwarn.policy.history import fold


@pytest.fixture(scope="module")
def risk(study, bundle):
    return assess(study, bundle)


def test_probabilities_are_coherent_and_inside_the_unit_interval(risk):
    p = risk.scores.probability

    assert np.isfinite(p).all()
    assert p.min() >= 0.0
    assert p.max() <= 1.0
    assert (np.diff(p, axis=-1) >= 0).all()


def test_scores_from_a_day_on_are_the_last_of_all_scores(study, bundle, risk):
    since = bundle.training.trained_until + timedelta(days=3)

    part = assess(study, bundle, since)

    n = len(part.scores.times)
    assert part.scores.moments()[0] >= since > risk.scores.moments()[-n - 1]
    assert part.first == len(risk.scores.times) - n
    for name in ("probability", "quantile", "in_progress", "quality"):
        np.testing.assert_array_equal(
            getattr(part.scores, name), getattr(risk.scores, name)[:, -n:], err_msg=name
        )
    np.testing.assert_array_equal(part.raw, risk.raw[:, -n:])


def test_a_day_after_the_end_scores_the_last_bar(study, bundle, risk):
    part = assess(study, bundle, risk.scores.moments()[-1] + timedelta(days=9))

    assert len(part.scores.times) == 1


def test_the_percentile_is_taken_among_bars_the_model_had_not_seen(study, bundle, risk):
    """Out-of-fold probabilities up to the end of training, the model's own afterwards."""
    scores, frame = risk.scores, study.market.frame
    until = np.datetime64(bundle.training.trained_until.replace(tzinfo=None), "s")
    past = scores.probability[..., PRIMARY].copy()
    past[:, frame.times <= until] = np.nan
    history = bundle.history
    place = {t: k for k, t in enumerate(frame.times)}
    for j, side in enumerate(SIDES):
        for symbol, time, p in zip(history["symbol"], history["time"], history[side], strict=True):
            bar = place[np.datetime64(time.tz_localize(None), "s")]
            past[frame.symbols.index(symbol), bar, j] = p

    expected = score_quantile(past, scores.probability[..., PRIMARY], frame.first_bar, frame.bar)

    np.testing.assert_array_equal(scores.quantile, expected)
    assert np.isfinite(scores.quantile[:, frame.times > until]).all()


def test_a_history_that_differs_moves_the_percentile(study, bundle, risk):
    higher = bundle.history.assign(long=1.0)

    moved = assess(study, replace(bundle, history=higher))

    after = study.market.frame.times > np.datetime64("2022-05-02")
    assert (moved.scores.quantile[:, after, 0] <= risk.scores.quantile[:, after, 0]).all()
    assert (moved.scores.quantile[:, after, 0] < risk.scores.quantile[:, after, 0]).any()
    np.testing.assert_array_equal(moved.scores.quantile[..., 1], risk.scores.quantile[..., 1])


def test_a_model_of_another_panel_is_placed_among_its_own_probabilities(study, bundle, risk):
    foreign = replace(bundle, training=replace(bundle.training, panel="other"))
    own = risk.scores.probability[..., PRIMARY]

    found = assess(study, foreign).scores.quantile

    frame = study.market.frame
    np.testing.assert_array_equal(found, score_quantile(own, own, frame.first_bar, frame.bar))


def test_without_a_core_field_there_is_no_probability(build, bundle):
    def cut(table, symbol):
        gone = table["timestamp"] >= pd.Timestamp("2022-06-25", tz="UTC")
        return table.assign(close=table["close"].mask(gone & (symbol == "DOGEUSDT")))

    study = build(cut)
    scores = assess(study, bundle).scores

    missing = np.isnan(study.market.frame.field("close"))
    assert missing[1].sum() > 24
    assert not missing[0].any()
    np.testing.assert_array_equal(np.isnan(scores.probability[..., PRIMARY]).all(axis=2), missing)
    assert set(scores.quality[missing]) == {"stale"}
    assert np.isnan(scores.quantile[missing]).all()


def test_a_feature_that_the_model_does_not_know_is_left_out(study, bundle, risk):
    """An upgrade adds features; the champion of before scores on as it did."""
    matrix = study.matrix
    more = replace(
        matrix,
        names=("brand_new", *matrix.names),
        families={"brand_new": "market", **matrix.families},
        values=np.concatenate([matrix.values[:, :, :1] + 1.0, matrix.values], axis=2),
    )

    found = assess(replace(study, matrix=more), bundle)

    np.testing.assert_array_equal(found.scores.probability, risk.scores.probability)
    np.testing.assert_array_equal(found.raw, risk.raw)


def test_a_feature_that_only_the_model_knows_is_missing(study, bundle):
    matrix = study.matrix
    name, *rest = matrix.names
    fewer = replace(
        matrix,
        names=tuple(rest),
        families={n: f for n, f in matrix.families.items() if n != name},
        values=matrix.values[:, :, 1:],
    )
    blank = np.array(matrix.values)
    blank[:, :, 0] = np.nan

    found = assess(replace(study, matrix=fewer), bundle)
    expected = assess(replace(study, matrix=replace(matrix, values=blank)), bundle)

    np.testing.assert_array_equal(found.raw, expected.raw)


# ---------------------------------------------------------------- bars unlike training


def spoilt(study, symbol, *bars):
    """The study with an open interest that moved a thousandfold in some bars of a symbol."""
    matrix = study.matrix
    values = np.array(matrix.values)
    values[symbol, list(bars), matrix.names.index("oi_change_1h")] = np.log(1000.0)
    return replace(study, matrix=replace(matrix, values=values))


def degraded_anew(risk, found):
    changed = risk.scores.quality != found.scores.quality
    assert set(found.scores.quality[changed]) <= {"degraded"}
    assert set(risk.scores.quality[changed]) <= {"ok"}
    return [(int(row), int(bar)) for row, bar in zip(*np.nonzero(changed), strict=True)]


def test_a_bar_unlike_training_is_degraded_and_named(study, bundle, risk):
    last = len(risk.scores.times) - 1
    assert risk.strange == {}

    found = assess(spoilt(study, 1, last - 30, last), bundle)

    assert degraded_anew(risk, found) == [(1, last - 30), (1, last)]
    assert list(found.strange) == ["DOGEUSDT"]
    assert found.strange["DOGEUSDT"].startswith("oi_change_1h is ")


def test_novelty_is_the_same_from_a_later_start(study, bundle, risk):
    last = len(risk.scores.times) - 1
    odd = spoilt(study, 0, last - 100, last - 10)

    part = assess(odd, bundle, risk.scores.moments()[-50])

    whole = assess(odd, bundle)
    np.testing.assert_array_equal(part.scores.quality, whole.scores.quality[:, -50:])
    assert part.scores.quality[0, 50 - 11] == "degraded"
    assert part.strange == whole.strange == {}


def test_novelty_never_improves_a_quality(study, bundle, risk):
    worse = np.array(study.market.quality.quality)
    worse[:, -3:] = [["stale"], ["unknown"]]
    quality = replace(study.market.quality, quality=worse)
    last = len(risk.scores.times) - 1
    odd = spoilt(study, 0, last - 1, last)

    found = assess(replace(odd, market=replace(study.market, quality=quality)), bundle)

    assert found.scores.quality[:, -3:].tolist() == [["stale"] * 3, ["unknown"] * 3]


def test_the_breaker_is_cautious_about_a_bar_unlike_training(study, bundle, risk, policy):
    """Tier T2 at least, for data quality; without the novelty it would be calm."""
    last = len(risk.scores.times) - 1
    calm = fold(risk.scores, policy).tiers[0]
    quiet = int(np.flatnonzero((calm == 0).all(axis=1) & (np.arange(last + 1) > last - 500))[0])

    odd = fold(assess(spoilt(study, 0, quiet), bundle).scores, policy)

    assert (odd.tiers[0, quiet] >= Tier.T2).all()
    assert set(odd.rules[0, quiet].tolist()) == {"quality"}
