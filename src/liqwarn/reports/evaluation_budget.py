"""Whether alarm budgets are kept out of sample, as a part of the evaluation."""

from collections.abc import Mapping
from typing import Any

from liqwarn.reports.evaluation_section import Line, Section, Table
from liqwarn.reports.evaluation_text import plain, rate, word
from liqwarn.reports.forest_chart import Forest, ForestRow, forest
from liqwarn.reports.formats import DASH, finite, interval
from liqwarn.reports.results import MODEL, primary_rows, sides_of

__all__ = ["budget_section"]

Row = Mapping[str, Any]


def budget_section(evaluation: Row) -> Section:
    """Alarm budgets: a threshold frozen in training against one that is controlled."""
    rows = primary_rows(evaluation, "alarm_budget")
    if not rows:
        lead = ("Controlled alarm budgets were not measured.",)
        return Section(key="budgets", title="Alarm budgets kept", lead=lead, missing=True)
    ours = [row for row in rows if row.get("model", MODEL) == MODEL]
    others = [row for row in rows if row.get("model", MODEL) != MODEL]
    tables = [_budget_table(ours, "liqwarn", brief=True)]
    tables += [_budget_table(others, "other models", brief=False)] if others else []
    charts = (_budget_chart(ours, side) for side in sides_of(ours))
    return Section(
        key="budgets",
        title="Alarm budgets kept",
        lead=(
            "The budget is the share of time without an onset ahead that alarms may take.",
            "Frozen: a threshold set in training. Controlled: one that follows the false alarms",
            "of the past.",
            "Kept and overspent are said only when the whole interval of the false-alarm rate lies",
            "on one side of the budget.",
        ),
        charts=tuple(chart for chart in charts if chart),
        tables=tuple(tables),
    )


def _budget_table(rows: list[Row], whose: str, *, brief: bool) -> Table:
    return Table(
        title=f"False-alarm rate out of sample, {whose}",
        header=(
            "budget",
            "threshold",
            "side",
            "false-alarm rate [95 %]",
            "worst quarter",
            "time in alarm",
            "events warned of",
            "median lead, min",
            "verdict",
        ),
        rows=tuple(_budget(row) for row in rows),
        texts=3,
        verdict=True,
        brief=brief,
        beside=("false-alarm rate [95 %]", "worst quarter", "events warned of", "verdict"),
    )


def _budget(row: Row) -> Line:
    kept = _kept(row)
    return Line(
        (
            _share(row),
            word(row.get("kind")),
            word(row.get("side")),
            rate(row.get("false_alarm_rate"), row.get("false_alarm_rate_ci"), 1),
            rate(row.get("worst_quarter_rate"), digits=1),
            rate(row.get("alarm_time"), digits=1),
            rate(row.get("event_recall")),
            plain(row.get("lead_median_min"), 0),
            kept,
        ),
        tone="good" if kept == "kept" else "bad" if kept == "overspent" else "quiet",
    )


def _share(row: Row) -> str:
    budget = _budget_of(row)
    return DASH if budget is None else f"{100 * budget:g} %"


def _budget_of(row: Row) -> float | None:
    try:
        return finite(float(row.get("budget", "nan")))
    except (TypeError, ValueError):
        return None


def _kept(row: Row) -> str:
    """On which side of the budget the interval of the false-alarm rate lies."""
    budget, ends = _budget_of(row), interval(row.get("false_alarm_rate_ci"))
    if budget is None or ends is None:
        return "not measured"
    if ends[1] <= budget:
        return "kept"
    return "overspent" if ends[0] > budget else "cannot tell"


def _budget_chart(rows: list[Row], side: str) -> Forest | None:
    shown = []
    for row in rows:
        budget, spent = _budget_of(row), finite(row.get("false_alarm_rate"))
        if row.get("side") == side and budget and spent is not None:
            ends = interval(row.get("false_alarm_rate_ci")) or ()
            worst = finite(row.get("worst_quarter_rate"))
            shown.append(
                ForestRow(
                    name=f"{_share(row)}, {word(row.get('kind'))}",
                    text=f"{spent / budget:.2f}×",
                    value=spent / budget,
                    ends=[end / budget for end in ends],
                    ours=row.get("kind") == "controlled",
                    others=() if worst is None else (worst / budget,),
                )
            )
    return forest(
        shown,
        title="False alarms as a multiple of the budget; red tick: the worst quarter",
        side=side,
        reference=1.0,
        origin=0.0,
        unit="×",
    )
