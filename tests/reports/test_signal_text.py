"""Boards in words: the verdict in every case, values with their units, the board as lines."""

import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.features.signal_catalogue import SIGNALS
from liqwarn.features.signals import Shown, Words
from liqwarn.frames import SIDES
from liqwarn.reports.signal_text import (
    board_text,
    percentile_text,
    phrase_text,
    value_text,
    verdict_text,
)

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("signal_boards.py"))))
CHANCE = "BTCUSDT long side: 6.8 % in 4 h, 5.1× the base rate, at the 97th percentile"


def test_the_verdict_names_the_strongest_on_both_sides():
    board = made.board(
        made.group("funding", made.reading("funding", 0.5, phrase="high funding")),
        made.group(
            "clusters",
            made.reading("cluster", 0.7, phrase="a cluster 1.8 % below", percentile=None),
        ),
        made.group("depth", made.reading("depth", -0.2, phrase="deep books", percentile=0.91)),
        made.group("flows", made.missing()),
    )

    assert verdict_text(board) == (
        f"{CHANCE}; pushed up by a cluster 1.8 % below and high funding (98th percentile), "
        "held down by deep books (91st percentile); 1 of 4 signals missing"
    )


def test_at_most_three_raise_and_two_lower():
    up = [made.group(f"g{k}", made.reading(f"up{k}", 0.1 * k)) for k in range(1, 6)]
    down = [made.group(f"h{k}", made.reading(f"down{k}", -0.1 * k)) for k in range(1, 6)]

    text = verdict_text(made.board(*up, *down))

    assert [k for k in range(1, 6) if f"high up{k}" in text] == [3, 4, 5]
    assert [k for k in range(1, 6) if f"high down{k}" in text] == [4, 5]
    assert text.index("up5") < text.index("up4") < text.index("up3")
    assert "high up5 (98th percentile), high up4 (98th percentile) and high up3" in text


def test_of_equal_pushes_the_first_on_the_board_comes_first():
    board = made.board(
        made.group("a", made.reading("one", 0.3)), made.group("b", made.reading("two", 0.3))
    )

    assert "high one (98th percentile) and high two" in verdict_text(board)


def test_a_group_whose_signals_cancel_speaks_once_and_the_way_it_goes():
    pushes = {"month": 1.5, "week": -0.7, "day": -0.9}
    signals = [made.reading(key, push) for key, push in pushes.items()]
    board = made.board(
        made.group("volatility", *signals), made.group("depth", made.reading("depth", -0.2))
    )

    text = verdict_text(board)

    assert "month" not in text
    assert "week" not in text
    assert text.index("high depth") < text.index("high day")  # it counts as much as its group


def test_a_group_whose_signals_cancel_out_is_silent():
    group = made.group("volatility", made.reading("month", 1.5), made.reading("week", -1.5))

    assert "no signal pushes it clearly up or down" in verdict_text(made.board(group))


def test_all_neutral():
    board = made.board(made.group("funding", made.reading(push=0.001)))

    assert verdict_text(board) == (
        f"{CHANCE}; no signal pushes it clearly up or down; no signal missing"
    )


def test_only_lowering():
    board = made.board(made.group("depth", made.reading("depth", -0.4)))

    assert "; held down by high depth (98th percentile); " in verdict_text(board)
    assert "pushed" not in verdict_text(board)


def test_all_missing():
    board = made.board(made.group("flows", made.missing(), made.missing("inflow")))

    assert verdict_text(board).endswith(
        "; no signal pushes it clearly up or down; all 2 signals missing"
    )


def test_no_probability():
    none = made.group("funding", made.reading(push=None, direction=None))
    board = made.without_probability(replace(none, contribution=None, rest=None), tier="T3")

    assert verdict_text(board) == (
        "BTCUSDT long side: no probability, core inputs are missing; tier T3; no signal missing"
    )


def test_what_is_not_known_is_left_out():
    board = made.board(base_rate=None, quantile=None)

    assert verdict_text(board).startswith("BTCUSDT long side: 6.8 % in 4 h; pushed up by")


def test_the_tier_is_told_when_it_is_known():
    assert f"{CHANCE}; tier T2; pushed up by" in verdict_text(made.board(tier="T2"))


def test_a_surprise_is_called_one():
    board = made.board(made.group("funding", made.reading(agrees=False)))

    assert "high funding rate (98th percentile, against expectation)" in verdict_text(board)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0th"), (0.01, "1st"), (0.29, "29th"), (0.998, "99th"), (1.0, "100th"), (0.119, "11th")],
)
def test_percentiles_are_never_rounded_up(share, text):
    assert percentile_text(share) == f"{text} percentile"


@pytest.mark.parametrize(
    ("value", "shown", "text"),
    [
        (-0.00004, Shown("percent", 2, plus=True), "+0.00 %"),
        (1234.5, Shown("plain", 1, "h"), "1,234.5 h"),
        (0.6, Shown("yes"), "yes"),
        (0.0, Shown("yes"), "no"),
        (-2.5, Shown("plain", 1, "σ", plus=True), "−2.5 σ"),
        (1e9, Shown("ratio", 0), "1,000,000×"),
        (0.02, Shown("growth", 1, plus=True), "+2.0 %"),
    ],
)
def test_a_value_is_written_with_its_unit(value, shown, text):
    assert value_text(value, shown) == text


@pytest.mark.parametrize(
    ("words", "value", "level", "text"),
    [
        (Words("much", "little"), 5.0, "high", "much"),
        (Words("much", "little"), 5.0, "low", "little"),
        (Words("much", "little"), 5.0, "middle", "a title, at 5.0"),
        (Words("much", "little"), 5.0, None, "a title, at 5.0"),
        (Words("up", "down", 0.0), 5.0, "low", "up"),
        (Words("up", "down", 0.0), -5.0, "high", "down"),
        (Words("up", "down", 0.0), 0.0, "high", "a title, at 0.0"),
        (Words("{value} {where}", ""), 5.0, "high", "5.0 above"),
    ],
)
def test_a_value_in_a_sentence(words, value, level, text):
    assert phrase_text("short", "A title", words, value, (f"{value:.1f}", level)) == text


@given(
    value=st.floats(-1e3, 1e3), level=st.sampled_from(("high", "middle", "low", None)),
    signal=st.sampled_from(SIGNALS), side=st.sampled_from(SIDES),
)  # fmt: skip
def test_any_value_of_any_signal_has_words(value, level, signal, side):
    text = value_text(value, signal.shown)
    phrase = phrase_text(side, signal.title_of(side), signal.words, value, (text, level))

    assert phrase
    assert "{" not in phrase + text


def test_the_board_as_lines():
    board = made.board(
        made.group("funding", made.reading(agrees=False), made.missing("basis", "now"), rest=0.05),
        made.group("flows", made.missing(), made.reading("inflow", None, direction=None)),
    )

    lines = board_text(board).splitlines()

    assert lines == [
        "BTCUSDT long side: 6.8 % in 4 h",
        "",
        "Funding: +0.35 log-odds, of which +0.05 by features not shown or missing",
        "  Funding rate  1.0          98th  +0.30  raising (against expectation)",
        "  Basis         missing now",
        "",
        "Flows: +0.00 log-odds, of which +0.00 by features not shown or missing",
        "  Whales  missing for 180 days",
        "  Inflow  1.0                   98th  not read",
    ]
