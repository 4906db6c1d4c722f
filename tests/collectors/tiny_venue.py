"""The smallest venue there can be: a real one to the collector, with a wire format of its own.

Two lines, ``forced`` (liquidations, may be silent) and ``market`` (marks, ten seconds), and one
question. Frames are JSON: ``k`` is the kind, ``s`` the symbol, ``T`` the time, ``n`` a number.
"""

import json
import math
from dataclasses import dataclass, field

from liqwarn.collectors.happenings import Candle, Liquidation, Reading
from liqwarn.collectors.venue import Completeness, Heard, Line, Poll
from liqwarn.errors import DataError

_ALL = Completeness(grade="all", note="made up")
MARK_SILENCE_S = 10.0
LINE_SILENCE_S = 30.0


@dataclass
class TinyReader:
    """Reads it; marks of a symbol are numbered without holes since its line was opened."""

    numbers: dict = field(default_factory=dict)

    def read(self, line, content):
        try:
            told = json.loads(content)
            return getattr(self, f"_{told['k']}")(told)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise DataError(f"frame of {line}: {error}") from error

    def opened(self, line):
        if line == "market":
            self.numbers.clear()

    def _liq(self, told):
        one = Liquidation(
            symbol=told["s"],
            time_ms=told["T"],
            side=told["side"],
            price=float(told["p"]),
            price_is="average",
            size=float(told["n"]),
        )
        return Heard(happenings=(one,), topic="liq", keep=True)

    def _mark(self, told):
        value = float(told["p"])
        if not math.isfinite(value):
            raise ValueError(told["p"])
        one = Reading(symbol=told["s"], time_ms=told["T"], field="mark", value=value)
        last = self.numbers.get(told["s"])
        self.numbers[told["s"]] = told["u"]
        gap = "" if last is None or told["u"] == last + 1 else f"{last} to {told['u']}"
        return Heard(happenings=(one,), topic="mark", gap=gap)

    def _candle(self, told):
        price = float(told["p"])
        one = Candle(
            symbol=told["s"],
            time_ms=told["T"],
            open=price,
            high=price,
            low=price,
            close=price,
            volume=1.0,
            taker_buy_volume=math.nan,
        )
        return Heard(happenings=(one,), topic="mark")

    def _sizes(self, told):
        return Heard(keep=True)

    def _oi(self, told):
        one = Reading(symbol=told["s"], time_ms=told["T"], field="open_interest", value=told["p"])
        return Heard(happenings=(one,))

    def _ping(self, told):
        return Heard(reply=b'{"k":"pong"}')

    def _pong(self, told):
        return Heard()

    def _no(self, told):
        return Heard(refused=told["why"], refused_topics=tuple(told.get("topics", ())))

    def _bug(self, told):
        return 1 // 0


@dataclass(frozen=True)
class TinyVenue:
    """It."""

    name: str = "tiny"
    sockets: str = "ws://127.0.0.1:9"
    http: str = "http://127.0.0.1:9"
    kinds: frozenset = frozenset({"liquidation", "mark", "open_interest"})
    completeness: Completeness = _ALL
    poll_s: float = 20.0
    topics: tuple = (("mark", MARK_SILENCE_S),)

    def lines(self, symbols, kinds):
        greeting = b'{"k":"hello"}'
        forced = Line(
            name="forced",
            path="/forced",
            greetings=(greeting,),
            ping=b'{"k":"ping"}',
            ping_every_s=10.0,
            silence_s=LINE_SILENCE_S,
            topics=(("liq", None),),
        )
        market = Line(
            name="market",
            path="/market",
            greetings=(greeting,),
            ping_every_s=10.0,
            silence_s=LINE_SILENCE_S,
            topics=self.topics,
        )
        wanted = {"liquidation": forced, "mark": market}
        return tuple(line for kind, line in wanted.items() if kind in kinds)

    def polls(self, symbols, kinds):
        sizes = Poll(name="sizes", path="/sizes", every_s=0)
        oi = Poll(name="oi", path="/oi", body=b"{}", every_s=self.poll_s)
        return (sizes, oi) if "open_interest" in kinds else ()

    def reader(self, symbols):
        return TinyReader()
