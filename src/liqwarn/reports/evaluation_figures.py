"""The figures beside an evaluation, for files: forest, recall, reliability, Molchan."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from liqwarn.reports.charts import (
    Curves,
    forest_figure,
    molchan_figure,
    recall_figure,
    reliability_figure,
)
from liqwarn.reports.evaluation_tables import model_name
from liqwarn.reports.formats import finite, interval
from liqwarn.reports.results import (
    BUDGETS,
    HAR,
    MODEL,
    PRIMARY_H,
    of_budget,
    primary_rows,
    results_of,
    sides_of,
)

__all__ = ["evaluation_figures"]

Document = Mapping[str, Any]


def evaluation_figures(evaluation: Document) -> dict[str, Figure]:
    """File name to figure, at 4 h; a figure without data is left out.

    >>> evaluation_figures({"results": []})
    {}
    """
    rows = primary_rows(evaluation, "results")
    found: dict[str, Figure] = {}
    for side in sides_of(rows):
        shown = [
            (model_name(row), score, interval(row.get("pr_auc_ci")))
            for row in results_of(evaluation, side, PRIMARY_H)
            if (score := finite(row.get("pr_auc"))) is not None
        ]
        bases = [finite(row.get("base_rate")) for row in rows if row.get("side") == side]
        if shown:
            found[f"pr_auc_{side}.png"] = forest_figure(
                shown, title=f"PR-AUC at {PRIMARY_H} h, {side} side", reference=bases[0]
            )
    for name, draw, curves in (
        ("recall.png", recall_figure, _recalls(rows)),
        ("reliability.png", reliability_figure, _curves(rows, "reliability")),
        ("molchan.png", molchan_figure, _curves(rows, "molchan")),
    ):
        if curves:
            found[name] = draw(curves)
    return found


def _curves(rows: list[Document], kind: str) -> Curves:
    """Curves by label: side and model."""
    return {f"{row['side']} {row['model']}": row[kind] for row in rows if row.get(kind)}


def _recalls(rows: list[Document]) -> Curves:
    found: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        points = [
            (spent, recall)
            for budget in BUDGETS
            if (spent := of_budget(row.get("alarm_time"), budget)) is not None
            and (recall := of_budget(row.get("event_recall"), budget)) is not None
        ]
        if points and row.get("model") in (MODEL, HAR):
            alarm, recalled = zip(*sorted(points), strict=True)
            found[f"{row['side']} {row['model']}"] = {
                "alarm_time": list(alarm),
                "event_recall": list(recalled),
            }
    return found
