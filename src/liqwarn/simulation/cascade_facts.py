"""Hours of shock and cascade, how often they come, and how far symbols share them."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, BoolArray, FloatArray, MarketFrame
from liqwarn.simulation.series_facts import log_change, quantile_pct
from liqwarn.windows import lag, rolling_quantile, rolling_std

__all__ = ["CascadeHours", "cascade_bars", "cascade_hours", "event_facts", "joint_facts"]

HOUR = timedelta(hours=1)
MONTH_H = 730.0
MERGE_H = 6
SHARED_BY = 3
MOVE_FLOOR, MOVE_SIGMAS, MOVE_WINDOW_H = 0.015, 3.0, 720
LOSS_FLOOR, LOSS_QUANTILE, LOSS_WINDOW_H, LOSS_MIN_H = 0.01, 0.95, 2160, 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CascadeHours:
    """Which hours of a frame are shocks and cascades, and which could be judged.

    Attributes
    ----------
    shocks : ndarray of bool, shape (n_symbols, n_bars, 2)
        Price moved against the side, in the order of :data:`liqwarn.frames.SIDES`.
    cascades : ndarray of bool, shape (n_symbols, n_bars, 2)
        Shocks in which open interest fell as well; nowhere true without open interest.
    priced, judged : ndarray of bool, shape (n_symbols, n_bars)
        Hours in which the threshold of price, and both thresholds, were known.
    """

    shocks: BoolArray
    cascades: BoolArray
    priced: BoolArray
    judged: BoolArray

    def between(self, start: int, stop: int) -> "CascadeHours":
        """Bars ``start`` to ``stop`` by position, like a slice; thresholds are not found anew."""
        return CascadeHours(
            shocks=self.shocks[:, start:stop],
            cascades=self.cascades[:, start:stop],
            priced=self.priced[:, start:stop],
            judged=self.judged[:, start:stop],
        )


def cascade_hours(frame: MarketFrame) -> CascadeHours:
    """Find hours far beyond the usual.

    A rough yardstick of the simulator's own, not the label of the models. Shock: move ≥ max(1.5 %,
    3 trailing standard deviations). Cascade: a shock with a loss of open interest ≥ max(1 %,
    trailing 95th percentile) in the same hour.

    Raises
    ------
    FrameError
        When bars are not hourly.
    """
    if frame.bar != HOUR:
        raise FrameError(f"bar is {frame.bar}, expected {HOUR}")
    first = frame.first_bar
    returns, loss = log_change(frame.field("close")), -log_change(frame.field("open_interest"))
    sigma = lag(rolling_std(returns, MOVE_WINDOW_H, first_bar=first), 1)
    usual = lag(
        rolling_quantile(loss, LOSS_WINDOW_H, LOSS_QUANTILE, first_bar=first, min_count=LOSS_MIN_H),
        1,
    )
    move = np.maximum(MOVE_FLOOR, MOVE_SIGMAS * sigma)
    shocks = np.stack([returns <= -move, returns >= move], axis=-1)
    priced = np.isfinite(returns) & np.isfinite(sigma)
    fell = loss >= np.maximum(LOSS_FLOOR, usual)
    return CascadeHours(
        shocks=shocks,
        cascades=shocks & fell[:, :, None],
        priced=priced,
        judged=priced & np.isfinite(loss) & np.isfinite(usual),
    )


def cascade_bars(frame: MarketFrame) -> BoolArray:
    """The cascades of :func:`cascade_hours`, shape (n_symbols, n_bars, 2)."""
    return cascade_hours(frame).cascades


def event_facts(frame: MarketFrame, hours: CascadeHours, row: int) -> dict[str, float]:
    """Rates of one symbol's events a side, hours less than 6 h apart being one; losses in them.

    Months of 730 h in which the thresholds were known. Losses are of single hours; NaN without any.
    """
    facts = {}
    for side, name in enumerate(SIDES):
        facts[f"{name}_shocks_a_month"] = _rate(hours.shocks[row, :, side], hours.priced[row])
    if not hours.judged[row].any():
        return facts
    for side, name in enumerate(SIDES):
        facts[f"{name}_events_a_month"] = _rate(hours.cascades[row, :, side], hours.judged[row])
    loss = -log_change(frame.field("open_interest")[row])
    in_event = loss[hours.cascades[row].any(axis=1)]
    return facts | {
        "event_oi_loss_median_pct": quantile_pct(in_event, 0.5),
        "event_oi_loss_p90_pct": quantile_pct(in_event, 0.9),
    }


def _rate(found: BoolArray, known: BoolArray) -> float:
    months = known.sum() / MONTH_H
    return _onsets(found).sum() / months if months else float("nan")


def _onsets(found: BoolArray) -> BoolArray:
    """First hours of events: those with no other of the kind in the 6 h before."""
    hours = np.flatnonzero(found)
    onsets = np.zeros(found.shape, dtype=bool)
    onsets[hours[np.diff(hours, prepend=-MERGE_H) >= MERGE_H]] = True
    return onsets


def joint_facts(frame: MarketFrame, hours: CascadeHours) -> dict[str, float]:
    """What the symbols of a market have in common, in and out of hours with an event.

    Correlations are means over pairs of symbols; an hour is "in" if at least one symbol has an
    event in it. An event is shared if, on the same side, at least 3 symbols (itself one of them)
    have such an hour within 1 h of its onset. Of shocks always, of cascades with open interest.

    Returns
    -------
    dict of fact to value
        NaN where there are too few hours or events.
    """
    priced = np.asarray(hours.priced.all(axis=0))
    facts = _joint(frame, hours.shocks, priced, "shocks")
    judged = np.asarray(hours.judged.all(axis=0))
    return facts | _joint(frame, hours.cascades, judged, "events") if judged.any() else facts


def _joint(frame: MarketFrame, found: BoolArray, known: BoolArray, kind: str) -> dict[str, float]:
    returns = log_change(frame.field("close"))
    inside = found.any(axis=(0, 2))
    moved = known & np.isfinite(returns).all(axis=0)  # not the first hour of a frame cut out
    return {
        f"correlation_out_of_{kind}": _mean_correlation(returns[:, moved & ~inside]),
        f"correlation_in_{kind}": _mean_correlation(returns[:, moved & inside]),
        f"{kind}_shared_pct": 100.0 * _shared(found[:, known]),
    }


def _mean_correlation(returns: FloatArray) -> float:
    n_symbols, n_hours = returns.shape
    if n_symbols < 2 or n_hours < 10:
        return float("nan")
    table = np.asarray(np.corrcoef(returns))
    return float(table[np.triu_indices(n_symbols, 1)].mean())


def _shared(found: BoolArray) -> float:
    near = found.copy()
    near[:, 1:] |= found[:, :-1]
    near[:, :-1] |= found[:, 1:]
    crowd = near.sum(axis=0)  # (n_bars, 2)
    onsets = np.stack(
        [[_onsets(symbol[:, side]) for side in range(len(SIDES))] for symbol in found]
    ).transpose(0, 2, 1)
    together = (crowd[None] >= SHARED_BY) & onsets
    return float(together.sum() / onsets.sum()) if onsets.any() else float("nan")
