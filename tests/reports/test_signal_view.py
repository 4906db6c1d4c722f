"""Boards on the page: in the order of the flags, bars in scale, nothing hidden, all escaped."""

import re
import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.reports.page import render_report
from liqwarn.reports.signal_view import signals_view

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("signal_boards.py"))))
GROUPS = (
    made.group("funding", made.reading(push=0.4, agrees=False), made.missing("basis"), rest=0.1),
    made.group("depth", made.reading("depth", -0.25), made.reading("bids", 0.001)),
)


def boards_of(content):
    return tuple(
        made.board(*GROUPS, symbol=flag["symbol"], side=side, as_of=flag["as_of"])
        for flag in content.flags
        for side in ("long", "short")
    )


def test_boards_stand_in_the_order_of_the_flags(content):
    view = signals_view(boards_of(content)[::-1], content.flags)

    assert len(view.boards) == 20
    assert view.others == 0
    assert [b.tier for b in view.boards] == sorted((b.tier for b in view.boards), reverse=True)


def test_a_board_of_another_bar_is_not_shown_as_this_flags(content):
    boards = [replace(board, as_of="2024-08-05T02:00:00.000Z") for board in boards_of(content)]

    view = signals_view(boards, content.flags)

    assert (view.boards, view.others) == ((), 20)


def test_bars_start_in_the_middle_and_the_largest_fills_its_half(content):
    groups = signals_view(boards_of(content), content.flags).boards[0].groups
    funding, basis = groups[0].rows

    assert (groups[0].push.left, groups[0].push.width) == (50.0, 50.0)
    assert (funding.push.left, funding.push.width) == (50.0, 40.0)
    assert (groups[1].rows[0].push.left, groups[1].rows[0].push.width) == (25.0, 25.0)
    assert (basis.push.text, basis.push.width, basis.missing) == ("–", 0.0, "missing for 180 days")


def test_tiny_pushes_do_not_look_large(content):
    small = made.board(
        made.group("depth", made.reading("depth", 0.01)),
        symbol=content.flags[0]["symbol"],
        as_of=content.flags[0]["as_of"],
    )

    view = signals_view([small], content.flags[:1])

    assert view.boards[0].groups[0].rows[0].push.width == 5.0


def test_a_board_says_what_adds_up_or_that_nothing_does(content):
    flag = content.flags[0]
    at = {"symbol": flag["symbol"], "as_of": flag["as_of"]}
    with_p, without = made.board(*GROUPS, **at), made.without_probability(*GROUPS, **at)

    said = [signals_view([b], [flag]).boards[0].sum_text for b in (with_p, without)]

    assert said == [
        "Log-odds −2.62 (6.8 %) = start −4.20 + groups +1.58.",
        "No probability, so no contributions.",
    ]


@pytest.fixture(scope="module")
def section(content):
    page = render_report(replace(content, signals=boards_of(content)))
    return page[page.index('<section id="signals">') : page.index('<section id="tiers">')]


def test_the_page_shows_every_board_and_the_first_open(section):
    assert section.count("<details") == 20
    assert section.count('<details class="board" open>') == 1
    assert section.count("<summary>") == 20


def test_tables_are_readable_without_eyes_or_mouse(section):
    assert section.count("<caption") == section.count("<table") == 20
    assert section.count('scope="rowgroup"') == 2 * 20
    assert section.count('scope="row"') == 4 * 20
    assert section.count('role="region" tabindex="0" aria-label=') == 20
    assert "▲ raising" in section  # colour is never the only sign
    assert "▼ lowering" in section
    assert "the model reads it the other way" in section
    assert "missing for 180 days" in section


def test_what_comes_from_outside_is_escaped(content):
    evil = made.board(
        made.group("funding", made.reading(title="<b>", text="<i>x</i>")),
        verdict="<script>alert(1)</script>",
        symbol=content.flags[0]["symbol"],
        as_of=content.flags[0]["as_of"],
    )

    page = render_report(replace(content, signals=(evil,)))

    assert "<script>alert" not in page
    assert "<i>x</i>" not in page


def test_without_boards_the_page_says_so(content):
    page = render_report(replace(content, signals=()))

    assert "There is no signal board of these flags" in page
    assert not re.search(r'<details class="board"', page)
