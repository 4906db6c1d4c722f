"""Stylised facts of a market frame, the same arithmetic for simulated and real history.

One cell of a measurement is a symbol and a calendar year (or month): what facts of such cells do in
real markets is what a simulated market is held to (:mod:`liqwarn.simulation.tolerances`).
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final, Literal

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import FIELDS, FloatArray, MarketFrame
from liqwarn.simulation.cascade_facts import (
    CascadeHours,
    cascade_bars,
    cascade_hours,
    event_facts,
    joint_facts,
)
from liqwarn.simulation.position_facts import (
    funding_facts,
    interest_changes,
    interest_persistence,
    liquidation_facts,
)
from liqwarn.simulation.price_facts import price_facts

__all__ = [
    "Cells",
    "cascade_bars",
    "daily_bars",
    "facts_by_period",
    "joint_facts_by_period",
    "stylised_facts",
]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAILY_TAIL = 0.05
FEWEST_BARS: Final = {("Y", HOUR): 2_000, ("M", HOUR): 500, ("Y", DAY): 250}

Cells = dict[str, dict[str, dict[str, float]]]
"""Facts by symbol and by period, ``2024`` or ``2024-03``."""

LIQUIDATED = ("long_liq_usd", "short_liq_usd", "open_interest")


def stylised_facts(
    frame: MarketFrame, hours: CascadeHours | None = None
) -> dict[str, dict[str, float]]:
    """Facts by symbol; what the frame does not carry is left out.

    Parameters
    ----------
    frame : MarketFrame
        Hourly or daily, with ``close`` at least. Daily bars give changes of open interest, volume
        and liquidations only, their names starting with ``daily_``.
    hours : CascadeHours, optional
        Of the frame, where they were found on a longer one; found anew if absent.

    Returns
    -------
    dict of symbol to dict of fact to value
        Per cent where the name says so; NaN where there is too little to tell.

    Raises
    ------
    FrameError
        When bars are neither hourly nor daily.
    """
    planes = [
        {name: plane[row] for name, plane in frame.fields.items() if np.isfinite(plane[row]).any()}
        for row in range(len(frame.symbols))
    ]
    if frame.bar == DAY:
        return {s: _daily_facts(one) for s, one in zip(frame.symbols, planes, strict=True)}
    found = cascade_hours(frame) if hours is None else hours
    return {
        symbol: _hourly_facts(planes[row]) | event_facts(frame, found, row)
        for row, symbol in enumerate(frame.symbols)
    }


def _hourly_facts(one: Mapping[str, FloatArray]) -> dict[str, float]:
    facts = price_facts(one)
    if "open_interest" in one:
        facts |= interest_changes(one) | interest_persistence(one)
    if "funding_rate" in one:
        facts |= funding_facts(one)
    if set(LIQUIDATED) <= set(one):
        facts |= liquidation_facts(one)
    return facts


def _daily_facts(one: Mapping[str, FloatArray]) -> dict[str, float]:
    facts = interest_changes(one) if "open_interest" in one else {}
    if set(LIQUIDATED) <= set(one):
        facts |= liquidation_facts(one, DAILY_TAIL)
    return {f"daily_{name}": value for name, value in facts.items()}


def facts_by_period(frame: MarketFrame, unit: Literal["Y", "M"] = "Y") -> Cells:
    """Facts of each calendar year (or month) of a frame that holds enough of it.

    Cascades are found on the whole frame, so that thresholds of January know the year before.

    Examples
    --------
    >>> from liqwarn.frames import bar_times
    >>> walk = np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 0.01, (1, 12_000)), axis=1))
    >>> frame = MarketFrame(symbols=("AUSDT",), bar=HOUR, fields={"close": walk}, ages={},
    ...     times=bar_times(np.datetime64("2023-01-01T01:00:00"), 12_000, HOUR))
    >>> cells = facts_by_period(frame)["AUSDT"]
    >>> {year: round(facts["return_std_pct"], 1) for year, facts in cells.items()}
    {'2023': 1.0, '2024': 1.0}
    """
    hours = cascade_hours(frame) if frame.bar == HOUR else None
    cells: Cells = {symbol: {} for symbol in frame.symbols}
    for period, start, stop in _periods(frame, unit):
        part = None if hours is None else hours.between(start, stop)
        for symbol, facts in stylised_facts(frame.between(start, stop), part).items():
            cells[symbol][period] = facts
    return cells


def joint_facts_by_period(
    frame: MarketFrame, unit: Literal["Y", "M"] = "Y"
) -> dict[str, dict[str, float]]:
    """:func:`joint_facts` of each calendar year (or month) of an hourly frame."""
    hours = cascade_hours(frame)
    return {
        period: joint_facts(frame.between(start, stop), hours.between(start, stop))
        for period, start, stop in _periods(frame, unit)
    }


def _periods(frame: MarketFrame, unit: Literal["Y", "M"]) -> Iterator[tuple[str, int, int]]:
    """Name, first and one past last position of the periods the bars begin in."""
    if (unit, frame.bar) not in FEWEST_BARS:
        raise FrameError(f"bar is {frame.bar}, expected {HOUR} or, by year, {DAY}")
    starts = (frame.times - np.timedelta64(frame.bar_s, "s")).astype(f"datetime64[{unit}]")
    names, firsts = np.unique(starts, return_index=True)
    stops = [*firsts[1:], len(starts)]
    for name, start, stop in zip(names, firsts, stops, strict=True):
        if stop - start >= FEWEST_BARS[unit, frame.bar]:
            yield str(name), int(start), int(stop)


def daily_bars(frame: MarketFrame) -> MarketFrame:
    """Whole UTC days of an hourly frame: close, volume, open interest and liquidations.

    Raises
    ------
    FrameError
        When bars are not hourly.

    Examples
    --------
    >>> from liqwarn.frames import bar_times
    >>> frame = MarketFrame(symbols=("AUSDT",), bar=HOUR, ages={},
    ...     times=bar_times(np.datetime64("2023-01-01T01:00:00"), 48, HOUR),
    ...     fields={"close": np.arange(48.0)[None], "long_liq_usd": np.ones((1, 48))})
    >>> daily_bars(frame).field("close"), daily_bars(frame).field("long_liq_usd")
    (array([[23., 47.]]), array([[24., 24.]]))
    """
    if frame.bar != HOUR:
        raise FrameError(f"bar is {frame.bar}, expected {HOUR}")
    start = int(-(frame.first_bar - 1) % 24)
    n_days = (len(frame.times) - start) // 24
    stop = start + 24 * n_days
    fields = {}
    for name in {"close", "volume", *LIQUIDATED} & set(frame.fields):
        by_day = frame.fields[name][:, start:stop].reshape(-1, n_days, 24)
        fields[name] = by_day.sum(axis=2) if FIELDS[name].how == "sum" else by_day[:, :, -1].copy()
    return MarketFrame(
        symbols=frame.symbols,
        times=frame.times[start + 23 : stop : 24],
        bar=DAY,
        fields=fields,
        ages={},
    )
