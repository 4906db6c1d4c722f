"""Who caused the move: the channels of each symbol's trough as one stacked bar."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.reports.formats import DASH, finite, number, percent
from liqwarn.reports.simulation_charts import LinearScale, percent_label
from liqwarn.reports.simulation_figures import moved, part_of

__all__ = ["CHANNELS", "ChannelRow", "ChannelView", "Segment", "channel_view"]

CHANNELS: Final[Mapping[str, tuple[str, str]]] = {
    "news": ("news", "what would have happened anyway: common and own news, and the price shocks"),
    "thin_book": ("thin book", "news that moves price further because makers have withdrawn"),
    "liquidation": ("liquidation", "isolated positions closed by the venue"),
    "stop": ("stop losses", "stop orders that were reached"),
    "margin_call": ("margin calls", "positions cut by their holders after a margin call"),
    "cross_margin": ("cross margin", "accounts that hold every symbol on one collateral"),
    "contagion": ("contagion", "forced moves of other symbols that spread to this one"),
    "slow_flow": ("slow flow", "large holders and unlocked coins, sold slowly"),
    "arbitrage": ("arbitrage", "trades that bring price back to the index"),
}
"""The channels in the order of the stack: name and meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of a bar, in percent of the axis."""

    channel: str
    left: float
    width: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """One symbol; `cells` holds each channel's part of the move, and its share of it."""

    symbol: str
    segments: tuple[Segment, ...]
    net: float
    total: str
    endogenous: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """All symbols on one axis of price change in percent."""

    zero: float
    ticks: tuple[tuple[float, str], ...]
    rows: tuple[ChannelRow, ...]


def channel_view(document: Mapping[str, Any]) -> ChannelView | None:
    """The channels of every symbol; None when no channel is known."""
    results = part_of(document.get("symbols_results"))
    parts = {name: _parts(results.get(name)) for name in document["symbols"]}
    if not any(parts.values()):
        return None
    ends = [sum(v for v in move.values() if v > 0) for move in parts.values()]
    ends += [sum(v for v in move.values() if v < 0) for move in parts.values()]
    scale = LinearScale.around(ends)
    return ChannelView(
        zero=scale.at(0.0),
        ticks=tuple((at, percent_label(value)) for at, value in scale.ticks(6)),
        rows=tuple(_row(name, results.get(name), move, scale) for name, move in parts.items()),
    )


def _parts(result: object) -> dict[str, float]:
    channels = part_of(part_of(result).get("channels"))
    found = {name: finite(part_of(channels.get(name)).get("mean_pct")) for name in CHANNELS}
    return {name: value for name, value in found.items() if value is not None}


def _row(symbol: str, result: object, parts: dict[str, float], scale: LinearScale) -> ChannelRow:
    channels = part_of(part_of(result).get("channels"))
    total = sum(parts.values())
    return ChannelRow(
        symbol=symbol,
        segments=tuple(_segments(symbol, parts, scale)),
        net=scale.at(total),
        total=f"{moved(total)} %" if parts else DASH,
        endogenous=_endogenous(parts, total),
        cells=tuple(
            (moved(parts.get(name)), _share(part_of(channels.get(name)).get("share")))
            for name in CHANNELS
        ),
    )


def _segments(symbol: str, parts: dict[str, float], scale: LinearScale) -> list[Segment]:
    """Downward parts stack to the left of zero and upward ones to the right."""
    ends = {True: 0.0, False: 0.0}
    segments = []
    for name, value in parts.items():
        up = value > 0
        start, ends[up] = ends[up], ends[up] + value
        left, right = sorted((scale.at(start), scale.at(ends[up])))
        if right > left:
            title = f"{symbol}, {CHANNELS[name][0]}: {moved(value)} %"
            segments.append(Segment(channel=name, left=left, width=right - left, title=title))
    return segments


def _endogenous(parts: dict[str, float], total: float) -> str:
    """Share of the move that news alone did not make."""
    return percent(1 - parts["news"] / total, 0) if "news" in parts and total else DASH


def _share(value: object) -> str:
    found = finite(value)
    return DASH if found is None else f"{number(100 * found, 0)} %".replace("-", "−")
