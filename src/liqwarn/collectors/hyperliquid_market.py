"""What Hyperliquid's market frames say: trades, contexts, candles, books. Pure, frame by frame."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from liqwarn.collectors.happenings import Candle, Reading, Trade
from liqwarn.collectors.hyperliquid_fills import read_side
from liqwarn.collectors.order_book import BAND, Book, depth_readings
from liqwarn.collectors.plausible import alike, coins, price, rate
from liqwarn.collectors.wire_json import (
    as_list,
    as_object,
    number_text,
    shown,
    text,
    time_ms,
    whole,
)
from liqwarn.errors import DataError

__all__ = ["BookFrame", "read_book", "read_candle", "read_context", "read_trade"]

_MINUTE: Final = 60_000
_LEVELS: Final = 20
_COARSEST: Final = BAND / 4
_PRICES_APART: Final = 10.0

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFrame:
    """The best twenty levels of either side, perhaps of prices rounded together."""

    coin: str
    time_ms: int
    book: Book

    def readings(self, symbol: str) -> tuple[Reading, ...]:
        """Depth of a side that reaches beyond 1 % of the middle in steps that are fine enough."""
        depth = self.book.depth()
        if depth is None:
            return ()
        told = depth_readings(symbol, self.time_ms, depth)
        middle = (max(self.book.bids) + min(self.book.asks)) / 2.0
        fine = {
            "bid_depth_usd": _fine(self.book.bids, middle),
            "ask_depth_usd": _fine(self.book.asks, middle),
        }
        return tuple(reading for reading in told if fine[reading.field])


def read_trade(found: object, symbols: Mapping[str, str], where: str) -> tuple[str, Trade | None]:
    """A trade by its coin; None of a coin that was not asked for. ``B``: the taker bought."""
    row = as_object(found, where)
    coin = text(row, "coin", where)
    if coin not in symbols:
        return coin, None
    at, number = time_ms(row, "time", where), whole(row, "tid", where)
    trade = Trade(
        symbol=symbols[coin],
        time_ms=at,
        side="buy" if read_side(row, where) == "B" else "sell",
        price=price(row, "px", where),
        size=coins(row, "sz", where),
        key=f"{at}-{number}",
    )
    return coin, trade


def read_context(row: Row, symbol: str, at: int, where: str) -> tuple[Reading, ...]:
    """Mark, index (the oracle's price), open interest of one side, hourly funding.

    The frame bears no time: `at` is the newest the venue told on the same line.
    """
    mark, index = price(row, "markPx", where), price(row, "oraclePx", where)
    alike(mark, index, _PRICES_APART, "mark and oracle", where)
    values = {
        "mark": mark,
        "index": index,
        "funding_rate": rate(row, "funding", where),
        "funding_interval_h": 1.0,
    }
    if number_text(row, "openInterest", where):  # a coin that is traded no more has none
        values["open_interest"] = coins(row, "openInterest", where)
    return tuple(
        Reading(symbol=symbol, time_ms=at, field=field, value=value)
        for field, value in values.items()
    )


def read_candle(row: Row, where: str) -> tuple[str, Candle]:
    """A minute of a coin as far as it has come, by the coin's name."""
    start, end = time_ms(row, "t", where), time_ms(row, "T", where)
    if start % _MINUTE or end != start + _MINUTE - 1 or text(row, "i", where) != "1m":
        raise DataError(f"{where}: found {start} to {end}, expected a minute in milliseconds")
    first, high, low, last = (price(row, name, where) for name in ("o", "h", "l", "c"))
    volume = number_text(row, "v", where)
    if not low <= min(first, last) <= max(first, last) <= high or volume < 0.0:
        raise DataError(
            f"{where}: found o {first}, h {high}, l {low}, c {last}, v {volume}, expected low and "
            "high around the others, a volume of 0 on"
        )
    coin = text(row, "s", where)
    candle = Candle(
        symbol=coin,
        time_ms=end + 1,
        open=first,
        high=high,
        low=low,
        close=last,
        volume=volume,
        taker_buy_volume=math.nan,
    )
    return coin, candle


def read_book(row: Row, where: str) -> BookFrame:
    """A whole book: bids from the highest, asks from the lowest."""
    sides = as_list(row.get("levels"), f"{where}, field 'levels'")
    if len(sides) != 2:
        raise DataError(f"{where}, field 'levels': found {len(sides)} sides, expected bids, asks")
    bids, asks = (_read_side(side, where) for side in sides)
    if list(bids) != sorted(bids, reverse=True) or list(asks) != sorted(asks):
        raise DataError(f"{where}: levels are in no order, expected the best first")
    book = Book.of(bids.items(), asks.items(), _LEVELS)
    if book.crossed:
        found = shown([max(bids), min(asks)])
        raise DataError(f"{where}: found best levels {found}, expected bids below asks")
    return BookFrame(coin=text(row, "coin", where), time_ms=time_ms(row, "time", where), book=book)


def _read_side(found: object, where: str) -> dict[float, float]:
    levels = [as_object(level, where) for level in as_list(found, where)]
    side = {price(level, "px", where): coins(level, "sz", where) for level in levels}
    if len(side) < len(levels) or len(levels) > _LEVELS:
        raise DataError(
            f"{where}: found {len(levels)} levels at {len(side)} prices, expected each price once "
            f"and at most {_LEVELS}"
        )
    return side


def _fine(side: Mapping[float, float], middle: float) -> bool:
    """Whether levels lie close enough, as far as the band and one further."""
    before = middle
    for level in side:
        if abs(level - before) > _COARSEST * middle:
            return False
        if abs(level - middle) > BAND * middle:
            return True
        before = level
    return True
