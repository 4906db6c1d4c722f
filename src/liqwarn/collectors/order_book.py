"""A symbol's resting orders as its venue tells them, and the depth near the price.

The depth within a band is told only when the book is known to reach that far: venues tell no more
than their best so many levels, and a sum over fewer would be a wrong number.
"""

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from liqwarn.collectors.happenings import Reading
from liqwarn.collectors.wire_json import as_list, number_text, shown
from liqwarn.errors import DataError

__all__ = ["BAND", "Book", "Depth", "Level", "depth_readings", "read_levels"]

BAND: Final = 0.01
"""Share of the mid price on either side, as archives of depth have it."""

_MOST_RESTING: Final = 1e13
"""Of one level, in quote, or in quote by contracts."""

Level = tuple[float, float]
"""Price, size; a size of 0 takes the level away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """What rests near the price.

    Attributes
    ----------
    bid, ask : float or None
        Quote resting within the band; None when the book is not known to reach its end.
    bid_reach, ask_reach : float
        How far from mid the book is known, as a share of mid; infinite for all of it.
    """

    bid: float | None
    ask: float | None
    bid_reach: float
    ask_reach: float


@dataclass(slots=True, kw_only=True)
class Book:
    """Levels by price, up to where they are known.

    Attributes
    ----------
    bids, asks : dict of float to float
        Sizes by price, above 0.
    bids_from, asks_to : float
        The known range: 0 and infinity when nothing is beyond.
    """

    bids: dict[float, float]
    asks: dict[float, float]
    bids_from: float = 0.0
    asks_to: float = math.inf

    @classmethod
    def of(cls, bids: Iterable[Level], asks: Iterable[Level], most: int) -> "Book":
        """A book from a snapshot; a side of `most` levels is not known beyond its last."""
        book = cls(bids=_resting(bids), asks=_resting(asks))
        if len(book.bids) >= most:
            book.bids_from = min(book.bids)
        if len(book.asks) >= most:
            book.asks_to = max(book.asks)
        return book

    def apply(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Take changes; what lies beyond the known range is left out."""
        for price, size in bids:
            if price >= self.bids_from:
                _put(self.bids, price, size)
        for price, size in asks:
            if price <= self.asks_to:
                _put(self.asks, price, size)

    def keep_best(self, count: int) -> None:
        """Forget all but the best levels of a side, where a venue tells no more than these."""
        if len(self.bids) >= count:
            best = heapq.nlargest(count, self.bids)
            self.bids = {price: self.bids[price] for price in best}
            self.bids_from = best[-1]
        if len(self.asks) >= count:
            best = heapq.nsmallest(count, self.asks)
            self.asks = {price: self.asks[price] for price in best}
            self.asks_to = best[-1]

    @property
    def crossed(self) -> bool:
        """Whether somebody would buy for no less than somebody sells."""
        return bool(self.bids and self.asks) and max(self.bids) >= min(self.asks)

    def depth(self, band: float = BAND) -> Depth | None:
        """Depth within a band of mid; None when a side is empty or the book is crossed.

        Examples
        --------
        >>> book = Book.of([(99.5, 2.0), (75.0, 1.0)], [(100.5, 4.0)], most=2)
        >>> book.depth()
        Depth(bid=199.0, ask=402.0, bid_reach=0.25, ask_reach=inf)
        """
        if not self.bids or not self.asks or self.crossed:
            return None
        mid = (max(self.bids) + min(self.asks)) / 2
        low, high = mid * (1 - band), mid * (1 + band)
        bid = sum(price * size for price, size in self.bids.items() if price >= low)
        ask = sum(price * size for price, size in self.asks.items() if price <= high)
        return Depth(
            bid=bid if self.bids_from <= low else None,
            ask=ask if self.asks_to >= high else None,
            bid_reach=1 - self.bids_from / mid if self.bids_from else math.inf,
            ask_reach=self.asks_to / mid - 1,
        )


def read_levels(found: object, columns: int, where: str) -> list[Level]:
    """Rows of price, size and whatever else, as texts.

    Raises
    ------
    DataError
        For another shape, a price not above 0, a size below 0, a price that is there twice.

    Examples
    --------
    >>> read_levels([["100.5", "2"], ["100.6", "0"]], 2, "x")
    [(100.5, 2.0), (100.6, 0.0)]
    """
    levels = [_level(row, columns, where) for row in as_list(found, where)]
    prices = {price for price, _ in levels}
    if len(prices) < len(levels):
        raise DataError(f"{where}: a price is there twice, expected once")
    return levels


def depth_readings(
    symbol: str, time_ms: int, depth: Depth, coins: float = 1.0
) -> tuple[Reading, ...]:
    """The sides that are known, in quote; `coins` is what one of a size is."""
    sides = {"bid_depth_usd": depth.bid, "ask_depth_usd": depth.ask}
    return tuple(
        Reading(symbol=symbol, time_ms=time_ms, field=field, value=value * coins)
        for field, value in sides.items()
        if value is not None
    )


def _level(row: object, columns: int, where: str) -> Level:
    if not isinstance(row, list) or len(row) < columns:
        raise DataError(f"{where}: found {shown(row)}, expected price, size of {columns} columns")
    named = {"price": row[0], "size": row[1]}
    price, size = number_text(named, "price", where), number_text(named, "size", where)
    if not 0 < price <= 1e8 or not 0 <= size <= 1e15 or price * size > _MOST_RESTING:
        raise DataError(f"{where}: found {shown(row)}, expected a price above 0, a size of 0 on")
    return price, size


def _resting(levels: Iterable[Level]) -> dict[float, float]:
    return {price: size for price, size in levels if size > 0}


def _put(side: dict[float, float], price: float, size: float) -> None:
    if size > 0:
        side[price] = size
    else:
        side.pop(price, None)
