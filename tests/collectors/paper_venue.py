"""A venue on paper: its frames are JSON lists of what they say; and tapes of bad nights."""

import json
from dataclasses import dataclass, field

from liqwarn.collectors.happening_codec import encode_happenings
from liqwarn.collectors.happenings import Candle, Liquidation, Reading
from liqwarn.collectors.taped import Taped
from liqwarn.collectors.venue import Completeness, Heard, Line, Poll
from liqwarn.errors import DataError

MINUTE = 60_000
DAY = 86_400_000
START = 20_000 * DAY  # 2024-10-04


@dataclass
class PaperReader:
    """Needs to know how many coins a contract is before it reads a liquidation."""

    coins: float = 0.0
    openings: list[str] = field(default_factory=list)

    def opened(self, line):
        self.openings.append(line)

    def read(self, line, content):
        try:
            told = json.loads(content)
        except ValueError as error:
            raise DataError(f"paper {line}: found no JSON") from error
        if "coins" in told:
            self.coins = told["coins"]
            return Heard(keep=True)
        if not self.coins:
            raise DataError(f"paper {line}: size of a contract unknown")
        orders = tuple(
            Liquidation(symbol=symbol, time_ms=time_ms, side=side, price=price,
                        price_is="average", size=size * self.coins)
            for symbol, time_ms, side, price, size in told["orders"]
        )  # fmt: skip
        return Heard(happenings=orders, keep=True)


@dataclass(frozen=True)
class PaperVenue:
    name: str = "paper"
    sockets: str = "ws://127.0.0.1"
    http: str = "http://127.0.0.1"
    kinds: frozenset = frozenset({"liquidation", "mark", "candle"})
    completeness: Completeness = Completeness(grade="one a second", note="on paper")  # noqa: RUF009 - frozen

    def lines(self, symbols, kinds):
        topics = [f"orders.{s}" for s in symbols if "liquidation" in kinds]
        marks = [f"mark.{s}" for s in symbols if "mark" in kinds]
        return tuple(
            Line(name=name, path="/", topics=tuple((topic, None) for topic in carried))
            for name, carried in (("orders", topics), ("backup", topics), ("marks", marks))
            if carried
        )

    def polls(self, symbols, kinds):
        return (Poll(name="rules", path="/rules", every_s=0.0),)

    def reader(self, symbols):
        return PaperReader()


def rules(seen_ms, coins=1.0):
    return Taped(
        seen_ms=seen_ms, line="rules", what="frame", content=json.dumps({"coins": coins}).encode()
    )


def orders(seen_ms, *told, line="orders", what="frame"):
    content = json.dumps({"orders": told}).encode()
    return Taped(seen_ms=seen_ms, line=line, what=what, content=content)


def event(seen_ms, what, line="orders", content=b""):
    return Taped(seen_ms=seen_ms, line=line, what=what, content=content)


def samples(seen_ms, *told, line="marks"):
    return Taped(
        seen_ms=seen_ms, line=line, what="happenings", content=encode_happenings(list(told))
    )


def reading(time_ms, value, field="mark", symbol="BTCUSDT"):
    return Reading(symbol=symbol, time_ms=time_ms, field=field, value=value)


def candle(close_ms, price, volume=10.0, taker=6.0, symbol="BTCUSDT"):
    return Candle(
        symbol=symbol, time_ms=close_ms, open=price, high=price + 2.0, low=price - 2.0,
        close=price + 1.0, volume=volume, taker_buy_volume=taker,
    )  # fmt: skip


def long_or_short(random):
    return random.choice(["long", "short"])


def wild_tape(random, *, start=START - 20 * MINUTE, minutes=40, every_ms=9_000):
    """Records of a bad night: overlaps, replays, silences, gaps, kills, late and equal orders."""
    now, told = start, []
    tape = [rules(now), *(event(now, "opened", line) for line in ("orders", "backup", "marks"))]
    lost = set()
    while now < start + minutes * MINUTE:
        now += random.randrange(1, 2 * every_ms)
        tape.append(samples(now, reading(now - random.randrange(900), random.uniform(90, 110)),
                            reading(now - 50, random.uniform(5, 6), "open_interest")))  # fmt: skip
        if random.random() < 0.1:
            close = now // MINUTE * MINUTE
            tape.append(samples(now, candle(close, random.uniform(90, 110))))
        tape += _said(random, now, told, [one for one in ("orders", "backup") if one not in lost])
        if random.random() < 0.03:
            line, what = random.choice(["orders", "backup"]), random.choice(["silent", "closed"])
            if line not in lost:
                tape.append(event(now, what, line))
                lost.add(line)
        elif random.random() < 0.05:
            tape.append(event(now, random.choice(["gap", "refused"]), "orders", b"?"))
        elif lost and random.random() < 0.2:
            line = lost.pop()
            tape.append(event(now, "opened", line))
        if random.random() < 0.01:
            now += random.randrange(5 * MINUTE)
    return tape


def _said(random, now, told, lines):
    """Frames with orders: fresh ones, the same over both lines, and old ones again."""
    for line in lines:
        if told and random.random() < 0.3:
            yield orders(now, *random.choices(told, k=2), line=line)
    if random.random() < 0.6 and lines:
        one = ["BTCUSDT", now - random.choice([5, 900, 30_000]), long_or_short(random),
               random.choice([100.0, 101.5]), random.choice([0.3, 2_000.0])]  # fmt: skip
        told.append(one)
        told[:] = told[-20:]
        copies = random.choice([1, 1, 2])
        for line in lines:
            yield orders(now, *[one] * copies, line=line)
