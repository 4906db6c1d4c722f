"""One event as one picture: price and map, open interest, funding, liquidations, forecast, tier.

Made from the document of ``event.json`` alone. The same document gives the same bytes.
"""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from liqwarn.decisions import Tier
from liqwarn.policy.restriction import TIER_NAMES
from liqwarn.reports.event_axes import (
    COLOURS,
    INK,
    MUTED,
    column,
    mark_moments,
    shade_event,
    time_axis,
)
from liqwarn.reports.event_map_panel import price_panel, standing_panel
from liqwarn.reports.event_notes import panel_notes
from liqwarn.reports.event_panels import (
    TIER_COLOURS,
    funding_panel,
    interest_panel,
    liquidation_panel,
    probability_panel,
    tier_panel,
)
from liqwarn.reports.event_text import (
    event_title,
    happened_line,
    model_line,
    probability_line,
    reason_lines,
    verdict_line,
)
from liqwarn.reports.profile_chart import volume_axis

__all__ = ["event_figure"]

_WIDTH: Final = 11.0
_HEIGHTS: Final = (5.0, 1.35, 1.05, 1.5, 2.7, 0.8)
_EMPTY: Final = 0.45
_ABOVE_PRICE: Final = 0.55
_BELOW: Final = 1.3
_LINE: Final = 0.185
"""Height of a line of the header, inches."""
_WRAP: Final = 155
_LEFT, _RIGHT = 0.085, 0.985
_PANELS: Final = (interest_panel, funding_panel, liquidation_panel, probability_panel, tier_panel)
_WARNED, _MISSED = "#12603a", "#9b1c24"

Document = Mapping[str, Any]


def event_figure(document: Document) -> Figure:
    """Draw an event.

    Top to bottom: candles over the liquidation map, open interest, funding, liquidations, the 4-h
    probability of both sides with the alarm thresholds, and the tier. Grey is the event, from the
    start of the onset bar to the end.

    Parameters
    ----------
    document : mapping
        As :func:`liqwarn.pipelines.event_explorer.explore_event` gives it.
    """
    header = _header(document)
    above = 0.62 + _LINE * len(header)
    heights = _heights(document)
    body = sum(heights) + 0.16 * len(_PANELS)
    height = above + _ABOVE_PRICE + body + _BELOW
    figure = Figure(figsize=(_WIDTH, height), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        len(heights), 2, height_ratios=heights, width_ratios=(6.3, 1.0), wspace=0.03, hspace=0.11,
        left=_LEFT, right=_RIGHT, bottom=_BELOW / height,
        top=1.0 - (above + _ABOVE_PRICE) / height,
    )  # fmt: skip
    main = figure.add_subplot(grid[0, 0])
    panels = [main, *(figure.add_subplot(grid[k, 0]) for k in range(1, len(heights)))]
    mesh = price_panel(main, document)
    for draw, axes in zip(_PANELS, panels[1:], strict=True):
        draw(axes, document)
    for axes in panels:
        shade_event(axes, document)
        time_axis(axes, document, labelled=axes is panels[-1])
    mark_moments(main, document)
    figure.align_ylabels(panels)
    _beside(figure, grid, document, panels)
    _write_header(figure, document, header, height)
    _footer(figure, document, mesh, height)
    return figure


def _heights(document: Document) -> list[float]:
    """Inches of each panel; one without any data is a line."""
    columns = [("open_interest",), ("funding_8h",), ("long_liq_usd", "short_liq_usd")]
    heights = list(_HEIGHTS)
    for k, names in enumerate(columns, start=1):
        if not any(np.isfinite(column(document, name)).any() for name in names):
            heights[k] = _EMPTY
    return heights


def _beside(figure: Figure, grid: Any, document: Document, panels: list[Axes]) -> None:  # noqa: ANN401  matplotlib does not export its type
    """The map before the onset, and a note beside every other panel."""
    if document["map"] is not None:
        standing_panel(figure.add_subplot(grid[0, 1], sharey=panels[0]), document)
    for axes, note in zip(panels[1:4], panel_notes(document), strict=True):
        if not note:
            continue
        axes.annotate(
            note, (1.0, 1.0), (10, -8), xycoords="axes fraction",
            textcoords="offset points", va="top", fontsize=8.3, color=INK, linespacing=1.35,
            annotation_clip=False, parse_math=False,
        )  # fmt: skip


def _header(document: Document) -> list[tuple[str, bool]]:
    """Wrapped lines below the title, each with whether it is part of the verdict."""
    lines = [(verdict_line(document), True)]
    lines += [(line, False) for line in _facts(document)]
    return [
        (part, strong)
        for line, strong in lines
        for part in textwrap.wrap(line, 120 if strong else _WRAP)
    ]


def _facts(document: Document) -> Iterator[str]:
    yield happened_line(document)
    yield probability_line(document)
    why = " ".join(reason_lines(document))
    if why:
        yield why


def _write_header(
    figure: Figure, document: Document, header: list[tuple[str, bool]], height: float
) -> None:
    figure.text(
        0.012, 1.0 - 0.14 / height, event_title(document), fontsize=15, fontweight="bold",
        color=INK, va="top", parse_math=False,
    )  # fmt: skip
    verdicts = [one["verdict"] for one in document["warning"]["budgets"].values()]
    colour = _WARNED if "warned" in verdicts else _MISSED
    for k, (line, strong) in enumerate(header):
        figure.text(
            0.012, 1.0 - (0.5 + _LINE * k) / height, line, fontsize=10.5 if strong else 9,
            fontweight="bold" if strong else "normal", color=colour if strong else INK, va="top",
            parse_math=False,
        )  # fmt: skip


def _footer(figure: Figure, document: Document, mesh: ScalarMappable | None, height: float) -> None:
    """Scale of the map, what the tiers are called, and what the model knew."""
    if mesh is not None:
        _scale(figure, mesh, height)
    figure.text(0.475, 0.66 / height, "tiers", fontsize=8, color=MUTED, va="center", ha="right")
    used = sorted({t for side in COLOURS for t in document["series"][f"tier_{side}"]})
    for k, tier in enumerate(used):
        figure.text(
            0.485 + 0.098 * k, 0.66 / height,
            f" T{tier} {TIER_NAMES[Tier(tier)]} ", fontsize=7.8, va="center",
            color="white" if tier >= Tier.T4 else INK,
            bbox={"facecolor": TIER_COLOURS[tier], "edgecolor": "none", "pad": 2.0},
        )  # fmt: skip
    text = f"{model_line(document)} Panel {document['panel']}; the map is estimated, not observed."
    seen = document["model"]["seen_event"]
    figure.text(
        0.012, 0.06 / height, "\n".join(textwrap.wrap(text, 165)), fontsize=8.3,
        color=_MISSED if seen else MUTED, fontweight="bold" if seen else "normal", va="bottom",
        parse_math=False,
    )  # fmt: skip


def _scale(figure: Figure, mesh: ScalarMappable, height: float) -> None:
    place = figure.add_axes((0.195, 0.64 / height, 0.215, 0.09 / height))
    bar = figure.colorbar(mesh, cax=place, orientation="horizontal", extend="both")
    bar.outline.set_visible(False)
    high = mesh.get_clim()[1]
    ticks = [t for t in MaxNLocator(2).tick_values(0.0, high or 1.0) if 0.0 <= t <= (high or 1.0)]
    bar.set_ticks([-t for t in ticks[:0:-1]] + ticks)
    volume_axis(place.xaxis, "USD")
    place.tick_params(colors=MUTED, labelsize=7.8, length=2)
    figure.text(
        0.012, 0.66 / height, "map: longs (left), shorts (right),\nUSD per price bin, root scale",
        fontsize=8, color=MUTED, va="center",
    )  # fmt: skip
