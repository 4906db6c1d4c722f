"""What the record keeps when the disk does not take it."""

from datetime import timedelta
from types import SimpleNamespace

import pandas as pd
import pytest

from liqwarn.decisions import flag_to_dict
from liqwarn.live.flag_rows import FLAG_COLUMNS
from liqwarn.serving import live_record
from liqwarn.serving.live_record import LiveRecord
from liqwarn.tables import read_table, write_table


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setattr(live_record, "flag_rows", lambda bar, flags: list(flags))
    return LiveRecord(tmp_path, None, panel_sha256="p", document=flag_to_dict)


def bar_of(moment):
    return SimpleNamespace(scores=SimpleNamespace(as_of=moment))


def row_of(moment):
    row = dict.fromkeys(FLAG_COLUMNS, 0.5) | dict.fromkeys(("symbol", "side", "tier", "model"), "x")
    row |= dict.fromkeys(("state", "rule", "quality"), "x") | {"sequence": 1}
    row |= dict.fromkeys(("as_of", "issued_at", "valid_until"), pd.Timestamp(moment))
    return tuple(row[name] for name in FLAG_COLUMNS)


def add(record, moment):
    record.history(bar_of(moment), [row_of(moment)])


def moments(path):
    return list(read_table(path)["as_of"])


def test_flags_of_a_day_that_could_not_be_written_are_written_the_next_day(
    record, noon, tmp_path, monkeypatch
):
    def full(table, path):
        raise OSError("no space left")

    later = noon + timedelta(hours=18)
    assert record.recorded_until().year == 1970
    monkeypatch.setattr(live_record, "write_table", full)
    with pytest.raises(OSError, match="no space left"):
        add(record, noon)
    assert record.owes
    monkeypatch.setattr(live_record, "write_table", write_table)
    add(record, later)

    assert not record.owes
    assert moments(tmp_path / "history" / f"{noon:%Y-%m-%d}.parquet") == [noon]
    assert moments(tmp_path / "history" / f"{later:%Y-%m-%d}.parquet") == [later]
    assert record.recorded_until() == later


def test_a_bar_that_is_taken_again_stands_once(record, noon, tmp_path):
    for hours in (0, 1):
        add(record, noon + timedelta(hours=hours))
    record.begin()
    add(record, noon + timedelta(hours=1))

    found = moments(tmp_path / "history" / f"{noon:%Y-%m-%d}.parquet")
    assert found == [noon, noon + timedelta(hours=1)]


def test_killed_while_it_writes_a_snapshot_the_scores_are_those_of_the_one_that_is_there(
    record, tmp_path, monkeypatch
):
    """Orders behind it are decided again, and must be decided as they were."""

    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    monkeypatch.setattr(live_record, "pack_memory", lambda *_, **__: [b"memory of the bar"])
    monkeypatch.setattr(live_record, "pack_scores", lambda scores: scores)
    engine = SimpleNamespace(memory=None)
    record.snapshot(engine, b"scores of the bar")
    with monkeypatch.context() as patch:
        patch.setattr(live_record, "replace_file", kill)
        with pytest.raises(Killed):
            record.snapshot(engine, b"scores of the next bar")

    assert (tmp_path / "snapshot.live").read_bytes() == b"memory of the bar"
    assert (tmp_path / "scores.live").read_bytes() == b"scores of the bar"
