"""Price over the liquidation map, and the map as it stood before the onset, on a white ground."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import FuncNorm, LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from liqwarn.frames import SIDES, FloatArray, epoch_seconds
from liqwarn.liquidation.heat_map import HeatMap
from liqwarn.reports.canvas import heat_map_from_canvas
from liqwarn.reports.event_axes import COLOURS, GRID, INK, MUTED, column, days, light_axes
from liqwarn.reports.map_export import bin_centres
from liqwarn.reports.profile_chart import price_axis, volume_axis

__all__ = ["price_panel", "standing_panel"]

_MARGIN: Final = 0.35
"""Room beyond the lowest and the highest price, as a share of their distance on the log axis."""
_LEAST: Final = 0.02
_PERCENTILE: Final = 99.0
_WIDE_BARS: Final = 260
"""More bars than this are drawn as range and close, not as candles."""


_RAMP: Final = (
    COLOURS["long"], "#eb9b6d", "#f9dccb", "#ffffff", "#d0e0f6", "#7fa8e3", COLOURS["short"],
)  # fmt: skip


class _Cells(NamedTuple):
    """The map in USD: longs negative, so that one scale has a side at each end."""

    columns: FloatArray
    edges: FloatArray
    usd: FloatArray


def price_panel(axes: Axes, document: Mapping[str, Any]) -> ScalarMappable | None:
    """Candles over the map; returns what a colour bar is made of, None without a map.

    A column of the map is what was known at a bar's close, drawn behind the bars that came later.
    """
    light_axes(axes, "price, quote per coin (log)")
    axes.set_yscale("log")
    low, high = _reach(document)
    axes.set_ylim(low, high)
    price_axis(axes.yaxis, low, high)
    mesh = None if document["map"] is None else _mesh(axes, document)
    if len(document["series"]["time"]) > _WIDE_BARS:
        _ranges(axes, document)
    else:
        _candles(axes, document)
    return mesh


def _reach(document: Mapping[str, Any]) -> tuple[float, float]:
    prices = np.stack([column(document, name) for name in ("low", "high", "close")])
    lowest, highest = float(np.nanmin(prices)), float(np.nanmax(prices))
    room = max(_MARGIN * np.log(highest / lowest), _LEAST)
    return float(lowest * np.exp(-room)), float(highest * np.exp(room))


def _cells(heat_map: HeatMap, bar_s: int) -> _Cells:
    closes = epoch_seconds(heat_map.times) / 86_400.0
    worth = bin_centres(heat_map.edges)
    long, short = heat_map.long * worth, heat_map.short * worth
    usd = np.where(np.isnan(long) | (short >= long), short + 0.0 * long, -long)
    return _Cells(np.append(closes, closes[-1] + bar_s / 86_400.0), heat_map.edges, usd)


def _mesh(axes: Axes, document: Mapping[str, Any]) -> ScalarMappable:
    cells = _cells(heat_map_from_canvas(document["map"]), document["bar_s"])
    size = np.abs(cells.usd[np.isfinite(cells.usd) & (cells.usd != 0.0)])
    top = float(np.percentile(size, _PERCENTILE)) if size.size else 1.0
    ramp = LinearSegmentedColormap.from_list("sides", _RAMP)
    axes.set_facecolor("#f1f2f4")
    return axes.pcolormesh(
        cells.columns,
        cells.edges,
        np.ma.masked_invalid(cells.usd.T),
        cmap=ramp,
        norm=FuncNorm((_root, _square), -top, top),
        shading="flat",
        alpha=0.8,
        rasterized=True,
        zorder=0.1,
    )


def _root(value: FloatArray) -> FloatArray:
    return np.sign(value) * np.sqrt(np.abs(value))


def _square(value: FloatArray) -> FloatArray:
    return np.sign(value) * np.square(value)


def _candles(axes: Axes, document: Mapping[str, Any]) -> None:
    """Hollow where the price rose, filled where it fell; a bar without all four is a dash."""
    bar = document["bar_s"] / 86_400.0
    at = days(document["series"]["time"]) - bar / 2
    close = column(document, "close")
    opened = column(document, "open")
    opened = np.where(np.isnan(opened), np.append(close[:1], close[:-1]), opened)
    low = np.fmin(column(document, "low"), np.fmin(opened, close))
    high = np.fmax(column(document, "high"), np.fmax(opened, close))
    wicks = [((x, a), (x, b)) for x, a, b in zip(at, low, high, strict=True)]
    axes.add_collection(LineCollection(wicks, colors=INK, linewidths=0.8, zorder=3))
    axes.bar(
        at, np.abs(close - opened), 0.66 * bar, np.fmin(close, opened), edgecolor=INK,
        linewidth=0.7, zorder=3.1, color=["white" if rose else INK for rose in close >= opened],
    )  # fmt: skip


def _ranges(axes: Axes, document: Mapping[str, Any]) -> None:
    at, close = days(document["series"]["time"]), column(document, "close")
    axes.fill_between(
        at, column(document, "low"), column(document, "high"), color=INK, alpha=0.3, linewidth=0,
        zorder=3,
    )  # fmt: skip
    axes.plot(at, close, color=INK, linewidth=1.0, zorder=3.1)


def standing_panel(axes: Axes, document: Mapping[str, Any]) -> None:
    """The map as known when the onset bar began, by price, on the price panel's axis."""
    light_axes(axes, "")
    axes.tick_params(left=False, labelleft=False)
    axes.spines["left"].set_visible(False)
    heat_map = heat_map_from_canvas(document["map"])
    start = float(days([document["event"]["onset_start"]])[0]) * 86_400.0
    known = np.flatnonzero(epoch_seconds(heat_map.times) <= start + 0.5)
    place = int(known[-1]) if known.size else 0
    low, high = axes.get_ylim()
    inside = (heat_map.edges[1:] > low) & (heat_map.edges[:-1] < high)
    most = 0.0
    for side in SIDES:
        usd = getattr(heat_map, side)[place] * bin_centres(heat_map.edges)
        most = max(most, float(np.nan_to_num(usd[inside]).max(initial=0.0)))
        axes.stairs(
            np.nan_to_num(usd), heat_map.edges, orientation="horizontal", fill=True,
            color=COLOURS[side], alpha=0.85,
        )  # fmt: skip
    axes.set_xlim(0.0, 1.08 * most if most else 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(2))
    volume_axis(axes.xaxis, "USD")
    axes.axhline(float(heat_map.close[place]), color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_title("map as the\nonset bar began,\nUSD per bin", color=MUTED, fontsize=8.5)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.6)
