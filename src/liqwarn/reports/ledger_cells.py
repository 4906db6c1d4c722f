"""The rows of a ledger's account as cells of text, the same for the terminal and the page."""

from collections.abc import Mapping
from typing import Any, Final

from liqwarn.reports.evaluation_text import plain
from liqwarn.reports.formats import number, percent, utc
from liqwarn.reports.ledger_rows import caught_text, figure

__all__ = [
    "CALIBRATION_HEAD",
    "DRIFT_HEAD",
    "LEDGER_HEADS",
    "MISS_HEAD",
    "SKILL_HEAD",
    "STANDING_HEAD",
    "WEEK_HEAD",
    "Cells",
    "alarm_cells",
    "calibration_cells",
    "drift_cells",
    "miss_cells",
    "skill_cells",
    "standing_cells",
    "week_cells",
]

Cells = tuple[str, ...]
Row = Mapping[str, Any]

SKILL_HEAD: Final = (
    "symbol", "side", "onsets", "PR-AUC [95 %]", "base rate", "ROC-AUC [95 %]", "Brier",
    "Brier skill", "slope [95 %]", "caught", "false a week", "in alarm",
)  # fmt: skip
WEEK_HEAD: Final = ("week", "side", "onsets", "PR-AUC", "Brier", "caught", "missed", "false")
MISS_HEAD: Final = ("onset, UTC", "symbol", "side", "severity", "chance before", "tier", "model")
DRIFT_HEAD: Final = ("drift of", "grade", "PSI", "KS", "missing before", "missing now")
CALIBRATION_HEAD: Final = ("calibration of", "grade", "slope [95 %]", "expected", "observed")
STANDING_HEAD: Final = ("symbol", "scored", "since, UTC", "champion", "reason")
LEDGER_HEADS: Final[Mapping[str, Cells]] = {
    "skill": SKILL_HEAD,
    "week": WEEK_HEAD,
    "miss": MISS_HEAD,
    "drift": DRIFT_HEAD,
    "calibration": CALIBRATION_HEAD,
    "standing": STANDING_HEAD,
}
"""All of them by name, for templates."""


def skill_cells(row: Row) -> Cells:
    """Skill of one symbol and side, columns :data:`SKILL_HEAD`."""
    return (
        _text(row, "scope"),
        _text(row, "side"),
        number(row.get("onsets"), 0),
        figure(row.get("pr_auc")),
        percent(row.get("base_rate"), 2),
        figure(row.get("roc_auc")),
        plain(row.get("brier"), 4),
        plain(row.get("brier_skill")),
        figure(row.get("slope"), 2),
        caught_text(row),
        number(row.get("false_alarms_per_week"), 2),
        percent(row.get("time_in_alarm"), 1),
    )


def week_cells(row: Row) -> Cells:
    """One side of one week, columns :data:`WEEK_HEAD`."""
    counts = (number(row.get(name), 0) for name in ("caught", "missed", "false_alarms"))
    ranked, squared = plain(row.get("pr_auc")), plain(row.get("brier"), 4)
    onsets = number(row.get("onsets"), 0)
    return (_text(row, "week"), _text(row, "side"), onsets, ranked, squared, *counts)


def miss_cells(row: Row) -> Cells:
    """A missed event, columns :data:`MISS_HEAD`."""
    return (
        utc(row.get("onset")),
        _text(row, "symbol"),
        _text(row, "side"),
        plain(row.get("severity"), 2),
        percent(row.get("p_4h"), 2),
        _text(row, "tier"),
        _text(row, "model"),
    )


def drift_cells(row: Row, name: str) -> Cells:
    """How far an input, or a side's scores, have moved, columns :data:`DRIFT_HEAD`."""
    grade = str(row.get("grade") or "unknown")
    missing = (percent(row.get(f"missing_{when}")) for when in ("reference", "recent"))
    return (name, grade, plain(row.get("psi")), plain(row.get("ks")), *missing)


def calibration_cells(row: Row) -> Cells:
    """How a side's chances agree with what came, columns :data:`CALIBRATION_HEAD`."""
    slope = {"value": row.get("slope"), "low": row.get("low"), "high": row.get("high")}
    return (
        _text(row, "side"),
        str(row.get("grade") or "unknown"),
        figure(slope, 2),
        percent(row.get("expected"), 2),
        percent(row.get("observed"), 2),
    )


def standing_cells(row: Row) -> Cells:
    """Whether a symbol is scored, columns :data:`STANDING_HEAD`."""
    scored = {True: "yes", False: "no"}.get(row.get("enabled"), "–")  # type: ignore[arg-type]
    reason = str(row.get("reason") or "")
    return (_text(row, "symbol"), scored, utc(row.get("since")), _text(row, "champion"), reason)


def alarm_cells(row: Row) -> Cells:
    """Severity, what it is about, since when, and in words."""
    about = " ".join(str(row[name]) for name in ("rule", "subject") if row.get(name))
    return _text(row, "severity"), about or "–", utc(row.get("since")), str(row.get("text") or "")


def _text(row: Row, name: str) -> str:
    found = row.get(name)
    return "–" if found is None or found == "" else str(found)
