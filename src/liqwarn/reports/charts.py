"""Figures for files: reliability, Molchan, recall, forests, as PNG or SVG through matplotlib.

Figures are built as objects, so nothing global is touched and no display is needed; saved files
carry no time stamp, so the same data give the same bytes.

A curve is a mapping of plain sequences, in the shape ``evaluation.json`` carries them.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from liqwarn.errors import FrameError

__all__ = [
    "Curves",
    "Estimate",
    "forest_figure",
    "molchan_figure",
    "recall_figure",
    "reliability_figure",
    "save_figure",
]

Curves = Mapping[str, Mapping[str, Sequence[float]]]
"""Label of a curve to its columns."""

Estimate = tuple[str, float, tuple[float, float] | None]
"""Label, estimate, and its interval if there is one."""

_FLOOR: Final = 1e-4
_STYLES: Final = (("#1f5fbf", "-"), ("#c4501b", "--"), ("#4d7c0f", "-."), ("#7c3aed", ":"))


def _axes(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 5.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=True, color="#d9dde3", linewidth=0.6)
    axes.set_axisbelow(True)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    return figure, axes


def _columns(label: str, curve: Mapping[str, Sequence[float]], *names: str) -> list[list[float]]:
    missing = [name for name in names if name not in curve]
    if missing:
        raise FrameError(f"curve '{label}' lacks {missing}, found {sorted(curve)}")
    columns = [[float(value) for value in curve[name]] for name in names]
    sizes = [len(column) for column in columns]
    if len(set(sizes)) > 1:
        raise FrameError(f"curve '{label}' has columns of sizes {sizes}, expected equal ones")
    return columns


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9)


def reliability_figure(curves: Curves) -> Figure:
    """Predicted probability against observed rate; on the diagonal is calibrated.

    Both axes are logarithmic, since nearly all probabilities are small; a bin without any event
    lies on the lower edge.

    Parameters
    ----------
    curves : mapping of label to {"predicted", "observed", "n"}
        One entry a bin: mean predicted probability, observed rate of events, number of rows.

    Raises
    ------
    FrameError
        When a column is missing or the columns differ in size.
    """
    figure, axes = _axes(
        "Reliability (marker area: rows)", "predicted probability", "observed rate of onsets"
    )
    for (label, curve), (colour, line) in zip(curves.items(), cycle(_STYLES), strict=False):
        predicted, observed, count = _columns(label, curve, "predicted", "observed", "n")
        area = [12 + 90 * n / max([*count, 1.0]) for n in count]
        shown = [max(rate, _FLOOR) for rate in observed]
        axes.plot(predicted, shown, color=colour, linestyle=line, linewidth=1.4, label=label)
        axes.scatter(predicted, shown, s=area, color=colour, alpha=0.45, linewidths=0)
    axes.plot([_FLOOR, 1], [_FLOOR, 1], color="#6b7280", linewidth=1, label="perfectly calibrated")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(_FLOOR, 1)
    axes.set_ylim(_FLOOR, 1)
    _legend(axes)
    return figure


def molchan_figure(curves: Curves) -> Figure:
    """Share missed of what should be warned of, against share of time in alarm.

    Parameters
    ----------
    curves : mapping of label to {"alarm_time", "miss_rate"}
        Fractions between 0 and 1, ordered by alarm time; guessing lies on the diagonal.

    Raises
    ------
    FrameError
        When a column is missing or the columns differ in size.
    """
    figure, axes = _axes("Molchan diagram", "share of time in alarm", "share missed")
    axes.plot([0, 1], [1, 0], color="#6b7280", linewidth=1, label="guessing")
    for (label, curve), (colour, line) in zip(curves.items(), cycle(_STYLES), strict=False):
        alarm, missed = _columns(label, curve, "alarm_time", "miss_rate")
        axes.plot(alarm, missed, color=colour, linestyle=line, linewidth=1.6, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    _legend(axes)
    return figure


def recall_figure(curves: Curves) -> Figure:
    """Share of events warned of, against the share of time that alarms truly took.

    Parameters
    ----------
    curves : mapping of label to {"alarm_time", "event_recall"}
        One entry a budget, ordered by alarm time.

    Raises
    ------
    FrameError
        When a column is missing or the columns differ in size.
    """
    figure, axes = _axes("Events warned of", "share of time in alarm", "share of events warned of")
    for (label, curve), (colour, line) in zip(curves.items(), cycle(_STYLES), strict=False):
        alarm, recall = _columns(label, curve, "alarm_time", "event_recall")
        axes.plot(alarm, recall, color=colour, linestyle=line, marker="o", label=label)
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1)
    _legend(axes)
    return figure


def forest_figure(
    rows: Sequence[Estimate], *, title: str, reference: float | None = None
) -> Figure:
    """Estimates with their intervals under one another.

    Parameters
    ----------
    rows : sequence of (label, estimate, interval or None)
        From top to bottom.
    title : str
    reference : float, optional
        Where the vertical line stands.
    """
    figure, axes = _axes(title, "", "")
    for k, (_, value, ends) in enumerate(rows):
        if ends is not None:
            axes.plot(ends, [k, k], color="#6b7280", linewidth=2)
        axes.plot([value], [k], marker="o", color=_STYLES[0][0] if k == 0 else "#374151")
    axes.set_yticks(range(len(rows)), [label for label, *_ in rows])
    axes.invert_yaxis()
    axes.set_xlim(left=min([0.0, *(v for _, value, ends in rows for v in (value, *(ends or ())))]))
    if reference is not None:
        axes.axvline(reference, color="#6b7280", linewidth=1)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write PNG or SVG by the suffix of `path`, without time stamps or random ids.

    Raises
    ------
    FrameError
        For any other suffix.
    """
    fixed: dict[str, dict[str, Any]] = {
        ".png": {"Software": None},
        ".svg": {"Date": None, "Creator": None},
    }
    if path.suffix not in fixed:
        raise FrameError(f"figure file is '{path.name}', expected .png or .svg")
    with mpl.rc_context({"svg.hashsalt": "liqwarn", "svg.fonttype": "path"}):
        figure.savefig(path, format=path.suffix[1:], metadata=fixed[path.suffix])
