"""What an arm did to the cascades of a run, and what it cost those who obeyed."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.layout import (
    CHANNELS,
    LIQUIDATED_USD,
    MISSED,
    NEWS,
    SLIPPAGE_USD,
    SLOW_FLOW,
    TALLY,
)
from liqwarn.simulation.loop_events import Onset
from liqwarn.simulation.loop_market import LoopRun

__all__ = ["DEFINITIONS", "METRICS", "Restrictions", "composition", "measure"]

BEFORE_H, AFTER_H, WATCHED_H = 1.0, 4.0, 12.0
MISSED_TRADE: Final = 2e-4
"""What an entry is worth that could not be made, as a share of its notional: an assumption, two
basis points, about half of a large venue's taker fee."""

DEFINITIONS: Final = {
    "cascade_size": (
        "How far price stood against the side beyond the exogenous move, in % of price, where it "
        "stood furthest, from one hour before to four hours after an onset; mean over the onsets "
        "under any of the arms, which all arms share."
    ),
    "liquidated_usd": "Everything liquidated in the run, all symbols and sides, USD.",
    "cascades": "Cascades of the run, all symbols and sides.",
    "trough": (
        "How far price went against the side in the same windows, in % of price, news included; "
        "mean over the same onsets."
    ),
    "recovery": (
        "Hours from where price stood furthest beyond the exogenous move until half of that was "
        "regained; what takes longer than twelve hours counts as twelve."
    ),
    "time_restricted": (
        "Share of time, over symbols and sides, in which the obedient may add nothing, or hold at "
        "most half of the house leverage: tiers T2 to T4, or the like."
    ),
    "time_limited": "Share of time in which the obedient are held below house limits at all.",
    "exposure": "Average factor on the house leverage that the obedient were allowed.",
    "cost": (
        "Cost to the obedient in basis points of their notional a month: slippage of what they "
        "had to close, and two basis points of each entry they could not make."
    ),
}
"""What each metric means."""

METRICS: Final = tuple(DEFINITIONS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restrictions:
    """What an arm imposed, bar by bar.

    Attributes
    ----------
    entry, leverage : ndarray, shape (n_bars, n_symbols, 2)
        As in :class:`liqwarn.simulation.restraint.Restraint`.
    """

    entry: FloatArray
    leverage: FloatArray

    @property
    def exposure(self) -> float:
        """Average factor on the house leverage."""
        return float(self.leverage.mean())

    @property
    def time_restricted(self) -> float:
        """Share of cells in which nothing may be added, or half the leverage be held."""
        return float(((self.entry == 0.0) | (self.leverage <= 0.5)).mean())

    @property
    def time_limited(self) -> float:
        """Share of cells below house limits."""
        return float(((self.entry < 1.0) | (self.leverage < 1.0)).mean())


def measure(
    run: LoopRun, free: LoopRun, found: list[Onset], imposed: Restrictions
) -> dict[str, float]:
    """The metrics of one run beside the run without restrictions; NaN where nothing happened.

    Parameters
    ----------
    run, free : LoopRun
        The arm's run, and that of nobody restricted on the same news.
    found : list of Onset
        Where to look, bars counted from the start of the run.

    Returns
    -------
    dict of metric to float
        `cascades` is left for whoever knows what counts as one.
    """
    windows = [_window(run, free, onset) for onset in found]
    size, trough, recovery = np.array(windows).T if windows else np.full((3, 1), np.nan)
    lead = run.market.lead
    usd = LIQUIDATED_USD - TALLY
    return {
        "cascade_size": float(size.mean()),
        "liquidated_usd": float(run.record.tally[:, lead:, usd : usd + 2].sum()),
        "cascades": float("nan"),
        "trough": float(trough.mean()),
        "recovery": float(recovery.mean()),
        "time_restricted": imposed.time_restricted,
        "time_limited": imposed.time_limited,
        "exposure": imposed.exposure,
        "cost": _cost(run),
    }


def composition(run: LoopRun, free: LoopRun, found: list[Onset]) -> dict[str, float]:
    """What a run's cascades are made of: mean part of each cause, in % of log price.

    At the moment that `cascade_size` is taken at; orders that the free run has as well are news.
    """
    parts = np.zeros(len(CHANNELS))
    for onset in found:
        first, stop, _ = _span(run, onset)
        against = -1.0 if onset.side == 0 else 1.0
        moved = against * _since(run.record.moved[onset.symbol], first, stop)
        shared = against * _since(free.record.moved[onset.symbol], first, stop)
        moved[:, SLOW_FLOW] -= shared[:, SLOW_FLOW]
        moved[:, NEWS] += shared[:, SLOW_FLOW]
        worst = int((moved.sum(axis=1) - moved[:, NEWS]).argmax())
        parts += 100.0 * moved[worst] / len(found)
    return dict(zip(CHANNELS, parts.tolist(), strict=True))


def _span(run: LoopRun, onset: Onset) -> tuple[int, int, int]:
    """First row, row after the last one, and until when recovery is watched."""
    bar_h, lead, end = run.market.config.bar_h, run.market.lead, run.record.held.shape[1]
    first = lead + max(0, onset.bar - round(BEFORE_H / bar_h))
    stop = min(lead + onset.bar + round(AFTER_H / bar_h) + 1, end)
    return first, stop, min(stop + round(WATCHED_H / bar_h), end)


def _window(run: LoopRun, free: LoopRun, onset: Onset) -> tuple[float, float, float]:
    """Size, trough and recovery of one cascade."""
    bar_h = run.market.config.bar_h
    first, stop, later = _span(run, onset)
    against = -1.0 if onset.side == 0 else 1.0
    moved = against * _since(run.record.prices[3, onset.symbol], first, later)
    news = free.record.moved[onset.symbol, :, NEWS] + free.record.moved[onset.symbol, :, SLOW_FLOW]
    beyond = moved - against * _since(news, first, later)
    worst = int(beyond[: stop - first].argmax())
    size = max(0.0, float(beyond[worst]))
    trough = max(0.0, float(moved[: stop - first].max()))
    if size == 0.0:
        return 0.0, 100.0 * np.expm1(trough), 0.0
    regained = np.flatnonzero(beyond[worst:] <= 0.5 * size)
    hours = min(WATCHED_H, bar_h * float(regained[0])) if regained.size else WATCHED_H
    return 100.0 * np.expm1(size), 100.0 * np.expm1(trough), hours


def _since(path: FloatArray, first: int, stop: int) -> FloatArray:
    return np.asarray(path[first:stop] - path[first - 1])


def _cost(run: LoopRun) -> float:
    """Basis points of the obedient's notional a month; NaN where nobody obeys."""
    if run.market.obedience.phi == 0.0:
        return float("nan")
    config, record, lead = run.market.config, run.record, run.market.lead
    close = np.exp(record.prices[3, :, lead:])
    missed = record.tally[:, lead:, MISSED - TALLY : MISSED - TALLY + 2].sum(axis=2) * close
    slippage = record.tally[:, lead:, SLIPPAGE_USD - TALLY].sum()
    held = 2.0 * run.market.obedience.phi * (record.held[:, lead:] * close).sum(axis=0).mean()
    months = config.n_bars * config.bar_h / 730.0
    return float(1e4 * (slippage + MISSED_TRADE * missed.sum()) / held / months)
