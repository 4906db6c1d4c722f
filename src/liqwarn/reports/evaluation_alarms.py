"""Alarms as parts of the evaluation: events warned of, lead times, severe events."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from liqwarn.frames import SIDES
from liqwarn.reports.curve_chart import recall_chart
from liqwarn.reports.evaluation_section import Line, Section, Table
from liqwarn.reports.evaluation_tables import (
    false_alarm_table,
    model_name,
    recall_text,
    warning_table,
)
from liqwarn.reports.evaluation_text import minutes, rate, word
from liqwarn.reports.forest_chart import Forest, ForestRow, forest
from liqwarn.reports.formats import number
from liqwarn.reports.results import (
    BUDGETS,
    MODEL,
    PRIMARY_H,
    primary_rows,
    results_of,
)
from liqwarn.reports.verdicts import few_events

__all__ = ["recall_section", "severe_section"]

Row = Mapping[str, Any]


def recall_section(evaluation: Row) -> Section:
    """Events warned of against the time that alarms take, and how long before the onset."""
    tables, charts = [], []
    for side in SIDES:
        rows = results_of(evaluation, side, PRIMARY_H)
        if rows:
            tables += [
                replace(table, title=f"{table.title}, {side} side")
                for table in (warning_table(rows), false_alarm_table(rows))
            ]
            charts += [chart for chart in (recall_chart(evaluation, side),) if chart]
    leads = [chart for side in SIDES if (chart := _leads(evaluation, side))]
    return Section(
        key="alarms",
        title="Events warned of, and how early",
        lead=(
            "An event counts as warned of when an alarm began before its onset; the threshold is",
            "frozen on training data, so the time truly spent in alarm drifts from the budget.",
            "Alarms thrown at random warn of more events than the share of time they take, since",
            "any hour within the horizon will do: compare with the baselines, not with the budget.",
            "Lead time runs from the close of the alarm's bar to the start of the onset's bar.",
        ),
        charts=(*charts, *leads),
        tables=tuple(tables),
        missing=not tables,
    )


def _leads(evaluation: Row, side: str) -> Forest | None:
    rows = [(row, row.get("lead_minutes") or {}) for row in results_of(evaluation, side, PRIMARY_H)]
    return forest(
        (
            ForestRow(
                name=model_name(row),
                text=minutes(lead),
                value=lead.get("median"),
                ends=[lead.get("q25"), lead.get("q75")],
                ours=row["model"] == MODEL,
            )
            for row, lead in rows
        ),
        title="Median lead at 5 %, minutes; bars: quartiles, line: 60 min",
        side=side,
        reference=60.0,
        origin=0.0,
    )


def severe_section(evaluation: Row) -> Section:
    """Severe events alone: a move and a loss of open interest of at least 5 %."""
    rows = primary_rows(evaluation, "severe")
    if not rows:
        lead: tuple[str, ...] = ("Severe events were not measured apart.",)
        return Section(key="severe", title="Severe events alone", lead=lead, missing=True)
    caveats = {row.get("side"): few_events(row) for row in rows if row.get("model") == MODEL}
    lead = (
        "Moves and losses of open interest of at least 5 %; thresholds as for all events.",
        *(f"{str(side).capitalize()} side: {said}" for side, said in caveats.items() if said),
    )
    header = ("side", "model", "events", *(f"at {100 * float(b):.0f} %" for b in BUDGETS))
    return Section(
        key="severe",
        title="Severe events alone",
        lead=lead,
        tables=(
            Table(
                title="Severe events warned of, by share of time that alarms may take",
                header=(*header, "lead, min (quartiles)", "≥ 15 min ahead"),
                rows=tuple(_severe(row) for row in rows),
                texts=2,
            ),
        ),
    )


def _severe(row: Row) -> Line:
    lead = row.get("lead_minutes") or {}
    return Line(
        (
            word(row.get("side")),
            model_name(row),
            number(row.get("events"), 0),
            *(recall_text(row, budget) for budget in BUDGETS),
            minutes(lead),
            rate(lead.get("share_ge_15")),
        ),
        ours=row.get("model") == MODEL,
    )
