"""Liquidations of one symbol and minute, each counted once however often it was told.

The same order comes again when two connections overlap and when a venue replays after a reconnect;
two orders that are equal in everything come together, in one frame. So of orders with the same
time, side, price and size there are as many as the frame that tells most of them tells. Two equal
ones in the same millisecond that come in two frames are taken for one: they cannot be told from a
replay.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from liqwarn.collectors.happenings import Liquidation
from liqwarn.collectors.saturation import capped_usd
from liqwarn.frames import Side

__all__ = ["Identity", "OrderTally", "SideSums"]

Identity = tuple[int, Side, float, float]
"""Time in milliseconds, side, price, size: what makes a liquidation itself, within its symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSums:
    """A minute of one side, as told.

    Attributes
    ----------
    count : int
    sum_usd : float
    capped_sum_usd : float
        No order counts for more than :data:`liqwarn.collectors.saturation.CAP_USD`.
    largest_usd : float
        0 without orders.
    seconds : frozenset of int
        In which seconds since the epoch there was at least one.
    """

    count: int
    sum_usd: float
    capped_sum_usd: float
    largest_usd: float
    seconds: frozenset[int]


@dataclass(slots=True)
class OrderTally:
    """Orders, and when each copy was first seen. Adding and merging commute and are associative.

    Attributes
    ----------
    copies : dict of identity to list of int
        When the first, the second … of equal orders was first seen, by a frame with so many.

    Examples
    --------
    >>> told = Liquidation(symbol="BTCUSDT", time_ms=5, side="long", price=50_000.0,
    ...                    price_is="average", size=2.0)
    >>> tally = OrderTally()
    >>> tally.add([told, told], seen_ms=10)   # two equal ones
    >>> tally.add([told], seen_ms=99)         # one of them again
    >>> tally.side("long").count, tally.side("long").capped_sum_usd, tally.seen_ms
    (2, 200000.0, 10)
    >>> tally.usd_by("long", 9), tally.usd_by("long", 10)
    (0.0, 200000.0)
    """

    copies: dict[Identity, list[int]] = field(default_factory=dict)

    def add(self, frame: Iterable[Liquidation], seen_ms: int) -> None:
        """Take the orders of one frame, all of this symbol and minute."""
        self.add_counted(Counter((o.time_ms, o.side, o.price, o.size) for o in frame), seen_ms)

    def add_counted(self, counted: Mapping[Identity, int], seen_ms: int) -> None:
        """Take how often a frame tells each order."""
        for identity, count in counted.items():
            self._lower(identity, [seen_ms] * count)

    def merge(self, other: "OrderTally") -> None:
        """Take what was told elsewhere."""
        for identity, seen in other.copies.items():
            self._lower(identity, seen)

    def _lower(self, identity: Identity, seen: list[int]) -> None:
        mine = self.copies.setdefault(identity, [])
        shared = min(len(mine), len(seen))
        for k in range(shared):
            mine[k] = min(mine[k], seen[k])
        mine.extend(seen[shared:])

    @property
    def seen_ms(self) -> int:
        """When the last of them was first seen; 0 without any."""
        return max((seen[-1] for seen in self.copies.values()), default=0)

    def usd_by(self, side: Side, moment_ms: int) -> float:
        """Sum of a side's orders that had been seen by a moment."""
        return math.fsum(
            price * size
            for (_, which, price, size), seen in self.copies.items()
            if which == side
            for seen_ms in seen
            if seen_ms <= moment_ms
        )

    def side(self, side: Side) -> SideSums:
        """Sums of a side; exact before they are rounded once, so no order of adding matters."""
        amounts, seconds = [], set()
        for (time_ms, which, price, size), seen in self.copies.items():
            if which == side:
                amounts += [price * size] * len(seen)
                seconds.add(time_ms // 1_000)
        return SideSums(
            count=len(amounts),
            sum_usd=math.fsum(amounts),
            capped_sum_usd=math.fsum(map(capped_usd, amounts)),
            largest_usd=max(amounts, default=0.0),
            seconds=frozenset(seconds),
        )
