"""Bybit's book of one symbol: a snapshot, then changes counted one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from liqwarn.collectors.happenings import Reading
from liqwarn.collectors.order_book import Book, Level, depth_readings, read_levels
from liqwarn.collectors.wire_json import shown, text, whole
from liqwarn.errors import DataError

__all__ = ["BookFrame", "BybitBook", "start_book"]

_EACH_MS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFrame:
    """A frame of ``orderbook.{levels}.{symbol}``: sizes as they are now, 0 for none any more."""

    symbol: str
    time_ms: int
    number: int
    whole: bool
    bids: list[Level]
    asks: list[Level]

    @classmethod
    def read(cls, row: Mapping[str, object], kind: str, time_ms: int, where: str) -> "BookFrame":
        """From ``data``; number 1 is a snapshot after a restart of the venue, whatever its type.

        Raises
        ------
        DataError
            For another shape, and for a snapshot whose sides are empty or cross.
        """
        number = whole(row, "u", where)
        frame = cls(
            symbol=text(row, "s", where),
            time_ms=time_ms,
            number=number,
            whole=kind == "snapshot" or number == 1,
            bids=read_levels(row.get("b"), 2, f"{where}, field 'b'"),
            asks=read_levels(row.get("a"), 2, f"{where}, field 'a'"),
        )
        if frame.whole:
            book = Book.of(frame.bids, frame.asks, 1)
            if not book.bids or not book.asks or book.crossed:
                found = shown([frame.bids[:1], frame.asks[:1]])
                raise DataError(f"{where}: found best levels {found}, expected bids below asks")
        return frame


@dataclass(slots=True, kw_only=True)
class BybitBook:
    """The levels that the venue tells, the best `most` of either side.

    Attributes
    ----------
    most : int
        Levels of the subscription.
    number : int
        Of the last frame.
    book : Book
    told : int
        Second of the last depth that was told: one a second is enough.
    """

    most: int
    number: int
    book: Book
    told: int = 0

    def apply(self, frame: BookFrame) -> str:
        """Take changes; what is missing before them, or what is wrong after them, empty if nothing.

        Frames that came before say nothing.
        """
        if frame.number <= self.number:
            return ""
        if frame.number > self.number + 1:
            return f"found update {frame.number}, expected {self.number + 1}"
        self.number = frame.number
        self.book.apply(frame.bids, frame.asks)
        return "the sides of the book cross, expected bids below asks" if self.book.crossed else ""

    def readings(self, symbol: str, time_ms: int) -> tuple[Reading, ...]:
        """Depth near the price, once a second, of a side that is known to reach that far.

        A side of nearly as many levels as were asked for is not known beyond its last.
        """
        second = time_ms // _EACH_MS
        if second == self.told:
            return ()
        self.told = second
        depth = self._known().depth()
        return depth_readings(symbol, time_ms, depth) if depth else ()

    def _known(self) -> Book:
        known = Book(bids=self.book.bids, asks=self.book.asks)
        if max(len(known.bids), len(known.asks)) > self.most:
            known.keep_best(self.most)
        if len(known.bids) >= self.most // 2:
            known.bids_from = min(known.bids)
        if len(known.asks) >= self.most // 2:
            known.asks_to = max(known.asks)
        return known


def start_book(frame: BookFrame, most: int) -> BybitBook:
    """A book from a snapshot; its range is what the venue tells, so nothing is left out."""
    resting = [[level for level in side if level[1] > 0] for side in (frame.bids, frame.asks)]
    book = Book(bids=dict(resting[0]), asks=dict(resting[1]))
    return BybitBook(most=most, number=frame.number, book=book)
