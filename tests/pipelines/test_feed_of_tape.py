"""The law of the chain: what is sent while a tape grows is what the finished tape says, to the bit.

But for one thing: that a line had been silent is told afterwards, and then the batch knows no
liquidations where the live bar had some.
"""

import os
import random
import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from liqwarn.collectors import tape_tables_fold
from liqwarn.collectors.tape import TapeWriter
from liqwarn.config import load_panel
from liqwarn.data.asof import market_frame
from liqwarn.data.bars.codec import decode_message
from liqwarn.data.bars.replay_feed import column_at, messages_of
from liqwarn.data.ingest import ingest
from liqwarn.data.store import Store
from liqwarn.pipelines.feed import FeedJob, PanelFeed
from liqwarn.pipelines.tape_tables import TapeTablesJob, make_tape_tables

PAPER = runpy.run_path(str(Path(__file__).parents[1] / "collectors" / "paper_venue.py"))
START, MINUTE = PAPER["START"], PAPER["MINUTE"]
VENUE = replace(PAPER["PaperVenue"](), name="binance")
PANEL = Path(__file__).parents[2] / "conf" / "panels" / "collected_5m.yaml"
BAR_S = 120
BARS = 8
LOOKS_S = (7, 13, 26)  # after a close
DOUBTED = {"long_liq_usd", "short_liq_usd"}


class Kept:
    """Stands for the producer: keeps what it is given."""

    def __init__(self):
        self.messages = []

    def give(self, lines):
        self.messages += [decode_message(line) for line in lines]


class Growing:
    """A tape that is written as its moments come, and tables that are made of it then."""

    def __init__(self, folder, records):
        self.folder, self._records, self._n = folder, records, 0
        self._writer = TapeWriter(folder / "tape", "binance")
        (folder / "out").mkdir(parents=True)

    def __call__(self, now):
        while self._n < len(self._records) and self._records[self._n].seen_ms <= 1_000 * now:
            self._writer.append(self._records[self._n])
            self._n += 1
        self._writer.sync()
        job = TapeTablesJob(
            tape=self.folder / "tape",
            venue=VENUE,
            symbols=("BTCUSDT",),
            kinds=VENUE.kinds,
            out=self.folder / "out",
        )
        make_tape_tables(job)


def night(rng):
    """A bad night, with candles and open interest in time, and others that come late."""
    begin = START - 2 * MINUTE
    records = PAPER["wild_tape"](rng, start=begin, minutes=2 * BARS + 4, every_ms=5_000)
    more = []
    for close in range(START - MINUTE, START + 2 * BARS * MINUTE, MINUTE):
        for late_ms in (rng.randrange(200, 9_500), rng.randrange(10_500, 40_000)):
            price = rng.uniform(90, 110)
            told = [PAPER["candle"](close, price)]
            for field in ("index", "open_interest", "funding_rate"):
                value = 1e-4 if field == "funding_rate" else price
                told.append(PAPER["reading"](close - rng.randrange(1, 4_000), value, field))
            more.append(PAPER["samples"](close + late_ms, *told))
    return sorted([*records, *more], key=lambda record: record.seen_ms)


def panel_of(folder):
    told = yaml.safe_load(PANEL.read_text()) | {"bar": "2min", "symbols": ["BTCUSDT"]}
    (folder / "panel.yaml").write_text(yaml.safe_dump(told))
    return folder / "panel.yaml"


def sent_live(folder, records):
    """What the feed gives while the tape grows, under a clock that a test turns."""
    kept, growing = Kept(), Growing(folder, records)
    job = FeedJob(
        panel=panel_of(folder), data=folder / "out", store=folder / "live",
        patience=timedelta(seconds=25), back=0,
    )  # fmt: skip
    began = START // 1_000
    feed = PanelFeed(job, kept, now=began, refresh=growing)
    whole = 0
    for bar in range(1, BARS + 1):
        for after in LOOKS_S:
            now = began + BAR_S * bar + after
            if feed.due(now):
                turn = feed.look(now)
                assert turn.fault == ""
                whole += turn.whole
    growing(began + 100 * BAR_S)
    return kept.messages, whole


def found_later(folder):
    """What the batch makes of the finished tape, in a store of its own."""
    panel = load_panel(folder / "panel.yaml")
    store = Store(folder / "later")
    ingest(panel, folder / "out", store, now=datetime(2030, 1, 1, tzinfo=UTC))
    frame = market_frame(store, panel)
    return {
        message.time: message
        for bar in range(frame.times.size)
        for message in messages_of(column_at(frame, bar))
    }


def law(folder, seed):
    sent, whole = sent_live(folder, night(random.Random(seed)))
    found = found_later(folder)
    assert len(sent) == BARS
    assert whole >= BARS - 3, "bars of which everything was there in time"
    doubted = 0
    for message in sent:
        if "close" not in message.fields:  # nobody had recorded ten seconds after it in time
            continue
        later = found[message.time]
        lost = set(message.fields) - set(later.fields)
        assert lost <= DOUBTED, (message.time, lost)
        doubted += bool(lost)
        assert {n: v for n, v in message.fields.items() if n not in lost} == dict(later.fields)
        assert {n: v for n, v in message.ages.items() if n not in lost} == dict(later.ages)
        own = ("close", "open_interest", *(DOUBTED & set(message.fields)))
        assert {message.ages[name] for name in own} == {0.0}, "the bar holds its own last minute"
    return doubted, sum(set(message.fields) > DOUBTED for message in sent)


@pytest.mark.parametrize("seed", range(20 if os.environ.get("LIQWARN_FAULTS") == "full" else 1))
def test_what_is_sent_is_what_the_finished_tape_says(tmp_path, seed):
    doubted, heard = law(tmp_path, seed)

    assert doubted < max(heard, 1)


def test_rows_that_are_written_sooner_break_the_law(tmp_path, monkeypatch):
    monkeypatch.setattr(tape_tables_fold, "GRACE_MS", 5_000)

    with pytest.raises(AssertionError, match=r"."):
        law(tmp_path, 0)
