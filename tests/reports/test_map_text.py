"""The map in words: clusters with distances, marks in columns, and what is not known."""

import pytest

from liqwarn.reports.map_text import profile_text, validation_text

CLUSTER = {"price": 95_000.0, "distance_pct": -5.0, "coins": 1_234.4, "usd": 117_268_000.0}
ABOVE = {"price": 105_000.0, "distance_pct": 5.0, "coins": 10.0, "usd": 1_050_000.0}
PROFILE = {
    "symbol": "BTCUSDT",
    "as_of": "2024-08-05T00:00:00Z",
    "price": 100_000.0,
    "open_interest": 81_234.5,
    "panels": ["btc_core", "majors_4h"],
    "clusters": {"long": [CLUSTER], "short": [ABOVE]},
}
MARKS = {
    "n_bars": 12_345,
    "precision_at_10pct": 0.3456,
    "volume_share_at_10pct": 0.5,
    "rank_correlation": 0.61,
    "within_move_rank_correlation": -0.0471,
}


def document(**changed):
    side = {
        **MARKS,
        "against": "liquidations",
        "baselines": {"ladder": MARKS, "move": {"n_bars": 7}},
    }
    return {"symbols": {"BTCUSDT": {"long": {**side, **changed}, "short": side}}}


def test_a_profile_begins_with_what_it_is_and_that_it_is_estimated():
    first, second, *_ = profile_text(PROFILE).splitlines()

    assert first == (
        "BTCUSDT as of 2024-08-05T00:00:00Z: price 100,000, open interest 81,234 coins, "
        "panels ['btc_core', 'majors_4h']"
    )
    assert second.startswith("estimated, not observed")


def test_a_cluster_is_a_line():
    long, short = profile_text(PROFILE).splitlines()[2:]

    assert long.split() == ["long", "95,000", "-5.00", "%", "1,234", "coins", "$", "117.3", "M"]
    assert short.split()[:3] == ["short", "105,000", "+5.00"]
    assert long.index("%") == short.index("%")


def test_no_cluster_is_no_line():
    empty = {**PROFILE, "clusters": {"long": [], "short": []}}
    assert len(profile_text(empty).splitlines()) == 2


def test_an_unknown_stock_is_said():
    told = profile_text({**PROFILE, "open_interest": None})
    assert "open interest unknown" in told


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"bars": 1_200, "gaps": 0}, "the map has seen 1,200 bars: all whole"),
        ({"bars": 9, "gaps": 1_003, "splits": 2}, "seen 9 bars: gaps 1,003, splits 2"),
    ],
)
def test_what_the_map_has_missed_is_said(counts, told):
    assert told in profile_text({**PROFILE, "ledger": counts}).splitlines()[-1]
    assert "has seen" not in profile_text({**PROFILE, "ledger": None})


def test_marks_stand_in_columns_under_their_names():
    head, first, *_ = validation_text(document()).splitlines()

    assert "random precision: 0.10" in head
    names = ("bars", "precision", "volume share", "rank corr.", "within moves")
    values = ("12,345", "0.346", "0.500", "0.610", "-0.047")
    for name, value in zip(names, values, strict=True):
        assert head.index(name) + len(name) == first.index(value) + len(value)


def test_every_map_of_every_side_is_a_row():
    rows = validation_text(document()).splitlines()[1:]

    assert [row.split("  ")[0].strip() for row in rows] == ["BTCUSDT long"] * 3 + [
        "BTCUSDT short"
    ] * 3
    assert "map against liquidations" in rows[0]
    assert "ladder" in rows[1]
    assert "move" in rows[2]


@pytest.mark.parametrize("missing", [{"n_bars": 7}, {**MARKS, "precision_at_10pct": float("nan")}])
def test_what_is_not_known_is_said(missing):
    row = validation_text(
        {"symbols": {"X": {"long": {**missing, "against": "liquidations", "baselines": {}}}}}
    ).splitlines()[1]

    assert "too few bars" in row or "unknown" in row


def test_what_the_map_missed_is_said_in_the_last_line():
    told = profile_text({**PROFILE, "ledger": {"bars": 1_000, "unknown": 12, "shifted": 0}})
    assert told.splitlines()[-1] == "the map has seen 1,000 bars: unknown 12"
    whole = profile_text({**PROFILE, "ledger": {"bars": 5, "unknown": 0}})
    assert whole.splitlines()[-1] == "the map has seen 5 bars: all whole"


def test_a_map_that_is_not_usable_says_so_before_any_cluster():
    second = profile_text({**PROFILE, "usable": False}).splitlines()[1]
    assert second.startswith("NOT USABLE: under a week old")
    assert "NOT USABLE" not in profile_text({**PROFILE, "usable": True})
