"""Boards as a document: what is written is read back, what is no board is refused."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from liqwarn.errors import ConfigError
from liqwarn.reports.signal_content import (
    NEUTRAL,
    boards_from_document,
    direction_of,
    document_of,
)

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("signal_boards.py"))))


def document(*boards):
    return document_of(boards, generated_at="2024-08-05T03:00:10.000Z", market="real")


def test_what_is_written_is_read_back():
    boards = (
        made.board(made.group("funding", made.reading(), made.missing(), rest=0.1)),
        made.without_probability(made.group("depth", made.missing(since="now")), side="short"),
    )

    text = orjson.dumps(document(*boards))

    assert boards_from_document(orjson.loads(text)) == boards


def test_the_document_counts_its_signals():
    board = made.board(made.group("funding", made.reading(), made.missing()))

    raw = document(board)["boards"][0]

    assert (raw["signals"], raw["live"]) == (2, 1)
    assert (board.total, board.live) == (2, 1)


@pytest.mark.parametrize(
    ("push", "direction"),
    [(NEUTRAL, "raising"), (-NEUTRAL, "lowering"), (0.9 * NEUTRAL, "neutral"), (None, None)],
)
def test_a_small_push_is_neutral(push, direction):
    assert direction_of(push) == direction


@pytest.mark.parametrize("raw", [{}, None, [], {"schema": "liqwarn.signals/9"}])
def test_another_schema_is_refused(raw):
    with pytest.raises(ConfigError, match=r"signals have schema .*, expected 'liqwarn.signals/1'"):
        boards_from_document(raw)


@pytest.mark.parametrize("boards", [[{}], [{"groups": None, "side": "long"}], None, ["x"]])
def test_unreadable_boards_are_refused(boards):
    with pytest.raises(ConfigError, match="unreadable signals:"):
        boards_from_document({"schema": "liqwarn.signals/1", "boards": boards})


@pytest.fixture
def raw():
    """A document of one board with one signal, as it comes from the file."""
    return orjson.loads(orjson.dumps(document(made.board())))


def test_a_board_that_lacks_a_key_is_refused(raw):
    del raw["boards"][0]["groups"][0]["signals"][0]["percentile"]

    with pytest.raises(ConfigError, match=r"signals\[0\]\.percentile: required and missing"):
        boards_from_document(raw)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("contribution", "x", "found 'x'. Input should be a valid number"),
        ("contribution", True, "found True. Input should be a valid number"),
        ("percentile", [1], "found [1]. Input should be a valid number"),
        ("percentile", 1e300, "found 1e+300. Input should be less than or equal to 1"),
        ("level", "top", "found 'top'. Input should be 'high', 'middle' or 'low'"),
        ("agrees", 1, "found 1. Input should be a valid boolean"),
        ("title", None, "found None. Input should be a valid string"),
        ("text", "1\x1b[2J", r"found '1\x1b[2J', expected no control characters"),
        ("phrase", "a\nb", r"found 'a\nb', expected no control characters"),
        ("value", "\x1b]0;x\x07", r"found '\x1b]0;x\x07'. Input should be a valid number"),
    ],
)
def test_a_field_that_cannot_be_is_named_and_nothing_of_it_steers_a_terminal(
    raw, field, value, told
):
    raw["boards"][0]["groups"][0]["signals"][0][field] = value

    with pytest.raises(ConfigError, match=r"unreadable signals:\n  boards\[0\]") as refused:
        boards_from_document(raw)

    lines = str(refused.value).split("\n")
    assert lines[1:] == [f"  boards[0].groups[0].signals[0].{field}: {told}"]
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("field", "value"), [("symbol", "BTC\r"), ("verdict", "\x9b2J"), ("side", "up"), ("p_4h", 1.1)]
)
def test_the_fields_of_the_board_itself_are_read_as_strictly(raw, field, value):
    raw["boards"][0][field] = value

    with pytest.raises(ConfigError, match=rf"boards\[0\]\.{field}: found"):
        boards_from_document(raw)


def test_every_fault_is_named_at_once_and_shortly(raw):
    raw["boards"][0]["quantile"] = "x" * 10_000
    raw["boards"][0]["groups"][0]["rest"] = {}

    with pytest.raises(ConfigError, match=r"quantile: found 'x+\.\.\.x+'.*\n.*rest: found {}"):
        boards_from_document(raw)


def test_a_file_nested_without_end_is_refused(raw):
    deep = []
    for _ in range(500):
        deep = [deep]
    raw["boards"][0]["verdict"] = deep

    with pytest.raises(ConfigError, match="unreadable signals:\n  Recursion limit reached"):
        boards_from_document(raw)
