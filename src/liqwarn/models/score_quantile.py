"""Where a probability stands among those of the trailing 180 days.

The past is sampled at fixed hours, 00:00, 08:00 and 16:00 UTC: 540 samples, so a live process needs
to keep no more, and counting them gives the same bits from any start.
"""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray
from liqwarn.windows.arguments import compiled

__all__ = ["WINDOW", "score_quantile"]

WINDOW: Final = timedelta(days=180)
CELL: Final = timedelta(hours=8)
LEAST: Final = 90  # samples, 30 days: fewer say too little of the tail


def score_quantile(past: FloatArray, now: FloatArray, first_bar: int, bar: timedelta) -> FloatArray:
    """Share of the trailing samples below each probability, ties by half.

    Parameters
    ----------
    past : ndarray of float64, shape (n_symbols, n_bars, ...)
        Probabilities the samples are taken from; NaN where there is none.
    now : ndarray of float64, the same shape
        Probabilities to place among them. The bar itself is never among its samples.
    first_bar : int
        Absolute number of the first bar.
    bar : timedelta
        Length of a bar; 8 h must be a whole number of bars.

    Returns
    -------
    ndarray of float64, the same shape, in [0, 1]
        NaN where the probability is missing or fewer than 90 samples are there.

    Raises
    ------
    FrameError
        When the shapes differ or bars do not fit into 8 h.

    Examples
    --------
    >>> past = np.linspace(0.0, 1.0, 2001).reshape(1, -1)
    >>> score_quantile(past, past, 1, timedelta(hours=8))[0, [50, 2000]]
    array([nan,  1.])
    """
    if past.shape != now.shape or past.ndim < 2:
        raise FrameError(f"past has shape {past.shape}, probabilities {now.shape}: expected equal")
    if CELL % bar:
        raise FrameError(f"bars of {bar} do not divide {CELL}")
    n_bars = now.shape[1]
    numbers = first_bar + np.arange(n_bars, dtype=np.int64)
    at = np.flatnonzero(numbers % (CELL // bar) == 0)
    flat_past = np.ascontiguousarray(np.moveaxis(past, 1, -1)).reshape(-1, n_bars)
    flat_now = np.ascontiguousarray(np.moveaxis(now, 1, -1)).reshape(-1, n_bars)
    out = np.empty(flat_now.shape)
    _place(np.ascontiguousarray(flat_past[:, at]), at, flat_now, (WINDOW // bar, LEAST), out)
    moved = out.reshape(np.moveaxis(now, 1, -1).shape)
    return np.ascontiguousarray(np.moveaxis(moved, -1, 1))


@compiled
def _place(
    samples: FloatArray,
    at: NDArray[np.int64],
    now: FloatArray,
    bounds: tuple[int, int],
    out: FloatArray,
) -> None:
    window, least = bounds
    for row in range(now.shape[0]):
        first = 0
        stop = 0
        for t in range(now.shape[1]):
            while stop < at.size and at[stop] < t:
                stop += 1
            while first < stop and at[first] < t - window:
                first += 1
            n = 0
            twice = 0
            for k in range(first, stop):
                value = samples[row, k]
                if np.isfinite(value):
                    n += 1
                    twice += (value < now[row, t]) + (value <= now[row, t])
            known = now[row, t] == now[row, t] and n >= least
            out[row, t] = 0.5 * twice / n if known else np.nan
