"""Binance's book of one symbol: changes over a socket, snapshots over HTTP, joined by numbers.

As the venue documents it: each event names its last number ``u`` and that of the event before it,
``pu``; a snapshot carries ``lastUpdateId``. A book starts with a snapshot and the events that go
beyond it, and ends where ``pu`` is not the ``u`` before.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from liqwarn.collectors.order_book import Book, Level, read_levels
from liqwarn.collectors.wire_json import time_ms, whole
from liqwarn.errors import DataError

__all__ = ["SNAPSHOT_LEVELS", "BinanceBook", "Change", "Snapshot"]

SNAPSHOT_LEVELS: Final = 1000
"""The most that ``/fapi/v1/depth`` tells of a side."""

_KEPT: Final = 512
"""Events kept for a snapshot to join: four minutes of two a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An event: sizes as they are after the numbers from `before` (excluded) to `last`."""

    before: int
    last: int
    time_ms: int
    bids: list[Level]
    asks: list[Level]

    @classmethod
    def read(cls, data: Mapping[str, object], where: str) -> "Change":
        """From ``depthUpdate``."""
        first, last = whole(data, "U", where), whole(data, "u", where)
        before = whole(data, "pu", where)
        if not before < last or not first <= last:
            raise DataError(
                f"{where}: found numbers pu={before}, U={first}, u={last}, expected pu < u, U <= u"
            )
        return cls(
            before=before,
            last=last,
            time_ms=time_ms(data, "E", where),
            bids=read_levels(data.get("b"), 2, f"{where}, field 'b'"),
            asks=read_levels(data.get("a"), 2, f"{where}, field 'a'"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The best levels of both sides as of a number."""

    last: int
    bids: list[Level]
    asks: list[Level]

    @classmethod
    def read(cls, reply: Mapping[str, object], where: str) -> "Snapshot":
        """From a reply of ``/fapi/v1/depth``."""
        time_ms(reply, "E", where)
        bids = read_levels(reply.get("bids"), 2, f"{where}, field 'bids'")
        asks = read_levels(reply.get("asks"), 2, f"{where}, field 'asks'")
        if not bids or not asks or max(bids)[0] >= min(asks)[0]:
            raise DataError(
                f"{where}: a side is empty or the sides cross, expected bids below asks"
            )
        return cls(last=whole(reply, "lastUpdateId", where), bids=bids, asks=asks)


@dataclass(slots=True)
class BinanceBook:
    """The book, and what waits to be joined.

    Attributes
    ----------
    book : Book or None
        None until a snapshot has been joined to the events.
    """

    book: Book | None = None
    _recent: deque[Change] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _early: Snapshot | None = None

    def change(self, found: Change) -> str:
        """Take an event; what is missing before it, empty when nothing is."""
        gap = ""
        if self._recent and found.before != self._recent[-1].last:
            if any(found.last == known.last for known in self._recent):
                return ""  # came before: the venue or the line repeats itself
            gap = f"found pu={found.before}, expected {self._recent[-1].last}"
            self.forget()
        self._recent.append(found)
        if self.book is not None:
            self.book.apply(found.bids, found.asks)
        if self._early is not None:
            self.snapshot(self._early)
        return gap

    def snapshot(self, found: Snapshot) -> None:
        """Take a snapshot: it becomes the book, or waits for the events that reach it."""
        if not self._recent or found.last > self._recent[-1].last:
            self._early = found
            return
        self._early = None
        beyond = [change for change in self._recent if change.last >= found.last]
        if beyond[0].before > found.last:
            return  # older than the events kept: what lies between is unknown
        self.book = Book.of(found.bids, found.asks, SNAPSHOT_LEVELS)
        for change in beyond:
            self.book.apply(change.bids, change.asks)

    def forget(self) -> None:
        """Begin anew."""
        self.book = None
        self._recent.clear()
        self._early = None
