"""History as a feed and as the clock that goes with it: a day in minutes, with everything live."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from liqwarn.data.bars.feed import Delivery, Monotonic, Sleep
from liqwarn.data.bars.replay_feed import ReplayFeed
from liqwarn.frames import MarketFrame, epoch_seconds

__all__ = ["ReplaySource"]

_LONGEST_S: Final = 1000 * 366 * 86_400.0
"""A thousand years after its end a fast replay's clock stands: there is no year 10000."""


class ReplaySource:
    """Plays the bars of a frame, and shows the time of day at which they closed.

    Both its clocks stand still until it is first polled, run `factor` times as fast as real time
    from then on, and never run past the bar that comes next: a machine that is too slow for the
    factor falls behind and loses nothing. Once the end has been told they run on from there, so
    that the last flags expire. It is a :class:`liqwarn.data.bars.feed.Feed` and a
    :class:`liqwarn.serving.clock.Clock`; its assembler is one of ``joined=True``.

    Parameters
    ----------
    frame : MarketFrame
        The bars to play.
    factor : float
        How many times faster than real time.
    monotonic, sleep
        The real clock, and how to wait by it.

    Examples
    --------
    >>> import numpy as np
    >>> from liqwarn.frames import bar_times
    >>> hour = timedelta(hours=1)
    >>> times = bar_times(np.datetime64("2024-08-05T06:00:00"), 2, hour)
    >>> frame = MarketFrame(symbols=("BTCUSDT",), times=times, bar=hour, ages={},
    ...                     fields={"close": np.array([[50_123.1, 49_950.0]])})
    >>> source = ReplaySource(frame, factor=1e6)
    >>> source.wall(), len(source.poll(0.0).messages)
    (datetime.datetime(2024, 8, 5, 6, 0, tzinfo=datetime.timezone.utc), 1)
    """

    def __init__(
        self,
        frame: MarketFrame,
        *,
        factor: float,
        monotonic: Monotonic = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._feed = ReplayFeed(frame, clock=monotonic)
        self._closes = epoch_seconds(frame.times).tolist()
        self._bar_s, self._factor = frame.bar_s, factor
        self._monotonic, self._sleep = monotonic, sleep
        self._began: float | None = None
        self._ended: tuple[float, float] | None = None
        self._played = 0

    def wall(self) -> datetime:
        """The time of day in the replay, UTC."""
        first = datetime.fromtimestamp(self._closes[0], tz=UTC)
        return first + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Seconds of the replay since its first bar closed."""
        if self._began is None:
            return 0.0
        if self._ended is not None:
            stood, since = self._ended
            return stood + min((self._monotonic() - since) * self._factor, _LONGEST_S)
        elapsed = (self._monotonic() - self._began) * self._factor
        return min(elapsed, float(self._played * self._bar_s))

    def poll(self, wait_s: float) -> Delivery:
        """The messages of the next bar, once it has closed."""
        if self._began is None:
            self._began = self._monotonic()
        if self._played >= len(self._closes):
            self._ended = self._ended or (self.monotonic(), self._monotonic())
            return self._feed.poll(wait_s)
        ahead_s = self._played * self._bar_s / self._factor - (self._monotonic() - self._began)
        if ahead_s > 0.0:
            self._sleep(min(ahead_s, wait_s))
            if ahead_s > wait_s:
                return Delivery(silence_s=0.0)
        delivery = self._feed.poll(0.0)
        self._played += 1
        return delivery

    def taken(self) -> None:
        """Nobody waits for an answer."""

    def close(self) -> None:
        """Nothing is open."""
