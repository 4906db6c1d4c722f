"""Which symbols a collector was asked for, as far as its tape shows it.

A stream may carry all symbols of a venue while only those that were asked for are kept, so an open
line says nothing of a symbol that nobody collects. A symbol counts as collected from the first
record that names it until the collector begins anew: when a line opens while none was open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

__all__ = ["Collected", "shared_spans"]

Span = tuple[int, int]


@dataclass(slots=True, kw_only=True)
class Collected:
    """Since when each symbol is named. One owner.

    Attributes
    ----------
    since : dict of symbol to int
        Of those that are collected now.
    ended : dict of symbol to list of (int, int)
        Spans that are over.

    Examples
    --------
    >>> collected = Collected()
    >>> collected.named(["BTCUSDT"], 5)
    >>> collected.begun_anew(50)
    >>> collected.named(["BTCUSDT"], 60)
    >>> collected.spans("BTCUSDT", 90)
    [(5, 50), (60, 90)]
    """

    since: dict[str, int] = field(default_factory=dict)
    ended: dict[str, list[Span]] = field(default_factory=dict)

    def named(self, symbols: Iterable[str], seen_ms: int) -> None:
        """A record names symbols."""
        for symbol in symbols:
            self.since.setdefault(symbol, seen_ms)

    def begun_anew(self, last_ms: int) -> None:
        """The collector begins anew; the record before was seen at `last_ms`."""
        for symbol, since in self.since.items():
            self.ended.setdefault(symbol, []).append((since, last_ms))
        self.since.clear()

    def spans(self, symbol: str, last_ms: int) -> list[Span]:
        """When a symbol was collected, as far as the tape goes."""
        found = list(self.ended.get(symbol, ()))
        since = self.since.get(symbol)
        return found if since is None else [*found, (since, last_ms)]

    def forget_before(self, moment_ms: int) -> None:
        """Drop spans that ended before a moment."""
        for symbol, spans in self.ended.items():
            self.ended[symbol] = [span for span in spans if span[1] >= moment_ms]


def shared_spans(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """What lies in a span of both.

    >>> shared_spans([(0, 10), (20, 30)], [(5, 25)])
    [(5, 10), (20, 25)]
    """
    both = [(max(a, c), min(b, d)) for a, b in first for c, d in second]
    return sorted(span for span in both if span[0] < span[1])
