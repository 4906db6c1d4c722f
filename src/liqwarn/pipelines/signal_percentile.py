"""Where values stand in their own trailing 180 days, at one bar.

The same share as :func:`liqwarn.models.score_quantile.score_quantile` gives at that bar, bit for
bit, without the bars before it: a board is made of the last bar alone.
"""

from datetime import timedelta
from typing import Final

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import BoolArray, FloatArray
from liqwarn.models.score_quantile import MEMORY

__all__ = ["Standing", "needed_bars", "standing_of"]

_CELL: Final = timedelta(hours=1)
_LEAST: Final = timedelta(days=30)

Standing = tuple[FloatArray, FloatArray, BoolArray]


def needed_bars(bar: timedelta) -> int:
    """Bars before one that its percentile looks at.

    >>> needed_bars(timedelta(hours=1)), needed_bars(timedelta(minutes=5))
    (4320, 51840)
    """
    every = max(1, _CELL // bar)
    return MEMORY // (bar * every) * every


def standing_of(values: FloatArray, at: int, first_bar: int, bar: timedelta) -> Standing:
    """Place the values of one bar among those of the 180 days before it, sampled hourly.

    Parameters
    ----------
    values : ndarray of float64, shape (n_symbols, n_bars, n_columns)
    at : int
        Position of the bar; it is never among its own past.
    first_bar : int
        Absolute number of the first bar.
    bar : timedelta
        Length of a bar.

    Returns
    -------
    upto, below : ndarray of float64, shape (n_symbols, n_columns)
        Share of the remembered values at or below the present one, and below it, 0 to 1; NaN where
        the present value is, or fewer than 30 days are remembered.
    known : ndarray of bool, shape (n_symbols, n_columns)
        Whether anything is remembered at all, or known now.

    Examples
    --------
    >>> rising = np.arange(1000.0).reshape(1, 1000, 1)
    >>> upto, below, known = standing_of(rising, 999, 0, timedelta(hours=1))
    >>> upto.item(), below.item(), known.item()
    (1.0, 1.0, True)
    """
    if not 0 <= at < values.shape[1]:
        raise FrameError(f"bar {at} is not among the {values.shape[1]} bars given")
    every = max(1, _CELL // bar)
    sampled = np.arange(at)
    sampled = sampled[(sampled + first_bar + 1) % every == 0][-(MEMORY // (bar * every)) :]
    past, now = values[:, sampled], values[:, at]
    held = np.isfinite(past).sum(axis=1)
    enough = (held >= _LEAST // (bar * every)) & np.isfinite(now)
    count = np.maximum(held, 1)
    upto, below = (
        np.where(enough, found.sum(axis=1) / count, np.nan)
        for found in (past <= now[:, None], past < now[:, None])
    )
    return upto, below, (held > 0) | np.isfinite(now)
