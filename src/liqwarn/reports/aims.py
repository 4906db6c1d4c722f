"""The marks aimed at before anything was measured, and whether each is reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from liqwarn.reports.evaluation_text import estimate, minutes, plain, rate, times
from liqwarn.reports.formats import DASH, finite, interval
from liqwarn.reports.results import (
    HAR,
    PRIMARY_H,
    of_budget,
    primary_rows,
    ratio_to_har,
    result_of,
)
from liqwarn.reports.verdicts import has_placebo_skill, is_control

__all__ = ["OVERSPENT", "RECALL_MARKS", "Aim", "Reached", "aims"]

Reached = Literal["reached", "missed", "not measured"]
Result = Mapping[str, Any]

RECALL_MARKS: Final = {0.05: 0.60, 0.10: 0.75}
"""Alarm budget to the share of events that should be warned of."""

OVERSPENT: Final = 1.1
"""A recall counts for its budget while the alarms spent at most this multiple of it."""

_LONGEST_BAR: Final = 60.0  # min, to be judged by leads: with 4-h bars every lead is 0


@dataclass(frozen=True, slots=True)
class Aim:
    """One mark.

    Attributes
    ----------
    what, mark : str
        What is measured; where it should be.
    measured, har : str
        liqwarn's figure with its interval; the HAR baseline's.
    status : {"reached", "missed", "not measured"}
    """

    what: str
    mark: str
    measured: str
    har: str
    status: Reached


def aims(evaluation: Mapping[str, Any], side: str) -> list[Aim]:
    """Every mark of one side at 4 h, judged from the figures alone.

    Parameters
    ----------
    evaluation : mapping
        ``evaluation.json``; ``bar_minutes`` (60 when missing) decides the marks for lead time,
        of which longer bars have none.
    side : {"long", "short"}

    Examples
    --------
    >>> found = aims({"results": [{"side": "long", "horizon_h": 4, "model": "liqwarn",
    ...                            "roc_auc": 0.83}]}, "long")
    >>> found[1].measured, found[1].status, found[0].status
    ('0.830', 'reached', 'not measured')
    """
    ours = result_of(evaluation, side, PRIMARY_H) or {}
    har = result_of(evaluation, side, PRIMARY_H, HAR) or {}
    bar_minutes = finite(evaluation.get("bar_minutes")) or 60.0
    return [
        _ratio(evaluation, side),
        Aim(
            "ROC-AUC",
            "≥ 0.82",
            estimate(ours.get("roc_auc"), ours.get("roc_auc_ci")),
            plain(har.get("roc_auc")),
            _judged(ours.get("roc_auc"), lambda v: v >= 0.82),
        ),
        _recall(ours, har, "0.05"),
        _recall(ours, har, "0.10"),
        *_early(ours, har, bar_minutes),
        *_lead(ours, har, bar_minutes),
        Aim(
            "Calibration slope",
            "0.9 to 1.1",
            plain(ours.get("calibration_slope"), 2),
            plain(har.get("calibration_slope"), 2),
            _judged(ours.get("calibration_slope"), lambda v: 0.9 <= v <= 1.1),
        ),
        Aim(
            "Expected calibration error",
            "≤ 1 %",
            rate(ours.get("ece"), digits=2),
            rate(har.get("ece"), digits=2),
            _judged(ours.get("ece"), lambda v: v <= 0.01),
        ),
        *_placebos(evaluation, side),
    ]


def _judged(value: object, good: Callable[[float], bool]) -> Reached:
    found = finite(value)
    if found is None:
        return "not measured"
    return "reached" if good(found) else "missed"


def _ratio(evaluation: Mapping[str, Any], side: str) -> Aim:
    ratio = ratio_to_har(evaluation, side, PRIMARY_H)
    mean, ends = finite(ratio.get("mean")), interval(ratio.get("ci"))
    status = _judged(mean, lambda v: v >= 2.0)
    if status == "reached" and ends is None:
        status = "not measured"
    elif status == "reached" and ends is not None and ends[0] <= 1.0:
        status = "missed"
    shown = times(mean, ends)
    if mean is not None and ends is None:
        shown += " (no interval)"
    return Aim("PR-AUC over HAR's, paired", "≥ 2×, interval above 1×", shown, "1×", status)


def _recall(ours: Result, har: Result, budget: str) -> Aim:
    mark = RECALL_MARKS[float(budget)]
    recall = of_budget(ours.get("event_recall"), budget)
    status = _within(ours, budget, _judged(recall, lambda v: v >= mark))
    return Aim(
        f"Events warned of at {float(budget):.0%} of time in alarm".replace("%", " %"),
        f"≥ {mark:.0%}".replace("%", " %"),
        _spent(ours, budget, rate(recall, _ends(ours.get("event_recall_ci"), budget))),
        rate(of_budget(har.get("event_recall"), budget)),
        status,
    )


def _early(ours: Result, har: Result, bar_minutes: float) -> list[Aim]:
    if bar_minutes > _LONGEST_BAR:
        return []
    share = (ours.get("lead_minutes") or {}).get("share_ge_15")
    status = _within(ours, "0.05", _judged(share, lambda v: v >= RECALL_MARKS[0.05]))
    return [
        Aim(
            "The same at 5 %, at least 15 min ahead",
            "≥ 60 %",
            rate(share),
            rate((har.get("lead_minutes") or {}).get("share_ge_15")),
            status,
        )
    ]


def _within(ours: Result, budget: str, status: Reached) -> Reached:
    """A recall bought with more alarm time than its budget does not reach the mark."""
    spent = of_budget(ours.get("alarm_time"), budget)
    if status != "reached":
        return status
    if spent is None:
        return "not measured"
    return "reached" if spent <= OVERSPENT * float(budget) else "missed"


def _spent(ours: Result, budget: str, shown: str) -> str:
    spent = of_budget(ours.get("alarm_time"), budget)
    return shown if spent is None else f"{shown}, in {rate(spent, digits=1)} of time"


def _ends(table: Mapping[str, Any] | None, budget: str) -> object:
    found = [ends for key, ends in (table or {}).items() if float(key) == float(budget)]
    return found[0] if found else None


def _lead(ours: Result, har: Result, bar_minutes: float) -> list[Aim]:
    if bar_minutes > _LONGEST_BAR:
        return []
    mark = 30 if bar_minutes <= 5 else 60
    lead = ours.get("lead_minutes") or {}
    return [
        Aim(
            "Median lead of what is warned of at 5 %, min",
            f"≥ {mark}",
            minutes(lead),
            minutes(har.get("lead_minutes")),
            _judged(lead.get("median"), lambda v: v >= mark),
        )
    ]


def _placebos(evaluation: Mapping[str, Any], side: str) -> list[Aim]:
    rows = [row for row in primary_rows(evaluation, "placebo") if row.get("side") == side]
    kinds = (
        ("Placebos", "no skill", False, "without skill"),
        ("Planted leak", "found", True, "found"),
    )
    out = []
    for what, mark, wanted, word in kinds:
        seen = [has_placebo_skill(row) for row in rows if is_control(row) is wanted]
        right = seen.count(wanted)
        status: Reached = "missed" if (not wanted) in seen else "not measured"
        if seen and right == len(seen):
            status = "reached"
        silent = f", {seen.count(None)} not judged" if None in seen else ""
        shown = f"{right} of {len(seen)} {word}{silent}" if seen else DASH
        out.append(Aim(what, mark, shown, DASH, status))
    return out
