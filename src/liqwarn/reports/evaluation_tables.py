"""The tables of ``evaluation.md``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from liqwarn.reports.formats import DASH, compact, finite, interval_text, number, percent, signed
from liqwarn.reports.results import BUDGETS, of_budget
from liqwarn.reports.verdicts import MODEL_NAMES, ablation_verdict, placebo_verdict

__all__ = [
    "ablation_table",
    "calibration_table",
    "delta_text",
    "lift",
    "markdown_table",
    "placebo_table",
    "skill_table",
    "symbol_table",
    "warning_table",
]

Rows = Iterable[Mapping[str, Any]]


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A markdown table: first column left, the others right.

    >>> print(markdown_table(["model", "n"], [["B0", "1"], ["a|b", "2"]]))
    | model | n |
    |---|---:|
    | B0 | 1 |
    | a\|b | 2 |
    """
    lines = [
        "| " + " | ".join(header) + " |",
        "|---|" + "---:|" * (len(header) - 1),
    ]
    lines += ["| " + " | ".join(_cell(text) for text in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _model(row: Mapping[str, Any]) -> str:
    name = MODEL_NAMES.get(row["model"], str(row["model"]))
    return f"**{name}**" if row["model"] == "liqwarn" else name


def lift(row: Mapping[str, Any]) -> str:
    """PR-AUC as a multiple of the base rate, which is what guessing scores.

    >>> lift({"pr_auc": 0.04, "base_rate": 0.01}), lift({"pr_auc": 0.04, "base_rate": 0.0})
    ('4.0×', '–')
    """
    score, base = finite(row.get("pr_auc")), finite(row.get("base_rate"))
    return DASH if score is None or not base else f"{score / base:.1f}×"


def _estimate(value: object, ends: object) -> str:
    return f"{number(value)} {interval_text(ends)}"


def _delta(delta: Mapping[str, Any] | None, digits: int = 3) -> str:
    raw = delta or {}
    if finite(raw.get("mean")) is None:
        return DASH
    return f"{signed(raw['mean'], digits)} {interval_text(raw.get('ci'), digits, plus=True)}"


def delta_text(row: Mapping[str, Any]) -> str:
    """The paired difference to HAR with its interval; HAR itself is the reference.

    >>> delta_text({"model": "B2"}), delta_text({"model": "B0"})
    ('reference', '–')
    """
    return "reference" if row["model"] == "B2" else _delta(row.get("delta_pr_auc_vs_har"))


def skill_table(rows: Rows) -> str:
    """Ranking skill: PR-AUC with its interval, lift, ROC-AUC, the paired difference, Brier."""
    header = [
        "model",
        "rows",
        "events",
        "base rate",
        "PR-AUC [95 %]",
        "lift",
        "ROC-AUC",
        "ΔPR-AUC vs HAR [95 %]",
        "Brier",
        "Brier skill vs HAR",
    ]
    return markdown_table(
        header,
        (
            [
                _model(row),
                compact(row.get("n")),
                number(row.get("events"), 0),
                percent(row.get("base_rate"), 2),
                _estimate(row.get("pr_auc"), row.get("pr_auc_ci")),
                lift(row),
                number(row.get("roc_auc")),
                delta_text(row),
                number(row.get("brier"), 5),
                signed(row.get("brier_skill_vs_har")),
            ]
            for row in rows
        ),
    )


def calibration_table(rows: Rows) -> str:
    """Calibration: slope 1 and intercept 0 are ideal; ECE is the mean gap. Molchan: 0 guesses."""
    return markdown_table(
        ["model", "slope", "intercept", "ECE", "Brier skill vs climatology", "Molchan skill"],
        (
            [
                _model(row),
                number(row.get("calibration_slope"), 2),
                signed(row.get("calibration_intercept"), 2),
                number(row.get("ece"), 4),
                signed(row.get("brier_skill_vs_climatology")),
                number(row.get("molchan_skill"), 2),
            ]
            for row in rows
        ),
    )


def warning_table(rows: Rows) -> str:
    """What an alarm is worth: recall and false alarms at each budget, and lead time."""
    shares = [f"{100 * float(budget):.0f} %" for budget in BUDGETS]
    header = ["model", *(f"recall at {s}" for s in shares), *(f"false at {s}" for s in shares)]
    return markdown_table(
        [*header, "true alarm time at 5 %", "lead median (quartiles), min", "lead ≥ 15 min"],
        (
            [
                _model(row),
                *(percent(of_budget(row.get("event_recall"), b), 0) for b in BUDGETS),
                *(
                    number(of_budget(row.get("false_alarms_per_symbol_week"), b), 2)
                    for b in BUDGETS
                ),
                percent(of_budget(row.get("alarm_time"), "0.05")),
                _lead(row.get("lead_minutes") or {}),
                percent((row.get("lead_minutes") or {}).get("share_ge_15"), 0),
            ]
            for row in rows
        ),
    )


def _lead(lead: Mapping[str, Any]) -> str:
    if finite(lead.get("median")) is None:
        return DASH
    quartiles = f"({number(lead.get('q25'), 0)} to {number(lead.get('q75'), 0)})"
    return f"{number(lead['median'], 0)} {quartiles}"


def symbol_table(rows: Rows) -> str:
    """The model in each symbol by itself."""
    return markdown_table(
        [
            "symbol",
            "side",
            "horizon",
            "rows",
            "base rate",
            "PR-AUC",
            "lift",
            "ΔPR-AUC vs HAR [95 %]",
        ],
        (
            [
                str(row.get("symbol", DASH)),
                str(row.get("side", DASH)),
                f"{number(row.get('horizon_h'), 0)} h",
                compact(row.get("n")),
                percent(row.get("base_rate"), 2),
                number(row.get("pr_auc")),
                lift(row),
                _delta(row.get("delta_pr_auc_vs_har")),
            ]
            for row in rows
        ),
    )


def ablation_table(rows: Rows) -> str:
    """Each feature family removed in turn."""
    return markdown_table(
        ["family left out", "side", "horizon", "ΔPR-AUC of the family [95 %]", "verdict"],
        (
            [
                str(row.get("family", DASH)),
                str(row.get("side", DASH)),
                f"{number(row.get('horizon_h'), 0)} h",
                _delta(row.get("delta_pr_auc"), 4),
                ablation_verdict(row),
            ]
            for row in rows
        ),
    )


def placebo_table(rows: Rows) -> str:
    """Runs that must find nothing."""
    return markdown_table(
        ["placebo", "side", "horizon", "base rate", "PR-AUC [95 %]", "ROC-AUC [95 %]", "verdict"],
        (
            [
                str(row.get("kind", DASH)).replace("_", " "),
                str(row.get("side", DASH)),
                f"{number(row.get('horizon_h'), 0)} h",
                percent(row.get("base_rate"), 2),
                _estimate(row.get("pr_auc"), row.get("pr_auc_ci")),
                _estimate(row.get("roc_auc"), row.get("roc_auc_ci")),
                placebo_verdict(row),
            ]
            for row in rows
        ),
    )
