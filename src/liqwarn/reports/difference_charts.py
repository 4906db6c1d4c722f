"""Charts of paired differences, one a side, around zero."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from liqwarn.reports.evaluation_text import gain
from liqwarn.reports.forest_chart import Forest, ForestRow, forest
from liqwarn.reports.formats import finite
from liqwarn.reports.results import sides_of

__all__ = ["difference_charts", "largest_first"]

Row = Mapping[str, Any]


def difference_charts(
    rows: Sequence[Row], delta: str, *, title: str, name: Callable[[Row], str], digits: int = 3
) -> tuple[Forest, ...]:
    """One chart a side of what `delta` holds in each row.

    Parameters
    ----------
    rows : sequence of mapping
        Each with ``side`` and, under `delta`, ``mean`` and ``ci``.
    delta, title : str
    name : callable
        What a row is called.
    digits : int
        Of the differences in words.

    Examples
    --------
    >>> rows = [{"side": "long", "of": k, "gain": {"mean": k}} for k in (1, 3)]
    >>> charts = difference_charts(rows, "gain", title="t", name=lambda row: str(row["of"]))
    >>> [mark.name for mark in charts[0].marks]
    ['1', '3']
    """
    charts = (
        forest(
            (
                ForestRow(
                    name=name(row),
                    text=gain(row.get(delta), digits),
                    value=(row.get(delta) or {}).get("mean"),
                    ends=(row.get(delta) or {}).get("ci"),
                )
                for row in rows
                if row.get("side") == side
            ),
            title=title,
            side=side,
        )
        for side in sides_of(rows)
    )
    return tuple(chart for chart in charts if chart)


def largest_first(rows: Sequence[Row], delta: str) -> list[Row]:
    """The rows by their difference, those without one at the end of the positive ones.

    >>> largest_first([{"gain": {"mean": 1}}, {"gain": None}, {"gain": {"mean": 3}}], "gain")
    [{'gain': {'mean': 3}}, {'gain': {'mean': 1}}, {'gain': None}]
    """
    return sorted(rows, key=lambda row: -(finite((row.get(delta) or {}).get("mean")) or 0.0))
