"""Skill, calibration and the Molchan diagram as parts of the evaluation."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from liqwarn.frames import SIDES
from liqwarn.reports.curve_chart import ReliabilityChart, molchan_chart
from liqwarn.reports.diagram_view import reliability
from liqwarn.reports.evaluation_section import Line, Section, Table
from liqwarn.reports.evaluation_tables import (
    calibration_table,
    compact_table,
    model_name,
    skill_table,
)
from liqwarn.reports.evaluation_text import estimate, plain, rate
from liqwarn.reports.forest_chart import Forest, ForestRow, forest
from liqwarn.reports.formats import compact, finite, number
from liqwarn.reports.results import HAR, MODEL, PRIMARY_H, result_of, results_of

__all__ = ["calibration_section", "molchan_section", "skill_section"]

Document = Mapping[str, Any]


def skill_section(evaluation: Document) -> Section:
    """Every model's PR-AUC with its interval, the 4-h tables, and the other horizons in short."""
    sides = [side for side in SIDES if results_of(evaluation, side, PRIMARY_H)]
    tables = [skill_table(evaluation, side, PRIMARY_H) for side in sides]
    tables += [table for side in SIDES if (table := compact_table(evaluation, side)).rows]
    return Section(
        key="skill",
        title="Skill against the baselines",
        lead=(
            "PR-AUC has to be read against the base rate, which is what guessing scores.",
            *(_size(evaluation, side) for side in sides),
        ),
        charts=tuple(chart for side in sides if (chart := _forest(evaluation, side))),
        tables=tuple(tables),
        missing=not tables,
    )


def _size(evaluation: Document, side: str) -> str:
    row = results_of(evaluation, side, PRIMARY_H)[0]
    return (
        f"{side.capitalize()} side, {PRIMARY_H} h: {compact(row.get('n'))} rows, "
        f"{number(row.get('events'), 0)} events, base rate {rate(row.get('base_rate'), digits=2)}."
    )


def _forest(evaluation: Document, side: str) -> Forest | None:
    rows = results_of(evaluation, side, PRIMARY_H)
    return forest(
        (
            ForestRow(
                name=model_name(row),
                text=estimate(row.get("pr_auc"), row.get("pr_auc_ci")),
                value=row.get("pr_auc"),
                ends=row.get("pr_auc_ci"),
                ours=row["model"] == MODEL,
            )
            for row in rows
        ),
        title=f"PR-AUC at {PRIMARY_H} h; the line is the base rate, which guessing scores",
        side=side,
        reference=finite(rows[0].get("base_rate")) or 0.0,
        origin=0.0,
    )


def calibration_section(evaluation: Document) -> Section:
    """Reliability diagrams, slope, intercept, calibration error, Brier skill."""
    tables = []
    for side in SIDES:
        rows = results_of(evaluation, side, PRIMARY_H)
        if rows:
            tables += [
                replace(calibration_table(rows), title=f"Calibration, {side} side"),
                *_bins(evaluation, side),
            ]
    return Section(
        key="calibration",
        title="Calibration",
        lead=(
            "On the dotted diagonal a stated chance of 5 % comes true 5 times in 100.",
            "A slope of 1 and an intercept of 0 are ideal; a slope below 1 means probabilities too",
            "extreme.",
        ),
        charts=tuple(
            ReliabilityChart(side=diagram.side, diagram=diagram)
            for diagram in reliability(evaluation)
        ),
        tables=tuple(tables),
        missing=not tables,
    )


def _bins(evaluation: Document, side: str) -> list[Table]:
    raw = (result_of(evaluation, side, PRIMARY_H) or {}).get("reliability") or {}
    columns = [raw.get(name) or () for name in ("predicted", "observed", "n")]
    lines = tuple(
        Line((rate(predicted, digits=2), rate(observed, digits=2), compact(count)))
        for predicted, observed, count in zip(*columns, strict=False)
    )
    header = ("predicted", "observed", "rows")
    title = f"Reliability of liqwarn, {side} side"
    return [Table(title=title, header=header, rows=lines, texts=0, brief=False)] if lines else []


def molchan_section(evaluation: Document) -> Section:
    """Miss rate against alarm time, liqwarn beside HAR."""
    charts = tuple(chart for side in SIDES if (chart := molchan_chart(evaluation, side)))
    tables = tuple(
        table for side in SIDES if (table := _misses(evaluation, side)) and len(table.rows) > 0
    )
    return Section(
        key="molchan",
        title="Molchan diagram",
        lead=(
            "Share of the hours before an onset that were missed, against the share of all time",
            "spent in alarm; guessing follows the dotted diagonal, lower is better.",
            *(_area(evaluation, side) for side in SIDES if result_of(evaluation, side, PRIMARY_H)),
        )
        if charts
        else ("This run carries no Molchan curve.",),
        charts=charts,
        tables=tables,
        missing=not charts,
    )


def _area(evaluation: Document, side: str) -> str:
    ours = result_of(evaluation, side, PRIMARY_H) or {}
    har = result_of(evaluation, side, PRIMARY_H, HAR) or {}
    return (
        f"Area skill, {side} side: liqwarn {plain(ours.get('molchan_skill'), 2)}, HAR "
        f"{plain(har.get('molchan_skill'), 2)} (1 sees everything, 0 guesses)."
    )


def _misses(evaluation: Document, side: str) -> Table:
    raw = (result_of(evaluation, side, PRIMARY_H) or {}).get("molchan") or {}
    pairs = list(zip(raw.get("alarm_time") or (), raw.get("miss_rate") or (), strict=False))
    step = max(len(pairs) // 20, 1)
    return Table(
        title=f"Missed by liqwarn, {side} side",
        header=("time in alarm", "missed"),
        rows=tuple(
            Line((rate(alarm, digits=1), rate(missed, digits=1))) for alarm, missed in pairs[::step]
        ),
        texts=0,
        brief=False,
    )
