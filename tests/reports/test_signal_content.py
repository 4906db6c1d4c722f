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
    with pytest.raises(ConfigError, match="unreadable signals: "):
        boards_from_document({"schema": "liqwarn.signals/1", "boards": boards})


def test_a_board_that_lacks_a_key_is_refused():
    raw = orjson.loads(orjson.dumps(document(made.board())))
    del raw["boards"][0]["groups"][0]["signals"][0]["percentile"]

    with pytest.raises(ConfigError, match=r"unreadable signals: TypeError .*percentile"):
        boards_from_document(raw)
