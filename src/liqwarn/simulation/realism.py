"""Stylised facts of a market frame, the same arithmetic for simulated and real history."""

from datetime import timedelta

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, BoolArray, FloatArray, MarketFrame
from liqwarn.windows import lag, rolling_quantile, rolling_std

__all__ = ["cascade_bars", "stylised_facts"]

HOUR = timedelta(hours=1)
MONTH_H = 730.0
MERGE_H = 6
MOVE_FLOOR, MOVE_SIGMAS, MOVE_WINDOW_H = 0.015, 3.0, 720
LOSS_FLOOR, LOSS_QUANTILE, LOSS_WINDOW_H, LOSS_MIN_H = 0.01, 0.95, 2160, 500


def cascade_bars(frame: MarketFrame) -> BoolArray:
    """Hours in which price moved against a side and open interest fell, far beyond the usual.

    A rough yardstick of the simulator's own, not the label of the models: move ≥ max(1.5 %, 3
    trailing standard deviations) and loss of open interest ≥ max(1 %, trailing 95th percentile).

    Returns
    -------
    ndarray of bool, shape (n_symbols, n_bars, 2)
        By side, in the order of :data:`liqwarn.frames.SIDES`.

    Raises
    ------
    FrameError
        When bars are not hourly.
    """
    _hourly(frame)
    first = frame.first_bar
    returns, loss = _log_change(frame.field("close")), -_log_change(frame.field("open_interest"))
    sigma = lag(rolling_std(returns, MOVE_WINDOW_H, first_bar=first), 1)
    usual = lag(
        rolling_quantile(loss, LOSS_WINDOW_H, LOSS_QUANTILE, first_bar=first, min_count=LOSS_MIN_H),
        1,
    )
    move = np.maximum(MOVE_FLOOR, MOVE_SIGMAS * sigma)
    drop = loss >= np.maximum(LOSS_FLOOR, usual)
    return np.stack([(returns <= -move) & drop, (returns >= move) & drop], axis=-1)


def stylised_facts(frame: MarketFrame) -> dict[str, dict[str, float]]:
    """Facts by symbol; what the frame does not carry is left out.

    Parameters
    ----------
    frame : MarketFrame
        Hourly, with ``close`` at least.

    Returns
    -------
    dict of symbol to dict of fact to value
        Per cent where the name says so; events a month and side count merged cascade hours.

    Raises
    ------
    FrameError
        When bars are not hourly.
    """
    _hourly(frame)
    cascades = cascade_bars(frame)
    facts = {}
    for row, symbol in enumerate(frame.symbols):
        one = {name: plane[row] for name, plane in frame.fields.items()}
        found = _price_facts(one)
        if "open_interest" in one:
            found |= _interest_facts(one) | _event_facts(one, cascades[row])
        if "funding_rate" in one:
            found |= _funding_facts(one)
        facts[symbol] = found
    return facts


def _hourly(frame: MarketFrame) -> None:
    if frame.bar != HOUR:
        raise FrameError(f"bar is {frame.bar}, expected {HOUR}")


def _log_change(plane: FloatArray) -> FloatArray:
    return np.diff(np.log(plane), axis=-1, prepend=np.nan)


def _present(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def _autocorrelation(values: FloatArray, steps: int) -> float:
    centred = values - np.nanmean(values)
    return float(np.nanmean(centred[steps:] * centred[:-steps]) / np.nanmean(centred**2))


def _price_facts(one: dict[str, FloatArray]) -> dict[str, float]:
    returns = _log_change(one["close"])
    seen = _present(returns)
    z = (seen - seen.mean()) / seen.std()
    size = np.abs(returns)
    facts = {
        "return_std_pct": 100.0 * float(seen.std()),
        "return_kurtosis": float((z**4).mean()),
        "return_acf_1h": _autocorrelation(returns, 1),
        "abs_return_acf_1h": _autocorrelation(size, 1),
        "abs_return_acf_24h": _autocorrelation(size, 24),
        "abs_return_acf_168h": _autocorrelation(size, 168),
        "tail_index": _tail_index(np.abs(z)),
    }
    if {"high", "low"} <= set(one):
        ranges = np.log(one["high"] / one["low"])
        facts["range_over_abs_return"] = float(np.nanmean(ranges) / np.nanmean(size))
    return facts


def _tail_index(sizes: FloatArray) -> float:
    """Hill's estimate over the largest 1 %."""
    largest = np.sort(sizes)[-max(2, sizes.size // 100) :]
    return float(1.0 / np.log(largest[1:] / largest[0]).mean())


def _interest_facts(one: dict[str, FloatArray]) -> dict[str, float]:
    changes = _present(_log_change(one["open_interest"]))
    facts = {
        "oi_change_std_pct": 100.0 * float(changes.std()),
        "oi_change_p05_pct": 100.0 * float(np.quantile(changes, 0.05)),
        "oi_change_p95_pct": 100.0 * float(np.quantile(changes, 0.95)),
    }
    if "volume" in one:
        ratio = one["volume"] / one["open_interest"]
        facts["volume_over_oi_median_pct"] = 100.0 * float(np.nanmedian(ratio))
    return facts


def _event_facts(one: dict[str, FloatArray], cascades: BoolArray) -> dict[str, float]:
    loss = -_log_change(one["open_interest"])
    known = np.isfinite(loss).sum() / MONTH_H
    facts = {}
    for side, name in enumerate(SIDES):
        hours = np.flatnonzero(cascades[:, side])
        apart = np.diff(hours, prepend=-MERGE_H) >= MERGE_H
        facts[f"{name}_events_a_month"] = float(apart.sum() / known)
    in_event = loss[cascades.any(axis=1)]
    if in_event.size:
        facts["event_oi_loss_median_pct"] = 100.0 * float(np.median(in_event))
        facts["event_oi_loss_p90_pct"] = 100.0 * float(np.quantile(in_event, 0.9))
    return facts


def _funding_facts(one: dict[str, FloatArray]) -> dict[str, float]:
    rates = 100.0 * one["funding_rate"]
    return {
        "funding_mean_pct": float(np.nanmean(rates)),
        "funding_std_pct": float(np.nanstd(rates)),
        "funding_acf_8h": _autocorrelation(rates, 8),
        "funding_acf_72h": _autocorrelation(rates, 72),
    }
