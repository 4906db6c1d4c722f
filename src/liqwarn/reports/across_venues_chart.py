"""Liquidations over venues as a picture: longs above, shorts below, a colour a venue."""

from itertools import cycle
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from liqwarn.errors import FrameError

__all__ = ["across_venues_figure"]

_COLOURS: Final = ("#1f5fbf", "#c4501b", "#4d7c0f", "#7c3aed", "#0f766e", "#9d174d")
_SUFFIX: Final = "_covered_min"


def across_venues_figure(series: pd.DataFrame, *, title: str) -> Figure:
    """Bars of longs above and of shorts below the line, stacked by venue; the net as a line.

    The net is longs less shorts, as in the table. Grey are the bars in which at least one venue was
    not listened to, so the stack is short of it.

    Parameters
    ----------
    series : DataFrame
        From :func:`liqwarn.collectors.across_venues.across_venues`.
    title : str

    Raises
    ------
    FrameError
        Without any bar.
    """
    if series.empty:
        raise FrameError("series has no bars, expected at least one")
    figure = Figure(figsize=(9.0, 4.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    times = series["time"].dt.tz_localize(None).to_numpy()
    width = _width(times)
    ends = {side: np.zeros(times.size) for side in ("long", "short")}
    venues = [name.removesuffix(_SUFFIX) for name in series.columns if name.endswith(_SUFFIX)]
    for venue, colour in zip(venues, cycle(_COLOURS), strict=False):
        for side, sign in (("long", 1.0), ("short", -1.0)):
            usd = sign * series[f"{venue}_{side}_usd"].fillna(0.0).to_numpy() / 1e6
            label = venue if side == "long" else None
            axes.bar(times, usd, -width, ends[side], align="edge", color=colour, label=label)
            ends[side] = ends[side] + usd
    for n, time in enumerate(times[series["missing"].to_numpy() != ""]):
        grey = None if n else "a venue is missing"
        axes.axvspan(time - width, time, color="#9ca3af", alpha=0.25, linewidth=0, label=grey)
    net = series["net_usd"].to_numpy() / 1e6
    axes.plot(times - width / 2, net, color="#111827", linewidth=1.0, label="longs less shorts")
    axes.axhline(0.0, color="#111827", linewidth=0.6)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_ylabel("USD millions: longs above, shorts below")
    axes.set_xlabel("UTC")
    axes.legend(frameon=False, fontsize=8, ncols=len(venues) + 2, loc="lower right",
                bbox_to_anchor=(1.0, 1.0))  # fmt: skip
    axes.margins(x=0.01)
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    )
    return figure


def _width(times: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> np.timedelta64:
    steps = np.diff(times)
    found: np.timedelta64 = steps.min() if steps.size else np.timedelta64(3_600, "s")
    return found
