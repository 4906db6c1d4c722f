"""The tables of models beside one another, at one side and horizon."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from liqwarn.reports.evaluation_section import Line, Table
from liqwarn.reports.evaluation_text import (
    estimate,
    gain,
    hours,
    lift,
    minutes,
    plain,
    rate,
    times,
)
from liqwarn.reports.formats import finite, signed
from liqwarn.reports.results import (
    BUDGETS,
    HAR,
    MODEL,
    PRIMARY_H,
    cells,
    of_budget,
    ratio_to_har,
    results_of,
)
from liqwarn.reports.verdicts import MODEL_NAMES

__all__ = [
    "calibration_table",
    "compact_table",
    "delta_text",
    "false_alarm_table",
    "model_name",
    "recall_text",
    "skill_table",
    "warning_table",
]

Row = Mapping[str, Any]
Rows = Iterable[Row]


def model_name(row: Row) -> str:
    """What a model is called in tables and charts."""
    return MODEL_NAMES.get(str(row.get("model")), str(row.get("model", "–")))


def _line(row: Row, *figures: str) -> Line:
    return Line((model_name(row), *figures), ours=row.get("model") == MODEL)


def delta_text(row: Row) -> str:
    """The paired difference to HAR with its interval; HAR itself is the reference.

    >>> delta_text({"model": "B2"}), delta_text({"model": "B0"})
    ('reference', '–')
    """
    return "reference" if row.get("model") == HAR else gain(row.get("delta_pr_auc_vs_har"))


def skill_table(evaluation: Row, side: str, horizon_h: int) -> Table:
    """Ranking skill: PR-AUC, its lift over guessing, ROC-AUC, and what is gained over HAR."""
    lines = []
    for row in results_of(evaluation, side, horizon_h):
        ratio = ratio_to_har(evaluation, side, horizon_h, str(row.get("model")))
        lines.append(
            _line(
                row,
                estimate(row.get("pr_auc"), row.get("pr_auc_ci")),
                lift(row),
                estimate(row.get("roc_auc"), row.get("roc_auc_ci")),
                delta_text(row),
                "reference" if row["model"] == HAR else times(ratio["mean"], ratio.get("ci")),
            )
        )
    return Table(
        title=f"Ranking, {side} side, {hours(horizon_h)}",
        header=(
            "model",
            "PR-AUC [95 %]",
            "lift over guessing",
            "ROC-AUC [95 %]",
            "ΔPR-AUC vs HAR [95 %]",
            "ratio to HAR [95 %]",
        ),
        rows=tuple(lines),
    )


def warning_table(rows: Sequence[Row]) -> Table:
    """What an alarm is worth: recall at each budget, false alarms, and lead time."""
    return Table(
        title="Events warned of, at shares of time that alarms may take",
        header=(
            "model",
            *(f"at {_percent(budget)}" for budget in BUDGETS),
            "time spent at 5 %",
            "false a week at 5 %",
            "lead, min (quartiles)",
            "≥ 15 min ahead",
        ),
        rows=tuple(
            _line(
                row,
                *(recall_text(row, budget) for budget in BUDGETS),
                rate(of_budget(row.get("alarm_time"), "0.05"), digits=1),
                plain(of_budget(row.get("false_alarms_per_symbol_week"), "0.05"), 2),
                minutes(row.get("lead_minutes")),
                rate((row.get("lead_minutes") or {}).get("share_ge_15")),
            )
            for row in rows
        ),
    )


def recall_text(row: Row, budget: str) -> str:
    """The share of events warned of at a budget, with its interval where there is one."""
    ends = {float(k): v for k, v in (row.get("event_recall_ci") or {}).items()}
    return rate(of_budget(row.get("event_recall"), budget), ends.get(float(budget)))


def _percent(budget: str) -> str:
    return f"{100 * float(budget):.0f} %"


def false_alarm_table(rows: Rows) -> Table:
    """What alarms cost: false alarm episodes and time spent, at each budget."""
    shares = [_percent(budget) for budget in BUDGETS]
    return Table(
        title="False alarm episodes per symbol and week, and time truly spent in alarm",
        header=("model", *(f"false at {s}" for s in shares), *(f"spent at {s}" for s in shares)),
        rows=tuple(
            _line(
                row,
                *(
                    plain(of_budget(row.get("false_alarms_per_symbol_week"), budget), 2)
                    for budget in BUDGETS
                ),
                *(rate(of_budget(row.get("alarm_time"), b), digits=1) for b in BUDGETS),
            )
            for row in rows
        ),
        brief=False,
    )


def calibration_table(rows: Rows) -> Table:
    """Calibration: slope 1 and intercept 0 are ideal; ECE is the mean gap. Molchan: 0 guesses."""
    return Table(
        title="Calibration and skill of the probabilities",
        header=(
            "model",
            "slope",
            "intercept",
            "ECE",
            "Brier skill vs HAR",
            "Brier skill vs climatology",
            "Molchan area skill",
        ),
        rows=tuple(
            _line(
                row,
                plain(row.get("calibration_slope"), 2),
                signed(row.get("calibration_intercept"), 2),
                rate(row.get("ece"), digits=2),
                signed(row.get("brier_skill_vs_har")),
                signed(row.get("brier_skill_vs_climatology")),
                plain(row.get("molchan_skill"), 2),
            )
            for row in rows
        ),
    )


def compact_table(evaluation: Row, side: str) -> Table:
    """The other horizons in short: liqwarn, HAR, and the best baseline besides."""
    lines = [
        Line(
            (
                hours(horizon_h),
                model_name(row),
                rate(row.get("base_rate"), digits=2),
                estimate(row.get("pr_auc"), row.get("pr_auc_ci")),
                plain(row.get("roc_auc")),
                delta_text(row),
                recall_text(row, "0.05"),
                plain((row.get("lead_minutes") or {}).get("median"), 0),
                plain(row.get("calibration_slope"), 2),
            ),
            ours=row["model"] == MODEL,
        )
        for where, horizon_h in cells(evaluation)
        if where == side and horizon_h != PRIMARY_H
        for row in _chosen(results_of(evaluation, side, horizon_h))
    ]
    return Table(
        title=f"Other horizons, {side} side",
        header=(
            "horizon",
            "model",
            "base rate",
            "PR-AUC [95 %]",
            "ROC-AUC",
            "ΔPR-AUC vs HAR [95 %]",
            "recall at 5 %",
            "median lead, min",
            "slope",
        ),
        rows=tuple(lines),
        texts=2,
    )


def _chosen(rows: Sequence[Row]) -> list[Row]:
    """liqwarn, HAR, and among the others the one with the highest PR-AUC."""
    kept = [row for row in rows if row["model"] in (MODEL, HAR)]
    others = [(finite(row.get("pr_auc")), row) for row in rows if row["model"] not in (MODEL, HAR)]
    scored = [(score, k) for k, (score, _) in enumerate(others) if score is not None]
    return kept + [others[k][1] for _, k in sorted(scored)[-1:]]
