"""What the skill rests on, and whether it is skill: ablation, placebos and the positive control."""

from collections.abc import Mapping, Sequence
from typing import Any

from liqwarn.reports.difference_charts import difference_charts, largest_first
from liqwarn.reports.evaluation_section import Line, Section, Table
from liqwarn.reports.evaluation_text import estimate, gain, plain, rate, word
from liqwarn.reports.forest_chart import Forest, ForestRow, forest
from liqwarn.reports.formats import finite, number
from liqwarn.reports.results import primary_rows, sides_of
from liqwarn.reports.verdicts import (
    ablation_verdict,
    placebo_alarm,
    placebo_sentences,
    placebo_verdict,
    tone_of,
    verdict,
)

__all__ = ["ablation_section", "placebo_section"]

Row = Mapping[str, Any]


def ablation_section(evaluation: Row) -> Section:
    """Each feature family left out in turn."""
    rows = primary_rows(evaluation, "ablation")
    if not rows:
        lead = ("No feature family was left out in this run.",)
        return Section(key="ablation", title="Ablation", lead=lead, missing=True)
    return Section(
        key="ablation",
        title="Ablation",
        lead=(
            "The full model less the model without the family; a family whose interval covers 0",
            "is said to add nothing.",
            f"Of {len(rows)} intervals about {max(round(0.05 * len(rows)), 1)} may be expected",
            "to miss 0 by chance alone.",
            *_averaged(rows),
        ),
        charts=difference_charts(
            largest_first(rows, "delta_pr_auc"),
            "delta_pr_auc",
            title="ΔPR-AUC that the family adds",
            name=_family_name,
            digits=4,
        ),
        tables=(
            Table(
                title="",
                header=(
                    "family left out",
                    "side",
                    "features",
                    "seeds",
                    "ΔPR-AUC of the family [95 %]",
                    "verdict",
                ),
                rows=tuple(_family(row) for row in rows),
                texts=2,
                verdict=True,
                beside=("ΔPR-AUC of the family [95 %]", "verdict"),
            ),
        ),
    )


def _averaged(rows: Sequence[Row]) -> tuple[str, ...]:
    """How many fits the figures are the mean of; nothing where that is not recorded."""
    counts = {int(n) for row in rows if (n := finite(row.get("seeds"))) is not None}
    fits = " or ".join(str(n) for n in sorted(counts))
    return (f"Means over {fits} fits; intervals draw weeks and fits.",) if counts else ()


def _family_name(row: Row) -> str:
    return word(row.get("family"))


def _family(row: Row) -> Line:
    return Line(
        (
            _family_name(row),
            word(row.get("side")),
            number(row.get("n_features"), 0),
            number(row.get("seeds", 1), 0),
            gain(row.get("delta_pr_auc"), 4),
            ablation_verdict(row),
        ),
        tone=tone_of(verdict(row.get("delta_pr_auc"))),
    )


def placebo_section(evaluation: Row) -> Section:
    """Runs that must find nothing, and a planted leak that must be found."""
    rows = primary_rows(evaluation, "placebo")
    if not rows:
        lead = ("No placebo was run.",)
        return Section(key="placebo", title="Placebos", lead=lead, missing=True)
    alarm, said = placebo_sentences(rows)
    return Section(
        key="placebo",
        title="Placebos and the positive control",
        alarm=alarm,
        lead=(
            "Shuffled features and shifted outcomes must show no skill; a planted leak, one",
            "column that knows the outcome a little, must be found. Slow volatility reaches across",
            "a shift, for HAR too: shifted outcomes show skill only where both ROC-AUC is above",
            "0.5 and PR-AUC above HAR's, each with its whole interval.",
            said,
            *_averaged(rows),
        ),
        charts=tuple(chart for side in sides_of(rows) if (chart := _chance(rows, side))),
        tables=(
            Table(
                title="",
                header=(
                    "run",
                    "side",
                    "seeds",
                    "base rate",
                    "PR-AUC [95 %]",
                    "ROC-AUC [95 %]",
                    "HAR's ROC-AUC",
                    "ΔPR-AUC vs HAR [95 %]",
                    "verdict",
                ),
                rows=tuple(_placebo(row) for row in rows),
                texts=2,
                verdict=True,
                beside=("ROC-AUC [95 %]", "HAR's ROC-AUC", "ΔPR-AUC vs HAR [95 %]", "verdict"),
            ),
        ),
    )


def _placebo(row: Row) -> Line:
    said = placebo_verdict(row)
    right = said.endswith("as it must be")
    return Line(
        (
            word(row.get("kind")),
            word(row.get("side")),
            number(row.get("seeds", 1), 0),
            rate(row.get("base_rate"), digits=2),
            estimate(row.get("pr_auc"), row.get("pr_auc_ci")),
            estimate(row.get("roc_auc"), row.get("roc_auc_ci")),
            plain(row.get("har_roc_auc")),
            gain(row.get("delta_pr_auc_vs_har"), 4),
            said,
        ),
        tone="bad" if placebo_alarm(row) else "good" if right else "quiet",
    )


def _chance(rows: Sequence[Row], side: str) -> Forest | None:
    return forest(
        (
            ForestRow(
                name=word(row.get("kind")),
                text=estimate(row.get("roc_auc"), row.get("roc_auc_ci")),
                value=row.get("roc_auc"),
                ends=row.get("roc_auc_ci"),
            )
            for row in rows
            if row.get("side") == side
        ),
        title="ROC-AUC of the runs; the line is chance",
        side=side,
        reference=0.5,
    )
