"""The gate's figures, each against a plain count over hand-made scores."""

import runpy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from liqwarn.models.gate import Sample
from liqwarn.models.gate_evidence import Frozen, measure_evidence
from liqwarn.models.ranking import roc_auc
from liqwarn.models.results import HAR, MODEL

MADE = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "gate_challengers.py"))
SYMBOLS = MADE["SYMBOLS"]


@pytest.fixture(scope="module")
def market():
    return MADE["truth"](0, days=90)


@pytest.fixture(scope="module")
def found(market):
    return MADE["out_of_sample"](market, MADE["good"](market))


def evidence(found, champion=None, day=20):
    frozen = None
    if champion is not None:
        until = found.rows.times[0] + np.timedelta64(day, "D")
        frozen = Frozen(p=champion.reshape(found.rows.y.shape), until=until)
    return measure_evidence(found, frozen, n_bootstrap=40, seed=0)


def test_onsets_are_runs_of_rows_and_weeks_are_counted_once(market, found):
    """Every onset marks two rows of two hours; runs with 4 h between them or less are one."""
    for side, one in enumerate(evidence(found)):
        onsets = 0
        for k in range(len(SYMBOLS)):
            ahead = np.flatnonzero(market.y[:, k, side])
            onsets += sum(1 for a, b in pairwise(ahead) if b - a > 2) + 1
        weeks = {str(np.datetime64(t, "W")) for t in market.times[market.y[..., side].any(axis=1)]}

        assert one.sample.onsets == onsets
        assert abs(one.sample.weeks - len(weeks)) <= 1  # weeks begin on Mondays here


def test_rows_right_before_and_just_outside_the_horizon(market, found):
    p = MADE["good"](market)
    for side, one in enumerate(evidence(found)):
        y, score = market.y[..., side], p[..., side]
        near, outside = np.zeros((2, *y.shape), dtype=bool)
        for t, k in np.ndindex(*y.shape):
            later = y[t + 1 : t + 3, k]
            near[t, k] = y[t, k] == 1 and not (later.size and later[0] == 1)
            outside[t, k] = y[t, k] == 0 and later.any()
        nearest, edge = near | (y == 0), outside | (y == 1)

        assert one.nearest_roc_auc == roc_auc(y[nearest], score[nearest])
        assert one.edge_roc_auc == roc_auc(y[edge], score[edge])
        assert one.roc_auc == roc_auc(y.ravel(), score.ravel())
        assert 0.9 * one.roc_auc < one.roc_auc_low < one.roc_auc
        assert one.level_ratio == pytest.approx(1.0, abs=1e-6)
        assert one.calibration_slope == pytest.approx(1.0, abs=1e-6)


def test_scores_that_are_one_number_in_each_fold_are_constant(market, found):
    p = np.broadcast_to(0.01 * (1 + found.fold)[:, None, None], found.p[MODEL].shape)

    for one in evidence(replace(found, p={**found.p, MODEL: p})):
        assert one.tied_frac == 1.0


def test_a_score_that_is_not_finite_leaves_figures_unmeasured_and_raises_nothing(market, found):
    p = np.array(found.p[MODEL])
    p[7, 0, 0] = np.nan
    p[9, 0, 0] = np.inf

    long, short = evidence(replace(found, p={**found.p, MODEL: p}), MADE["good"](market))

    assert (long.not_finite, short.not_finite) == (2, 0)
    assert np.isnan(
        [long.roc_auc, long.roc_auc_low, long.calibration_slope, long.versus_har.low]
    ).all()
    assert np.isfinite([short.roc_auc, short.calibration_slope, short.versus_har.low]).all()


def test_only_what_the_champion_had_not_seen_is_compared(market, found):
    champion = np.array(MADE["good"](market))
    champion[: 20 * 12 + 1] = np.nan  # up to the end of its training it is not asked

    for one in evidence(found, champion):
        assert (one.versus_champion.mean, one.left_out.rest.mean) == (0.0, 0.0)
        assert 0 < one.compared.onsets < one.sample.onsets
        assert one.worse_symbols == ()


def test_a_champion_without_scores_or_that_saw_all_is_not_compared(market, found):
    blind = evidence(found, np.full(market.y.shape, np.nan))
    late = evidence(found, MADE["good"](market), day=99)

    assert all(np.isnan(one.versus_champion.mean) for one in blind)
    assert all(one.versus_champion is None and one.compared == Sample() for one in late)


def test_the_symbol_that_carries_the_gain_is_the_one_left_out(market, found):
    weak = MADE["calibrated"](market.scores["har"], market.y)
    mixed = np.array(weak)
    mixed[:, 1:2] = MADE["calibrated"](market.stress[:, 1:2], market.y[:, 1:2])
    given = replace(found, p={**found.p, MODEL: mixed.reshape(found.p[MODEL].shape)})

    for one in evidence(given, weak):
        assert one.left_out.symbol == SYMBOLS[1]
        assert one.left_out.rest.mean == 0.0


def test_har_as_challenger_has_no_skill_over_itself(found):
    for one in evidence(replace(found, p={**found.p, MODEL: found.p[HAR]})):
        assert (one.versus_har.mean, one.brier_skill_vs_har) == (0.0, 0.0)
