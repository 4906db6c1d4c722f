"""Candles on a time axis, for pictures that show something else on top of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray, TimeArray, epoch_seconds

__all__ = ["DOWN", "UP", "Candles", "draw_candles"]

UP: Final = "#2f7d6b"
DOWN: Final = "#b4533c"
_DAY_S: Final = 86_400
_HOUR: Final = 1 / 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candles:
    """Bars to draw.

    Attributes
    ----------
    times : ndarray of datetime64[s], shape (n,)
        Bar closes, UTC, ascending.
    open, high, low, close : ndarray of float64, shape (n,)
        Quote per coin, all known.

    Raises
    ------
    FrameError
        When a shape differs, a price is not known or there is no bar.
    """

    times: TimeArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray

    def __post_init__(self) -> None:
        if not self.times.size:
            raise FrameError("candles have no bar, expected one or more")
        for name in ("open", "high", "low", "close"):
            found = getattr(self, name)
            if found.shape != self.times.shape:
                raise FrameError(
                    f"candles '{name}' have shape {found.shape}, expected {self.times.shape}"
                )
            if not bool(np.isfinite(found).all()):
                raise FrameError(f"candles '{name}' have missing values, expected only known ones")


def draw_candles(axes: Axes, candles: Candles, *, empty_share: float = 0.0) -> None:
    """Draw bars and set the time axis, with room to the right of the last bar.

    Parameters
    ----------
    axes : Axes
        The x axis counts days since the epoch afterwards.
    candles : Candles
        Bars.
    empty_share : float
        Share of the axis to leave empty on the right, in [0, 1).
    """
    at = epoch_seconds(candles.times) / _DAY_S
    span = max(float(at[-1] - at[0]), _HOUR)
    axes.set_xlim(float(at[0]) - 0.015 * span, float(at[0]) + 1.015 * span / (1.0 - empty_share))
    width = 0.7 * (float(np.diff(at).min()) if at.size > 1 else _HOUR)
    rising = candles.close >= candles.open
    for chosen, colour in ((rising, UP), (~rising, DOWN)):
        low, high = candles.low[chosen], candles.high[chosen]
        wicks = [((x, a), (x, b)) for x, a, b in zip(at[chosen], low, high, strict=True)]
        axes.add_collection(LineCollection(wicks, colors=colour, linewidths=0.8, zorder=2))
        body = np.abs(candles.close - candles.open)[chosen]
        base = np.minimum(candles.close, candles.open)[chosen]
        axes.bar(at[chosen], body, width, base, color=colour, linewidth=0.5, edgecolor=colour)
    ticks, labels = _ticks(at)
    axes.set_xticks(ticks, labels)


def _ticks(at: FloatArray) -> tuple[Sequence[float], list[str]]:
    """Midnights, UTC, or both ends when the bars see fewer than two."""
    first, last = float(at[0]), float(at[-1])
    days = [float(day) for day in range(math.ceil(first), math.floor(last) + 1)]
    if len(days) > 1:
        return days, [f"{_moment(day):%d %b}" for day in days]
    ends = [first, last] if last > first else [first]
    return ends, [f"{_moment(end):%d %b %H:%M}" for end in ends]


def _moment(day: float) -> datetime:
    return datetime.fromtimestamp(round(day * _DAY_S), UTC)
