from dataclasses import asdict

import pytest

from liqwarn.decisions import Limits
from liqwarn.reports.flag_view import flag_rows, limit_phrases, tiles


def test_rows_carry_the_drivers_of_the_latest_score(content):
    row = flag_rows(content.flags, content.scores)[0]
    last = content.scores["time"].max()
    rows = content.scores
    score = rows[
        (rows["time"] == last) & (rows["symbol"] == row.symbol) & (rows["side"] == row.side)
    ].iloc[0]

    assert [name for name, _ in row.drivers] == [score[f"driver_{k}"] for k in (1, 2, 3)]
    assert row.multiple == f"{score['p_4h'] / score['base_rate']:.1f}×"


def test_house_limits_need_no_words():
    assert limit_phrases(asdict(Limits())) == ()


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(add_frac=0.0), ("no adds",)),
        (Limits(max_participation_frac=0.05), ("taker ≤ 5 % of volume",)),
        (Limits(post_only=True, cancel_increasing=True),
         ("post-only entries", "cancel risk-increasing orders")),
        (Limits(collar_frac=0.01), ("collar ±1.0 % of mark",)),
    ],
)  # fmt: skip
def test_limits_in_words(limits, expected):
    assert limit_phrases(asdict(limits)) == expected


def test_flags_without_scores_are_still_shown(content):
    rows = flag_rows(content.flags, content.scores.iloc[:0])

    assert len(rows) == 20
    assert {row.multiple for row in rows} == {"–"}


def test_tiles_count_what_the_table_shows(content):
    rows = flag_rows(content.flags, content.scores)
    found = {tile.label: tile.value for tile in tiles(rows, content.flags)}

    assert found["Strictest tier"] == rows[0].title
    assert found["At T2 or above"] == str(sum(row.tier >= 2 for row in rows))
    assert tiles([], ()) == []
