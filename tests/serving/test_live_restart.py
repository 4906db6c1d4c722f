"""What a loop that begins takes up of what the one before left."""

import runpy
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.data.bars.head import Head, create_head
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.message import close_seconds
from liqwarn.data.bars.recovery import HEAD
from liqwarn.data.bars.replay_feed import columns_of
from liqwarn.decisions import ModelStamp
from liqwarn.durable import write_json
from liqwarn.policy.audit import Head as LogHead
from liqwarn.policy.audit import append, read_head
from liqwarn.policy.audit_record import Provenance
from liqwarn.policy.book import advance_book
from liqwarn.policy.breaker import no_evidence
from liqwarn.policy.position import first_position
from liqwarn.serving.live_record import AUDIT
from liqwarn.serving.live_restart import (
    BARS,
    audited_by,
    audited_until,
    journal_columns,
    last_flags,
    last_positions,
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


@pytest.mark.parametrize(
    "content", [b"", b"liqwarn.live/1\n", b"liqwarn.live/2", b"another file", bytes(500)]
)
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


MODEL, NEXT_MODEL = (ModelStamp(version=v, sha256=v * 64) for v in "12")


@pytest.fixture
def log_bars(tmp_path, policy, noon):
    """Log a decision for each of some bars, as made by a model."""

    def log(*hours, model=MODEL):
        for hour in hours:
            now = noon + hour * HOUR
            positions = {
                ("BTCUSDT", side): first_position("BTCUSDT", side, now, bar=HOUR, policy=policy)
                for side in ("long", "short")
            }
            silence = {key: no_evidence(now) for key in positions}
            provenance = Provenance(
                inputs_sha256="1" * 64,
                features_sha256="2" * 64,
                raw_probability={},
                probability={},
                feed_ages_s={},
                model=model,
            )
            append(
                tmp_path / AUDIT,
                tmp_path / "audit.head.json",
                [
                    (one, provenance)
                    for one in advance_book(positions, silence, now, policy).values()
                ],
                policy=policy,
            )
        return tmp_path

    return log


def interrupt(folder, before):
    """As an append leaves a log when it is killed before the head is replaced."""
    write_json(folder / "audit.head.json", asdict(before))


def test_an_empty_record_was_audited_by_nobody_and_long_ago(tmp_path, policy):
    assert not audited_by(tmp_path, MODEL, policy.stamp)
    assert audited_until(tmp_path).year == 1970


def test_the_newest_line_says_who_decided_and_until_when(log_bars, policy, noon):
    folder = log_bars(0, 1)
    assert audited_until(folder) == noon + HOUR
    assert audited_by(folder, MODEL, policy.stamp)
    assert not audited_by(folder, NEXT_MODEL, policy.stamp)
    assert not audited_by(folder, MODEL, replace(policy.stamp, sha256="9" * 64))


def test_the_first_lines_ever_count_though_they_were_not_acknowledged(log_bars, policy):
    """Taken for those of a stranger, the bar would be decided once more behind itself."""
    folder = log_bars(0)
    interrupt(folder, LogHead())
    assert last_positions(folder, None, ["BTCUSDT"])
    assert audited_by(folder, MODEL, policy.stamp)
    assert audited_until(folder).year == 1970


@pytest.mark.parametrize("torn", [0, 7])
def test_lines_of_another_model_count_though_they_were_not_acknowledged(
    log_bars, policy, noon, torn
):
    folder = log_bars(0)
    before = read_head(folder / "audit.head.json")
    log_bars(1, model=NEXT_MODEL)
    interrupt(folder, before)
    with (folder / AUDIT).open("r+b") as log:
        log.truncate((folder / AUDIT).stat().st_size - torn)
    assert audited_by(folder, NEXT_MODEL, policy.stamp)
    assert not audited_by(folder, MODEL, policy.stamp)
    assert audited_until(folder) == noon
