"""Stylised facts of one symbol's open interest, funding and liquidations."""

from collections.abc import Mapping

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.series_facts import (
    autocorrelation,
    log_change,
    moving_mean,
    present,
    quantile_pct,
    tail_index,
)

__all__ = [
    "funding_facts",
    "interest_changes",
    "interest_persistence",
    "liquidation_facts",
]

DAY_H, WEEK_H, TREND_H = 24, 168, 720
SETTLEMENT_H = 8.0


def interest_changes(one: Mapping[str, FloatArray]) -> dict[str, float]:
    """Changes of open interest in coins from bar to bar, and how much trades beside it.

    Examples
    --------
    >>> facts = interest_changes({"open_interest": np.exp(0.02 * np.tile([0.0, 1.0], 100))})
    >>> round(facts["oi_change_std_pct"], 3), round(facts["oi_change_p95_pct"], 3)
    (2.0, 2.0)
    """
    changes = log_change(one["open_interest"])
    facts = {
        "oi_change_std_pct": 100.0 * float(present(changes).std()),
        "oi_change_p05_pct": quantile_pct(changes, 0.05),
        "oi_change_p95_pct": quantile_pct(changes, 0.95),
    }
    if "volume" in one:
        facts["volume_over_oi_median_pct"] = quantile_pct(one["volume"] / one["open_interest"], 0.5)
    return facts


def interest_persistence(one: Mapping[str, FloatArray]) -> dict[str, float]:
    """How long a deviation of hourly open interest lasts.

    Autocorrelation of its logarithm around the centred mean of 30 days, and the standard deviation
    of a day's change over that of an hour's times ``sqrt(24)``: 1 of a random walk, more where
    changes go on, less where they are noise that comes back.

    Examples
    --------
    >>> walk = np.exp(np.cumsum(0.01 * np.random.default_rng(1).standard_normal(9_000)))
    >>> round(interest_persistence({"open_interest": walk})["oi_day_over_hour"], 1)
    1.0
    """
    level = np.log(one["open_interest"])
    trend = moving_mean(level, TREND_H + 1)
    around = level[TREND_H // 2 : -TREND_H // 2] - trend
    hour, day = present(np.diff(level)), present(level[DAY_H:] - level[:-DAY_H])
    return {
        "oi_level_acf_24h": autocorrelation(around, DAY_H),
        "oi_level_acf_168h": autocorrelation(around, WEEK_H),
        "oi_day_over_hour": float(day.std() / hour.std() / np.sqrt(DAY_H)),
    }


def funding_facts(one: Mapping[str, FloatArray]) -> dict[str, float]:
    """Funding per 8 hours, per cent, as in force at each hour; positive: longs pay.

    Examples
    --------
    >>> hourly = {"funding_rate": np.full(100, 1e-5), "funding_interval_h": np.ones(100)}
    >>> round(funding_facts(hourly)["funding_mean_pct"], 6)
    0.008
    """
    rates = 100.0 * one["funding_rate"]
    if "funding_interval_h" in one:
        rates = rates * SETTLEMENT_H / one["funding_interval_h"]
    seen = present(rates)
    return {
        "funding_mean_pct": float(seen.mean()),
        "funding_std_pct": float(seen.std()),
        "funding_p05_pct": float(np.quantile(seen, 0.05)),
        "funding_p95_pct": float(np.quantile(seen, 0.95)),
        "funding_negative_share": float((seen < 0.0).mean()),
        "funding_acf_8h": autocorrelation(rates, 8),
        "funding_acf_72h": autocorrelation(rates, 72),
    }


def liquidation_facts(one: Mapping[str, FloatArray], tail: float = 0.01) -> dict[str, float]:
    """Liquidated USD of both sides a bar over open interest in USD, as the feed prints them.

    Parameters
    ----------
    one : mapping of field to ndarray
        With ``long_liq_usd``, ``short_liq_usd``, ``open_interest`` and ``close``.
    tail : float
        Share of bars in the tail of Hill's estimate.

    Examples
    --------
    >>> both = {"long_liq_usd": np.full(50, 3e4), "short_liq_usd": np.full(50, 1e4),
    ...         "open_interest": np.full(50, 1e4), "close": np.full(50, 100.0)}
    >>> facts = liquidation_facts(both)
    >>> round(facts["liq_over_oi_median_pct"], 6), facts["long_liq_share"]
    (4.0, 0.75)
    """
    longs, shorts = one["long_liq_usd"], one["short_liq_usd"]
    share = (longs + shorts) / (one["open_interest"] * one["close"])
    return {
        "liq_over_oi_median_pct": quantile_pct(share, 0.5),
        "liq_over_oi_p99_pct": quantile_pct(share, 0.99),
        "liq_tail_index": tail_index(share, tail),
        "long_liq_share": float(np.nansum(longs) / np.nansum(longs + shorts)),
    }
