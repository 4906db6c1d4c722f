"""Stylised facts of one symbol's prices: spread, tails, clustering, leverage effect."""

from collections.abc import Mapping

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.series_facts import (
    autocorrelation,
    log_change,
    moving_mean,
    present,
    tail_index,
)

__all__ = ["leverage_effect", "price_facts"]

DAY_H = 24


def price_facts(one: Mapping[str, FloatArray]) -> dict[str, float]:
    """Facts of hourly ``close``, and of the candles where they are known.

    Parameters
    ----------
    one : mapping of field to ndarray, shape (n_bars,)

    Returns
    -------
    dict of fact to value
        Tail indices are Hill's over the largest 1 % of all hours in each direction.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> facts = price_facts({"close": np.exp(np.cumsum(0.01 * rng.standard_normal(9_000)))})
    >>> round(facts["return_std_pct"], 1), round(facts["return_kurtosis"], 1)
    (1.0, 3.1)
    """
    returns = log_change(one["close"])
    seen = present(returns)
    z = (seen - seen.mean()) / seen.std()
    size = np.abs(returns)
    facts = {
        "return_std_pct": 100.0 * float(seen.std()),
        "return_kurtosis": float((z**4).mean()),
        "tail_index_down": tail_index(np.maximum(-z, 0.0)),
        "tail_index_up": tail_index(np.maximum(z, 0.0)),
        "return_acf_1h": autocorrelation(returns, 1),
        "abs_return_acf_1h": autocorrelation(size, 1),
        "abs_return_acf_24h": autocorrelation(size, DAY_H),
        "abs_return_acf_168h": autocorrelation(size, 7 * DAY_H),
        "leverage_effect": leverage_effect(returns),
    }
    if {"high", "low"} <= set(one):
        ranges = np.log(one["high"] / one["low"])
        facts["range_over_abs_return"] = float(np.nanmean(ranges) / np.nanmean(size))
    return facts


def leverage_effect(returns: FloatArray) -> float:
    """Correlation of a return with how much larger moves are the day after than the day before.

    Negative: volatility rises after falls. Both days are means of ``|r|`` over 24 bars, the bar of
    the return left out. NaN where either never varies.

    Examples
    --------
    >>> calm, wild = 0.01 * np.tile([1.0, -1.0], 50), 0.03 * np.tile([1.0, -1.0], 50)
    >>> leverage_effect(np.concatenate([calm, [-0.05], wild])) < 0.0
    True
    """
    means = moving_mean(np.abs(returns), DAY_H)
    rise = means[DAY_H + 1 :] - means[: -DAY_H - 1]
    at = returns[DAY_H:-DAY_H]
    both = np.isfinite(rise) & np.isfinite(at)
    if not (np.ptp(at[both]) > 0.0 and np.ptp(rise[both]) > 0.0):
        return float("nan")
    return float(np.corrcoef(at[both], rise[both])[0, 1])
