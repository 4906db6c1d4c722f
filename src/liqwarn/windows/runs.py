"""Runs of one sign, and the plain lag."""

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.windows.arguments import FloatArray, check_window, compiled, plane

__all__ = ["lag", "rolling_run_length"]


@compiled
def _runs(x: FloatArray, out: FloatArray, window: int, min_count: int) -> None:
    for row in range(x.shape[0]):
        n = 0
        run = 0
        sign = np.nan
        for t in range(x.shape[1]):
            now = float(np.sign(x[row, t])) if np.isfinite(x[row, t]) else np.nan
            n += not np.isnan(now)
            if t >= window:
                n -= np.isfinite(x[row, t - window])
            run = run + 1 if now == sign else 1  # never equal to NaN: a missing bar ends the run
            sign = now
            known = not np.isnan(now) and n >= min_count
            out[row, t] = min(run, window) if known else np.nan


def rolling_run_length(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Consecutive last bars with the sign of the last value: 1 to `window`.

    Zero is a sign of its own; a missing bar ends the run; NaN where the last value is missing.
    Parameters are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_run_length(np.array([[1.0, -2.0, -1.0, -3.0, -1.0]]), 3, first_bar=0)
    array([[nan, nan,  2.,  3.,  3.]])
    """
    source = plane(x)
    out = np.empty(source.shape)
    _runs(source, out, window, check_window(window, first_bar, min_count))
    return out


def lag(x: FloatArray, k: int) -> FloatArray:
    """The value `k` bars earlier; NaN in the first `k` bars and where it was missing (±inf too).

    Raises
    ------
    FrameError
        When `k` is negative: nothing here looks ahead.

    >>> lag(np.array([[1.0, 2.0, 3.0]]), 1)
    array([[nan,  1.,  2.]])
    """
    if k < 0:
        raise FrameError(f"lag is {k} bars, expected 0 or more")
    source = plane(x)
    out = np.full(source.shape, np.nan)
    earlier = source[:, : max(0, source.shape[1] - k)]
    np.copyto(out[:, k:], earlier, where=np.isfinite(earlier))
    return out
