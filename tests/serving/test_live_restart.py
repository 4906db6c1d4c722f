"""What a loop that begins takes up of what the one before left."""

import runpy
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.data.bars.head import Head, create_head
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.message import close_seconds
from liqwarn.data.bars.recovery import HEAD
from liqwarn.data.bars.replay_feed import columns_of
from liqwarn.serving.live_restart import (
    BARS,
    journal_columns,
    last_flags,
    remove_unfinished,
    restored,
)

live = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("live_given.py"))))
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
    for folder in ("bars", "history"):
        (tmp_path / folder).mkdir()
    kept = [
        "bars/head",
        "bars/000000000000.bars",
        "flags.json",
        "audit.head.json",
        ".last_good_bundle.ab12.tmp.json",
        "history/.x.parquet",
    ]
    gone = [
        "bars/.head.ab12.tmp",
        ".events.ab12.tmp.csv",
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


def test_without_a_snapshot_there_is_nothing_to_go_on_from(tmp_path):
    assert restored(tmp_path, PANEL, None, panel_sha256="p") is None


@pytest.mark.parametrize("content", [b"", b"liqwarn.live/1", b"another file", bytes(500)])
def test_a_snapshot_that_is_none_is_set_aside(tmp_path, content):
    path = tmp_path / "snapshot.live"
    path.write_bytes(content)

    assert restored(tmp_path, live.small_panel(), None, panel_sha256="p") is None
    assert not path.exists()
    assert (tmp_path / "snapshot.live.damaged").read_bytes() == content


def test_a_snapshot_that_cannot_be_read_stays(tmp_path):
    (tmp_path / "snapshot.live").mkdir()

    assert restored(tmp_path, live.small_panel(), None, panel_sha256="p") is None
    assert (tmp_path / "snapshot.live").is_dir()


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path / BARS, live.small_panel()) as opened:
        yield opened


def test_an_empty_journal_has_no_bars_to_take_again(journal):
    assert journal_columns(journal, live.small_panel(), 0) == ()


@pytest.mark.parametrize("after", range(7))
def test_the_journal_s_bars_behind_a_moment_are_taken_again(journal, after):
    frame = live.small_frame(6)
    columns = list(columns_of(frame))
    journal.append(columns)
    moment = close_seconds(columns[0].time) + (after - 1) * 3_600

    found = journal_columns(journal, live.small_panel(), moment)

    assert [one.time for one in found] == [one.time for one in columns[after:]]
    for one, expected in zip(found, columns[after:], strict=True):
        for name, values in expected.fields.items():
            assert one.fields[name].tolist() == values.tolist()
        assert one.ages.keys() == expected.ages.keys()
