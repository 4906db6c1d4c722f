"""Evidence for the gate: the champion is compared on bars it had not seen, and nowhere else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from liqwarn.models.bundle import load_bundle
from liqwarn.models.evaluation import walk_forward
from liqwarn.models.results import MODEL
from liqwarn.pipelines.comparison import dates_of, gather_evidence
from liqwarn.pipelines.evaluate import EvaluationOrder, labelled_rows
from liqwarn.pipelines.train import TrainOrder, fit_bundle


@pytest.fixture(scope="module")
def bundle(thin, small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("thin") / "model"
    order = TrainOrder(until=datetime(2022, 5, 1, tzinfo=UTC), settings=small)
    fit_bundle(thin, (), order, folder)
    return load_bundle(folder, version="1")


@pytest.fixture(scope="module")
def evaluation(thin, small):
    order = EvaluationOrder(
        test_from=datetime(2022, 4, 1, tzinfo=UTC), retrain="none", n_bootstrap=50, settings=small
    )
    return walk_forward(labelled_rows(thin), thin.events, order.plan(()))


def until(bundle, moment):
    return replace(bundle, training=replace(bundle.training, trained_until=moment))


def evidence(evaluation, champion):
    return gather_evidence(evaluation, champion, n_bootstrap=50, seed=0)


def test_without_a_champion_there_is_nothing_to_compare(evaluation):
    found = evidence(evaluation, None)

    assert [one.side for one in found] == ["long", "short"]
    assert all(one.versus_champion is None and one.worse_symbols == () for one in found)
    for one in found:
        row = next(
            r
            for r in evaluation.results
            if (r["side"], r["horizon_h"], r["model"]) == (one.side, 4, MODEL)
        )
        assert one.versus_har.mean == row["delta_pr_auc_vs_har"]["mean"]
        assert (one.versus_har.low, one.versus_har.high) == tuple(row["delta_pr_auc_vs_har"]["ci"])
        assert one.brier_skill_vs_har == row["brier_skill_vs_har"]
        np.testing.assert_equal(one.calibration_slope, row["calibration_slope"])


def test_data_up_to_this_minute_is_not_from_the_future(evaluation, thin):
    """Of the last day's rows the longest outcome is not known yet; that is no wrong clock."""
    last = thin.market.frame.times[-1]
    now = datetime.fromtimestamp(int(last.astype("datetime64[s]").astype(np.int64)), tz=UTC)
    dates = dates_of(evaluation.found, labelled_rows(thin), now)

    assert labelled_rows(thin).end.max() > last
    assert timedelta(0) <= now - dates.trained_until < timedelta(days=1)
    assert timedelta(0) <= now - dates.tested_until < timedelta(days=1)


def test_a_champion_is_compared_on_bars_after_its_training_only(evaluation, bundle):
    """What the champion would say of the bars before makes no difference."""
    first = evidence(evaluation, bundle)
    seen = evaluation.found.rows.times <= np.datetime64(
        bundle.training.trained_until.replace(tzinfo=None), "s"
    )
    assert 0 < seen.sum() < seen.size
    ruined = np.array(evaluation.found.rows.X)
    ruined[seen] = np.nan
    rows = replace(evaluation.found.rows, X=ruined)

    again = evidence(replace(evaluation, found=replace(evaluation.found, rows=rows)), bundle)

    assert again == first
    assert all(one.versus_champion is not None for one in first)


def test_a_champion_that_saw_everything_cannot_be_compared(evaluation, bundle):
    late = until(bundle, datetime(2022, 6, 29, tzinfo=UTC) + timedelta(days=30))

    found = evidence(evaluation, late)

    assert all(one.versus_champion is None for one in found)


def test_a_challenger_that_is_the_champion_is_level(evaluation, bundle):
    rows = evaluation.found.rows
    same = {**evaluation.found.p, MODEL: bundle.model.predict_proba(rows.X, rows.names)}
    level = replace(evaluation, found=replace(evaluation.found, p=same))

    for one in evidence(level, bundle):
        assert (one.versus_champion.mean, one.versus_champion.low, one.versus_champion.high) == (
            0.0, 0.0, 0.0,
        )  # fmt: skip
        assert one.worse_symbols == ()


def test_a_challenger_that_knows_nothing_is_worse_and_in_which_symbols(evaluation, bundle):
    rows = evaluation.found.rows
    known = np.where(np.isfinite(rows.y), rows.y, 0.0)
    blind = replace(
        evaluation,
        found=replace(evaluation.found, p={**evaluation.found.p, MODEL: 0.5 - 0.4 * known}),
    )

    found = evidence(blind, until(bundle, datetime(2022, 3, 1, tzinfo=UTC)))

    assert any(one.versus_champion.high < 0 for one in found)
    assert {symbol for one in found for symbol in one.worse_symbols} <= {"BTCUSDT", "DOGEUSDT"}
    assert any(one.worse_symbols for one in found)
