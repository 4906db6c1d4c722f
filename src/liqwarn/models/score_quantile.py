"""Where a probability stands in its own recent past: the trailing percentile the breaker reads."""

from datetime import timedelta
from typing import Final

import numpy as np
from numba import njit

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray

__all__ = ["MEMORY", "sampling", "score_quantile"]

MEMORY: Final = timedelta(days=180)
_CELL: Final = timedelta(hours=1)  # shorter bars are sampled hourly: 4,320 values remembered
_LEAST: Final = timedelta(days=30)  # with less past than this the percentile is not known


def score_quantile(
    past: FloatArray, probability: FloatArray, first_bar: int, bar: timedelta
) -> FloatArray:
    """Share of the remembered probabilities below the present one, equal ones counted by half.

    By half, so that a model which says the same of every bar stands in the middle, not at the top.
    Exact order statistics of whole values, so live equals batch whatever the history's start, once
    it covers the memory. The window is longer than a feature's may be: the top half per cent of 180
    days needs every hour.

    Parameters
    ----------
    past : ndarray of float64, shape (n_symbols, n_bars, 2)
        Probabilities to remember, by bar; NaN where there is none to compare with.
    probability : ndarray of float64, shape (n_symbols, n_bars, 2)
        Probabilities to place; the bar itself is never among its own past.
    first_bar : int
        Absolute number of the first bar.
    bar : timedelta
        Length of a bar.

    Returns
    -------
    ndarray of shape (n_symbols, n_bars, 2)
        0 to 1; NaN where the probability is, or fewer than 30 days are remembered.

    Examples
    --------
    >>> p = np.linspace(0.0, 1.0, 1000).reshape(1, 1000, 1).repeat(2, axis=2)
    >>> q = score_quantile(p, p, 0, timedelta(hours=1))
    >>> q[0, [719, 720, 999], 0]
    array([nan,  1.,  1.])
    """
    if past.shape != probability.shape:
        raise FrameError(f"past has shape {past.shape}, expected {probability.shape}")
    every, window, least = sampling(bar)
    out = np.full(probability.shape, np.nan)
    for row, side in np.ndindex(past.shape[0], past.shape[2]):
        remembered = np.ascontiguousarray(past[row, :, side])
        present = np.ascontiguousarray(probability[row, :, side])
        out[row, :, side] = _place(
            remembered, present, (first_bar + 1) % every, every, window, least
        )
    return out


def sampling(bar: timedelta) -> tuple[int, int, int]:
    """Bars from one remembered value to the next, how many are remembered, and at least needed.

    Examples
    --------
    >>> sampling(timedelta(minutes=5)), sampling(timedelta(hours=4))
    ((12, 4320, 720), (1, 1080, 180))
    """
    every = max(1, _CELL // bar)
    return every, MEMORY // (bar * every), _LEAST // (bar * every)


@njit(cache=True, nogil=True)
def _place(
    past: FloatArray, present: FloatArray, phase: int, every: int, window: int, least: int
) -> FloatArray:
    """Percentile of each present value among the sampled past, a sorted window moved along."""
    out = np.full(present.size, np.nan)
    ordered = np.empty(window)
    ring = np.full(window, np.nan)
    held, cell = 0, 0
    for t in range(present.size):
        if held >= least and np.isfinite(present[t]):
            below = np.searchsorted(ordered[:held], present[t], side="left")
            upto = np.searchsorted(ordered[:held], present[t], side="right")
            out[t] = 0.5 * (below + upto) / held
        if (t + phase) % every == 0:
            slot = cell % window
            held = _drop(ordered, held, ring[slot])
            ring[slot] = past[t]
            held = _keep(ordered, held, past[t])
            cell += 1
    return out


@njit(cache=True, nogil=True)
def _drop(ordered: FloatArray, held: int, value: float) -> int:
    if not np.isfinite(value):
        return held
    at = np.searchsorted(ordered[:held], value, side="left")
    for k in range(at, held - 1):
        ordered[k] = ordered[k + 1]
    return held - 1


@njit(cache=True, nogil=True)
def _keep(ordered: FloatArray, held: int, value: float) -> int:
    if not np.isfinite(value):
        return held
    at = np.searchsorted(ordered[:held], value, side="right")
    for k in range(held, at, -1):
        ordered[k] = ordered[k - 1]
    ordered[at] = value
    return held + 1
