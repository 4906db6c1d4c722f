"""What is known of each field: coverage, holes, silence, age."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.field_quality import field_quality, longest_holes
from liqwarn.data.panel import Panel
from liqwarn.frames import MarketFrame, bar_times

N = np.nan
FIRST = datetime(2024, 1, 1, 1, tzinfo=UTC)


def panel(*, valid_to=None):
    time = {"column": "t", "unit": "s", "label": "end"}
    funding = {"name": "f", "file": "f.csv", "time": time, "symbol": "BTCUSDT"}
    return Panel.model_validate(
        {
            "name": "test",
            "market": "real",
            "bar": "1h",
            "symbols": ["BTCUSDT"],
            "sources": [
                {
                    "name": "p",
                    "file": "p.csv",
                    "time": time | {"step": "1h"},
                    "symbol": "BTCUSDT",
                    "fields": {"close": "c"},
                },
                funding
                | {"fields": {"funding_rate": "r"}}
                | ({"valid": {"to": valid_to}} if valid_to else {}),
            ],
        }
    )


def frame(rate, age=None):
    times = bar_times(np.datetime64("2024-01-01T01:00:00"), len(rate), timedelta(hours=1))
    return MarketFrame(
        symbols=("BTCUSDT",),
        times=times,
        bar=timedelta(hours=1),
        fields={"close": np.ones((1, len(rate))), "funding_rate": np.array([rate], dtype=float)},
        ages={} if age is None else {"funding_rate": np.array([age], dtype=float)},
    )


def of(found, field="funding_rate"):
    return next(row for row in found if row.field == field)


def test_holes_count_from_the_first_value_to_the_end():
    row = of(field_quality(frame([N, 1, N, N, 1, N]), panel()))

    assert (row.promised, row.known, row.coverage) == (5, 2, 0.4)
    assert [(hole.bars, hole.first - FIRST) for hole in row.holes] == [
        (2, timedelta(hours=2)),
        (1, timedelta(hours=5)),
    ]
    assert (row.first, row.last) == (FIRST + timedelta(hours=1), FIRST + timedelta(hours=4))
    assert row.silent_bars == 1


def test_a_hole_that_closed_is_no_silence():
    assert of(field_quality(frame([1, N, 1]), panel())).silent_bars == 0


def test_a_feed_that_the_panel_ends_has_no_hole_after_it():
    row = of(field_quality(frame([1, 1, N, N]), panel(valid_to="2024-01-01T02:30:00Z")))

    assert (row.promised, row.coverage, row.holes) == (2, 1.0, ())


def test_what_was_never_known_was_never_promised():
    row = of(field_quality(frame([N, N]), panel()))

    assert (row.first, row.last, row.promised, row.holes) == (None, None, 0, ())
    assert np.isnan(row.coverage)


def test_ages_are_those_of_the_known_bars():
    row = of(field_quality(frame([1, 1, N, 1], age=[0, 3_600, N, 7_200]), panel()))

    assert (row.age_median_s, row.held_frac) == (3_600.0, pytest.approx(2 / 3))
    assert row.age_p99_s == pytest.approx(7_128.0)
    assert row.age_cap_s == 9 * 3_600


def test_since_leaves_out_what_is_older_but_not_that_it_was_known():
    late = FIRST + timedelta(hours=3)

    row = of(field_quality(frame([1, N, N, N, 1]), panel(), since=late))

    assert (row.promised, row.known) == (2, 1)
    assert [hole.bars for hole in row.holes] == [1]


def test_the_longest_holes_come_first():
    row = of(field_quality(frame([1, N, 1, N, N, 1, N]), panel()))

    assert [hole.bars for hole in longest_holes(row, 2)] == [2, 1]
    assert longest_holes(row, 2)[1].first == FIRST + timedelta(hours=6)


@settings(max_examples=80, deadline=None)
@given(rate=st.lists(st.sampled_from([N, 1.0, np.inf]), min_size=1, max_size=40))
def test_known_and_holes_are_all_that_was_promised(rate):
    row = of(field_quality(frame(rate), panel()))

    assert row.known + sum(hole.bars for hole in row.holes) == row.promised
    assert row.promised == (len(rate) - rate.index(1.0) if 1.0 in rate else 0)
    assert all(
        (hole.last - hole.first) == timedelta(hours=hole.bars - 1) for hole in row.holes
    )  # neighbours are one hole
    for hole, later in pairwise(row.holes):
        assert later.first - hole.last >= timedelta(hours=2)
