from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.reports.channel_view import CHANNELS, channel_view

MOVES = st.dictionaries(st.sampled_from(list(CHANNELS)), st.floats(-20, 20), min_size=1)


def document(**moves):
    channels = {name: {"mean_pct": move, "share": 0.1} for name, move in moves.items()}
    return {"symbols": ["A"], "symbols_results": {"A": {"channels": channels}}}


def test_falls_stack_left_of_zero_and_rises_right():
    view = channel_view(document(news=-4.0, liquidation=-6.0, arbitrage=2.0))
    (row,) = view.rows
    news, liquidation, arbitrage = row.segments

    assert news.left + news.width == pytest.approx(view.zero)
    assert liquidation.left + liquidation.width == pytest.approx(news.left)
    assert arbitrage.left == pytest.approx(view.zero)
    assert liquidation.width / news.width == pytest.approx(1.5)
    assert (row.total, row.endogenous) == ("−8.0 %", "50 %")
    assert liquidation.title == "A, liquidation: −6.0 %"


@given(MOVES)
def test_every_bar_is_inside_and_its_pieces_never_overlap(moves):
    view = channel_view(document(**moves))
    segments = sorted(view.rows[0].segments, key=lambda s: s.left)

    assert all(0 <= s.left <= s.left + s.width <= 100 + 1e-9 for s in segments)
    for one, other in pairwise(segments):
        assert one.left + one.width <= other.left + 1e-9


def test_channels_that_are_missing_are_dashes_and_not_zero():
    (row,) = channel_view(document(news=-4.0)).rows

    assert row.cells[0] == ("−4.0", "10 %")
    assert set(row.cells[1:]) == {("–", "–")}


def test_a_negative_share_has_a_proper_sign():
    raw = document(news=-4.0)
    raw["symbols_results"]["A"]["channels"]["news"]["share"] = -0.25

    assert channel_view(raw).rows[0].cells[0] == ("−4.0", "−25 %")


def test_without_channels_there_is_no_view():
    assert channel_view({"symbols": ["A"], "symbols_results": {"A": {}}}) is None
