"""Asking for years at once where a row is a day, though files are months: plans count questions."""

from collections.abc import Callable, Iterator

from liqwarn.errors import DataError
from liqwarn.sources.recording import Reading
from liqwarn.sources.spans import Span

__all__ = ["ReadAhead"]

Ask = Callable[[Span], Iterator[tuple[list[Reading], int]]]


class ReadAhead:
    """Answers for one span after the other out of one reply, as long as replies can be read.

    A reply that cannot be read is asked for again as the span alone, and so are all later ones, so
    a damaged row costs its own month only.

    Parameters
    ----------
    ask : callable
        Rows of a span and the bytes that came, page by page.
    ahead : int
        Milliseconds that are asked for from the start of a span, not beyond the present.
    clock : callable
        Seconds since the epoch.

    Examples
    --------
    >>> asked = []
    >>> def ask(span):
    ...     asked.append(span)
    ...     yield [Reading(time=t, cells=()) for t in range(span[0], min(span[1], 9), 2)], 7
    >>> ahead = ReadAhead(ask, 100, lambda: 0.05)
    >>> [[r.time for r in rows] for span in ((0, 4), (4, 8)) for rows, came in ahead(span)]
    [[0, 2], [4, 6]]
    >>> asked
    [(0, 50)]
    """

    def __init__(self, ask: Ask, ahead: int, clock: Callable[[], float]) -> None:
        self._ask = ask
        self._ahead = ahead
        self._clock = clock
        self._held: Span = (0, 0)
        self._readings: list[Reading] = []

    def __call__(self, span: Span) -> Iterator[tuple[list[Reading], int]]:
        """Rows of a span, and the bytes that came for it."""
        if self._held[0] <= span[0] and span[1] <= self._held[1]:
            yield self._within(span), 0
            return
        wide = span[0], min(span[0] + self._ahead, int(self._clock() * 1_000))
        if wide[1] <= span[1]:
            yield from self._ask(span)
            return
        try:
            pages = list(self._ask(wide))
        except DataError:
            self._ahead = 0
            yield from self._ask(span)
            return
        self._held = wide
        self._readings = [reading for rows, _ in pages for reading in rows]
        yield self._within(span), sum(came for _, came in pages)

    def _within(self, span: Span) -> list[Reading]:
        return [reading for reading in self._readings if span[0] <= reading.time < span[1]]
