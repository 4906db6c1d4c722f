"""Where values stand in their own trailing 180 days, at one bar.

The same bits as :func:`liqwarn.models.score_quantile.score_quantile` gives at that bar, without
working out the bars before it: a board is of one bar, the facts of an event of a few.
"""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import FrameError
from liqwarn.frames import BoolArray, FloatArray
from liqwarn.models.score_quantile import MEMORY

__all__ = ["Standing", "remembered_bars", "standing_of"]

_CELL: Final = timedelta(hours=1)
_LEAST: Final = timedelta(days=30)

Standing = tuple[FloatArray, BoolArray]


def remembered_bars(at: int, first_bar: int, bar: timedelta) -> NDArray[np.intp]:
    """Positions of the bars a value at `at` is compared with: 180 days before it, every hour.

    Parameters
    ----------
    at : int
        Position of the bar; it is never among its own past.
    first_bar : int
        Absolute number of the bar at position 0.
    bar : timedelta
        Length of a bar; longer ones than an hour are all remembered.

    Examples
    --------
    >>> remembered_bars(5, 0, timedelta(minutes=30)).tolist()
    [1, 3]
    """
    every = _every(bar)
    earliest = max(0, at - MEMORY // (bar * every) * every)
    bars: NDArray[np.intp] = np.arange(earliest, at, dtype=np.intp)
    hourly: NDArray[np.intp] = bars[(bars + first_bar + 1) % every == 0]
    return hourly


def standing_of(past: FloatArray, now: FloatArray, bar: timedelta) -> Standing:
    """Place the values of one bar among those it remembers.

    Parameters
    ----------
    past : ndarray of float64, shape (n_symbols, n_remembered, n_columns)
        Values at :func:`remembered_bars`.
    now : ndarray of float64, shape (n_symbols, n_columns)
    bar : timedelta
        Length of a bar.

    Returns
    -------
    percentile : ndarray of float64, shape (n_symbols, n_columns)
        Share of the remembered values below the present one, equal ones counted by half, 0 to 1;
        NaN where the present value is, or fewer than 30 days are remembered.
    known : ndarray of bool, shape (n_symbols, n_columns)
        Whether anything is remembered at all, or known now.

    Examples
    --------
    >>> rising = np.arange(999.0).reshape(1, 999, 1)
    >>> percentile, known = standing_of(rising, np.array([[500.0]]), timedelta(hours=1))
    >>> round(percentile.item(), 4), known.item()
    (0.501, True)
    """
    if past.shape[::2] != now.shape:
        raise FrameError(f"past has shape {past.shape}, expected (n, any, m) of {now.shape}")
    held = np.isfinite(past).sum(axis=1)
    enough = (held >= _LEAST // (bar * _every(bar))) & np.isfinite(now)
    below, upto = (found.sum(axis=1) for found in (past < now[:, None], past <= now[:, None]))
    share = 0.5 * (below + upto) / np.maximum(held, 1)
    return np.where(enough, share, np.nan), (held > 0) | np.isfinite(now)


def _every(bar: timedelta) -> int:
    return max(1, _CELL // bar)
