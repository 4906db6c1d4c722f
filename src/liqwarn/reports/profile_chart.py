"""The current liquidation profile as a figure: what lies below the price and what above it.

The dark ground, the price axis and the sideways panel here also serve the heat map beside it.
"""

from typing import Any, Final, Literal, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import AbstractPathEffect, Normal, Stroke
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, FloatArray, Side
from liqwarn.liquidation.profile import Profile
from liqwarn.reports.formats import compact, finite, signed, utc
from liqwarn.reports.map_export import heaviest_clusters

__all__ = [
    "COLOURS",
    "GROUND",
    "INK",
    "MUTED",
    "Unit",
    "bin_text",
    "clusters_in_reach",
    "dark_axes",
    "dark_figure",
    "moment_text",
    "outlined",
    "price_axis",
    "price_text",
    "profile_figure",
    "profile_panel",
    "volume_axis",
    "volume_text",
]

Unit = Literal["USD", "coins"]
"""Volumes in coins, or in USD at the price that liquidates them."""

GROUND: Final = "#0a0d13"
INK: Final = "#e8ebf1"
MUTED: Final = "#98a1b2"
COLOURS: Final[dict[Side, str]] = {"long": "#b79bff", "short": "#4fd0c7"}
"""The colours the page gives both sides on a dark ground."""

_GRID: Final = "#262d3a"
_ROUND: Final = (1, 2, 2.5, 5, 10)
_LABELS: Final = 3


class _Series(NamedTuple):
    """One side of a profile in the unit of a picture."""

    side: Side
    volume: FloatArray
    band: FloatArray


class _Steps(NamedTuple):
    """What is drawn: bars of one or more bins each."""

    edges: FloatArray
    series: list[_Series]
    n_bins: int


def profile_figure(profile: Profile, *, unit: Unit = "USD", reach_frac: float = 0.25) -> Figure:
    """Liquidation volume by price: longs below the price, shorts above it.

    Bars fade: solid to the 5th percentile of the map's draws, paler to the estimate, faint to the
    95th. Bins too thin for a picture are added up, and so are their bands. The curves sum each
    side from the price outwards (right axis). The heaviest clusters carry price, distance and
    volume; unknown bins are hatched; the note says how much lies beyond the picture.

    Parameters
    ----------
    profile : Profile
    unit : {"USD", "coins"}
    reach_frac : float
        The picture reaches so far from the price, as a fraction of it.

    Raises
    ------
    FrameError
        When the price is not known, or the reach is not between 0 and 1.

    Examples
    --------
    >>> side = np.array([0.0, 2.0, 0.0])
    >>> profile = Profile(
    ...     symbol="X", as_of=np.datetime64("2024-01-01", "s"), price=100.0, open_interest=9.0,
    ...     prices=np.array([90.0, 95.0, 100.0]), long=side, short=0 * side,
    ...     long_band=np.stack([side, side]), short_band=np.zeros((2, 3)))
    >>> [axes.get_xlabel() for axes in profile_figure(profile).axes[:1]]
    ['price, quote per coin']
    """
    _check(profile)
    if not 0.0 < reach_frac < 1.0:
        raise FrameError(f"reach_frac is {reach_frac}, expected a number between 0 and 1")
    figure = dark_figure(13.0, 6.4)
    axes = figure.add_subplot()
    low, high = profile.price * (1 - reach_frac), profile.price * (1 + reach_frac)
    steps = _steps(profile, unit, (low, high), 240)
    dark_axes(axes)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    price_axis(axes.xaxis, low, high)
    axes.set_xlabel("price, quote per coin")
    _bars(axes, steps)
    axes.set_ylim(0.0, 1.5 * _top(steps, (low, high)))
    volume_axis(axes.yaxis, unit)
    axes.set_ylabel(f"bars: per {bin_text(steps.edges)} of price, {unit}")
    _cumulative(axes, profile, unit)
    axes.axvline(profile.price, color=INK, linewidth=1.0, linestyle=(0, (4, 3)), zorder=4)
    _distances(axes, profile.price, reach_frac)
    _cluster_labels(axes, profile, unit, (low, high))
    figure.suptitle(_headline(profile), x=0.012, ha="left", color=INK, fontsize=12)
    note = _note(profile, unit, reach_frac, steps.n_bins)
    figure.supxlabel(note, x=0.012, ha="left", color=MUTED, fontsize=8, parse_math=False)
    figure.legend(loc="outside upper right", ncols=3, frameon=False, fontsize=9, labelcolor=INK)
    return figure


def profile_panel(axes: Axes, profile: Profile, unit: Unit) -> None:
    """The profile sideways, on the price axis of a chart to its left; bands are thin lines.

    Raises
    ------
    FrameError
        When the price is not known.
    """
    _check(profile)
    reach = axes.get_ylim()
    steps = _steps(profile, unit, reach, 320)
    for side, volume, band in steps.series:
        colour = COLOURS[side]
        sideways: dict[str, Any] = {"edges": steps.edges, "orientation": "horizontal"}
        axes.stairs(volume, **sideways, fill=True, color=colour, alpha=0.75)
        axes.stairs(band[0], **sideways, color=GROUND, linewidth=0.5)
        axes.stairs(band[1], **sideways, color=colour, linewidth=0.5)
    _hatch_unknown(axes, steps, "horizontal")
    axes.set_xlim(0.0, 1.05 * _top(steps, reach))
    volume_axis(axes.xaxis, unit)
    axes.set_xlabel(f"per {bin_text(steps.edges)} of price, {unit}")


def clusters_in_reach(
    profile: Profile, side: Side, unit: Unit, reach: tuple[float, float]
) -> list[tuple[float, str]]:
    """Prices of the heaviest clusters between two prices, with what their labels say."""
    found = heaviest_clusters(profile, side, 1_000)
    inside = [cluster for cluster in found if reach[0] < cluster.price < reach[1]][:_LABELS]
    return [
        (
            cluster.price,
            f"{price_text(cluster.price)}  {signed(100 * cluster.distance_frac, 1)} %  "
            + volume_text(cluster.usd if unit == "USD" else cluster.coins, unit),
        )
        for cluster in inside
    ]


def outlined() -> list[AbstractPathEffect]:
    """A dark outline, so that a line shows on bright cells and bars too."""
    return [Stroke(linewidth=2.6, foreground=GROUND), Normal()]


def dark_figure(width: float, height: float) -> Figure:
    """An empty figure on the dark ground of the map's pictures."""
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained", facecolor=GROUND)
    FigureCanvasAgg(figure)
    return figure


def dark_axes(axes: Axes) -> None:
    """Axes on the dark ground, with a quiet grid."""
    axes.set_facecolor(GROUND)
    axes.grid(visible=True, color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=9)
    axes.xaxis.label.set_color(MUTED)
    axes.yaxis.label.set_color(MUTED)
    for edge, spine in axes.spines.items():
        spine.set_color(_GRID)
        spine.set_visible(edge in ("left", "bottom"))


def price_axis(axis: Axis, low: float, high: float) -> None:
    """Round prices on a logarithmic axis, equal steps of price while it spans less than 3x."""
    if high < 3.0 * low:
        ticks = [float(t) for t in MaxNLocator(nbins=9, steps=_ROUND).tick_values(low, high)]
    else:
        decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        leading = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8) if high < 15.0 * low else (1, 2, 5)
        ticks = [m * 10.0**k for k in decades for m in leading]
    shown = [tick for tick in ticks if low <= tick <= high]
    _fix_ticks(axis, shown, [price_text(tick) for tick in shown])


def price_text(price: float) -> str:
    """A price to five significant digits, without needless zeros.

    >>> price_text(61_234.56), price_text(62_500.0), price_text(2.5), price_text(0.0000123456)
    ('61,235', '62,500', '2.5', '0.000012346')
    """
    decimals = max(4 - int(np.floor(np.log10(price))), 0)
    text = f"{price:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def volume_text(volume: float, unit: Unit) -> str:
    """An amount with its unit.

    >>> volume_text(41_230_000.0, "USD"), volume_text(512.34, "coins")
    ('$41.2 M', '512 coins')
    """
    text = compact(volume).replace(".0 ", " ") if volume >= 1_000.0 else f"{volume:.3g}"
    return f"${text}" if unit == "USD" else f"{text} coins"


def volume_axis(axis: Axis, unit: Unit) -> None:
    """Amounts with suffixes on an axis, without a sign: the side says which way."""
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: volume_text(abs(value), unit).removesuffix(" coins"))
    )


def moment_text(profile: Profile) -> str:
    """The moment of a profile, to the minute."""
    return f"{utc(str(profile.as_of.astype('M8[s]')))} UTC"


def bin_text(edges: FloatArray) -> str:
    """The width of price bins in percent of price.

    >>> bin_text(np.array([100.0, 100.5, 101.0025]))
    '0.50 %'
    """
    return f"{100.0 * float(np.expm1(np.median(np.diff(np.log(edges))))):.2f} %"


def _fix_ticks(axis: Axis, places: list[float], labels: list[str]) -> None:
    axis.set_major_locator(FixedLocator(places))
    axis.set_major_formatter(FixedFormatter(labels))
    axis.set_minor_locator(NullLocator())


def _all_series(profile: Profile, unit: Unit) -> list[_Series]:
    worth = profile.prices if unit == "USD" else np.ones_like(profile.prices)
    return [
        _Series("long", profile.long * worth, profile.long_band * worth),
        _Series("short", profile.short * worth, profile.short_band * worth),
    ]


def _edges(prices: FloatArray) -> FloatArray:
    """Edges half-way between the centres, on the logarithm."""
    logs = np.log(prices)
    steps = np.diff(logs) if len(logs) > 1 else np.array([0.01])
    inner = logs[:-1] + steps[: len(logs) - 1] / 2
    edges: FloatArray = np.exp(
        np.concatenate([[logs[0] - steps[0] / 2], inner, [logs[-1] + steps[-1] / 2]])
    )
    return edges


def _steps(profile: Profile, unit: Unit, reach: tuple[float, float], most: int) -> _Steps:
    """Bars of so many bins each that at most `most` bars lie in reach."""
    edges = _edges(profile.prices)
    inside = np.count_nonzero((profile.prices > reach[0]) & (profile.prices < reach[1]))
    n_bins = max(-(-int(inside) // most), 1)
    first = np.arange(0, len(profile.prices), n_bins)
    series = [
        _Series(s.side, np.add.reduceat(s.volume, first), np.add.reduceat(s.band, first, axis=1))
        for s in _all_series(profile, unit)
    ]
    return _Steps(np.append(edges[first], edges[-1]), series, n_bins)


def _bars(axes: Axes, steps: _Steps) -> None:
    for side, volume, band in steps.series:
        for values, alpha in ((band[1], 0.3), (volume, 0.5), (band[0], 1.0)):
            axes.stairs(
                values, steps.edges, fill=True, color=COLOURS[side], alpha=alpha,
                label=f"{side}s liquidated" if values is volume else None,
            )  # fmt: skip
    _hatch_unknown(axes, steps, "vertical")


def _top(steps: _Steps, reach: tuple[float, float]) -> float:
    """The highest bar or band in reach, 1 when all is empty."""
    inside = (steps.edges[1:] > reach[0]) & (steps.edges[:-1] < reach[1])
    rows = [row for _, volume, band in steps.series for row in (volume, *band)]
    top = float(np.nan_to_num(rows)[:, inside].max(initial=0.0))
    return top if top > 0.0 else 1.0


def _check(profile: Profile) -> None:
    if not 0.0 < profile.price < np.inf:
        raise FrameError(
            f"profile of {profile.symbol} has price {profile.price}, expected a positive one"
        )
    if not len(profile.prices):
        raise FrameError(f"profile of {profile.symbol} has no bin, expected at least one")


def _hatch_unknown(
    axes: Axes, steps: _Steps, orientation: Literal["horizontal", "vertical"]
) -> None:
    unknown = np.isnan([series.volume for series in steps.series]).any(axis=0)
    if not unknown.any():
        return
    upright = orientation == "vertical"
    with mpl.rc_context({"hatch.linewidth": 0.6}):
        axes.stairs(
            np.where(unknown, 1.0, np.nan), steps.edges, orientation=orientation, fill=True,
            facecolor="#2a303c", edgecolor="#4a5262", hatch="///", label="unknown",
            transform=axes.get_xaxis_transform() if upright else axes.get_yaxis_transform(),
        )  # fmt: skip


def _cumulative(axes: Axes, profile: Profile, unit: Unit) -> None:
    sums = axes.twinx()
    dark_axes(sums)
    sums.grid(visible=False)
    sums.spines["right"].set_visible(True)
    edges, top = _edges(profile.prices), 0.0
    low, high = axes.get_xlim()
    for side, volume, _ in _all_series(profile, unit):
        down = side == "long"
        prices = edges[:-1][::-1] if down else edges[1:]
        total = np.cumsum(volume[::-1] if down else volume)
        sums.plot(prices, total, color=COLOURS[side], linewidth=1.5, path_effects=outlined())
        seen = np.nan_to_num(total[(prices > low) & (prices < high)])
        top = max(top, float(seen.max(initial=0.0)))
    sums.set_xlim(low, high)
    sums.set_ylim(0.0, 1.5 * (top if top > 0.0 else 1.0))
    volume_axis(sums.yaxis, unit)
    sums.set_ylabel(f"curves: summed from the price, {unit}")


def _distances(axes: Axes, price: float, reach_frac: float) -> None:
    reach = 100 * reach_frac
    ticks = MaxNLocator(nbins=12, steps=_ROUND).tick_values(-reach, reach)
    both = [float(d) for d in ticks if abs(d) <= reach]
    above = axes.secondary_xaxis("top")
    digits = 0 if reach >= 10 else 1
    labels = [f"{signed(d, digits)} %" if d else price_text(price) for d in both]
    _fix_ticks(above.xaxis, [price * (1 + d / 100) for d in both], labels)
    above.tick_params(colors=MUTED, labelsize=9, length=3)
    above.spines["top"].set_color(_GRID)


def _cluster_labels(axes: Axes, profile: Profile, unit: Unit, reach: tuple[float, float]) -> None:
    """One line a label, so that none of a side overlap; text runs away from the price."""
    upright = axes.get_xaxis_transform()
    for side in SIDES:
        colour = COLOURS[side]
        for rank, (price, text) in enumerate(clusters_in_reach(profile, side, unit, reach)):
            height = 0.95 - 0.07 * rank
            axes.vlines(
                price, 0.0, height, transform=upright, color=colour, linewidth=0.6, alpha=0.55
            )
            place = np.log(price / reach[0]) / np.log(reach[1] / reach[0])
            leftwards = place > (0.2 if side == "long" else 0.8)
            axes.annotate(
                text, (price, height), (-4 if leftwards else 4, 0), xycoords=upright,
                textcoords="offset points", ha="right" if leftwards else "left", va="center",
                color=colour, fontsize=9, zorder=6, parse_math=False,
                bbox={"facecolor": GROUND, "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
            )  # fmt: skip


def _headline(profile: Profile) -> str:
    known = finite(float(profile.open_interest))
    stock = "" if known is None else f"  ·  open interest {volume_text(known, 'coins')}"
    price = f"price {price_text(profile.price)}{stock}"
    return f"{profile.symbol}  ·  {moment_text(profile)}  ·  {price}"


def _note(profile: Profile, unit: Unit, reach_frac: float, n_bins: int) -> str:
    low, high = profile.price * (1 - reach_frac), profile.price * (1 + reach_frac)
    beyond = []
    for side, volume, _ in _all_series(profile, unit):
        outside = (profile.prices <= low) | (profile.prices >= high)
        beyond.append(f"{side}s {volume_text(float(np.nansum(volume[outside])), unit)}")
    return (
        "Estimated, not observed. Bars are solid to the 5th percentile of the map's draws, paler "
        "to the estimate, faint to the 95th"
        + (f"; each adds up {n_bins} bins of the map, and their bands. " if n_bins > 1 else ". ")
        + f"Beyond ±{100 * reach_frac:.0f} %: {', '.join(beyond)}."
    )
