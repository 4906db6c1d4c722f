"""Cascade events: when one began, peaked and ended, and how bad it was."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqwarn.frames import SIDES, BoolArray, FloatArray, MarketFrame, Side, epoch_seconds
from liqwarn.models.legs import EventConfig, Legs, measure_legs

__all__ = [
    "EVENT_COLUMNS",
    "Event",
    "EventConfig",
    "bar_positions",
    "detect_events",
    "episodes",
    "event_table",
    "in_progress",
]

EVENT_COLUMNS: Final = (
    "symbol",
    "side",
    "onset",
    "peak",
    "end",
    "move",
    "oi_loss",
    "long_liq_usd",
    "short_liq_usd",
    "severity",
    "flags",
)
SEVERE: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One cascade of one side of one symbol; all times are closes of bars, UTC.

    Attributes
    ----------
    onset : datetime
        First bar at which the running move passed half the price threshold.
    peak : datetime
        Most extreme close from onset to end.
    end : datetime
        Last bar at which the running move still held half the threshold.
    confirmed : datetime
        First bar at which all legs held: nobody could have known the event before.
    move : float
        Signed fraction from the close before the run to the peak; negative for ``long``.
    oi_loss : float
        Largest fall of the open interest in coins from a peak to a later trough, as a fraction of
        the peak, from the bars the first run started from to the end; splices of sources left out.
    long_liq_usd, short_liq_usd : float
        Liquidated from onset to end, both included; NaN where the data has none.
    severity : float
        Strongest leg as a multiple of its own threshold; 1 is a bare event.
    flags : tuple of str
        Of ``severe`` (5 % move and 5 % open interest), ``flow_confirmed``, ``flow_unknown``,
        ``straddling`` (legs held in neighbouring bars), ``merged``.
    runs : tuple of (datetime, datetime)
        Every confirmed running move in it: from the bar that confirmed it to its last bar.
    """

    symbol: str
    side: Side
    onset: datetime
    peak: datetime
    end: datetime
    confirmed: datetime
    move: float
    oi_loss: float
    long_liq_usd: float
    short_liq_usd: float
    severity: float
    flags: tuple[str, ...]
    runs: tuple[tuple[datetime, datetime], ...]


@dataclass(slots=True)
class _Span:
    """An event in the making, in positions on the time axis."""

    onset: int
    end: int
    runs: list[tuple[int, int]]


def detect_events(frame: MarketFrame, config: EventConfig) -> tuple[Event, ...]:
    """Find the cascades of a frame, in order of onset, symbol and side.

    What is known of an event at a bar depends on nothing after it: on a frame that is cut short the
    events confirmed so far have the same onset and confirmation.
    """
    found: list[Event] = []
    for side, legs in measure_legs(frame, config).items():
        confirmed = legs.confirmed(straddle=config.span_bars == 1)
        for row in range(len(frame.symbols)):
            spans = _merged(_spans(confirmed[row], legs.running[row], config), config)
            found += [_describe(frame, legs, config, (row, side, span)) for span in spans]
    return tuple(sorted(found, key=lambda event: (event.onset, event.symbol, event.side)))


def _spans(confirmed: BoolArray, running: BoolArray, config: EventConfig) -> Iterator[_Span]:
    """Every confirming bar with the running move around it; one span a run."""
    last_end = -1
    for bar in np.flatnonzero(confirmed):
        if int(bar) <= last_end:
            continue
        onset = end = at = int(bar)
        while onset > max(0, at - config.confirm_bars) and running[onset - 1]:
            onset -= 1
        while end + 1 < len(running) and running[end + 1]:
            end += 1
        last_end = end
        yield _Span(onset, end, [(at, end)])


def _merged(spans: Iterable[_Span], config: EventConfig) -> list[_Span]:
    merged: list[_Span] = []
    for span in spans:
        if merged and (span.onset - merged[-1].end) * config.bar < config.merge_gap:
            merged[-1].end = span.end
            merged[-1].runs += span.runs
        else:
            merged.append(span)
    return merged


def _describe(
    frame: MarketFrame, legs: Legs, config: EventConfig, where: tuple[int, Side, _Span]
) -> Event:
    row, side, span = where
    during = slice(span.onset, span.end + 1)
    before = slice(max(0, span.onset - config.run_bars), max(1, span.onset))
    sign = -1.0 if side == "long" else 1.0
    signed = sign * frame.field("close")[row]
    peak = span.onset + int(np.nanargmax(signed[during]))
    move = float(signed[peak] / np.nanmin(signed[before]) - 1.0)
    coins = frame.field("open_interest")[row, before.start : during.stop]
    oi_loss = _drawdown(coins, config.oi_fault)
    confirmed = span.runs[0][0]
    ratios = (
        abs(move) / legs.price_threshold[row, confirmed],
        oi_loss / legs.oi_threshold[row, confirmed],
        _extreme(legs.flow_ratio[row, during], np.nanmax),
    )

    def at(position: int) -> datetime:
        return datetime.fromtimestamp(int(epoch_seconds(frame.times[position])), tz=UTC)

    return Event(
        symbol=frame.symbols[row],
        side=side,
        onset=at(span.onset),
        peak=at(peak),
        end=at(span.end),
        confirmed=at(confirmed),
        move=move,
        oi_loss=oi_loss,
        long_liq_usd=_total(frame.field("long_liq_usd")[row, during]),
        short_liq_usd=_total(frame.field("short_liq_usd")[row, during]),
        severity=float(np.nanmax(ratios)),
        flags=_flags(legs, row, span, severe=min(abs(move), oi_loss) >= SEVERE),
        runs=tuple((at(a), at(b)) for a, b in span.runs),
    )


def _flags(legs: Legs, row: int, span: _Span, *, severe: bool) -> tuple[str, ...]:
    flow = legs.flow[row, span.onset : span.end + 1]
    seen = bool((flow == 1.0).any())
    together = legs.confirmed(straddle=False)[row, [bar for bar, _ in span.runs]]
    flags = {
        "severe": severe,
        "flow_confirmed": seen,
        "flow_unknown": not seen and bool(np.isnan(flow).any()),
        "straddling": not together.any(),
        "merged": len(span.runs) > 1,
    }
    return tuple(name for name, holds in flags.items() if holds)


def _drawdown(level: FloatArray, fault: float) -> float:
    """Largest fraction lost from a peak to a later trough; steps of a fault or more are no move."""
    known = level[level > 0.0]
    steps = known[1:] / known[:-1]
    real = (steps > 1.0 - fault) & (steps < 1.0 / (1.0 - fault))
    spliced = np.cumprod(np.append(1.0, np.where(real, steps, 1.0)))
    return float(np.max(1.0 - spliced / np.maximum.accumulate(spliced)))


def _extreme(x: FloatArray, pick: Callable[[FloatArray], float]) -> float:
    return float(pick(x)) if np.isfinite(x).any() else float("nan")


def _total(x: FloatArray) -> float:
    return float(np.nansum(x)) if np.isfinite(x).any() else float("nan")


def event_table(events: Iterable[Event]) -> pd.DataFrame:
    """The catalogue users read: one row an event, columns :data:`EVENT_COLUMNS`.

    Times are UTC, ``flags`` is joined by ``;``.

    Examples
    --------
    >>> list(event_table([]).columns)[:3]
    ['symbol', 'side', 'onset']
    """
    rows = [
        {name: getattr(event, name) for name in EVENT_COLUMNS[:-1]}
        | {"flags": ";".join(event.flags)}
        for event in events
    ]
    table = pd.DataFrame(rows, columns=list(EVENT_COLUMNS))
    for name in ("onset", "peak", "end"):
        table[name] = pd.to_datetime(table[name], utc=True).astype("datetime64[us, UTC]")
    return table


def episodes(
    events: Iterable[Event], within: timedelta = timedelta(minutes=60)
) -> NDArray[np.int64]:
    """Number of the episode each event belongs to, whatever its symbol and side.

    An episode is a chain of onsets no further apart than `within`: the unit of contagion. Events
    must be in order of onset, as :func:`detect_events` gives them.
    """
    onsets = [event.onset for event in events]
    breaks = [late - early > within for early, late in pairwise(onsets)]
    return np.cumsum([False, *breaks][: len(onsets)], dtype=np.int64)


def bar_positions(frame: MarketFrame, moments: Iterable[datetime]) -> list[int]:
    """Positions of bar closes on the frame's time axis; may lie outside of it."""
    first = int(epoch_seconds(frame.times[:1])[0])
    return [(int(moment.timestamp()) - first) // frame.bar_s for moment in moments]


def in_progress(frame: MarketFrame, events: Iterable[Event]) -> BoolArray:
    """Whether a cascade was seen to be running at each bar, knowing only the past.

    True from the bar that confirms a running move to the last bar at which it still holds half the
    price threshold. Hindsight has no part in it: neither the bars from onset to confirmation count,
    nor the pause between two moves that were merged into one event later.

    Returns
    -------
    ndarray of bool, shape (n_symbols, n_bars, 2)
    """
    running = np.zeros((*frame.shape, len(SIDES)), dtype=bool)
    for event in events:
        row, side = frame.symbols.index(event.symbol), SIDES.index(event.side)
        for run in event.runs:
            first, last = bar_positions(frame, run)
            running[row, max(0, first) : max(0, last + 1), side] = True
    return running
