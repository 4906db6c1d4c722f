"""What happened in each minute of each symbol of a venue: a fold over happenings.

A minute holds what happened from its start to before its end, by the venue's clock. Whatever order
its happenings come in, and however the tape is cut, the minute is the same: every rule below is
"earliest", "latest" or "largest" of a total order.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from liqwarn.collectors.coverage import MINUTE_MS
from liqwarn.collectors.happenings import Candle, Happening, Liquidation, Reading
from liqwarn.collectors.tally_orders import Identity, OrderTally
from liqwarn.collectors.tally_samples import SampledCandle

__all__ = ["ASTRAY_MS", "GRACE_MS", "Minute", "MinuteTally"]

ASTRAY_MS: Final = 3_600_000
"""What is seen more than an hour after or before it happened is not counted: an old replay, or a
clock that is wrong."""

GRACE_MS: Final = 10_000
"""What is seen of a minute so long after its end counts as known at its end; whoever acts on it
waits as long. What comes later changes nothing of what was known by then."""

Key = tuple[str, int]
"""Symbol, and number of the minute since the epoch."""


@dataclass(slots=True)
class Minute:
    """One minute of one symbol.

    Attributes
    ----------
    orders : OrderTally
    readings : dict of field to (time_ms, -seen_ms, value)
        The last of each; of two of one time the one seen first.
    candle : tuple or None
        ``(seen_ms, open, high, low, close, volume, taker_buy_volume)`` of the venue, as seen first.
    sampled : SampledCandle
        What the samples of the mark price make.
    """

    orders: OrderTally = field(default_factory=OrderTally)
    readings: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    candle: tuple[float, ...] | None = None
    sampled: SampledCandle = field(default_factory=SampledCandle)

    def read(self, told: Reading, seen_ms: int) -> None:
        """Take a reading."""
        found = (told.time_ms, -seen_ms, told.value)
        self.readings[told.field] = max(self.readings.get(told.field, found), found)
        if told.field == "mark":
            self.sampled.add(told.time_ms, seen_ms, told.value)

    def close(self, told: Candle, seen_ms: int) -> None:
        """Take a candle of the venue; NaN goes as -1, which no volume is, so that all compare."""
        taker = -1.0 if math.isnan(told.taker_buy_volume) else told.taker_buy_volume
        prices = (told.open, told.high, told.low, told.close)
        found = (float(seen_ms), *prices, told.volume, taker)
        self.candle = found if self.candle is None else min(self.candle, found)

    def merge(self, other: "Minute") -> None:
        """Take what another part of the tape said of it."""
        self.orders.merge(other.orders)
        for name, found in other.readings.items():
            self.readings[name] = max(self.readings.get(name, found), found)
        if other.candle is not None:
            self.candle = other.candle if self.candle is None else min(self.candle, other.candle)
        self.sampled.merge(other.sampled)


@dataclass(slots=True)
class MinuteTally:
    """Minutes of all symbols of a venue, and what could not be placed.

    Attributes
    ----------
    minutes : dict of (symbol, minute number) to Minute
    astray : int
        Happenings seen more than :data:`ASTRAY_MS` from when they happened, or candles that end
        within a minute.
    impossible : int
        Liquidations or prices that are not above 0.
    late : int
        Readings that were seen more than :data:`GRACE_MS` after their minute, and are not used.

    Examples
    --------
    >>> tally = MinuteTally()
    >>> tally.take([Reading(symbol="BTCUSDT", time_ms=61_000, field="mark", value=7.0)], 61_500)
    >>> tally.minutes["BTCUSDT", 1].readings
    {'mark': (61000, -61500, 7.0)}
    """

    minutes: dict[Key, Minute] = field(default_factory=dict)
    astray: int = 0
    impossible: int = 0
    late: int = 0

    def take(self, happenings: Iterable[Happening], seen_ms: int) -> None:
        """Take what one record says."""
        orders: dict[Key, Counter[Identity]] = {}
        for told in happenings:
            if abs(seen_ms - told.time_ms) > ASTRAY_MS:
                self.astray += 1
            elif isinstance(told, Liquidation):
                self._order(told, orders)
            elif isinstance(told, Reading):
                self._reading(told, seen_ms)
            elif isinstance(told, Candle):
                self._candle(told, seen_ms)
        for key, counted in orders.items():
            self._at(*key).orders.add_counted(counted, seen_ms)

    def merge(self, other: "MinuteTally") -> None:
        """Take what another part of the tape said."""
        for key, minute in other.minutes.items():
            self._at(*key).merge(minute)
        self.astray += other.astray
        self.impossible += other.impossible
        self.late += other.late

    def forget_before(self, minute: int) -> None:
        """Drop minutes whose tables are finished."""
        for key in [key for key in self.minutes if key[1] < minute]:
            del self.minutes[key]

    def _order(self, told: Liquidation, orders: dict[Key, Counter[Identity]]) -> None:
        if told.price > 0.0 and told.size > 0.0:
            key = told.symbol, told.time_ms // MINUTE_MS
            identity = told.time_ms, told.side, told.price, told.size
            orders.setdefault(key, Counter())[identity] += 1
        else:
            self.impossible += 1

    def _reading(self, told: Reading, seen_ms: int) -> None:
        number = told.time_ms // MINUTE_MS
        if seen_ms > (number + 1) * MINUTE_MS + GRACE_MS:
            self.late += 1
        else:
            self._at(told.symbol, number).read(told, seen_ms)

    def _candle(self, told: Candle, seen_ms: int) -> None:
        if told.time_ms % MINUTE_MS:
            self.astray += 1
        elif told.low > 0.0:
            self._at(told.symbol, told.time_ms // MINUTE_MS - 1).close(told, seen_ms)
        else:
            self.impossible += 1

    def _at(self, symbol: str, minute: int) -> Minute:
        found = self.minutes.get((symbol, minute))
        if found is None:
            found = self.minutes[symbol, minute] = Minute()
        return found
