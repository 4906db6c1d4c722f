"""Lines and points with whiskers in a box of 100 by 100: Molchan diagrams and recall."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from liqwarn.reports.aims import RECALL_MARKS
from liqwarn.reports.diagram_view import Diagram
from liqwarn.reports.evaluation_text import rate
from liqwarn.reports.formats import finite, interval
from liqwarn.reports.results import BUDGETS, HAR, MODEL, PRIMARY_H, of_budget, result_of
from liqwarn.reports.simulation_charts import LinearScale, curve_path, thin

__all__ = ["Curve", "CurveChart", "Point", "ReliabilityChart", "molchan_chart", "recall_chart"]

_UNIT: Final = LinearScale(0.0, 1.0)
_QUARTERS: Final = tuple((25.0 * k, f"{25 * k} %") for k in range(5))
_NAMES: Final = ((MODEL, "liqwarn"), (HAR, "HAR"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point, with the ends of its interval; all positions from the top left."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One model's line."""

    name: str
    ours: bool
    path: str
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveChart:
    """A chart of one side."""

    kind: ClassVar[str] = "curves"
    title: str
    side: str
    label: str
    x_name: str
    y_name: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    curves: tuple[Curve, ...]
    marks: tuple[Point, ...] = ()
    diagonal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityChart:
    """A reliability diagram among the charts of a section."""

    kind: ClassVar[str] = "reliability"
    side: str
    diagram: Diagram


def molchan_chart(evaluation: Mapping[str, Any], side: str) -> CurveChart | None:
    """Miss rate against alarm time of liqwarn and HAR at 4 h; None without a curve."""
    curves, said = [], []
    for model, name in _NAMES:
        row = result_of(evaluation, side, PRIMARY_H, model) or {}
        raw = row.get("molchan") or {}
        alarm, missed = _equal(raw.get("alarm_time") or (), raw.get("miss_rate") or ())
        path = curve_path(thin(alarm), thin(missed), _UNIT, _UNIT)
        if path:
            curves.append(Curve(name=name, ours=model == MODEL, path=path))
            said.append(f"{name}: area skill {_skill(row)}")
    if not curves:
        return None
    return CurveChart(
        title="Molchan diagram",
        side=side,
        label=f"Share missed against share of time in alarm, {side} side. {'; '.join(said)}.",
        x_name="time in alarm",
        y_name="missed",
        x_ticks=_QUARTERS,
        y_ticks=_QUARTERS,
        curves=tuple(curves),
        diagonal="M0 0L100 100",
    )


def _equal(*columns: Sequence[object]) -> list[Sequence[object]]:
    shortest = min(len(column) for column in columns)
    return [column[:shortest] for column in columns]


def _skill(row: Mapping[str, Any]) -> str:
    found = finite(row.get("molchan_skill"))
    return "unknown" if found is None else f"{found:.2f}".replace("-", "−")


def recall_chart(evaluation: Mapping[str, Any], side: str) -> CurveChart | None:
    """Events warned of against the time that alarms truly took, at 4 h; None without a point."""
    rows = [(name, result_of(evaluation, side, PRIMARY_H, model)) for model, name in _NAMES]
    spent = [of_budget((row or {}).get("alarm_time"), b) for _, row in rows for b in BUDGETS]
    across = LinearScale(0.0, LinearScale.around([*spent, *RECALL_MARKS]).high)
    curves = [_recalls(name, row, across) for name, row in rows if row]
    drawn = tuple(curve for curve in curves if curve.points)
    if not drawn:
        return None
    ticks = tuple((at, rate(value)) for at, value in across.ticks())
    return CurveChart(
        title="Events warned of",
        side=side,
        label=f"Share of events warned of against time in alarm, {side} side.",
        x_name="time in alarm",
        y_name="events warned of",
        x_ticks=ticks,
        y_ticks=_QUARTERS,
        curves=drawn,
        marks=tuple(
            Point(
                x=across.at(budget),
                y=100 - 100 * recall,
                title=f"aim: {rate(recall)} warned of at {rate(budget)} of time",
            )
            for budget, recall in RECALL_MARKS.items()
        ),
    )


def _recalls(name: str, row: Mapping[str, Any], across: LinearScale) -> Curve:
    ends = {float(k): interval(v) for k, v in (row.get("event_recall_ci") or {}).items()}
    found = []
    for budget in BUDGETS:
        spent = of_budget(row.get("alarm_time"), budget)
        recall = of_budget(row.get("event_recall"), budget)
        if spent is not None and recall is not None:
            found.append((spent, recall, ends.get(float(budget)), budget))
    found.sort(key=lambda item: item[:2])
    points = tuple(
        Point(
            x=across.at(spent),
            y=100 - 100 * recall,
            low=None if span is None else 100 - 100 * span[0],
            high=None if span is None else 100 - 100 * span[1],
            title=(
                f"{name}, budget {rate(float(budget))}: {rate(recall, span)} warned of in "
                f"{rate(spent, digits=1)} of time"
            ),
        )
        for spent, recall, span, budget in found
    )
    path = curve_path([s for s, *_ in found], [r for _, r, *_ in found], across, _UNIT)
    return Curve(name=name, ours=row["model"] == MODEL, path=path, points=points)
