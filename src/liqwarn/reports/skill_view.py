"""Skill against the baselines as the page draws it: dots with intervals, and verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liqwarn.reports.evaluation_tables import delta_text
from liqwarn.reports.evaluation_text import estimate, gain, lift, plain
from liqwarn.reports.formats import (
    finite,
    interval,
    number,
    percent,
    signed,
    utc,
)
from liqwarn.reports.results import (
    BUDGETS,
    PRIMARY_H,
    cells,
    of_budget,
    result_of,
    results_of,
    rows_of,
)
from liqwarn.reports.verdicts import (
    MODEL_NAMES,
    ablation_verdict,
    few_events,
    placebo_alarm,
    placebo_verdict,
    verdict,
    verdict_sentence,
)

__all__ = ["PlainRow", "SkillPanel", "SkillRow", "SkillView", "skill_view"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillRow:
    """One model in a panel; positions are percent of the panel's width."""

    name: str
    ours: bool
    dot: float | None
    low: float | None
    width: float | None
    score: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillPanel:
    """One side and horizon."""

    side: str
    horizon_h: int
    primary: bool
    verdict: str
    sentence: str
    caveat: str
    events: str
    base: float | None
    base_text: str
    top_text: str
    rows: tuple[SkillRow, ...]


@dataclass(frozen=True, slots=True)
class PlainRow:
    """A row of text, and whether it is a warning."""

    cells: tuple[str, ...]
    warn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillView:
    """The evaluation, laid out."""

    panel: str
    span: str
    symbols: str
    panels: tuple[SkillPanel, ...]
    ablation: tuple[PlainRow, ...]
    placebo: tuple[PlainRow, ...]


def skill_view(evaluation: Mapping[str, Any] | None) -> SkillView | None:
    """The evaluation laid out, the 4-h panels first; None when nothing was evaluated."""
    if not evaluation or not rows_of(evaluation, "results"):
        return None
    test = evaluation.get("test") or {}
    ordered = sorted(cells(evaluation), key=lambda cell: (cell[1] != PRIMARY_H, cell[1], cell[0]))
    return SkillView(
        panel=str(evaluation.get("panel", "")),
        span=f"{utc(test.get('from'))[:10]} to {utc(test.get('to'))[:10]}",
        symbols=number(evaluation.get("n_symbols"), 0),
        panels=tuple(_panel(evaluation, side, horizon_h) for side, horizon_h in ordered),
        ablation=tuple(_ablation(row) for row in rows_of(evaluation, "ablation")),
        placebo=tuple(_placebo(row) for row in rows_of(evaluation, "placebo")),
    )


def _panel(evaluation: Mapping[str, Any], side: str, horizon_h: int) -> SkillPanel:
    rows = results_of(evaluation, side, horizon_h)
    ours = result_of(evaluation, side, horizon_h) or {}
    bases = [b for b in (finite(row.get("base_rate")) for row in rows) if b is not None]
    ends = [v for row in rows for v in (interval(row.get("pr_auc_ci")) or ())]
    scores = [v for row in rows if (v := finite(row.get("pr_auc"))) is not None]
    top = 1.05 * max([*ends, *scores, *bases], default=0.0) or 1.0
    return SkillPanel(
        side=side,
        horizon_h=horizon_h,
        primary=horizon_h == PRIMARY_H,
        verdict=verdict(ours.get("delta_pr_auc_vs_har")),
        sentence=verdict_sentence(ours),
        caveat=few_events(ours),
        events=number(ours.get("events"), 0),
        base=100 * bases[0] / top if bases else None,
        base_text=percent(bases[0], 2) if bases else "–",
        top_text=number(top, 3),
        rows=tuple(_row(row, top) for row in rows),
    )


def _row(row: Mapping[str, Any], top: float) -> SkillRow:
    score, ends = finite(row.get("pr_auc")), interval(row.get("pr_auc_ci"))
    lead = row.get("lead_minutes") or {}
    recalls = (of_budget(row.get("event_recall"), b) for b in BUDGETS)
    return SkillRow(
        name=MODEL_NAMES.get(row["model"], str(row["model"])),
        ours=row["model"] == "liqwarn",
        dot=None if score is None else 100 * score / top,
        low=None if ends is None else 100 * ends[0] / top,
        width=None if ends is None else 100 * (ends[1] - ends[0]) / top,
        score=number(score),
        cells=(
            estimate(score, row.get("pr_auc_ci")),
            lift(row),
            number(row.get("roc_auc")),
            delta_text(row),
            signed(row.get("brier_skill_vs_har")),
            plain(row.get("calibration_slope"), 2),
            " / ".join(number(r if r is None else 100 * r, 0) for r in recalls) + " %",
            percent(of_budget(row.get("alarm_time"), "0.05")),
            number(of_budget(row.get("false_alarms_per_symbol_week"), "0.05"), 2),
            number(lead.get("median"), 0),
        ),
    )


def _where(row: Mapping[str, Any]) -> str:
    return f"{row.get('side', '–')}, {number(row.get('horizon_h'), 0)} h"


def _ablation(row: Mapping[str, Any]) -> PlainRow:
    shown, family = gain(row.get("delta_pr_auc"), 4), str(row.get("family", "–"))
    return PlainRow((family, _where(row), shown, ablation_verdict(row)))


def _placebo(row: Mapping[str, Any]) -> PlainRow:
    shown = estimate(row.get("pr_auc"), row.get("pr_auc_ci"))
    kind = str(row.get("kind", "–")).replace("_", " ")
    ranking = estimate(row.get("roc_auc"), row.get("roc_auc_ci"))
    base = percent(row.get("base_rate"), 2)
    texts = (kind, _where(row), base, shown, ranking, placebo_verdict(row))
    return PlainRow(texts, warn=placebo_alarm(row))
