"""Bars, feeds and clocks of the tests of the live service's faults, and what it left on disk."""

import runpy
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from liqwarn.data.bars.codec import encode_message
from liqwarn.data.bars.feed import Delivery
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.message import BarMessage
from liqwarn.data.bars.replay_feed import columns_of, messages_of
from liqwarn.errors import DataError
from liqwarn.live.engine import LiveEngine
from liqwarn.policy.audit import replay, verify
from liqwarn.tables import read_table

_CORE = ("close", "open_interest")


def seconds(moment):
    return int(moment.astype("datetime64[s]").astype("int64"))


def at(moment):
    return datetime.fromtimestamp(seconds(moment), tz=UTC)


def bars_of(frame, rng, gap=0.02):
    """Each bar's time and messages; some values are missing, and carried from before."""
    for column in columns_of(frame):
        yield column.time, [_some(message, rng, gap) for message in messages_of(column)]


def _some(message, rng, gap):
    kept = {k: v for k, v in message.fields.items() if k in _CORE or rng.random() > gap}
    return told(message.symbol, message.time, message.bar_s, kept)


def told(symbol, time_, bar_s, fields):
    return BarMessage(symbol=symbol, time=time_, bar_s=bar_s, fields=fields)


def lines_of(frame, rng):
    """The same as the lines of a file."""
    for time_, messages in bars_of(frame, rng):
        yield time_, b"".join(map(encode_message, messages))


HandClock = runpy.run_path(str(Path(__file__).parents[1] / "hand_clocks.py"))["HandClock"]


@dataclass
class HandFeed:
    """Delivers what it is given, a delivery a poll, and moves the clock to what it delivers."""

    clock: HandClock
    waiting: list = field(default_factory=list)
    end: bool = False
    idle: int = 0

    def put(self, *messages, at):
        self.waiting.append((at, messages))

    def put_bar(self, time_, messages):
        self.put(*messages, at=at(time_) + timedelta(seconds=1))

    def poll(self, wait_s):
        if not self.waiting:
            self.idle += 1
            time.sleep(0.002)
            return Delivery(ended=self.end)
        moment, messages = self.waiting[0]
        if moment > self.clock.now:
            self.clock.forward(moment - self.clock.now)
        del self.waiting[0]
        return Delivery(messages=tuple(messages))

    def taken(self):
        pass

    def close(self):
        pass

    def drained(self, within_s=120.0):
        """Wait until everything that was delivered has been dealt with."""
        until = time.monotonic() + within_s
        while self.waiting:
            assert time.monotonic() < until
            time.sleep(0.002)
        seen = self.idle
        while self.idle < seen + 2:
            assert time.monotonic() < until
            time.sleep(0.002)


@dataclass
class RestoredEngines:
    """Engines from a snapshot alone."""

    panel: object
    bundle: object
    policy: object

    def fresh(self, columns, until, positions):
        raise DataError("there is no history here: the snapshot must do")

    def restored(self, memory):
        return LiveEngine(self.panel, self.bundle, self.bundle.model, self.policy, memory)

    def next_quarter(self, engine, columns):
        raise DataError("there is no history here")


def wait_for(true, within_s=60.0):
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until
        time.sleep(0.002)


def history(folder):
    """Every flag issued, by (as_of, symbol, side)."""
    files = sorted((folder / "history").glob("2*.parquet"))
    table = pd.concat([read_table(path) for path in files], ignore_index=True)
    return table.set_index(["as_of", "symbol", "side"]).sort_index()


def assert_same_flags(found, expected):
    same = [name for name in expected.columns if name not in ("issued_at", "valid_until")]
    pd.testing.assert_frame_equal(found[same], expected.loc[found.index, same], check_exact=True)


def journal(folder, panel):
    """Every bar recorded, by its close; none is lost or damaged."""
    with Journal.open(folder / "bars", panel) as opened:
        tail = opened.read()
    assert not tail.missing
    assert not tail.damages
    return {str(column.time): column for column in tail.columns}


def assert_same_bars(found, expected):
    assert found.keys() == expected.keys()
    for time_, column in found.items():
        for name, values in column.fields.items():
            np.testing.assert_array_equal(values, expected[time_].fields[name])


def audited(folder, policy):
    """Lines of an audit log that is whole and makes every decision again."""
    log = folder / "audit.jsonl"
    lines = verify(log, folder / "audit.head.json").lines
    again = replay(log, policy)
    assert (again.lines, again.differences) == (lines, 0)
    return lines
