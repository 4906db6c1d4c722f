"""A panel's growing files as bars: what is sent is what the batch finds, when it can be known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import yaml

from liqwarn.config import load_panel
from liqwarn.data.asof import market_frame
from liqwarn.data.bars.codec import decode_message
from liqwarn.data.bars.replay_feed import column_at, messages_of
from liqwarn.data.ingest import ingest
from liqwarn.data.store import Store
from liqwarn.errors import ConfigError, SourceError
from liqwarn.pipelines import feed as module
from liqwarn.pipelines.feed import FeedJob, PanelFeed

START = 1_704_067_200  # 2024-01-01 00:00 UTC
HOUR = 3_600


class Kept:
    """Stands for the producer: keeps what it is given."""

    def __init__(self):
        self.messages = []

    def give(self, lines):
        self.messages += [decode_message(line) for line in lines]


@pytest.fixture
def folder(tmp_path):
    source = {
        "name": "candles",
        "file": "{symbol}.csv",
        "time": {"column": "t", "unit": "s", "label": "start", "step": "1h"},
        "fields": {"close": "close", "volume": "volume"},
    }
    interest = {
        "name": "interest",
        "file": "oi-{symbol}.csv",
        "time": {"column": "t", "unit": "s", "label": "end"},
        "fields": {"open_interest": "oi"},
        "optional": False,
    }
    panel = {
        "name": "followed",
        "market": "real",
        "bar": "1h",
        "symbols": ["BTCUSDT", "ETHUSDT"],
        "core": ["close"],
        "sources": [source, interest],
    }
    (tmp_path / "panel.yaml").write_text(yaml.safe_dump(panel))
    (tmp_path / "data").mkdir()
    return tmp_path


def write(folder, hours, symbols=("BTCUSDT", "ETHUSDT")):
    """Candles of so many hours since the start, and open interest at every half hour."""
    for symbol in symbols:
        k = float(symbol == "ETHUSDT")
        rows = [f"{START + HOUR * h},{100.0 + k + 0.1 * h},{5.0 + h}" for h in range(hours)]
        path = folder / "data" / f"{symbol}.csv"
        path.write_text("\n".join(["t,close,volume", *rows]) + "\n")
        marks = [f"{START + 1_800 * h + 900},{1_000.0 + h}" for h in range(2 * hours)]
        path = folder / "data" / f"oi-{symbol}.csv"
        path.write_text("\n".join(["t,oi", *marks]) + "\n")


def following(folder, now, **changes):
    job = FeedJob(
        panel=folder / "panel.yaml", data=folder / "data", store=folder / "store", **changes
    )
    kept = Kept()
    return PanelFeed(job, kept, now=now), kept


def closes(kept):
    return [(m.symbol, int(m.time.astype("int64")) - START) for m in kept.messages]


def test_a_bar_is_sent_once_when_every_symbol_is_there(folder):
    write(folder, 3)
    feed, kept = following(folder, START + 3 * HOUR, back=0)
    assert not feed.due(START + 3 * HOUR)

    write(folder, 4)
    turn = feed.look(START + 4 * HOUR + 1)

    assert (turn.sent, turn.whole, turn.fault) == (2, 2, "")
    assert turn.bar == datetime.fromtimestamp(START + 4 * HOUR, tz=UTC)
    assert closes(kept) == [("BTCUSDT", 4 * HOUR), ("ETHUSDT", 4 * HOUR)]
    assert feed.look(START + 4 * HOUR + 3).sent == 0
    assert feed.next_close == START + 5 * HOUR


def test_who_is_late_is_waited_for_and_then_sent_as_it_is(folder):
    write(folder, 4)
    write(folder, 3, symbols=("ETHUSDT",))
    feed, kept = following(folder, START + 4 * HOUR, patience=timedelta(seconds=30))

    assert feed.look(START + 4 * HOUR + 1).sent == 1
    assert feed.look(START + 4 * HOUR + 10).sent == 0
    turn = feed.look(START + 4 * HOUR + 30)

    assert (turn.sent, turn.whole) == (1, 0)
    assert closes(kept) == [("BTCUSDT", 4 * HOUR), ("ETHUSDT", 4 * HOUR)]
    assert "close" not in kept.messages[1].fields
    assert kept.messages[1].fields["open_interest"] == 1_005.0  # the last one known, with its age
    assert kept.messages[1].ages["open_interest"] == HOUR + 900


def test_nothing_is_looked_at_before_it_can_be_known(folder):
    write(folder, 4)
    feed, kept = following(folder, START + 4 * HOUR - 1, back=0, wait=timedelta(seconds=12))

    assert [feed.due(START + 4 * HOUR + after) for after in (0, 11.9, 12)] == [False, False, True]
    assert feed.look(START + 4 * HOUR + 11).sent == 0
    assert feed.look(START + 4 * HOUR + 12).sent == 2
    assert len(kept.messages) == 2


def test_who_came_within_the_patience_is_sent_whole(folder):
    write(folder, 4)
    write(folder, 3, symbols=("ETHUSDT",))
    feed, kept = following(folder, START + 4 * HOUR)
    feed.look(START + 4 * HOUR + 1)

    write(folder, 4)
    feed.look(START + 4 * HOUR + 5)

    assert kept.messages[1].fields["close"] == pytest.approx(101.3)


def test_bars_missed_while_away_are_sent_in_order(folder):
    write(folder, 9)
    feed, kept = following(folder, START + 5 * HOUR, back=2)

    turn = feed.look(START + 9 * HOUR + 5)

    assert [at for _, at in closes(kept)][::2] == [h * HOUR for h in (4, 5, 6, 7, 8, 9)]
    assert turn.sent == 12
    assert feed.bars_since(START + 4 * HOUR) == 6


def test_what_is_sent_is_bit_for_bit_what_the_batch_finds(folder):
    feed, kept = None, None
    for hours in range(2, 8):
        write(folder, hours)
        if feed is None:
            feed, kept = following(folder, START + hours * HOUR, back=1)
        feed.look(START + hours * HOUR + 2)

    panel = load_panel(folder / "panel.yaml")
    store = Store(folder / "later")
    ingest(panel, folder / "data", store, now=datetime(2024, 2, 1, tzinfo=UTC))
    frame = market_frame(store, panel)
    expected = [
        message
        for bar in range(frame.times.size)
        for message in messages_of(column_at(frame, bar))
        if frame.times[bar] >= np.datetime64(START + 2 * HOUR, "s")
    ]
    assert kept.messages == expected


def test_only_files_that_changed_are_read_again(folder, monkeypatch):
    write(folder, 3)
    feed, _ = following(folder, START + 3 * HOUR)
    feed.look(START + 3 * HOUR + 1)
    seen = []

    def watched(panel, place, store, *, now):
        def told(path):
            answer = place.wanted(path)
            seen.append((path.name, answer))
            return answer

        return ingest(panel, replace(place, wanted=told), store, now=now)

    monkeypatch.setattr(module, "ingest", watched)
    write(folder, 4, symbols=("ETHUSDT",))
    feed.look(START + 4 * HOUR + 1)

    assert dict(seen) == {
        "BTCUSDT.csv": False, "ETHUSDT.csv": True,
        "oi-BTCUSDT.csv": False, "oi-ETHUSDT.csv": True,
    }  # fmt: skip


def test_a_damaged_file_is_told_and_the_bar_goes_out_when_its_time_has_come(folder):
    write(folder, 4)
    feed, kept = following(folder, START + 4 * HOUR)
    feed.look(START + 4 * HOUR + 1)
    write(folder, 5)
    (folder / "data" / "oi-ETHUSDT.csv").write_text("<html>502 Bad Gateway</html>")

    turn = feed.look(START + 5 * HOUR + 30)
    assert "oi-ETHUSDT.csv" in turn.fault
    assert turn.sent == 2

    write(folder, 6)
    assert feed.look(START + 6 * HOUR + 1).fault == ""
    assert closes(kept)[-1] == ("ETHUSDT", 6 * HOUR)


def test_files_are_refreshed_before_each_look_and_a_fault_of_it_is_told(folder):
    write(folder, 3)
    feed, kept = following(folder, START + 3 * HOUR, back=0)
    calls = []

    def refresh(now):
        calls.append(now)
        if len(calls) == 1:
            raise SourceError("the venue is away")
        write(folder, 4)

    feed._refresh = refresh

    assert "the venue is away" in feed.look(START + 4 * HOUR + 1).fault
    assert feed.look(START + 4 * HOUR + 3).sent == 2
    assert len(calls) == 2
    assert kept.messages


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"patience": timedelta(0)}, "patience is 0:00:00, expected above 0 and below a bar"),
        ({"patience": timedelta(hours=1)}, "patience is 1:00:00, expected above 0 and below"),
        ({"every": timedelta(minutes=1)}, "every is 0:01:00, expected above 0 and at most the"),
        ({"back": -1}, "back is -1, expected 0 or more"),
    ],
)
def test_a_job_that_cannot_be_done_is_refused(folder, changes, match):
    with pytest.raises(ConfigError, match=match):
        following(folder, START, **changes)


def test_every_fault_is_told_together(folder):
    job = FeedJob(panel=folder / "panel.yaml", data=folder / "nowhere", back=-1)

    with pytest.raises(ConfigError, match=r"(?s)data folder is .*nowhere.*back is -1"):
        PanelFeed(replace(job), Kept(), now=START)
