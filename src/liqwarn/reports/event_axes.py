"""The ground that an event's panels share: colours, the time axis, the moments of the event."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes

from liqwarn.frames import FloatArray, Side

__all__ = [
    "COLOURS",
    "GRID",
    "INK",
    "MUTED",
    "Moment",
    "column",
    "days",
    "light_axes",
    "mark_moments",
    "moments_of",
    "shade_event",
    "time_axis",
    "unknown",
]

INK: Final = "#1b2430"
MUTED: Final = "#5b6675"
GRID: Final = "#e3e6eb"
COLOURS: Final[dict[Side, str]] = {"long": "#c4501b", "short": "#1f5fbf"}
"""Orange and blue: told apart with every common colour blindness, and by lightness in print."""

_EVENT: Final = "#8a94a3"
_STYLES: Final[dict[str, Any]] = {
    "onset": "-", "confirmed": (0, (5, 2)), "peak": (0, (3, 1, 1, 1)), "end": (0, (1, 1.4)),
}  # fmt: skip
_LETTER: Final = 0.0085
"""Width of a letter of a label, as a share of the axis."""


class Moment(NamedTuple):
    """One moment of an event, with every name that falls on it."""

    at: float
    names: tuple[str, ...]


def days(moments: Sequence[str]) -> FloatArray:
    """ISO times as days since the epoch, as matplotlib counts dates.

    >>> days(["1970-01-02T12:00:00.000Z"]).tolist()
    [1.5]
    """
    seconds = [datetime.fromisoformat(moment).timestamp() for moment in moments]
    return np.array(seconds, dtype=np.float64) / 86_400.0


def column(document: Mapping[str, Any], name: str) -> FloatArray:
    """A column of the document's series; NaN where it is not known."""
    return np.array(document["series"][name], dtype=np.float64)


def moments_of(document: Mapping[str, Any]) -> list[Moment]:
    """Onset, confirmation, peak and end in order of time, those of one bar together."""
    event = document["event"]
    found: dict[float, tuple[str, ...]] = {}
    for name in _STYLES:
        at = float(days([event[name]])[0])
        found[at] = (*found.get(at, ()), name)
    return [Moment(at, names) for at, names in sorted(found.items())]


def light_axes(axes: Axes, label: str) -> None:
    """A quiet white panel with its quantity and unit at the left."""
    axes.grid(visible=True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelsize=8.5, length=3)
    axes.set_ylabel(label, color=INK, fontsize=9)
    for edge, spine in axes.spines.items():
        spine.set_color("#b8c0ca")
        spine.set_visible(edge in ("left", "bottom"))


def time_axis(axes: Axes, document: Mapping[str, Any], *, labelled: bool) -> None:
    """Dates and hours, UTC, from the first bar's start to one bar after the last close."""
    bar = document["bar_s"] / 86_400.0
    closes = days([document["series"]["time"][0], document["series"]["time"][-1]])
    axes.set_xlim(closes[0] - bar, closes[1] + bar)
    locator = mdates.AutoDateLocator(minticks=6, maxticks=12, tz=UTC)  # type: ignore[no-untyped-call]  # matplotlib has no types here
    formatter = mdates.ConciseDateFormatter(locator, tz=UTC, show_offset=False)  # type: ignore[no-untyped-call]  # matplotlib has no types here
    formatter.formats = ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%S"]
    formatter.zero_formats = ["", "%Y", "%b %Y", "%d %b", "%d %b", "%H:%M"]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
    axes.tick_params(labelbottom=labelled)
    if labelled:
        axes.set_xlabel("close of the bar, UTC", color=MUTED, fontsize=9)


def shade_event(axes: Axes, document: Mapping[str, Any]) -> None:
    """Grey from the start of the onset bar to the end; a line at every moment of the event."""
    event = document["event"]
    start, end = days([event["onset_start"], event["end"]])
    axes.axvspan(start, end, color=_EVENT, alpha=0.16, linewidth=0, zorder=0.2)
    for moment in moments_of(document):
        axes.axvline(
            moment.at, color=INK, linewidth=0.9, linestyle=_STYLES[moment.names[0]], alpha=0.75,
            zorder=2.5,
        )  # fmt: skip


def mark_moments(axes: Axes, document: Mapping[str, Any]) -> None:
    """Names of the moments above the panel: an earlier one stands higher where two are close."""
    low, high = axes.get_xlim()
    line, after = 0, 1.0
    for moment in reversed(moments_of(document)):
        text, place = " · ".join(moment.names), (moment.at - low) / (high - low)
        line = line + 1 if place + _LETTER * (len(text) + 1) > after else 0
        after = place
        axes.annotate(
            text, (moment.at, 1.0), (2, 4 + 12 * line),
            xycoords=axes.get_xaxis_transform(), textcoords="offset points", fontsize=8.5,
            color=INK, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.6, "relpos": (0, 0)},
        )  # fmt: skip


def unknown(axes: Axes, what: str) -> None:
    """Say in an empty panel that nothing is known."""
    axes.set_yticks([])
    axes.set_ylabel("")
    axes.text(
        0.5, 0.5, f"{what}: not in the data at this time", transform=axes.transAxes, ha="center",
        va="center", color=MUTED, fontsize=9, zorder=3,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2.0},
    )  # fmt: skip
