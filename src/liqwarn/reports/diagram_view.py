"""Reliability and Molchan diagrams as the page draws them, in boxes of 100 by 100."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.reports.formats import finite, number, percent, signed
from liqwarn.reports.results import PRIMARY_H, cells, result_of
from liqwarn.reports.scales import LogScale, text_of

__all__ = ["CalibrationRow", "Diagram", "Dot", "calibration_rows", "molchan", "reliability"]

_FLOOR: Final = 1e-4
_CURVE_POINTS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A point of a diagram, with its tooltip."""

    x: float
    y: float
    radius: float
    title: str
    hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """One side: a line through its points, and the ticks of both axes."""

    side: str
    path: str
    dots: tuple[Dot, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRow:
    """Calibration of liqwarn on one side and horizon."""

    where: str
    slope: str
    intercept: str
    ece: str
    molchan: str
    verdict: str


def calibration_rows(evaluation: Mapping[str, Any] | None) -> list[CalibrationRow]:
    """One row a side and horizon."""
    found = []
    for side, horizon_h in cells(evaluation or {}):
        row = result_of(evaluation or {}, side, horizon_h)
        if row is not None:
            found.append(_calibration(row, f"{side}, {horizon_h} h"))
    return found


def _calibration(row: Mapping[str, Any], where: str) -> CalibrationRow:
    slope = finite(row.get("calibration_slope"))
    return CalibrationRow(
        where=where,
        slope=number(slope, 2),
        intercept=signed(row.get("calibration_intercept"), 2),
        ece=number(row.get("ece"), 4),
        molchan=number(row.get("molchan_skill"), 2),
        verdict=_slope_verdict(slope),
    )


def _slope_verdict(slope: float | None) -> str:
    if slope is None:
        return "not measured"
    if slope < 0.8:
        return "too extreme: high scores overstate the risk"
    if slope > 1.2:
        return "too timid: high scores understate the risk"
    return "acceptable (0.8 to 1.2)"


def reliability(evaluation: Mapping[str, Any] | None) -> list[Diagram]:
    """Reliability at 4 h, on logarithmic axes, for sides whose result carries ``reliability``."""
    found = []
    for side, curve in _curves(evaluation, "reliability"):
        points = _points(curve, ("predicted", "observed", "n"))
        if points:
            found.append(_reliability(side, points))
    return found


def _reliability(side: str, points: list[tuple[float, ...]]) -> Diagram:
    scale = LogScale.around([v for p in points for v in p[:2]], floor=_FLOOR)
    most = max(p[2] for p in points) or 1.0
    dots = tuple(
        Dot(
            x=scale.at(predicted),
            y=100 - scale.at(observed),
            radius=1.2 + 1.8 * (count / most) ** 0.5,
            title=(
                f"predicted {percent(predicted, 2)}, observed {percent(observed, 2)}, "
                f"{count:,.0f} rows"
            ),
            hollow=observed < _FLOOR,
        )
        for predicted, observed, count in points
    )
    seen = [dot for dot in dots if not dot.hollow]
    return Diagram(side=side, path=_path(seen), dots=dots, ticks=tuple(scale.ticks()))


def molchan(evaluation: Mapping[str, Any] | None) -> list[Diagram]:
    """Molchan diagrams at 4 h, for sides whose result carries ``molchan``."""
    found = []
    for side, curve in _curves(evaluation, "molchan"):
        points = _points(curve, ("alarm_time", "miss_rate"))
        if points:
            thin = points[:: max(len(points) // _CURVE_POINTS, 1)] + points[-1:]
            dots = [Dot(x=100 * a, y=100 - 100 * m, radius=0, title="") for a, m in thin]
            ticks = tuple((25.0 * k, f"{25 * k} %") for k in range(5))
            found.append(Diagram(side=side, path=_path(dots), dots=(), ticks=ticks))
    return found


def _curves(
    evaluation: Mapping[str, Any] | None, name: str
) -> list[tuple[str, Mapping[str, Sequence[object]]]]:
    rows = ((side, result_of(evaluation or {}, side, PRIMARY_H)) for side in ("long", "short"))
    return [(side, row[name]) for side, row in rows if row and row.get(name)]


def _points(
    curve: Mapping[str, Sequence[object]], names: tuple[str, ...]
) -> list[tuple[float, ...]]:
    columns = [[finite(value) for value in curve.get(name, ())] for name in names]
    return [
        tuple(v for v in point if v is not None)
        for point in zip(*columns, strict=False)
        if None not in point
    ]


def _path(dots: Sequence[Dot]) -> str:
    return "M" + "L".join(f"{text_of(d.x)} {text_of(d.y)}" for d in dots) if dots else ""
