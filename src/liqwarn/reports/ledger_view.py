"""What became of the flags, laid out for the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from liqwarn.frames import SIDES
from liqwarn.reports.evaluation_text import plain
from liqwarn.reports.formats import finite, interval, number, percent, utc
from liqwarn.reports.ledger_cells import (
    LEDGER_HEADS,
    Cells,
    alarm_cells,
    calibration_cells,
    drift_cells,
    miss_cells,
    skill_cells,
    standing_cells,
    week_cells,
)
from liqwarn.reports.ledger_rows import (
    ALARM,
    EVERY,
    SPANS,
    alarm_rows,
    caught_text,
    champion_text,
    counts_sentence,
    drift_rows,
    ends_of,
    few_outcomes,
    figure,
    list_of,
    miss_rows,
    no_miss_text,
    part_of,
    skill_rows,
    week_rows,
)
from liqwarn.reports.ledger_weeks import ENOUGH_A_WEEK, WeekChart, week_charts

__all__ = ["LedgerPanel", "LedgerView", "WindowRow", "ledger_view"]

_AGREED: Final = ("none", "moderate", "large", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRow:
    """PR-AUC over one window beside its base rate; positions are percent of the panel's width."""

    name: str
    score: str
    title: str
    dot: float | None
    low: float | None
    width: float | None
    base: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPanel:
    """The headline of one side."""

    side: str
    rows: tuple[WindowRow, ...]
    facts: tuple[tuple[str, str], ...]
    note: str


@dataclass(frozen=True, slots=True)
class GradedRow:
    """A row of text and its grade, one of ``none``, ``moderate``, ``large``, ``unknown``."""

    cells: Cells
    grade: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerView:
    """The account, laid out; parts that are missing are empty."""

    heads: ClassVar[Mapping[str, Cells]] = LEDGER_HEADS
    alarm_means: ClassVar[str] = ALARM
    enough_a_week: ClassVar[int] = ENOUGH_A_WEEK
    as_of: str
    settled: str
    counts: str
    champion: str
    caveat: str
    alarms: tuple[Cells, ...]
    act: bool
    panels: tuple[LedgerPanel, ...]
    symbols: tuple[Cells, ...]
    charts: tuple[WeekChart, ...]
    ranked: bool
    weeks: tuple[Cells, ...]
    misses: tuple[Cells, ...]
    no_miss: str
    spans: str
    drift: tuple[GradedRow, ...]
    calibration: tuple[GradedRow, ...]
    standings: tuple[Cells, ...]


def ledger_view(account: Mapping[str, Any] | None) -> LedgerView | None:
    """The account of a ledger laid out; None when there is no ledger.

    Parameters
    ----------
    account : mapping or None
        ``account.json``, schema ``liqwarn.ledger/1``.
    """
    if account is None:
        return None
    every = skill_rows(account)
    alarms = alarm_rows(account)
    charts = week_charts(account)
    panels = (_panel(account, side) for side in SIDES)
    return LedgerView(
        as_of=utc(account.get("as_of")),
        settled=utc(account.get("generated_at")),
        counts=counts_sentence(account),
        champion=champion_text(account),
        caveat=few_outcomes(every),
        alarms=tuple(map(alarm_cells, alarms)),
        act=any(row.get("severity") == "act" for row in alarms),
        panels=tuple(panel for panel in panels if panel is not None),
        symbols=tuple(skill_cells(row) for row in every if finite(row.get("rows"))),
        charts=charts,
        ranked=any(chart.spots for chart in charts),
        weeks=tuple(map(week_cells, reversed(week_rows(account)))),
        misses=tuple(map(miss_cells, miss_rows(account))),
        no_miss=no_miss_text(account),
        spans=_spans(account),
        drift=_drift(account),
        calibration=tuple(
            GradedRow(calibration_cells(row), _grade(row))
            for row in drift_rows(account, "calibration")
        ),
        standings=tuple(map(standing_cells, list_of(account, "standings"))),
    )


def _panel(account: Mapping[str, Any], side: str) -> LedgerPanel | None:
    found = {
        name: row
        for name, part, window in SPANS
        for row in skill_rows(account, window, part)
        if row.get("scope") == EVERY and row.get("side") == side and finite(row.get("rows"))
    }
    if not found:
        return None
    values: list[object] = []
    for row in found.values():
        score = part_of(row, "pr_auc")
        values += [score.get("value"), *ends_of(score), row.get("base_rate")]
    top = 1.05 * max([v for v in map(finite, values) if v is not None], default=0.0) or 1.0
    first = next(iter(found.values()))
    return LedgerPanel(
        side=side,
        rows=tuple(_window(name, row, top) for name, row in found.items()),
        facts=_facts(first),
        note=str(first.get("note") or ""),
    )


def _window(name: str, row: Mapping[str, Any], top: float) -> WindowRow:
    score, base = part_of(row, "pr_auc"), finite(row.get("base_rate"))
    dot, ends = finite(score.get("value")), interval(ends_of(score))
    return WindowRow(
        name=f"{name}, {number(row.get('onsets'), 0)} onsets",
        score=plain(dot),
        title=f"PR-AUC {figure(score)}, base rate {percent(base, 2)}",
        dot=None if dot is None else _inside(dot, top),
        low=None if ends is None else _inside(ends[0], top),
        width=None if ends is None else _inside(ends[1], top) - _inside(ends[0], top),
        base=None if base is None else _inside(base, top),
    )


def _inside(value: float, top: float) -> float:
    return 100.0 * min(max(value / top, 0.0), 1.0)


def _facts(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    weekly, time = number(row.get("false_alarms_per_week"), 2), percent(row.get("time_in_alarm"), 1)
    return (
        ("PR-AUC, base rate", f"{figure(row.get('pr_auc'))}, {percent(row.get('base_rate'), 2)}"),
        ("Events caught", caught_text(row)),
        ("False alarms", f"{weekly} a symbol and week; {time} of time in alarm"),
        ("ROC-AUC", figure(row.get("roc_auc"))),
        (
            "Brier score",
            f"{plain(row.get('brier'), 4)}, skill {plain(row.get('brier_skill'))}",
        ),
        (
            "Calibration",
            f"slope {figure(row.get('slope'), 2)}, error {plain(row.get('ece'), 4)}",
        ),
    )


def _spans(account: Mapping[str, Any]) -> str:
    """What is compared with what."""
    drift = part_of(account, "drift")
    told = []
    for name in ("recent", "reference"):
        span = part_of(drift, name)
        rows = number(span.get("rows"), 0)
        told.append(f"{utc(span.get('from'))[:10]} to {utc(span.get('until'))[:10]} ({rows} rows)")
    return f"{told[0]} against what the model was trained on, {told[1]}"


def _drift(account: Mapping[str, Any]) -> tuple[GradedRow, ...]:
    scores = [(row, f"scores, {row.get('side', '–')}") for row in drift_rows(account, "scores")]
    inputs = [(row, str(row.get("feature", "–"))) for row in drift_rows(account, "inputs")]
    return tuple(GradedRow(drift_cells(row, name), _grade(row)) for row, name in scores + inputs)


def _grade(row: Mapping[str, Any]) -> str:
    found = row.get("grade")
    return str(found) if found in _AGREED else "unknown"
