"""Simulated prices over time: fans of quantiles or single lines, one small chart a symbol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.reports.formats import finite
from liqwarn.reports.shock_view import hours_of, shocked_symbols
from liqwarn.reports.simulation_charts import (
    LinearScale,
    band_path,
    curve_path,
    hour_ticks,
    percent_label,
    thin,
)
from liqwarn.reports.simulation_figures import moved, part_of

__all__ = ["PriceChart", "PriceCharts", "fan_charts", "line_charts"]

_QUANTILES: Final = ("p05", "p25", "p50", "p75", "p95")
_LABELS: Final = {"p95": "95 %", "p75": "75 %", "p50": "median", "p25": "25 %", "p05": "5 %"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChart:
    """One symbol: paths over a box of 100 by 100, `outer` and `inner` empty without quantiles."""

    symbol: str
    outer: str
    inner: str
    line: str
    zero: float
    shocks: tuple[float, ...]
    last: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCharts:
    """All symbols on one pair of scales, and the numbers for reading under the pointer."""

    charts: tuple[PriceChart, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    payload: Mapping[str, Any]


def fan_charts(document: Mapping[str, Any]) -> PriceCharts | None:
    """The fan of a scenario result; None when there is none.

    Raises
    ------
    FrameError
        When a quantile is not as long as the times.
    """
    fan = part_of(document.get("fan"))
    columns = {
        str(symbol): {name: thin(part_of(found).get(name) or []) for name in _QUANTILES}
        for symbol, found in part_of(fan.get("symbols")).items()
    }
    shocks = {name: _onsets(document, name) for name in columns}
    return _charts(thin(fan.get("times_h") or []), columns, shocks)


def line_charts(path: Mapping[str, Any]) -> PriceCharts | None:
    """The median path of a worst case, a line a symbol; None when there is none.

    Raises
    ------
    FrameError
        When a line is not as long as the times.
    """
    columns = {
        str(name): {"p50": thin(values)} for name, values in part_of(path.get("symbols")).items()
    }
    return _charts(thin(path.get("times_h") or []), columns, {})


def _charts(
    times: list[float | None],
    columns: Mapping[str, Mapping[str, list[float | None]]],
    shocks: Mapping[str, list[float]],
) -> PriceCharts | None:
    known = [time for time in times if time is not None]
    if not columns or len(known) < 2:
        return None
    across = LinearScale(known[0], known[-1])
    up = LinearScale.around(
        v for column in columns.values() for row in column.values() for v in row
    )
    return PriceCharts(
        charts=tuple(
            _chart(name, times, column, (across, up), shocks.get(name, []))
            for name, column in columns.items()
        ),
        x_ticks=tuple(hour_ticks(known[-1] - known[0])),
        y_ticks=tuple((at, percent_label(value)) for at, value in up.ticks(4)),
        payload={
            "times": [_short(time, 4) for time in times],
            "symbols": {
                symbol: [
                    [label if len(column) > 1 else "change", [_short(v, 2) for v in column[name]]]
                    for name, label in _LABELS.items()
                    if name in column
                ]
                for symbol, column in columns.items()
            },
        },
    )


def _chart(
    symbol: str,
    times: list[float | None],
    column: Mapping[str, list[float | None]],
    scales: tuple[LinearScale, LinearScale],
    shocks: Sequence[float],
) -> PriceChart:
    fan = len(column) > 1
    last = {name: moved(row[-1] if row else None) for name, row in column.items()}
    said = f", 5 % of paths below {last['p05']} %, 5 % above {last['p95']} %" if fan else ""
    return PriceChart(
        symbol=symbol,
        outer=band_path(times, column["p05"], column["p95"], scales) if fan else "",
        inner=band_path(times, column["p25"], column["p75"], scales) if fan else "",
        line=curve_path(times, column["p50"], *scales),
        zero=100 - scales[1].at(0.0),
        shocks=tuple(scales[0].at(at) for at in shocks),
        last=f"{last['p50']} %",
        label=f"{symbol}: simulated price change, at the end {last['p50']} %{said}",
    )


def _onsets(document: Mapping[str, Any], symbol: str) -> list[float]:
    """Hours at which a shock hits the symbol."""
    hits = (
        hours_of(shock, "at")
        for shock in document.get("shocks") or ()
        if symbol in (shocked_symbols(shock) or (symbol,))
    )
    return sorted({at for at in hits if at is not None})


def _short(value: object, digits: int) -> float | None:
    found = finite(value)
    return None if found is None else round(found, digits)
