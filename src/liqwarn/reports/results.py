"""Reading ``evaluation.json``: results by side, horizon and model, in a fixed order."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from liqwarn.frames import SIDES
from liqwarn.reports.formats import finite
from liqwarn.reports.verdicts import MODEL_NAMES

__all__ = [
    "BUDGETS",
    "HAR",
    "MODEL",
    "PRIMARY_H",
    "cells",
    "of_budget",
    "primary_rows",
    "ratio_to_har",
    "result_of",
    "results_of",
    "rows_of",
    "sides_of",
]

BUDGETS: Final = ("0.01", "0.02", "0.05", "0.10")
"""Alarm budgets: share of time in alarm."""

MODEL: Final = "liqwarn"
HAR: Final = "B2"
"""The baseline to beat: a HAR model of volatility."""

PRIMARY_H: Final = 4
"""The horizon that is shown first, in hours."""


def rows_of(evaluation: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    """The rows of ``results``, ``ablation``, ``placebo`` and the like; empty when there are none.

    >>> rows_of({"ablation": None}, "ablation"), rows_of({"severe": [{"n": 1}]}, "severe")
    ([], [{'n': 1}])
    """
    return [row for row in evaluation.get(part) or [] if isinstance(row, Mapping)]


def primary_rows(evaluation: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    """The rows of a part at 4 h, long before short; rows without a horizon count as 4 h.

    >>> part = [{"side": "short"}, {"side": "long", "horizon_h": 24}, {"side": "long"}]
    >>> primary_rows({"severe": part}, "severe")
    [{'side': 'long'}, {'side': 'short'}]
    """
    rows = [
        row for row in rows_of(evaluation, part) if row.get("horizon_h", PRIMARY_H) == PRIMARY_H
    ]
    return sorted(rows, key=lambda row: row.get("side") != SIDES[0])


def sides_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The sides among the rows, long first.

    >>> sides_of([{"side": "short"}, {"side": "long"}, {"side": "short"}, {}])
    ['long', 'short']
    """
    found = {row.get("side") for row in rows}
    return [side for side in SIDES if side in found]


def cells(evaluation: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Every (side, horizon in hours) with a result: long before short, near before far.

    >>> cells({"results": [{"side": "short", "horizon_h": 4}, {"side": "long", "horizon_h": 24}]})
    [('long', 24), ('short', 4)]
    """
    found = {(str(r["side"]), int(r["horizon_h"])) for r in rows_of(evaluation, "results")}
    return sorted(found, key=lambda cell: (cell[0] != SIDES[0], cell[1]))


def results_of(evaluation: Mapping[str, Any], side: str, horizon_h: int) -> list[Mapping[str, Any]]:
    """Results of one side and horizon, liqwarn first and then B0 to B6."""
    order = list(MODEL_NAMES)
    rows = [
        row
        for row in rows_of(evaluation, "results")
        if row["side"] == side and int(row["horizon_h"]) == horizon_h
    ]
    return sorted(
        rows,
        key=lambda row: (
            order.index(row["model"]) if row["model"] in order else len(order),
            str(row["model"]),
        ),
    )


def result_of(
    evaluation: Mapping[str, Any], side: str, horizon_h: int, model: str = "liqwarn"
) -> Mapping[str, Any] | None:
    """One result, or None."""
    rows = results_of(evaluation, side, horizon_h)
    return next((row for row in rows if row["model"] == model), None)


def of_budget(table: Mapping[str, Any] | None, budget: str) -> float | None:
    """The value at an alarm budget, however the key was written.

    >>> of_budget({"0.1": 0.5}, "0.10"), of_budget(None, "0.10")
    (0.5, None)
    """
    wanted = float(budget)
    found = [value for key, value in (table or {}).items() if float(key) == wanted]
    return finite(found[0]) if found else None


def ratio_to_har(
    evaluation: Mapping[str, Any], side: str, horizon_h: int, model: str = MODEL
) -> Mapping[str, Any]:
    """PR-AUC over HAR's, paired; without an interval where only the two figures are known.

    >>> rows = [{"side": "long", "horizon_h": 4, "model": "liqwarn", "pr_auc": 0.06},
    ...         {"side": "long", "horizon_h": 4, "model": "B2", "pr_auc": 0.03}]
    >>> ratio_to_har({"results": rows}, "long", 4)
    {'mean': 2.0, 'ci': None}
    """
    ours = result_of(evaluation, side, horizon_h, model) or {}
    known = ours.get("ratio_pr_auc_vs_har") or {}
    if finite(known.get("mean")) is not None:
        return dict(known)
    har = result_of(evaluation, side, horizon_h, HAR) or {}
    score, base = finite(ours.get("pr_auc")), finite(har.get("pr_auc"))
    return {"mean": score / base if score is not None and base else None, "ci": None}
