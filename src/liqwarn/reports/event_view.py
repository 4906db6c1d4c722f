"""The event catalogue and the usual drivers, as the page shows them."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from liqwarn.frames import SIDES
from liqwarn.reports.formats import compact, finite, number, percent, signed, utc

__all__ = ["SHOWN_EVENTS", "DriverRow", "EventRow", "EventsView", "driver_rows", "events_view"]

SHOWN_EVENTS: Final = 100
"""Events in the page; the whole catalogue lies beside it."""

_SHOWN_DRIVERS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event: text to read, numbers to sort by."""

    symbol: str
    side: str
    onset: str
    peak: str
    end: str
    move: str
    oi_loss: str
    long_liq: str
    short_liq: str
    severity: str
    flags: str
    keys: tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsView:
    """The latest events and how many there are in all."""

    rows: tuple[EventRow, ...]
    total: int
    per_side: tuple[tuple[str, int], ...]
    first: str
    last: str


def events_view(events: pd.DataFrame) -> EventsView:
    """The latest events first, at most :data:`SHOWN_EVENTS` of them."""
    ordered = events.sort_values(["onset", "symbol", "side"], ascending=[False, True, True])
    shown = ordered.head(SHOWN_EVENTS).to_dict("records")
    return EventsView(
        rows=tuple(_event({str(k): v for k, v in row.items()}) for row in shown),
        total=len(events),
        per_side=tuple((side, int((events["side"] == side).sum())) for side in SIDES),
        first=utc(ordered["onset"].iloc[-1]) if len(events) else "",
        last=utc(ordered["onset"].iloc[0]) if len(events) else "",
    )


def _event(row: dict[str, Any]) -> EventRow:
    sizes = ("move", "oi_loss", "long_liq_usd", "short_liq_usd", "severity")
    move, oi_loss, long_liq, short_liq, severity = (finite(row[name]) for name in sizes)
    return EventRow(
        symbol=str(row["symbol"]),
        side=str(row["side"]),
        onset=utc(row["onset"]),
        peak=utc(row["peak"]),
        end=utc(row["end"]),
        move=signed(None if move is None else 100 * move, 1) + ("" if move is None else " %"),
        oi_loss=percent(oi_loss),
        long_liq=compact(long_liq),
        short_liq=compact(short_liq),
        severity=number(severity, 1),
        flags=_flags(row["flags"]),
        keys=(move or 0.0, oi_loss or 0.0, long_liq or 0.0, short_liq or 0.0, severity or 0.0),
    )


def _flags(raw: object) -> str:
    names = raw.split(";") if isinstance(raw, str) else raw
    if not isinstance(names, list | tuple):
        return ""
    return ", ".join(str(name).strip().replace("_", " ") for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverRow:
    """How often a feature is among the top three of a side, and how hard it pushes."""

    side: str
    name: str
    share: float
    share_text: str
    mean: str


def driver_rows(scores: pd.DataFrame, since: pd.Timestamp) -> list[DriverRow]:
    """The most frequent drivers of each side since a moment, eight a side.

    The share is of the scores with any driver; the mean is of the contributions, in log-odds.
    """
    recent = scores[pd.to_datetime(scores["time"], utc=True) >= since]
    found: list[DriverRow] = []
    for side in SIDES:
        found += _side_drivers(side, recent[recent["side"] == side])
    return found


def _side_drivers(side: str, rows: pd.DataFrame) -> list[DriverRow]:
    pushes: dict[str, list[float]] = defaultdict(list)
    for k in (1, 2, 3):
        for name, push in zip(rows[f"driver_{k}"], rows[f"contribution_{k}"], strict=True):
            value = finite(push)
            if isinstance(name, str) and name and value is not None:
                pushes[name].append(value)
    scored = max(int(rows["driver_1"].notna().sum()), 1)
    ranked = sorted(pushes.items(), key=lambda item: (-len(item[1]), item[0]))[:_SHOWN_DRIVERS]
    return [
        DriverRow(
            side=side,
            name=name,
            share=len(values) / scored,
            share_text=percent(len(values) / scored, 0),
            mean=signed(sum(values) / len(values), 2),
        )
        for name, values in ranked
    ]
