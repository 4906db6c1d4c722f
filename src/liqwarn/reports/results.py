"""Reading ``evaluation.json``: results by side, horizon and model, in a fixed order."""

from collections.abc import Mapping
from typing import Any, Final

from liqwarn.frames import SIDES
from liqwarn.reports.formats import finite
from liqwarn.reports.verdicts import MODEL_NAMES

__all__ = ["BUDGETS", "PRIMARY_H", "cells", "of_budget", "result_of", "results_of", "rows_of"]

BUDGETS: Final = ("0.01", "0.02", "0.05", "0.10")
"""Alarm budgets: share of time in alarm."""

PRIMARY_H: Final = 4
"""The horizon that is shown first, in hours."""


def rows_of(evaluation: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    """The rows of ``results``, ``ablation`` or ``placebo``; empty when there are none."""
    return list(evaluation.get(part) or [])


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
