"""From data to positions on a chart, in percent, so that a chart fits any width."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from liqwarn.reports.formats import finite

__all__ = ["LogScale", "TimeScale", "text_of"]

_DAY: Final = 86_400
_STEPS: Final = (1, 2, 3, 7, 14, 30, 60, 90, 180, 365)


def text_of(value: float) -> str:
    """A position with at most one decimal, the shortest way it can be written.

    >>> text_of(12.04), text_of(3.26), text_of(-0.01)
    ('12', '3.3', '0')
    """
    return f"{value:.1f}".rstrip("0").rstrip(".").replace("-0", "0") if value > -0.05 else "0"


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Seconds since the epoch on a horizontal axis of 0 to 100.

    >>> TimeScale(0, 200).at(50)
    25.0
    """

    start: int
    end: int

    def at(self, seconds: float) -> float:
        """Position between 0 and 100; moments outside land on the edge."""
        span = max(self.end - self.start, 1)
        return min(max(100.0 * (seconds - self.start) / span, 0.0), 100.0)

    def ticks(self, wanted: int = 7) -> list[tuple[float, str]]:
        """Positions and dates of whole days, about `wanted` of them."""
        days = (self.end - self.start) / _DAY
        step = next((s for s in _STEPS if days / s <= wanted), _STEPS[-1]) * _DAY
        first = -(-self.start // step) * step
        form = "%d %b" if days <= 370 else "%b %Y"
        return [
            (self.at(moment), datetime.fromtimestamp(moment, UTC).strftime(form))
            for moment in range(first, self.end + 1, step)
        ]


@dataclass(frozen=True, slots=True)
class LogScale:
    """Fractions on a logarithmic axis: `low` at 0, `high` at 100.

    >>> scale = LogScale(0.001, 1.0)
    >>> round(scale.at(0.01), 1), scale.at(0.0), scale.at(2.0)
    (33.3, 0.0, 100.0)
    """

    low: float
    high: float

    def at(self, value: float) -> float:
        """Position between 0 and 100; values outside land on the edge."""
        inside = min(max(value, self.low), self.high)
        return 100.0 * math.log(inside / self.low) / math.log(self.high / self.low)

    def ticks(self) -> list[tuple[float, str]]:
        """Positions and labels of the powers of ten."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high))
        return [(self.at(10.0**k), f"{100 * 10.0**k:g} %") for k in range(first, last + 1)]

    @classmethod
    def around(cls, values: Iterable[object], *, floor: float = 1e-3) -> "LogScale":
        """A scale from `floor` to the next power of ten above every value, 1 at most."""
        found = [v for v in map(finite, values) if v is not None and v > 0]
        top = max(found, default=0.1)
        return cls(floor, min(1.0, max(10.0 ** math.ceil(math.log10(top)), 10 * floor)))
