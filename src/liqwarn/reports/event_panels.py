"""The panels below an event's price: open interest, funding, liquidations, probability, tier."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from liqwarn.frames import SIDES, BoolArray, FloatArray
from liqwarn.reports.event_axes import COLOURS, INK, MUTED, column, days, light_axes, unknown
from liqwarn.reports.formats import compact, percent
from liqwarn.reports.timelines import tier_runs

__all__ = [
    "TIER_COLOURS",
    "funding_panel",
    "interest_panel",
    "liquidation_panel",
    "probability_panel",
    "tier_panel",
]

TIER_COLOURS: Final = ("#e6ebf0", "#cfe4fa", "#fbe09a", "#f6a560", "#c0202b", "#4b0f45")
"""Of T0 to T5, as the page has them; every run carries its number as well."""

_TIER_INK: Final = ("#3a4754", "#0b437c", "#583c00", "#471a00", "#ffffff", "#ffffff")
_LINES: Final = {"long": "-", "short": (0, (4, 1.5))}
_FLOOR: Final = 1e-4
_THRESHOLDS: Final[dict[str, Any]] = {"0.05": (0, (1, 1)), "0.10": (0, (6, 2))}
_COUNTS: Final = "#f7ebb9"
_HATCH: Final[dict[str, Any]] = {"edgecolor": "#c3c9d1", "hatch": "////", "linewidth": 0.0}
_MARK: Final = 0.8
"""Height of the first alarm's mark, as a share of the panel."""
_LEAST_LABEL: Final = 0.022

Document = Mapping[str, Any]


def interest_panel(axes: Axes, document: Document) -> None:
    """Open interest in coins."""
    light_axes(axes, "open interest,\ncoins")
    coins = column(document, "open_interest")
    if not np.isfinite(coins).any():
        unknown(axes, "open interest")
        return
    axes.plot(days(document["series"]["time"]), coins, color=INK, linewidth=1.3)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    """An amount without a needless decimal.

    >>> _short(120_000.0), _short(7_500_000.0)
    ('120 k', '7.5 M')
    """
    return compact(value).replace(".0 ", " ")


def funding_panel(axes: Axes, document: Document) -> None:
    """Funding per 8 h; above zero the longs pay."""
    light_axes(axes, "funding,\n% per 8 h")
    rate = 100.0 * column(document, "funding_8h")
    if not np.isfinite(rate).any():
        unknown(axes, "funding")
        return
    at = days(document["series"]["time"])
    axes.axhline(0.0, color=MUTED, linewidth=0.8)
    axes.step(at, rate, where="post", color=INK, linewidth=1.2)
    for side, paid in zip(SIDES, (np.maximum(rate, 0.0), np.minimum(rate, 0.0)), strict=True):
        axes.fill_between(at, 0.0, paid, step="post", color=COLOURS[side], alpha=0.3, linewidth=0)
    widest = max(float(np.nanmax(np.abs(rate))), 0.005)
    low, high = float(np.nanmin(rate)), float(np.nanmax(rate))
    axes.set_ylim(min(low, 0.0) - 0.2 * widest, max(high, 0.0) + 0.2 * widest)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.3f}".replace("-", "−")))


def liquidation_panel(axes: Axes, document: Document) -> None:
    """Published liquidations by bar: shorts upwards, longs downwards."""
    light_axes(axes, "liquidations,\nUSD per bar")
    bar = document["bar_s"] / 86_400.0
    at = days(document["series"]["time"]) - bar / 2
    sides = {str(side): column(document, f"{side}_liq_usd") for side in SIDES}
    if not any(np.isfinite(usd).any() for usd in sides.values()):
        unknown(axes, "liquidations")
        return
    for side, way in zip(SIDES, (-1.0, 1.0), strict=True):
        axes.bar(at, way * np.nan_to_num(sides[side]), 0.85 * bar, color=COLOURS[side], linewidth=0)
    axes.axhline(0.0, color=INK, linewidth=0.8)
    axes.yaxis.set_major_locator(MaxNLocator(4, symmetric=False))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"${_short(abs(value))}"))
    axes.margins(y=0.1)


def probability_panel(axes: Axes, document: Document) -> None:
    """4-h probability of both sides on a log axis, and what an alarm of the event's side asks.

    A value holds from its bar's close to the next one. Hatched: the side's events and the quiet
    time after them, when no early warning is given.
    """
    light_axes(axes, "probability of an\nonset within 4 h (log)")
    axes.set_yscale("log")
    at, event = days(document["series"]["time"]), document["event"]
    bar = document["bar_s"] / 86_400.0
    at = np.append(at, at[-1] + bar)
    lines = {str(side): _held(column(document, f"p_4h_{side}")) for side in SIDES}
    for side in sorted(SIDES, key=lambda one: one == event["side"]):
        own = side == event["side"]
        axes.step(
            at, lines[side], where="post", color=COLOURS[side], linestyle=_LINES[side],
            linewidth=1.7 if own else 1.0, label=f"{side} side", zorder=3 if own else 2.8,
        )  # fmt: skip
    _limits(axes, document, lines)
    _not_early(axes, at, document)
    _alarms(axes, at, document, lines[event["side"]])
    _lead(axes, document)
    _legend(axes, document)


def _legend(axes: Axes, document: Document) -> None:
    hours = document["warning"]["horizon_h"]
    handles = [
        *axes.get_legend_handles_labels()[0],
        Patch(facecolor=_COUNTS, label=f"{hours} h in which an alarm counts"),
        Patch(facecolor="none", label="no early warning: own event or quiet time", **_HATCH),
    ]
    axes.legend(
        handles=handles, loc="upper left", ncols=4, fontsize=8, frameon=True, framealpha=0.85,
        edgecolor="none", borderpad=0.2, columnspacing=1.4,
    )  # fmt: skip


def _held(values: FloatArray) -> FloatArray:
    held: FloatArray = np.append(values, values[-1])
    return np.maximum(held, _FLOOR)


def _thresholds(document: Document) -> dict[str, float]:
    budgets = document["warning"]["budgets"]
    return {k: v["threshold"] for k, v in budgets.items() if np.isfinite(v["threshold"] or np.inf)}


def _limits(axes: Axes, document: Document, lines: Mapping[str, FloatArray]) -> None:
    shown = [*_thresholds(document).values()]
    shown += [float(v) for line in lines.values() for v in line[np.isfinite(line)]]
    low, high = (min(shown), max(shown)) if shown else (1e-3, 1.0)
    axes.set_ylim(max(low / 1.5, _FLOOR), min(high * 5.0, 2.0))
    ticks = [m * 10.0**k for k in range(-4, 1) for m in (1, 2, 5) if m * 10.0**k <= 1.0]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))


def _not_early(axes: Axes, at: FloatArray, document: Document) -> None:
    running = ~np.array(document["series"][f"early_{document['event']['side']}"], dtype=bool)
    axes.fill_between(
        at, 0.0, 1.0, where=_spread(running).tolist(), step="post", facecolor="none", zorder=0.3,
        transform=axes.get_xaxis_transform(), **_HATCH,
    )  # fmt: skip


def _spread(flags: BoolArray) -> BoolArray:
    """One flag a bar as flags of the steps' edges: both edges of a bar that is flagged."""
    edges = np.append(flags, False)
    edges[1:] |= flags
    return edges


def _alarms(axes: Axes, at: FloatArray, document: Document, line: FloatArray) -> None:
    """Lines at the thresholds of the event's side, filled where the probability is above."""
    side = document["event"]["side"]
    for name, threshold in _thresholds(document).items():
        axes.axhline(
            threshold, color=COLOURS[side], linewidth=1.0, linestyle=_THRESHOLDS[name], zorder=2.6
        )
        above = np.append(line[:-1] > threshold, False)
        for k in np.flatnonzero(above):
            axes.fill_between(
                at[k : k + 2], threshold, line[k], color=COLOURS[side], alpha=0.22, linewidth=0
            )
        high = name == min(document["warning"]["budgets"], key=float)
        axes.annotate(
            f"alarm above {percent(threshold, 2)}\n({percent(float(name), 0)} of the time)",
            (1.0, threshold), (10, 2 if high else -2), xycoords=axes.get_yaxis_transform(),
            textcoords="offset points", va="bottom" if high else "top", fontsize=8.3,
            color=COLOURS[side], annotation_clip=False,
        )  # fmt: skip


def _lead(axes: Axes, document: Document) -> None:
    """The hours before the onset in which an alarm counts, and the first alarm's lead."""
    event, warning = document["event"], document["warning"]
    start = float(days([event["onset_start"]])[0])
    onset = float(days([event["onset"]])[0])
    axes.axvspan(
        onset - warning["horizon_h"] / 24.0, start, color=_COUNTS, linewidth=0, zorder=0.1,
    )  # fmt: skip
    warned = [one for one in warning["budgets"].values() if one["first_alarm"]]
    if not warned:
        return
    first = min(warned, key=lambda one: one["first_alarm"])
    alarm = float(days([first["first_alarm"]])[0])
    axes.plot(
        [alarm], [_MARK], marker="v", color=INK, markersize=6, zorder=4,
        transform=axes.get_xaxis_transform(),
    )  # fmt: skip
    axes.plot(
        [alarm, start], [_MARK, _MARK], color=INK, linewidth=1.2, zorder=4,
        transform=axes.get_xaxis_transform(),
    )  # fmt: skip
    axes.annotate(
        f"first alarm, {first['lead_minutes']:.0f} min ahead", (alarm, _MARK), (-6, 0),
        xycoords=axes.get_xaxis_transform(), textcoords="offset points", ha="right", va="center",
        fontsize=8.5, color=INK, zorder=4,
    )  # fmt: skip


def tier_panel(axes: Axes, document: Document) -> None:
    """The breaker's tier of both sides, a strip each; long runs carry their number."""
    light_axes(axes, "tier")
    axes.grid(visible=False)
    bar_s = document["bar_s"]
    seconds = np.rint(days(document["series"]["time"]) * 86_400.0).astype(np.int64)
    span = float(seconds[-1] - seconds[0] + bar_s)
    for row, side in enumerate(reversed(SIDES)):
        for run in tier_runs(seconds, document["series"][f"tier_{side}"], bar_s):
            start, width = run.start / 86_400.0, (run.end - run.start) / 86_400.0
            axes.broken_barh(
                [(start, width)], (row + 0.08, 0.84), facecolor=TIER_COLOURS[run.tier], linewidth=0
            )
            if (run.end - run.start) / span > _LEAST_LABEL:
                axes.text(
                    start + width / 2, row + 0.5, f"T{run.tier}", ha="center", va="center",
                    fontsize=8, color=_TIER_INK[run.tier], clip_on=True, zorder=3,
                )  # fmt: skip
    axes.set_ylim(0.0, len(SIDES))
    axes.set_yticks([0.5, 1.5], list(reversed(SIDES)))
