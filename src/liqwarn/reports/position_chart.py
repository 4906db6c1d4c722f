"""A position as a picture: candles, its price lines, the margin buffer, clusters beside it.

Figures are built as in :mod:`liqwarn.reports.charts`: objects only, the same data give the same
bytes.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from liqwarn.liquidation.profile import Profile
from liqwarn.liquidation.risk import PositionRisk
from liqwarn.reports.candle_chart import DOWN, UP, Candles, draw_candles
from liqwarn.reports.formats import compact, percent, utc
from liqwarn.reports.position_text import price_text

__all__ = ["position_figure"]

_INK: Final = "#1f2937"
_MUTED: Final = "#6b7280"
_GRID: Final = "#e3e6eb"
_BUFFER: Final = "#f0b429"
_DANGER: Final = "#c81e1e"
_BUFFER_ALPHA, _DANGER_ALPHA = 0.2, 0.25
_CALL: Final = "#b45309"
_GONE: Final = "#6d28d9"
_LONG, _SHORT = "#c4501b", "#1f5fbf"
_GAP: Final = 0.045
"""Smallest distance between two labels, as a share of the axis."""
_STRIP, _NARROW_STRIP = 0.24, 0.32
"""Share of the axis that belongs to the labels, right of the bars; the latter beside clusters."""


class _Line(NamedTuple):
    """One horizontal line and what its label says."""

    price: float
    text: str
    colour: str
    style: str


def position_figure(
    risk: PositionRisk,
    *,
    symbol: str | None = None,
    candles: Candles | None = None,
    profile: Profile | None = None,
) -> Figure:
    """Draw a position.

    Parameters
    ----------
    risk : PositionRisk
        Its prices; lines that no price reaches are left out.
    symbol : str, optional
        Perpetual, for the title.
    candles : Candles, optional
        Recent bars; without them the picture says so.
    profile : Profile, optional
        Estimated liquidation clusters of the symbol, drawn beside on the same price axis.

    Examples
    --------
    >>> from liqwarn.liquidation.position import Position
    >>> from liqwarn.liquidation.requirement import flat_requirement
    >>> from liqwarn.liquidation.risk import assess
    >>> position = Position(side="long", entry=120.0, notional=120.0, leverage=5.0)
    >>> len(position_figure(assess(position, flat_requirement(0.01))).axes)
    1
    """
    figure = Figure(figsize=(12.0, 6.75), dpi=120, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    if profile is None:
        axes = figure.add_subplot()
    else:
        grid = figure.add_gridspec(1, 2, width_ratios=(4.2, 1.0), wspace=0.02)
        axes = figure.add_subplot(grid[0])
    lines, strip = _lines(risk), _STRIP if profile is None else _NARROW_STRIP
    _plain(axes)
    _price_limits(axes, lines, candles)
    if candles is None:
        _no_candles(axes)
    else:
        draw_candles(axes, candles, empty_share=strip)
        axes.set_xlabel(f"bar close, UTC, {str(candles.times[-1])[:4]}", color=_INK)
    _draw_buffer(axes, risk, 1.0 - strip)
    _draw_lines(axes, lines, 1.0 - strip)
    axes.set_ylabel("price, quote units per coin", color=_INK)
    _price_ticks(axes)
    if profile is not None:
        _draw_profile(figure.add_subplot(grid[1], sharey=axes), profile)
    axes.set_title(_title(risk, symbol), loc="left", fontsize=13, color=_INK, pad=24)
    axes.text(
        0.0, 1.015, _subtitle(risk), transform=axes.transAxes, fontsize=9, color=_MUTED, va="bottom"
    )
    _legend(figure, risk, candles, profile)
    return figure


def _plain(axes: Axes) -> None:
    axes.grid(visible=True, axis="y", color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, labelsize=9)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    for edge in ("left", "bottom"):
        axes.spines[edge].set_color(_MUTED)


def _lines(risk: PositionRisk) -> list[_Line]:
    named = [
        ("entry", risk.position.entry, _INK, "-"),
        ("margin call", risk.call_price, _CALL, "--"),
        ("liquidation", risk.liquidation_price, _DANGER, "-"),
        ("bankruptcy", risk.bankruptcy_price, _GONE, "-."),
    ]
    if risk.mark != risk.position.entry:
        named.insert(1, ("mark", risk.mark, _MUTED, ":"))
    return [
        _Line(price, f"{name}  {price_text(price)}{_away(price, risk.mark)}", colour, style)
        for name, price, colour, style in named
        if 0.0 < price < math.inf
    ]


def _away(price: float, mark: float) -> str:
    share = price / mark - 1.0
    return "" if price == mark else f"  ({100 * share:+.1f} %)".replace("-", "−")


def _price_limits(axes: Axes, lines: Sequence[_Line], candles: Candles | None) -> None:
    prices = [line.price for line in lines]
    if candles is not None:
        prices += [float(candles.low.min()), float(candles.high.max())]
    low, high = min(prices), max(prices)
    pad = 0.07 * ((high - low) or high)
    axes.set_ylim(max(low - pad, 0.0), high + pad)


def _no_candles(axes: Axes) -> None:
    axes.set_xlim(0.0, 1.0)
    axes.set_xticks([])
    note = "no candles: they need --panel, its data or store, and --symbol"
    axes.text(0.015, 0.5, note, transform=axes.transAxes, color=_MUTED, fontsize=10, va="center")


def _draw_buffer(axes: Axes, risk: PositionRisk, end: float) -> None:
    if risk.never:
        return
    spans = (
        (risk.position.entry, _BUFFER, _BUFFER_ALPHA),
        (risk.call_price, _DANGER, _DANGER_ALPHA),
    )
    for start, colour, alpha in spans:
        low, high = sorted((start, risk.liquidation_price))
        axes.axhspan(low, high, xmax=end, color=colour, alpha=alpha, linewidth=0, zorder=0)


def _price_ticks(axes: Axes) -> None:
    low, high = axes.get_ylim()
    digits = max(0, 2 - math.floor(math.log10(high - low)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.{digits}f}"))


def _draw_lines(axes: Axes, lines: Sequence[_Line], start: float) -> None:
    low, high = axes.get_ylim()
    places = _spread([(line.price - low) / (high - low) for line in lines])
    for line, place in zip(lines, places, strict=True):
        axes.axhline(
            line.price, color=line.colour, linestyle=line.style, linewidth=1.3, zorder=3, xmax=start
        )
        axes.annotate(
            line.text,
            xy=(start, line.price),
            xycoords=axes.get_yaxis_transform(),
            xytext=(start + 0.025, place),
            textcoords="axes fraction",
            ha="left",
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "color": line.colour,
                "linewidth": 0.9,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0.0, 0.5),
            },
            fontsize=9,
            color=line.colour,
            fontweight="bold",
            zorder=5,
            bbox={
                "boxstyle": "round,pad=0.25",
                "facecolor": "white",
                "edgecolor": line.colour,
                "linewidth": 0.8,
            },
        )


def _spread(places: Sequence[float]) -> list[float]:
    """Label places moved apart as little as possible, in the order of the prices.

    Labels that would overlap are stacked around their mean place, and all stay inside the axis.
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    stacks: list[tuple[float, int]] = []  # centre, labels
    for index in order:
        centre, count = _inside(places[index], 1), 1
        while stacks and centre - stacks[-1][0] < _GAP * (count + stacks[-1][1]) / 2:
            below, more = stacks.pop()
            mean = (centre * count + below * more) / (count + more)
            count += more
            centre = _inside(mean, count)
        stacks.append((centre, count))
    moved = [
        centre + _GAP * (at - (count - 1) / 2) for centre, count in stacks for at in range(count)
    ]
    return [moved[order.index(index)] for index in range(len(places))]


def _inside(centre: float, count: int) -> float:
    """The centre of so many stacked labels, moved until all of them are inside the axis."""
    half = _GAP * count / 2
    return min(max(centre, half), 1.0 - half)


def _draw_profile(axes: Axes, profile: Profile) -> None:
    _plain(axes)
    height = np.gradient(profile.prices) if profile.prices.size > 1 else profile.prices * 0.01
    low, high = axes.get_ylim()
    shown = (profile.prices >= low) & (profile.prices <= high)
    for volume, colour in ((profile.long, _LONG), (profile.short, _SHORT)):
        value = np.where(shown & np.isfinite(volume), volume * profile.prices, 0.0)
        axes.barh(profile.prices, value, height, color=colour, alpha=0.75, linewidth=0)
    axes.set_ylim(low, high)
    axes.set_xlim(left=0.0)
    axes.tick_params(labelleft=False)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
    axes.set_xlabel("estimated liquidations\na price bin, quote units", color=_INK, fontsize=9)
    moment = utc(str(profile.as_of.astype("datetime64[s]")))
    axes.set_title(f"clusters, {moment} UTC", loc="left", fontsize=9, color=_MUTED)


def _title(risk: PositionRisk, symbol: str | None) -> str:
    held = risk.position
    lever = f"{held.effective_leverage:.4g}x "
    name = f" {symbol}" if symbol else ""
    return f"{held.side.capitalize()}{name}, {lever}{held.mode}, {held.contract}"


def _subtitle(risk: PositionRisk) -> str:
    assumed = ", assumed" if risk.assumed else ""
    return (
        f"notional {price_text(risk.position.notional)} quote units   ·   "
        f"maintenance margin: {risk.requirement.name}{assumed}   ·   % from the mark price"
    )


def _legend(
    figure: Figure, risk: PositionRisk, candles: Candles | None, profile: Profile | None
) -> None:
    called = percent(risk.warning_ratio, 0)
    keys = [
        Patch(facecolor=_BUFFER, alpha=_BUFFER_ALPHA, label="margin buffer: entry to liquidation"),
        Patch(
            facecolor=_DANGER,
            alpha=_DANGER_ALPHA,
            label=f"margin ratio above {called}",
        ),
    ]
    if candles is not None:
        keys += [Patch(facecolor=UP, label="bar up"), Patch(facecolor=DOWN, label="bar down")]
    if profile is not None:
        keys += [
            Patch(facecolor=_LONG, alpha=0.75, label="longs liquidated there"),
            Patch(facecolor=_SHORT, alpha=0.75, label="shorts liquidated there"),
        ]
    figure.legend(
        handles=keys, loc="outside lower left", ncols=len(keys), frameon=False, fontsize=8.5
    )
