"""What the tests of the live loop stand on: a small market, its model, and a feed by hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from liqwarn.data.bars.feed import Delivery
from liqwarn.data.bars.replay_feed import columns_of, messages_of


@dataclass
class HandClock:
    """Both clocks by hand."""

    now: datetime
    ticks: float = 0.0

    def wall(self):
        return self.now

    def monotonic(self):
        return self.ticks

    def forward(self, by: timedelta):
        self.now += by
        self.ticks += by.total_seconds()


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
