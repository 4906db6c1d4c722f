"""Spans of time ``(first, end)`` in milliseconds since the epoch; the end is outside."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["Span", "by_month", "iso_of", "joined", "without"]

Span = tuple[int, int]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def iso_of(ms: int) -> str:
    """A moment as text.

    >>> iso_of(1_704_067_200_151)
    '2024-01-01T00:00:00.151Z'
    """
    moment = _EPOCH + ms * _MS
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as possible, sorted.

    >>> joined([(5, 9), (0, 3), (3, 4), (8, 12), (7, 7)])
    [(0, 4), (5, 12)]
    """
    out: list[Span] = []
    for first, end in sorted(span for span in spans if span[0] < span[1]):
        if out and first <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((first, end))
    return out


def without(span: Span, covered: Iterable[Span]) -> list[Span]:
    """What is left of a span.

    >>> without((0, 10), [(2, 4), (9, 20)])
    [(0, 2), (4, 9)]
    """
    left, at = [], span[0]
    for first, end in joined(covered):
        if first > at:
            left.append((at, min(first, span[1])))
        at = max(at, end)
    return joined([*left, (at, span[1])])


def by_month(span: Span) -> Iterator[tuple[str, Span]]:
    """A span cut at the first of each month, UTC, with the month's name.

    >>> list(by_month((1_704_067_200_000 - 1, 1_704_067_200_000 + 1)))
    [('2023-12', (1704067199999, 1704067200000)), ('2024-01', (1704067200000, 1704067200001))]
    """
    first = span[0]
    while first < span[1]:
        moment = _EPOCH + first * _MS
        begin = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        after = (begin + timedelta(days=32)).replace(day=1)
        end = min((after - _EPOCH) // _MS, span[1])
        yield f"{moment:%Y-%m}", (first, end)
        first = end
