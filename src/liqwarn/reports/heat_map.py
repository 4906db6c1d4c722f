"""The liquidation map over time as a figure: where the fuel lay, and the price that met it."""

from datetime import UTC
from typing import Any, Final, Literal, NamedTuple

import matplotlib as mpl
import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Colormap, FuncNorm, LinearSegmentedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, FloatArray, epoch_seconds
from liqwarn.liquidation.heat_map import HeatMap
from liqwarn.liquidation.profile import Profile
from liqwarn.reports.map_export import bin_centres
from liqwarn.reports.profile_chart import (
    COLOURS,
    INK,
    MUTED,
    Unit,
    bin_text,
    clusters_in_reach,
    dark_axes,
    dark_figure,
    moment_text,
    outlined,
    price_axis,
    price_text,
    profile_panel,
    volume_axis,
)

__all__ = ["Sides", "heat_map_figure"]

Sides = Literal["summed", "apart"]
"""Both sides in one colour scale, or each in its own (a bin shows its heavier side)."""

_PERCENTILE: Final = 99.0
"""The colour scale ends at this percentile of the cells that are not empty."""
_MOST: Final = 2_000
"""Moments drawn at most; a picture has no more columns."""
_MOST_BINS: Final = 700
"""Bins drawn at most; a picture has no more rows."""
_LABEL_GAP: Final = 0.028
"""Labels of prices keep this distance, as a fraction of the axis."""
_DATES: Final[dict[str, Any]] = {
    "formats": ["%Y", "%b %Y", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"],
    "zero_formats": ["", "%Y", "%b %Y", "%d %b", "%H:%M", "%H:%M"],
    "offset_formats": ["", "", "%Y", "%d %b %Y", "%d %b %Y", "%d %b %Y"],
}
_UNKNOWN: Final[dict[str, Any]] = {"facecolor": "#2a303c", "edgecolor": "#4a5262", "hatch": "///"}


class _Drawn(NamedTuple):
    """A heat map in the unit of its picture, with an unknown column in each gap of time."""

    columns: FloatArray  # edges in days, n_columns + 1
    edges: FloatArray
    volume: FloatArray  # (n_columns, n_bins); longs negative when apart
    bars: FloatArray  # edges in days of the price bars, one bar before the columns
    high: FloatArray
    low: FloatArray
    close: FloatArray


def heat_map_figure(
    heat_map: HeatMap,
    *,
    title: str,
    unit: Unit = "USD",
    sides: Sides = "summed",
    profile: Profile | None = None,
    reach_frac: float = 0.2,
) -> Figure:
    """Estimated liquidation volume by time and price, the price over it, the last profile beside.

    A column is the map as known at its bar's close and reaches to the next close, so the price
    drawn over it came later. Unknown cells are hatched, and so is a gap of time. The scale of
    colours is a square root and ends at the 99th percentile of the cells that are not empty. Of
    more than 2,000 moments only every n-th map is drawn; high and low keep the extremes between.

    Parameters
    ----------
    heat_map : HeatMap
    title : str
    unit : {"USD", "coins"}
        Volumes in coins, or in USD at the price that liquidates them.
    sides : {"summed", "apart"}
    profile : Profile, optional
        Drawn at the right with its bands; else the last moment of the heat map.
    reach_frac : float
        The picture reaches so far beyond the lowest and highest price, as a fraction, but not
        beyond the bins; where the price itself left them, the ground is unknown.

    Raises
    ------
    FrameError
        When there is no moment, or no price in the bins.

    Examples
    --------
    >>> cells, price = np.array([[5.0, 0.0], [5.0, np.nan]]), np.array([8.0, 7.0])
    >>> heat_map = HeatMap(
    ...     symbol="X", times=np.array(["2024-01-01T00", "2024-01-01T01"], "datetime64[s]"),
    ...     edges=np.array([4.0, 8.0, 16.0]), long=cells, short=0 * cells,
    ...     high=price, low=price, close=price)
    >>> len(heat_map_figure(heat_map, title="X").axes)
    3
    """
    low, high = _window(heat_map, reach_frac)
    drawn = _drawn(heat_map, unit, sides, (low, high))
    figure = dark_figure(14.0, 7.6)
    axes, panel = figure.subplots(1, 2, sharey=True, width_ratios=(5, 1))
    _map_axes(axes, low, high, drawn)
    mesh = _mesh(axes, drawn, sides)
    _price(axes, drawn)
    _legend(figure, axes, drawn)
    _panel(panel, profile or _last(heat_map), unit, (low, high))
    _colour_bar(figure, [axes, panel], mesh, _scale_text(drawn, unit, sides), unit)
    figure.suptitle(title, x=0.012, ha="left", color=INK, fontsize=13, parse_math=False)
    return figure


def _window(heat_map: HeatMap, reach_frac: float) -> tuple[float, float]:
    if not len(heat_map.times):
        raise FrameError(f"heat map of {heat_map.symbol} has no moment, expected at least one")
    lowest = float(np.fmin.reduce(np.concatenate([heat_map.low, heat_map.close])))
    highest = float(np.fmax.reduce(np.concatenate([heat_map.high, heat_map.close])))
    first, last = float(heat_map.edges[0]), float(heat_map.edges[-1])
    if not np.isfinite(heat_map.close).any() or not (lowest < last and highest > first):
        raise FrameError(
            f"prices of {heat_map.symbol} lie between {lowest} and {highest}, "
            f"expected some within the bins from {first} to {last}"
        )
    low, high = max(first, lowest * (1 - reach_frac)), min(last, highest * (1 + reach_frac))
    return min(low, lowest), max(high, highest)


def _drawn(heat_map: HeatMap, unit: Unit, sides: Sides, window: tuple[float, float]) -> _Drawn:
    every = -(-len(heat_map.times) // _MOST)
    ends = np.arange(len(heat_map.times) - 1, -1, -every)[::-1]
    starts = np.concatenate([[0], ends[:-1] + 1])
    edges, volume = _cells(heat_map, ends, unit, sides, window)
    days = epoch_seconds(heat_map.times[ends]) / 86_400.0  # as matplotlib counts dates
    steps = np.diff(days)
    bar = float(np.median(steps)) if len(steps) else 1.0 / 24.0
    after = np.flatnonzero(steps > 1.5 * bar) + 1
    bars = np.insert(days, after, days[after] - bar)
    return _Drawn(
        columns=np.append(np.insert(days, after, days[after - 1] + bar), days[-1] + bar),
        edges=edges,
        volume=np.insert(volume, after, np.nan, axis=0),
        bars=np.insert(bars, 0, days[0] - bar),
        high=np.insert(np.fmax.reduceat(heat_map.high, starts), after, np.nan),
        low=np.insert(np.fmin.reduceat(heat_map.low, starts), after, np.nan),
        close=np.insert(heat_map.close[ends], after, np.nan),
    )


def _cells(
    heat_map: HeatMap,
    moments: NDArray[np.int64],
    unit: Unit,
    sides: Sides,
    window: tuple[float, float],
) -> tuple[FloatArray, FloatArray]:
    """Edges and volumes inside the window; bins too thin for a picture are added up."""
    first = max(int(np.searchsorted(heat_map.edges, window[0], "right")) - 1, 0)
    stop = min(int(np.searchsorted(heat_map.edges, window[1], "left")), len(heat_map.edges) - 1)
    worth = bin_centres(heat_map.edges[first : stop + 1]) if unit == "USD" else 1.0
    merged = np.arange(0, stop - first, -(-(stop - first) // _MOST_BINS))
    long, short = (
        np.add.reduceat(plane[moments, first:stop] * worth, merged, axis=1)
        for plane in (heat_map.long, heat_map.short)
    )
    volume = long + short
    if sides == "apart":
        volume = np.where(np.isnan(volume) | (short >= long), volume - long, -long)
    return np.append(heat_map.edges[first + merged], heat_map.edges[stop]), volume


def _map_axes(axes: Axes, low: float, high: float, drawn: _Drawn) -> None:
    dark_axes(axes)
    axes.grid(visible=False)
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.set_xlim(drawn.columns[0], drawn.columns[-1])
    price_axis(axes.yaxis, low, high)
    axes.set_ylabel("price, quote per coin")
    locator = mdates.AutoDateLocator(minticks=5, maxticks=11, tz=UTC)  # type: ignore[no-untyped-call]  # matplotlib has no types here
    dates = mdates.ConciseDateFormatter(locator, tz=UTC, **_DATES)  # type: ignore[no-untyped-call]  # matplotlib has no types here
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates)
    axes.xaxis.get_offset_text().set_color(MUTED)
    axes.set_xlabel("UTC")


def _mesh(axes: Axes, drawn: _Drawn, sides: Sides) -> QuadMesh:
    """The cells; unknown ones are left out, so that the hatched ground shows through."""
    axes.set_facecolor(_UNKNOWN["facecolor"])
    axes.patch.set(hatch=_UNKNOWN["hatch"], edgecolor=_UNKNOWN["edgecolor"], linewidth=0.0)
    colours, norm = _scale(drawn.volume, sides)
    return axes.pcolormesh(
        drawn.columns,
        drawn.edges,
        np.ma.masked_invalid(drawn.volume.T),
        cmap=colours,
        norm=norm,
        shading="flat",
        rasterized=True,
        zorder=0.5,
    )


def _scale(volume: FloatArray, sides: Sides) -> tuple[Colormap, Normalize]:
    size = np.abs(volume[np.isfinite(volume) & (volume != 0.0)])
    top = float(np.percentile(size, _PERCENTILE)) if size.size else 1.0
    if sides == "summed":
        return mpl.colormaps["inferno"].with_extremes(bad=(0, 0, 0, 0)), PowerNorm(0.5, 0.0, top)
    ramp = (
        ["#f2ecff", COLOURS["long"], "#56419a", "#05060c", "#0d655f", COLOURS["short"], "#ecfffd"]
    )  # fmt: skip
    colours = LinearSegmentedColormap.from_list("sides", ramp)
    norm = FuncNorm((_signed_root, _signed_square), -top, top)
    return colours.with_extremes(bad=(0, 0, 0, 0)), norm


def _signed_root(value: FloatArray) -> FloatArray:
    return np.sign(value) * np.sqrt(np.abs(value))


def _signed_square(value: FloatArray) -> FloatArray:
    return np.sign(value) * np.square(value)


def _price(axes: Axes, drawn: _Drawn) -> None:
    axes.stairs(
        drawn.high, drawn.bars, baseline=drawn.low, fill=True, color=INK, alpha=0.6, zorder=3,
        label="high to low",
    )  # fmt: skip
    axes.plot(
        drawn.bars[1:], drawn.close, color="#ffffff", linewidth=0.9, zorder=2.9,
        path_effects=outlined(), label="close",
    )  # fmt: skip


def _legend(figure: Figure, axes: Axes, drawn: _Drawn) -> None:
    handles = axes.get_legend_handles_labels()[0]
    low, high = axes.get_ylim()
    if np.isnan(drawn.volume).any() or low < drawn.edges[0] or high > drawn.edges[-1]:
        handles.append(Patch(label="unknown", **_UNKNOWN))
    figure.legend(
        handles=handles, loc="outside upper right", ncols=3, fontsize=9, labelcolor=INK,
        frameon=False,
    )  # fmt: skip


def _panel(axes: Axes, profile: Profile, unit: Unit, reach: tuple[float, float]) -> None:
    dark_axes(axes)
    axes.tick_params(left=False, labelleft=False)
    profile_panel(axes, profile, unit)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.set_title(f"at {moment_text(profile)}", color=MUTED, fontsize=9)
    axes.axhline(profile.price, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    span = np.log(reach[1] / reach[0])
    middle = float(np.log(profile.price / reach[0]) / span)
    _label(axes, price_text(profile.price), INK, middle, middle)
    for side, way in zip(SIDES, (-1, 1), strict=True):
        place = middle
        for price, text in sorted(clusters_in_reach(profile, side, unit, reach))[::way]:
            at = float(np.log(price / reach[0]) / span)
            place = way * max(way * at, way * place + _LABEL_GAP)
            _label(axes, text, COLOURS[side], at, place)


def _label(axes: Axes, text: str, colour: str, at: float, place: float) -> None:
    """A label at the right edge; pushed from its price away from the current one, if need be."""
    axes.annotate(
        text, (1.0, at), (1.06, place), xycoords="axes fraction", textcoords="axes fraction",
        color=colour, fontsize=8.5, va="center", annotation_clip=False, parse_math=False,
        arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "relpos": (0.0, 0.5)},
    )  # fmt: skip


def _last(heat_map: HeatMap) -> Profile:
    """The last moment of a heat map; it knows neither bands nor the open interest."""
    unknown = np.full((2, heat_map.long.shape[1]), np.nan)
    return Profile(
        symbol=heat_map.symbol,
        as_of=heat_map.times[-1],
        price=float(heat_map.close[np.isfinite(heat_map.close)][-1]),
        open_interest=float("nan"),
        prices=bin_centres(heat_map.edges),
        long=heat_map.long[-1],
        short=heat_map.short[-1],
        long_band=unknown,
        short_band=unknown,
    )


def _colour_bar(figure: Figure, axes: list[Axes], mesh: QuadMesh, text: str, unit: Unit) -> None:
    bar = figure.colorbar(
        mesh, ax=axes, location="bottom", shrink=0.55, aspect=55, pad=0.02,
        extend="both" if mesh.norm.vmin else "max",
    )  # fmt: skip
    bar.set_label(text, color=MUTED, fontsize=9)
    bar.ax.tick_params(colors=MUTED, labelsize=8.5)
    bar.outline.set_visible(False)
    low, high = mesh.get_clim()
    ticks: FloatArray = np.asarray(MaxNLocator(3 if low else 5).tick_values(0.0, high or 1.0))
    shown = np.concatenate([-ticks[:0:-1], ticks])
    bar.set_ticks(shown[(shown >= (low or 0.0)) & (shown <= (high or 1.0))].tolist())
    volume_axis(bar.ax.xaxis, unit)


def _scale_text(drawn: _Drawn, unit: Unit, sides: Sides) -> str:
    who = "longs and shorts" if sides == "summed" else "longs (left), shorts (right)"
    return (
        f"estimated liquidation volume per {bin_text(drawn.edges)} price bin, {unit}, "
        f"{who} · square-root scale to the {_PERCENTILE:.0f}th percentile of cells not empty"
    )
