"""The account of data quality as lines: what is whole in one, what is not by itself."""

from liqwarn.reports.quality_text import feed_lines, quality_text


def field(symbol="BTCUSDT", name="close", **told):
    return {
        "symbol": symbol,
        "field": name,
        "first": "2024-01-01T01:00:00+00:00",
        "last": "2024-01-09T01:00:00+00:00",
        "promised": 100,
        "known": 100,
        "coverage": 1.0,
        "holes": 0,
        "longest": [],
        "silent_bars": 0,
        "age_median_s": 0.0,
        "age_p99_s": 0.0,
        "age_cap_s": 0.0,
        "held_frac": 0.0,
    } | told


def apart(**told):
    return {
        "asset": "BTC",
        "one": "close",
        "other": "mark",
        "bars": 1_234,
        "unit": "bps",
        "median": 0.5,
        "p99": 4.25,
        "worst": 187.5,
        "worst_at": "2024-01-02T03:00:00+00:00",
        "together": 0.9991,
        "ahead": 0,
    } | told


def account(fields, doubts=(), disagreements=()):
    return {
        "panel": "demo",
        "bar": "1:00:00",
        "bars": 4_320,
        "since": "2024-01-01T01:00:00+00:00",
        "until": "2024-06-28T00:00:00+00:00",
        "fields": fields,
        "doubts": list(doubts),
        "disagreements": list(disagreements),
    }


def test_what_is_whole_for_every_symbol_is_one_line():
    text = quality_text(account([field(), field("ETHUSDT"), field(name="mark", held_frac=0.001)]))

    assert text.splitlines() == [
        "demo: 4,320 bars of 1:00:00 from 2024-01-01 01:00 to 2024-06-28 00:00",
        "",
        "whole, told anew each bar: close, mark",
        "",
        "no bar in doubt: prices agree, and no liquidation feed was mute in a run",
    ]


def test_a_field_with_a_hole_has_a_line_for_each_symbol():
    hole = {"first": "2024-01-05T00:00:00+00:00", "last": "2024-01-05T02:00:00+00:00", "bars": 3}
    holed = field("ETHUSDT", coverage=0.97, known=97, holes=1, longest=[hole])

    lines = quality_text(account([field(), holed])).splitlines()

    assert lines[2].split()[:3] == ["symbol", "field", "known"]
    assert "BTCUSDT  close" in lines[3]
    assert "97.00 %" in lines[4]
    assert "3 at 2024-01-05 00:00" in lines[4]


def test_silence_and_age_are_told_and_what_never_came_says_never():
    row = field(
        name="funding_rate", coverage=0.5, silent_bars=50, age_median_s=10_800.0,
        age_p99_s=25_200.5, held_frac=0.875,
    )  # fmt: skip
    never = field(
        "ETHUSDT", "funding_rate", first=None, last=None, promised=0, known=0, coverage=None,
        age_median_s=None, age_p99_s=None, held_frac=None,
    )  # fmt: skip

    lines = quality_text(account([row, never])).splitlines()

    assert "silent for 50 bars" in lines[3]
    assert lines[3].endswith("3:00 to 7:00  88 %")
    assert lines[4] == "ETHUSDT  funding_rate  never"


def test_doubts_and_disagreements_have_their_lines():
    doubt = {
        "symbol": "BTCUSDT",
        "rule": "prices apart",
        "bars": 7,
        "last": "2024-03-01T00:00:00+00:00",
    }
    same = apart(one="one open", other="two open", worst=0.0)
    shifted = apart(
        one="one open_interest", unit="log ratio off its median", together=None, ahead=-1
    )

    text = quality_text(account([field()], [doubt], [apart(), same, shifted]))

    assert "BTCUSDT: 7 bars in doubt (prices apart), the last at 2024-03-01 00:00" in text
    assert "0.5 bps  4.2 bps  187.5 bps  2024-01-02 03:00  0.999" in text
    assert "the same to the bit: BTC one open / two open" in text
    assert text.splitlines()[-2].endswith("-1 bars")


def test_what_a_feed_tells_has_its_interval_and_its_caveat():
    side = {"symbol": "BTCUSDT", "side": "long", "episodes": 150, "share": 0.0361, "low": 0.0251,
            "high": 0.0431}  # fmt: skip
    few = side | {"side": "short", "episodes": 7, "share": None, "low": None, "high": None}
    feeds = {"sides": [side, few], "grade": "one a second", "caveat": "A bound."}

    lines = quality_text(account([field()]) | {"feeds": feeds}).splitlines()

    told = "3.6 % [2.5 %, 4.3 %] of the fall of open interest in 150 hard moves"
    assert lines[-4:] == [
        f"BTCUSDT long liquidations: {told}",
        "BTCUSDT short liquidations: 7 hard moves, too few to compare with open interest",
        "one a second",
        "A bound.",
    ]
    assert feed_lines({}) == []
