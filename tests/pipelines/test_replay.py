"""The live engine over a span says what a scoring of that span says, cell by cell."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from liqwarn.data.bars.replay_feed import column_at
from liqwarn.errors import FrameError
from liqwarn.live.flag_rows import FLAG_COLUMNS
from liqwarn.models.skill_floor import Standing
from liqwarn.pipelines.live_start import start_live
from liqwarn.pipelines.replay import replay
from liqwarn.pipelines.score import score
from liqwarn.tables import read_table

END = datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=180)
SPANS = {
    "before the end of training": (END - timedelta(days=75), END - timedelta(days=58)),
    "a day": (END - timedelta(days=40), END - timedelta(days=39)),
    "to the end, over a change of quarter": (END - timedelta(days=10), None),
}


def scored(study, bundle, policy, folder, now, span):
    """The flag history of a scoring of the span, as the replay has it."""
    score(study, bundle, policy, folder, now=now, since=span[0])
    table = read_table(folder / "flags.parquet")
    return table if span[1] is None else table[table["as_of"] <= span[1]].reset_index(drop=True)


@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
def test_a_replay_is_the_scoring_of_its_span(span, study, bundle, policy, now, tmp_path):
    told = []
    done = replay(
        study,
        bundle,
        policy,
        tmp_path / "flags.parquet",
        span=span,
        on_progress=lambda *step: told.append(step),
    )
    ours = read_table(tmp_path / "flags.parquet")
    theirs = scored(study, bundle, policy, tmp_path / "scoring", now, span)

    assert tuple(ours.columns) == tuple(theirs.columns) == FLAG_COLUMNS
    assert len(ours) == len(theirs) == 2 * done.flags
    kept = [name for name in FLAG_COLUMNS if name != "issued_at"]
    pd.testing.assert_frame_equal(ours[kept], theirs[kept], check_exact=True)
    assert (ours["issued_at"] == ours["as_of"]).all()
    assert told[-1] == ("replay", done.bars, done.bars)


@pytest.mark.parametrize("hours", [-1, 5, 23], ids=["before", "in", "at the last bar of"])
def test_a_replay_is_the_scoring_with_a_disabled_symbol_too(
    hours, study, bundle, policy, now, tmp_path
):
    span = END - timedelta(days=40), END - timedelta(days=39)
    since = span[0] + timedelta(hours=hours)
    off = Standing(enabled=False, champion="7", since=since, reason="it is too low")
    barred = replace(bundle, standings={"DOGEUSDT": off})

    replay(study, barred, policy, tmp_path / "flags.parquet", span=span)
    ours = read_table(tmp_path / "flags.parquet")
    theirs = scored(study, barred, policy, tmp_path / "scoring", now, span)

    kept = [name for name in FLAG_COLUMNS if name != "issued_at"]
    pd.testing.assert_frame_equal(ours[kept], theirs[kept], check_exact=True)
    silent = (ours["symbol"] == "DOGEUSDT") & (ours["as_of"] > since)
    assert set(ours["quality"][silent]) == {"unknown"}
    assert ours["p_4h"][silent].isna().all()
    assert ours["p_4h"][~silent].notna().all()
    assert set(ours["state"][silent]) == {"REDUCING"}


def test_a_symbol_that_is_enabled_again_has_the_percentiles_it_would_have_had(
    study, bundle, policy
):
    """The engine remembers what the model said of it all along, as the batch does."""
    at = study.market.frame.shape[1] - 30
    off = Standing(enabled=False, champion="7", since=END - timedelta(days=90), reason="low")
    barred = start_live(study, bundle, policy, at=at)
    free = start_live(study, bundle, policy, at=at)

    for position in range(at, at + 30):
        barred.standings = {"DOGEUSDT": off} if position < at + 20 else {}
        ours = barred.step(column_at(study.market.frame, position)).scores
        theirs = free.step(column_at(study.market.frame, position)).scores

    np.testing.assert_array_equal(ours.quantile, theirs.quantile)
    np.testing.assert_array_equal(ours.probability, theirs.probability)


def test_another_model_than_the_one_that_was_judged_scores_the_symbol(study, bundle, policy):
    at = study.market.frame.shape[1] - 2
    off = Standing(enabled=False, champion="6", since=END - timedelta(days=90), reason="low")
    engine = start_live(study, replace(bundle, standings={"DOGEUSDT": off}), policy, at=at)

    assert np.isfinite(engine.step(column_at(study.market.frame, at)).scores.probability).all()


def test_a_span_without_bars_is_refused(study, bundle, policy, tmp_path):
    with pytest.raises(FrameError, match="the history has no bar from"):
        replay(
            study, bundle, policy, tmp_path / "flags.parquet", span=(END + timedelta(days=9), None)
        )


def test_the_engine_gives_the_features_of_the_batch(study, bundle, policy):
    at = study.market.frame.shape[1] - 30
    engine = start_live(study, bundle, policy, at=at)

    for position in range(at, at + 30):
        bar = engine.step(column_at(study.market.frame, position))
        np.testing.assert_array_equal(bar.scores.features, study.matrix.values[:, position])
