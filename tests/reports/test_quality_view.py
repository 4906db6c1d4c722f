import numpy as np
import pandas as pd

from liqwarn.reports.quality_view import doubt_lines, field_rows, quality_rows


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


def field(symbol, **told):
    return {
        "symbol": symbol,
        "field": "funding_rate",
        "promised": 100,
        "known": 100,
        "coverage": 1.0,
        "holes": 0,
        "longest": [],
        "silent_bars": 0,
        "age_median_s": 3_600.0,
        "age_p99_s": 7_200.0,
        "held_frac": 0.5,
    } | told


def test_a_field_is_one_row_over_its_symbols():
    holes = [{"first": "", "last": "", "bars": 25}, {"first": "", "last": "", "bars": 5}]
    dead = field(
        "ETHUSDT", known=70, coverage=0.7, holes=2, longest=holes, silent_bars=5, age_p99_s=9_000.0
    )
    never = field("XRPUSDT", promised=0, known=0, coverage=None)

    (row,) = field_rows({"fields": [field("BTCUSDT"), dead, never]})

    assert (row.field, row.symbols, row.covered, row.lowest) == (
        "funding_rate", 2, "85.0 %", "70.0 % (ETHUSDT)",
    )  # fmt: skip
    assert (row.holes, row.longest, row.silent) == ("2", "25", "ETHUSDT")
    assert (row.age, row.held) == ("1:00:00 to 2:30:00", "50 %")


def test_what_is_told_at_the_close_says_so():
    rows = [field("BTCUSDT", age_median_s=0.0, age_p99_s=0.0), field("ETHUSDT")]

    assert field_rows({"fields": rows[:1]})[0].age == "at the close"
    assert field_rows({"fields": rows})[0].age == "1:00:00 to 2:00:00"


def test_without_an_account_there_is_nothing_by_field():
    assert field_rows(None) == []
    assert doubt_lines(None) == []


def test_a_doubt_is_a_line():
    doubt = {"symbol": "BTCUSDT", "rule": "prices apart", "bars": 1_000, "last": "2024-01-02T03:00"}

    assert doubt_lines({"doubts": [doubt]})[0].startswith(
        "BTCUSDT: 1,000 bars in doubt (prices apart), the last at 2024-01-02 03:00"
    )
