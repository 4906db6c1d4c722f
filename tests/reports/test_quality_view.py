import numpy as np
import pandas as pd

from liqwarn.reports.quality_view import quality_rows


def test_shares_and_completeness(build):
    scores = build["scores"](symbols=("BTCUSDT",), days=2)
    scores["quality"] = np.where(np.arange(len(scores)) % 4 == 0, "degraded", "ok")
    scores["completeness"] = np.where(scores["quality"] == "ok", 1.0, 0.5)
    scores.loc[scores.index[:24], "p_4h"] = np.nan
    row = quality_rows(scores, pd.Timestamp(0, tz="UTC"))[0]

    assert (row.symbol, row.bars, row.lowest, row.mean) == ("BTCUSDT", 48, "50 %", "87.5 %")
    assert dict(row.shares)["degraded"] == "25.0 %"
    assert row.unscored == "25.0 %"


def test_no_scores(content):
    assert quality_rows(content.scores.iloc[:0], pd.Timestamp(0, tz="UTC")) == []
