"""What a loop that begins takes up of what the one before left."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from liqwarn.data.bars.head import Head, create_head
from liqwarn.data.bars.recovery import HEAD
from liqwarn.serving.live_restart import BARS, last_flags, remove_unfinished

HOUR = timedelta(hours=1)
PANEL = SimpleNamespace(symbol_names=("BTCUSDT", "ETHUSDT"))


@pytest.fixture
def left(tmp_path, write_flags, make_flag, noon):
    """A record whose flags are of noon, and whose journal ends at some moment."""

    def make(journal_ends):
        write_flags(*(make_flag(symbol, as_of=noon) for symbol in ("BTCUSDT", "OLDUSDT")))
        (tmp_path / BARS).mkdir()
        moment = int(journal_ends.timestamp())
        create_head(tmp_path / BARS / HEAD, Head(turn=1, count=1, first=moment, last=moment))
        return tmp_path

    return make


def test_flags_of_the_newest_bar_are_taken_up_but_for_symbols_that_left(left, noon):
    assert set(last_flags(left(noon), PANEL).flags) == {"BTCUSDT"}


def test_flags_that_a_later_bar_may_have_made_stricter_are_not(left, noon):
    assert last_flags(left(noon + HOUR), PANEL) is None


def test_without_a_journal_nobody_knows_whether_they_are_the_newest(
    tmp_path, write_flags, make_flag
):
    write_flags(make_flag())
    assert last_flags(tmp_path, PANEL) is None


def test_leavings_of_a_killed_writer_are_removed_and_nothing_else(tmp_path):
    (tmp_path / "history").mkdir()
    kept = [
        "flags.json",
        "audit.head.json",
        ".last_good_bundle.ab12.tmp.json",
        "history/.x.parquet",
    ]
    gone = [
        ".flags.ab12.tmp.json",
        ".snapshot.ab12.tmp.live",
        ".audit.head.ab12.tmp.json",
        "history/.2024-08-05.ab12.tmp.parquet",
    ]
    for name in (*kept, *gone):
        (tmp_path / name).write_bytes(b"x")

    remove_unfinished(tmp_path)

    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert there == set(kept)
