"""OKX's book of one symbol: a snapshot of 400 levels, then changes joined by numbers.

As the venue documents it: a snapshot has ``prevSeqId`` -1; each change names the ``seqId`` before
it. An equal pair says that nothing changed; a ``seqId`` below its ``prevSeqId`` is a reset of the
numbers, no gap. ``checksum`` is 0 since 2026 and is not used.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from liqwarn.collectors.order_book import Book, Depth, Level, read_levels
from liqwarn.collectors.wire_json import shown, text, time_ms, whole
from liqwarn.errors import DataError

__all__ = ["LEVELS", "OkxBook", "Page"]

LEVELS: Final = 400
"""The most that the channel ``books`` tells of a side."""

_CROSSED: Final = 10
"""Looks at a crossed book, one a second, until it is given up: auctions cross, but not for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A message of the channel; sizes are contracts."""

    whole: bool
    before: int
    last: int
    time_ms: int
    bids: list[Level]
    asks: list[Level]

    @classmethod
    def read(cls, row: Mapping[str, object], action: object, where: str) -> "Page":
        """From a row of ``data`` and its ``action``."""
        actions: dict[str, Literal[True, False]] = {"snapshot": True, "update": False}
        if not isinstance(action, str) or action not in actions:
            raise DataError(
                f"{where}, field 'action': found {shown(action)}, expected snapshot or update"
            )
        before = row.get("prevSeqId")
        if before != -1 or type(before) is not int:
            before = whole(row, "prevSeqId", where)
        if actions[action] != (before == -1):
            raise DataError(f"{where}: found prevSeqId {before} in a message of action {action}")
        return cls(
            whole=actions[action],
            before=before,
            last=whole(row, "seqId", where),
            time_ms=_time(row, where),
            bids=read_levels(row.get("bids"), 4, f"{where}, field 'bids'"),
            asks=read_levels(row.get("asks"), 4, f"{where}, field 'asks'"),
        )


@dataclass(slots=True)
class OkxBook:
    """The book as of its last message; none before a snapshot and after a gap."""

    book: Book | None = None
    _last: int = -1
    _bids_cut: bool = False
    _asks_cut: bool = False
    _crossed: int = 0

    def take(self, page: Page) -> str:
        """Take a message; what is missing before it, empty when nothing is."""
        if page.whole:
            self.forget()
            self.book = Book.of(page.bids, page.asks, most=LEVELS + 1)
            self._last = page.last
            return ""
        if self.book is None:
            return ""  # told once; the snapshot that was asked for comes
        if page.before != self._last:
            known = self._last
            self.forget()
            return f"found prevSeqId={page.before}, expected {known}"
        self.book.apply(page.bids, page.asks)
        self._last = page.last
        return ""

    def depth(self) -> Depth | None:
        """Depth in contracts times price, as far as the best levels reach."""
        book = self.book
        if book is None:
            return None
        self._bids_cut |= len(book.bids) >= LEVELS
        self._asks_cut |= len(book.asks) >= LEVELS
        book.keep_best(LEVELS)
        if self._bids_cut and book.bids:
            book.bids_from = min(book.bids)
        if self._asks_cut and book.asks:
            book.asks_to = max(book.asks)
        depth = book.depth()
        book.bids_from, book.asks_to = 0.0, math.inf  # the venue's best levels move with the price
        self._crossed = self._crossed + 1 if book.crossed else 0
        return depth

    @property
    def broken(self) -> bool:
        """Whether it has been crossed whenever it was looked at, for long."""
        return self._crossed >= _CROSSED

    def forget(self) -> None:
        """Begin anew."""
        self.book, self._last = None, -1
        self._bids_cut = self._asks_cut = False
        self._crossed = 0


def _time(row: Mapping[str, object], where: str) -> int:
    text(row, "ts", where)
    return time_ms(row, "ts", where)
