"""A frame replayed as if its bars closed now: at any speed, or as fast as it is polled."""

import time
from collections.abc import Iterator, Mapping

import numpy as np

from liqwarn.data.bars.feed import Delivery, Monotonic, Silence, Sleep
from liqwarn.data.bars.message import BarColumn, BarMessage
from liqwarn.frames import FloatArray, MarketFrame

__all__ = ["ReplayFeed", "column_at", "columns_of", "messages_of"]


def column_at(frame: MarketFrame, bar: int) -> BarColumn:
    """One bar of a frame, bit for bit.

    Parameters
    ----------
    bar : int
        Its position in the frame.

    Examples
    --------
    >>> from datetime import timedelta
    >>> from liqwarn.frames import bar_times
    >>> times = bar_times(np.datetime64("2024-01-01T01:00:00"), 2, timedelta(hours=1))
    >>> frame = MarketFrame(symbols=("BTCUSDT",), times=times, bar=timedelta(hours=1), ages={},
    ...                     fields={"close": np.array([[42_000.0, 42_100.0]])})
    >>> column_at(frame, 1).fields["close"]
    array([42100.])
    """

    def cut(planes: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        return {name: np.ascontiguousarray(plane[:, bar]) for name, plane in planes.items()}

    return BarColumn(
        time=frame.times[bar],
        symbols=frame.symbols,
        fields=cut(frame.fields),
        ages=cut(frame.ages),
        bar_s=frame.bar_s,
    )


def columns_of(frame: MarketFrame) -> Iterator[BarColumn]:
    """The bars of a frame, one by one."""
    return (column_at(frame, bar) for bar in range(len(frame.times)))


def messages_of(column: BarColumn) -> Iterator[BarMessage]:
    """What each symbol would have reported of a bar; one that knows nothing reports so."""
    for row, symbol in enumerate(column.symbols):
        yield BarMessage(
            symbol=symbol,
            time=column.time,
            bar_s=column.bar_s,
            fields={name: float(values[row]) for name, values in column.fields.items()},
            ages={name: float(values[row]) for name, values in column.ages.items()},
        )


class ReplayFeed:
    """The messages of a frame's bars, in order.

    Use it with an :class:`~liqwarn.data.bars.assembler.Assembler` of ``joined=True``, for a frame
    was joined as of already.

    Parameters
    ----------
    frame : MarketFrame
    factor : float or None
        How many times faster than real time; None for as fast as it is polled.
    clock, sleep
        Where the feed gets the time from, and how it waits.
    """

    def __init__(
        self,
        frame: MarketFrame,
        *,
        factor: float | None = None,
        clock: Monotonic = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._columns = columns_of(frame)
        self._pace_s = 0.0 if factor is None else frame.bar_s / factor
        self._clock, self._sleep, self._silence = clock, sleep, Silence(clock)
        self._due = clock()
        self._left = len(frame.times)

    def poll(self, wait_s: float) -> Delivery:
        """The messages of the next bar, once it is due."""
        if not self._left:
            return Delivery(silence_s=self._silence.after(heard=False), ended=True)
        ahead = self._due - self._clock()
        if ahead > 0.0:
            self._sleep(min(ahead, wait_s))
            if ahead > wait_s:
                return Delivery(silence_s=self._silence.after(heard=False))
        self._left -= 1
        self._due += self._pace_s
        messages = tuple(messages_of(next(self._columns)))
        return Delivery(messages=messages, silence_s=self._silence.after(heard=True))

    def taken(self) -> None:
        """Nobody waits for an answer."""

    def close(self) -> None:
        """Nothing is open."""
