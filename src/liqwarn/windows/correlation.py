"""Correlation of two series over trailing windows.

Summed as in :mod:`liqwarn.windows.moments`: each part around the pair next to the block's start.
"""

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.windows.arguments import FloatArray, compiled, plane
from liqwarn.windows.blocks import Plan, load_row, neighbours, plan_blocks

__all__ = ["correlation_of", "rolling_corr"]


@compiled
def _scan(
    us: FloatArray, vs: FloatArray, start: int, origins: FloatArray, parts: FloatArray
) -> None:
    """Count, Σu, Σv, Σuu, Σvv, Σuv ahead (rows 0 to 5) and behind (rows 6 to 11) of `start`."""
    window = parts.shape[1]
    parts[6:, window - 1] = 0.0
    for side in range(2):
        count, su, sv, suu, svv, suv = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(side, window):
            u = us[start - k if side else start + k] - origins[0, side]
            v = vs[start - k if side else start + k] - origins[1, side]
            if not np.isnan(u):
                count += 1.0
                su += u
                sv += v
                suu += u * u
                svv += v * v
                suv += u * v
            at = window - 1 - k if side else k
            row = 6 * side
            parts[row, at], parts[row + 1, at], parts[row + 2, at] = count, su, sv
            parts[row + 3, at], parts[row + 4, at], parts[row + 5, at] = suu, svv, suv


@compiled
def correlation_of(parts: FloatArray, k: int, origins: FloatArray, min_count: int) -> float:
    """Correlation of the window that ends at place `k`, from its parts and what they start at."""
    ahead, behind = parts[0, k], parts[6, k]
    n = ahead + behind
    if n < min_count:
        return np.nan
    du, dv = 0.0, 0.0
    if ahead > 0.0 and behind > 0.0:
        du = origins[0, 1] - origins[0, 0]
        dv = origins[1, 1] - origins[1, 0]
    su = parts[1, k] + (parts[7, k] + behind * du)
    sv = parts[2, k] + (parts[8, k] + behind * dv)
    bu, bv = parts[7, k], parts[8, k]
    suu = parts[3, k] + (parts[9, k] + du * (bu + bu + behind * du))
    svv = parts[4, k] + (parts[10, k] + dv * (bv + bv + behind * dv))
    suv = parts[5, k] + (parts[11, k] + (du * bv + dv * (bu + behind * du)))
    spread_u = n * suu - su * su
    spread_v = n * svv - sv * sv
    if not (spread_u > 0.0 and spread_v > 0.0):
        return np.nan
    r = (n * suv - su * sv) / np.sqrt(spread_u) / np.sqrt(spread_v)
    return float(min(1.0, max(-1.0, r)))


@compiled
def _keep_pairs(us: FloatArray, vs: FloatArray) -> None:
    for t in range(us.size):
        if np.isnan(us[t]) or np.isnan(vs[t]):
            us[t] = np.nan
            vs[t] = np.nan


@compiled
def _roll(x: FloatArray, y: FloatArray, plan: Plan, out: FloatArray) -> None:
    window = plan.window
    us, vs = np.empty(plan.size), np.empty(plan.size)
    parts = np.empty((12, window))
    origins = np.empty((2, 2))
    for row in range(x.shape[0]):
        load_row(x[row], plan.before, us)
        load_row(y[row], plan.before, vs)
        _keep_pairs(us, vs)
        for start in range(window, plan.size, window):
            origins[0, 0], origins[0, 1] = neighbours(us, start, window)
            origins[1, 0], origins[1, 1] = neighbours(vs, start, window)
            _scan(us, vs, start, origins, parts)
            low = max(0, plan.before - start)
            high = min(window, plan.before + plan.n_bars - start)
            for k in range(low, high):
                r = correlation_of(parts, k, origins, plan.min_count)
                out[row, start + k - plan.before] = r


def rolling_corr(
    x: FloatArray, y: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Pearson correlation of the window's bars where both series are finite, from -1 to 1.

    NaN where either is constant. `y` has the shape of `x`; `min_count` counts pairs; other
    parameters and errors are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_corr(
    ...     np.array([[1.0, 2.0, 3.0, 3.0]]), np.array([[2.0, 4.0, 6.0, 0.0]]), 3, first_bar=0
    ... ).round(6)
    array([[      nan,       nan,  1.      , -0.188982]])
    """
    one, other = plane(x, "x"), plane(y, "y")
    if one.shape != other.shape:
        raise FrameError(f"y has shape {other.shape}, expected {one.shape} as x")
    out = np.empty(one.shape)
    _roll(one, other, plan_blocks(one.shape[1], window, first_bar, min_count), out)
    return out
