"""The only rolling arithmetic: windows anchored to the absolute bar number.

Every kernel takes ``(n_symbols, n_bars)`` float64, a window in bars and the absolute number of
column 0, and returns the same shape. NaN and ±inf are missing values, as are bars before column 0.
A value depends on the bars of its window and on nothing else: it is the same bit for bit from any
start that holds the window, in any chunk, for any subset of symbols, one bar or all.

Magnitudes up to 1e150 are safe; beyond, squares overflow.
"""

from liqwarn.windows.arguments import FloatArray, needed_bars
from liqwarn.windows.correlation import rolling_corr
from liqwarn.windows.extremes import bars_since_max, bars_since_min, rolling_max, rolling_min
from liqwarn.windows.moments import (
    rolling_count,
    rolling_mean,
    rolling_std,
    rolling_sum,
    rolling_zscore,
)
from liqwarn.windows.quantile import rolling_quantile
from liqwarn.windows.rank import rolling_rank
from liqwarn.windows.runs import lag, rolling_run_length
from liqwarn.windows.slope import rolling_slope

__all__ = [
    "FloatArray",
    "bars_since_max",
    "bars_since_min",
    "lag",
    "needed_bars",
    "rolling_corr",
    "rolling_count",
    "rolling_max",
    "rolling_mean",
    "rolling_min",
    "rolling_quantile",
    "rolling_rank",
    "rolling_run_length",
    "rolling_slope",
    "rolling_std",
    "rolling_sum",
    "rolling_zscore",
]
