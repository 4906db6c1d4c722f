"""A minute's open, high, low and close from samples of a price, where a venue gives no candle."""

from dataclasses import dataclass
from typing import Final

__all__ = ["SampledCandle"]

_PARTS: Final = 4
_PART_MS: Final = 60_000 // _PARTS
_ALL: Final = (1 << _PARTS) - 1

Sample = tuple[int, int, float]


@dataclass(slots=True)
class SampledCandle:
    """Samples of one minute, in any order.

    Its high and low are those of the samples: the price may have been beyond them in between.

    Attributes
    ----------
    first, last : tuple or None
        ``(time_ms, seen_ms, price)`` and ``(time_ms, -seen_ms, price)``.
    high, low : float
    parts : int
        A bit for each quarter of the minute that has a sample.
    seen_ms : int
        When the last of the samples was seen.

    Examples
    --------
    >>> candle = SampledCandle()
    >>> for second, price in ((1, 10.0), (16, 12.0), (31, 9.0), (46, 11.0)):
    ...     candle.add(1_000 * second, 1_000 * second + 5, price)
    >>> candle.is_whole, candle.prices
    (True, (10.0, 12.0, 9.0, 11.0))
    """

    first: Sample | None = None
    last: Sample | None = None
    high: float = float("-inf")
    low: float = float("inf")
    parts: int = 0
    seen_ms: int = 0

    def add(self, time_ms: int, seen_ms: int, price: float) -> None:
        """Take a sample."""
        opening, closing = (time_ms, seen_ms, price), (time_ms, -seen_ms, price)
        self.first = opening if self.first is None else min(self.first, opening)
        self.last = closing if self.last is None else max(self.last, closing)
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.parts |= 1 << time_ms % 60_000 // _PART_MS
        self.seen_ms = max(self.seen_ms, seen_ms)

    def merge(self, other: "SampledCandle") -> None:
        """Take the samples of another part of the tape."""
        if other.first is None or other.last is None:
            return
        self.first = other.first if self.first is None else min(self.first, other.first)
        self.last = other.last if self.last is None else max(self.last, other.last)
        self.high, self.low = max(self.high, other.high), min(self.low, other.low)
        self.parts |= other.parts
        self.seen_ms = max(self.seen_ms, other.seen_ms)

    @property
    def is_whole(self) -> bool:
        """Whether every quarter of the minute has a sample."""
        return self.parts == _ALL

    @property
    def prices(self) -> tuple[float, float, float, float] | None:
        """Open, high, low, close; None when a quarter has no sample or a price is not above 0."""
        if not self.is_whole or self.first is None or self.last is None or self.low <= 0.0:
            return None
        return self.first[2], self.high, self.low, self.last[2]
