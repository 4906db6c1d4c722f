"""What the tests of the live loop stand on: a small market, its model, and a feed by hand."""

import runpy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from liqwarn.data.bars.feed import Delivery
from liqwarn.data.bars.message import close_seconds
from liqwarn.data.bars.replay_feed import columns_of, messages_of
from liqwarn.data.panel import Panel
from liqwarn.decisions import ModelStamp
from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, MarketFrame, bar_times
from liqwarn.live.bar import LiveBar, LiveScores
from liqwarn.policy.book import advance_book
from liqwarn.policy.position import first_position

HandClock = runpy.run_path(str(Path(__file__).parents[1] / "hand_clocks.py"))["HandClock"]


@dataclass
class HandFeed:
    """Delivers what it is given, a delivery a poll, and moves the clock to what it delivers."""

    clock: HandClock
    waiting: list = field(default_factory=list)
    taken_: int = 0
    closed: bool = False
    end: bool = True
    unread: list = field(default_factory=list)

    def put(self, *messages, at=None, more=False):
        self.waiting.append((at, messages))
        if more:
            self.unread.append(messages)

    def put_columns(self, frame):
        for column in columns_of(frame):
            close = datetime.fromtimestamp(int(column.time.astype("int64")), tz=UTC)
            self.put(*messages_of(column), at=close + timedelta(seconds=1))

    def poll(self, wait_s):
        if not self.waiting:
            return Delivery(ended=self.end)
        at, messages = self.waiting.pop(0)
        if at is not None and at > self.clock.now:
            self.clock.forward(at - self.clock.now)
        return Delivery(messages=tuple(messages), more=messages in self.unread)

    def taken(self):
        self.taken_ += 1

    def close(self):
        self.closed = True


class Told:
    """Notes every call made on it; stands for a watch, a record, or metrics."""

    def __init__(self, **answers):
        self.calls, self._answers = [], answers

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*given, **more):
            self.calls.append((name, *given, *more.items()))
            answer = self._answers.get(name)
            return answer(*given, **more) if callable(answer) else answer

        return call

    def names(self):
        return [call[0] for call in self.calls]


def scores_at(as_of, symbols, p=0.2, **changes):
    """Scores of a bar by hand."""
    n = len(symbols)
    given = {
        "symbols": tuple(symbols),
        "as_of": as_of,
        "horizons_h": (1, 4, 24),
        "raw": np.zeros((n, 2, 3)),
        "probability": np.broadcast_to([p / 2, p, min(1.0, 1.5 * p)], (n, 2, 3)).copy(),
        "quantile": np.full((n, 2), 0.5),
        "base_rate": np.array([0.01, 0.02]),
        "in_progress": np.zeros((n, 2), dtype=np.bool_),
        "quality": np.full(n, "ok"),
        "completeness": np.ones(n),
        "features": np.zeros((n, 3)),
        "strange": {},
    }
    return LiveScores(**(given | changes))


class HandEngine:
    """An engine that says what its bars' closes say: a cascade runs where the close is 666."""

    def __init__(self, policy, as_of, symbols=("BTCUSDT", "DOGEUSDT"), version="1"):
        self.policy, self.as_of, self.symbols = policy, as_of, tuple(symbols)
        self.bar_s, self.positions, self.unready = 3_600, {}, set()
        stamp = ModelStamp(version=version, sha256="ab" * 32)
        self.bundle = SimpleNamespace(stamp=stamp)
        self.swapped, self.held = [], []

    @property
    def memory(self):
        return SimpleNamespace(positions=self.positions)

    def hold(self, positions):
        self.held.append(dict(positions))

    @property
    def number(self):
        return int(self.as_of.timestamp()) // self.bar_s

    def ready_for(self, time):
        return str(time) not in self.unready

    def swap(self, bundle, scorer):
        self.bundle = bundle
        self.swapped.append(scorer)

    def step(self, column):
        if close_seconds(column.time) != (self.number + 1) * self.bar_s:
            raise FrameError(f"bar closes at {column.time}, expected the one after {self.as_of}")
        hour = timedelta(seconds=self.bar_s)
        self.as_of += hour
        running = np.repeat(column.fields["close"][:, None] == 666.0, 2, axis=1)
        scores = scores_at(self.as_of, self.symbols, in_progress=running)
        for symbol in self.symbols:
            for side in SIDES:
                if (symbol, side) not in self.positions:
                    self.positions[symbol, side] = first_position(
                        symbol, side, self.as_of - hour, bar=hour, policy=self.policy
                    )
        evidence = {
            (symbol, side): scores.evidence(row, j)
            for row, symbol in enumerate(self.symbols)
            for j, side in enumerate(SIDES)
        }
        decisions = advance_book(self.positions, evidence, self.as_of, self.policy)
        self.positions.update({key: one.after for key, one in decisions.items()})
        return LiveBar(number=self.number, scores=scores, decisions=decisions)


def small_panel():
    """Two perpetuals with a close and a volume each hour."""
    return Panel.model_validate(
        {
            "name": "small",
            "market": "simulated",
            "bar": "1h",
            "symbols": ["BTCUSDT", "DOGEUSDT"],
            "core": ["close"],
            "sources": [
                {
                    "name": "price",
                    "file": "p.csv",
                    "time": {"column": "t", "unit": "s", "label": "end", "step": "1h"},
                    "symbol": {"column": "symbol"},
                    "fields": {"close": "close", "volume": "volume"},
                }
            ],
        }
    )


def small_frame(n_bars, first="2024-08-05T13:00:00", seed=0):
    """Closes and volumes of the small panel."""
    rng = np.random.default_rng(seed)
    hour = timedelta(hours=1)
    fields = {name: rng.uniform(1.0, 9.0, (2, n_bars)) for name in ("close", "volume")}
    return MarketFrame(
        symbols=("BTCUSDT", "DOGEUSDT"),
        times=bar_times(np.datetime64(first), n_bars, hour),
        bar=hour,
        fields=fields,
        ages={name: np.zeros((2, n_bars)) for name in fields},
    )
