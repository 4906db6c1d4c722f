"""What many futures came to, as plain data: the parts of ``scenario.json``.

Moves are simple returns in percent of the first price. A symbol's *worst moment* is its extreme in
its worse direction: down, unless its planned news go up. Paths that diverged are left out.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from liqwarn.frames import SIDES, FloatArray
from liqwarn.simulation.intervals import Spread, chance_of, spread
from liqwarn.simulation.layout import CHANNELS, CROWDING, DEPTH, FUND, NEWS, SLOW_FLOW, THIN
from liqwarn.simulation.monte_carlo import Futures
from liqwarn.simulation.opening import Opening

__all__ = ["LEAST_NEWS", "amplification", "fan_of", "initial_of", "symbol_results", "total_of"]

LEAST_NEWS: Final = 0.005
"""Log move by news and slow orders below which a path says nothing of amplification."""

_QUANTILES: Final = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def symbol_results(opening: Opening, futures: Futures) -> dict[str, dict[str, Any]]:
    """Every symbol's results.

    Returns
    -------
    dict
        By symbol: ``trough_pct`` and ``peak_pct``, lowest and highest price; ``time_to_trough_h``,
        ``channels`` and ``amplification`` of the worst moment; USD liquidated by side, and closed
        by auto-deleveraging.
    """
    return {
        symbol: _symbol_result(opening, futures, i)
        for i, symbol in enumerate(opening.config.symbols)
    }


def total_of(opening: Opening, futures: Futures) -> dict[str, Any]:
    """Results over all symbols.

    ``loss_pct`` is the mean of the symbols' troughs, each at its own moment, weighted with open
    interest at the start; ``liquidated_usd``'s 95th percentile is the liquidations at risk.
    """
    kept = ~futures.diverged
    usd = opening.open_interest * opening.prices
    trough, _ = _extremes(opening, futures)
    loss = 100.0 * np.expm1(trough) @ (usd / usd.sum())
    fund = float(opening.books.cells[:-1, FUND].sum())
    left = futures.fund.sum(axis=1) / fund if fund > 0.0 else np.full(len(kept), np.nan)
    return {
        "liquidated_usd": spread(futures.liquidated_usd.sum(axis=(1, 2))),
        "loss_pct": spread(loss, low_tail=True),
        "insurance_left_frac": spread(left, low_tail=True),
        "adl_probability": chance_of((futures.adl_usd[kept].sum(axis=1) > 0.0).tolist()),
    }


def amplification(futures: Futures, start: FloatArray) -> FloatArray:
    """Log move at the worst moment over the part of it by news and slow orders.

    Parameters
    ----------
    futures : Futures
        Many paths.
    start : ndarray, shape (n_symbols,)
        Log prices at the start.

    Returns
    -------
    ndarray, shape (n_paths, n_symbols)
        NaN where news and slow orders moved price by less than 0.5 % in the worse direction: a
        ratio to next to nothing says nothing.
    """
    total = futures.worst - start
    exogenous = futures.moved[:, :, NEWS] + futures.moved[:, :, SLOW_FLOW]
    enough = exogenous * np.sign(total) >= LEAST_NEWS
    nothing = np.full(total.shape, np.nan)
    return np.asarray(np.divide(total, exogenous, out=nothing, where=enough))


def fan_of(opening: Opening, futures: Futures) -> dict[str, Any]:
    """Percentiles of the price change over time, in percent, from the paths that are kept whole."""
    config = opening.config
    closes = futures.closes[~futures.diverged[: len(futures.closes)]]
    times = [round(config.bar_h * bar, 6) for bar in range(config.n_bars + 1)]
    if not len(closes):
        return {"times_h": times, "symbols": {}}
    moves = 100.0 * np.expm1(closes - np.log(opening.prices)[:, None])
    levels = np.quantile(moves, list(_QUANTILES.values()), axis=0).round(4)
    return {
        "times_h": times,
        "symbols": {
            symbol: {name: [0.0, *levels[q, i].tolist()] for q, name in enumerate(_QUANTILES)}
            for i, symbol in enumerate(config.symbols)
        },
    }


def initial_of(opening: Opening) -> dict[str, dict[str, float]]:
    """Every symbol at the start: price, open interest, what the book offers a percent, crowding."""
    cells, price = opening.books.cells[:-1], opening.prices
    calm = cells[:, DEPTH] * price
    depth = calm[:, None] * np.exp(opening.depth - cells[:, THIN : THIN + 2])
    interest = opening.open_interest * price
    return {
        symbol: {
            "price": float(price[i]),
            "open_interest_usd": float(interest[i]),
            "bid_depth_usd": float(depth[i, 0]),
            "ask_depth_usd": float(depth[i, 1]),
            "crowding": float(cells[i, CROWDING]),
        }
        for i, symbol in enumerate(opening.config.symbols)
    }


def _symbol_result(opening: Opening, futures: Futures, i: int) -> dict[str, Any]:
    start = np.log(opening.prices)
    trough, peak = (100.0 * np.expm1(one[:, i]) for one in _extremes(opening, futures))
    amplified = amplification(futures, start)[:, i]
    liquidated: Mapping[str, Spread] = {
        f"liquidated_{side}_usd": spread(futures.liquidated_usd[:, i, k])
        for k, side in enumerate(SIDES)
    }
    return {
        "trough_pct": spread(trough, low_tail=True),
        "peak_pct": spread(peak),
        "time_to_trough_h": spread(futures.worst_h[:, i]),
        **liquidated,
        "adl_usd": spread(futures.adl_usd[:, i]),
        "amplification": spread(amplified) if np.isfinite(amplified).any() else None,
        "channels": _channels(futures.moved[~futures.diverged, i]),
    }


def _extremes(opening: Opening, futures: Futures) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest log price of each path and symbol, less the first."""
    start = np.log(opening.prices)
    worst, other = futures.worst - start, futures.other - start
    return np.minimum(worst, other), np.maximum(worst, other)


def _channels(moved: FloatArray) -> dict[str, dict[str, float | None]]:
    """Parts of the move at the worst moment, in percent so that they sum to its simple return."""
    if not len(moved):
        return {name: {"mean_pct": None, "share": None} for name in CHANNELS}
    total = moved.sum(axis=1)
    scale = np.divide(np.expm1(total), total, out=np.ones_like(total), where=total != 0.0)
    parts = 100.0 * (moved * scale[:, None]).mean(axis=0)
    whole = float(parts.sum())
    return {
        name: {"mean_pct": float(part), "share": float(part) / whole if whole else None}
        for name, part in zip(CHANNELS, parts, strict=True)
    }
