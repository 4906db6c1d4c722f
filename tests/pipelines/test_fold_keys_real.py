"""On a real panel a week more of data leaves every closed block of the walk as it was."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from liqwarn.data.quality import measure_quality
from liqwarn.models.evaluation import EvaluationPlan, default_makers, out_of_sample
from liqwarn.models.folds import FoldResult
from liqwarn.models.results import HAR, MODEL
from liqwarn.pipelines.evaluate import labelled_rows
from liqwarn.pipelines.fold_keys import FoldKeys
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import build_study

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = "2022-08-01"
WEEKS = ("2024-08-10", "2024-08-17", "2024-10-05", "2024-10-12")


@pytest.fixture(scope="module")
def job(real_data, tmp_path_factory):
    return MarketJob(
        panel=ROOT / "conf" / "panels" / "btc_core.yaml",
        data=real_data,
        store=tmp_path_factory.mktemp("store"),
    )


def known_by(market, day):
    """The market as its frame was at the close of a day."""
    first, last = (np.datetime64(one, "s") for one in (FIRST, day))
    inside = np.flatnonzero((market.frame.times > first) & (market.frame.times <= last))
    frame = market.frame.between(int(inside[0]), int(inside[-1]) + 1)
    return replace(market, frame=frame, quality=measure_quality(frame, market.panel))


class Keys:
    """A mapper of folds that computes nothing, and notes their keys and last test row."""

    def __init__(self):
        self.found = []

    def __call__(self, _task, items, /):
        keys = FoldKeys()
        for item in items:
            self.found.append((keys.of(item), item.test.times.max()))
            nothing = np.zeros(item.test.y.shape)
            names = list(item.makers)
            yield FoldResult(
                p=dict.fromkeys(names, nothing),
                thresholds=dict.fromkeys(names, np.zeros((2, 3, 4))),
                n_train=len(item.train),
            )


def walked(market, memory):
    plan = EvaluationPlan()
    rows = labelled_rows(build_study(market, memory=memory))
    makers = {name: default_makers(plan)[name] for name in (MODEL, HAR)}
    keys = Keys()
    out_of_sample(rows, plan, makers, map_folds=keys)
    return keys.found


def test_every_closed_block_is_found_again_a_week_later(job, tmp_path):
    whole = open_market(job, now=NOW)
    days = [known_by(whole, day) for day in WEEKS]
    walks = [walked(market, tmp_path / "memory") for market in days]

    for market, before, after in zip(days, walks, walks[1:], strict=False):
        quarter = market.frame.times[-1].astype("datetime64[M]").astype(int) // 3 * 3
        begin = np.datetime64(int(quarter), "M").astype("datetime64[s]")
        closed = [key for key, last in before if last < begin]

        assert closed
        assert [key for key, _ in after][: len(closed)] == closed
    for before, after in (walks[:2], walks[2:]):  # within a quarter: the open block has grown
        assert before[-1][0].fit == after[-1][0].fit
        assert before[-1][0].result != after[-1][0].result
        assert len(after) == len(before)
