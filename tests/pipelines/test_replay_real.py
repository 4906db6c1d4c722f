"""A real day of each real panel: the live engine says what the scoring says, cell by cell.

Tiny models, and as much of a panel's past as they and the maps need, so that it costs a minute.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqwarn.config import load_policy
from liqwarn.data.quality import measure_quality
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.bundle import load_bundle
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.replay import replay
from liqwarn.pipelines.score import score
from liqwarn.pipelines.study import build_study
from liqwarn.pipelines.train import TrainOrder, fit_bundle
from liqwarn.tables import read_table

ROOT = Path(__file__).parents[2]
NOW = datetime(2025, 7, 2, tzinfo=UTC)
TINY = BoostSettings(
    milder_trees=4, onset_trees=3, learning_rate=0.2, min_rows=20, min_hessian=0.1, l2=1.0
)
CASES = {
    "btc_core": ("2024-03-20", "2024-07-25", "2024-08-04T12", "2024-08-06"),
    "majors_4h": ("2024-11-20", "2025-03-20", "2025-03-31", "2025-04-02"),
    "hyperliquid_1h": ("2025-03-06", "2025-06-01", "2025-06-21T12", "2025-06-23"),
}
"""First bar, end of training, and the replayed span; one of them is over a change of quarter."""


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def cut(market, start, stop):
    """The market from one close to another, both included."""
    first, last = (np.datetime64(one.replace(tzinfo=None), "s") for one in (start, stop))
    inside = np.flatnonzero((market.frame.times >= first) & (market.frame.times <= last))
    frame = market.frame.between(int(inside[0]), int(inside[-1]) + 1)
    return replace(market, frame=frame, quality=measure_quality(frame, market.panel))


@pytest.mark.parametrize("name", CASES)
def test_a_replay_of_a_real_day_is_its_scoring(real_data, name, tmp_path):
    begin, trained, first, last = (moment(one) for one in CASES[name])
    job = MarketJob(
        panel=ROOT / "conf" / "panels" / f"{name}.yaml", data=real_data, store=tmp_path / "store"
    )
    study = build_study(cut(open_market(job, now=NOW), begin, last))
    order = TrainOrder(until=trained, settings=TINY)
    fit_bundle(study, (), order, tmp_path / "model")
    bundle = load_bundle(tmp_path / "model", version="1")
    policy = load_policy(ROOT / "conf" / "policy.yaml")
    n_bars = (last - first) // study.market.frame.bar + 1

    done = replay(study, bundle, policy, tmp_path / "flags.parquet", span=(first, None))
    score(study, bundle, policy, tmp_path / "scoring", now=NOW, since=first)

    ours, theirs = (read_table(tmp_path / p) for p in ("flags.parquet", "scoring/flags.parquet"))
    kept = [one for one in theirs.columns if one != "issued_at"]
    assert (done.bars, done.first, done.last) == (n_bars, first, last)
    assert len(ours) == n_bars * len(study.market.frame.symbols) * 2
    pd.testing.assert_frame_equal(ours[kept], theirs[kept], check_exact=True)
    assert ours["p_4h"].notna().mean() > 0.9
    assert ours["p_4h"].nunique() > 1
    assert ours["as_of"].max() - ours["as_of"].min() >= timedelta(hours=36)
