"""The worst plausible shock: how its damage grows with the radius, what it is, and its path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from liqwarn.reports.formats import compact, finite, interval, number, percent, signed
from liqwarn.reports.scenario_view import Tile
from liqwarn.reports.simulation_charts import (
    LinearScale,
    band_path,
    curve_path,
    hour_ticks,
    thin,
)
from liqwarn.reports.simulation_figures import (
    Figure,
    Writer,
    beside,
    chance,
    figure,
    moved,
    part_of,
    setting,
    significant,
)

__all__ = [
    "GrowthChart",
    "GrowthPoint",
    "LossCurve",
    "RadiusRow",
    "ShockRow",
    "advantage",
    "factor_rows",
    "growth_chart",
    "liquidated_curve",
    "move_rows",
    "objective_text",
    "radius_rows",
    "worst_case_tiles",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusRow:
    """One radius: what was found, how plausible it is, and what chance alone found."""

    radius: str
    worst: Figure
    random: str
    advantage: str
    mahalanobis: str
    tail: str
    seen: str
    depth: str
    haircut: str
    evaluations: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShockRow:
    """One symbol or factor over all radii: text, and percent of the largest for shading."""

    name: str
    cells: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthPoint:
    """One radius in the chart; positions are percent."""

    x: float
    worst: float | None
    low: float | None
    high: float | None
    random: float | None
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthChart:
    """Worst and best of random against the radius."""

    line: str
    random_line: str
    band: str
    points: tuple[GrowthPoint, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossCurve:
    """Liquidated volume so far along the path."""

    line: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    total: str


def objective_text(document: Mapping[str, Any]) -> tuple[str, str]:
    """What was made as large as possible, and its unit.

    >>> objective_text({"objective": "loss"}), objective_text({"objective": "liquidated"})
    (('loss', '%'), ('liquidated volume', 'USD'))
    """
    known = {"loss": ("loss", "%"), "liquidated": ("liquidated volume", "USD")}
    return known.get(str(document.get("objective")), (str(document.get("objective")), ""))


def radius_rows(document: Mapping[str, Any]) -> tuple[RadiusRow, ...]:
    """Every radius, the smallest first."""
    return tuple(_radius_row(row, _writer(document)) for row in _radii(document))


def advantage(row: Mapping[str, Any]) -> float | None:
    """How much worse the search is than the best of as many random shocks, as a fraction.

    >>> advantage({"worst": {"value": -12.0}, "random_best": -10.0})
    0.2
    """
    found = finite(part_of(row.get("worst")).get("value"))
    random = finite(row.get("random_best"))
    return None if found is None or not random else round(abs(found) / abs(random) - 1, 6)


def worst_case_tiles(document: Mapping[str, Any]) -> tuple[Tile, ...]:
    """The headline figures, of the largest radius."""
    rows = _radii(document)
    last = rows[-1] if rows else {}
    plausible = part_of(last.get("plausibility"))
    name, unit = objective_text(document)
    worst = figure(last.get("worst"), _writer(document), "value")
    more = advantage(last)
    seen = percent(plausible.get("seen_days_frac"), 2)
    return (
        Tile(
            name=f"Worst {name}, radius {setting(last.get('radius'))}",
            value=worst.text if worst.raw is None else f"{worst.text} {unit}".rstrip(),
            note=worst.ci,
        ),
        Tile(name="Days seen beyond it", value=seen, note="share of the days of the history"),
        Tile(
            name="The same if Gaussian",
            value=chance(plausible.get("chi2_tail")),
            note="chi-square tail",
        ),
        Tile(
            name="Against the best of random",
            value="–" if more is None else f"{signed(100 * more, 1)} %",
            note=f"{number(last.get('evaluations'), 0)} shocks tried by each",
        ),
    )


def move_rows(document: Mapping[str, Any]) -> tuple[ShockRow, ...]:
    """The shock found, by symbol: price moves in percent at every radius."""
    names = [str(symbol) for symbol in document.get("symbols") or ()]
    return _shock_rows(document, names, "moves_pct", moved)


def factor_rows(document: Mapping[str, Any]) -> tuple[ShockRow, ...]:
    """The shock found, by factor: standard deviations at every radius."""
    names = [str(name) for name in document.get("factors") or ()]
    return _shock_rows(document, names, "factors", lambda value: signed(value, 2))


def growth_chart(document: Mapping[str, Any]) -> GrowthChart | None:
    """Worst against radius, both from zero; None when nothing was found."""
    rows = [row for row in _radii(document) if finite(row.get("radius")) is not None]
    radii = [finite(row.get("radius")) for row in rows]
    worst = [finite(part_of(row.get("worst")).get("value")) for row in rows]
    if not any(value is not None for value in worst):
        return None
    ends = [interval(part_of(row.get("worst")).get("ci")) for row in rows]
    random = [finite(row.get("random_best")) for row in rows]
    low, high = [e and e[0] for e in ends], [e and e[1] for e in ends]
    across, up = LinearScale.around(radii), LinearScale.around([*worst, *random, *low, *high])
    unit = objective_text(document)[1]
    write = _axis_writer(document)
    return GrowthChart(
        line=curve_path(radii, worst, across, up),
        random_line=curve_path(radii, random, across, up),
        band=band_path(radii, low, high, (across, up)),
        points=tuple(
            GrowthPoint(
                x=across.at(radius or 0.0),
                worst=_place(worst[i], up),
                low=_place(low[i], up),
                high=_place(high[i], up),
                random=_place(random[i], up),
                title=f"radius {setting(radius)}: "
                f"{beside(figure(rows[i].get('worst'), _writer(document), 'value'), f' {unit}')}",
            )
            for i, radius in enumerate(radii)
        ),
        x_ticks=tuple((at, f"{value:g}") for at, value in across.ticks()),
        y_ticks=tuple((at, write(value)) for at, value in up.ticks(4)),
    )


def liquidated_curve(path: Mapping[str, Any]) -> LossCurve | None:
    """The liquidated volume along the path; None when it is not known."""
    times, usd = thin(path.get("times_h") or []), thin(path.get("liquidated_usd") or [])
    known = [time for time in times if time is not None]
    if len(known) < 2 or not usd:
        return None
    across, up = LinearScale(known[0], known[-1]), LinearScale.around(usd)
    return LossCurve(
        line=curve_path(times, usd, across, up),
        x_ticks=tuple(hour_ticks(known[-1] - known[0])),
        y_ticks=tuple((at, compact(value)) for at, value in up.ticks(4)),
        total=compact(usd[-1]),
    )


def _radii(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = [part_of(row) for row in document.get("radii") or ()]
    return sorted(rows, key=lambda row: finite(row.get("radius")) or 0.0)


def _writer(document: Mapping[str, Any]) -> Writer:
    return compact if document.get("objective") == "liquidated" else significant


def _axis_writer(document: Mapping[str, Any]) -> Writer:
    if document.get("objective") == "liquidated":
        return compact
    return lambda value: f"{value:g} %".replace("-", "−")


def _radius_row(row: Mapping[str, Any], write: Writer) -> RadiusRow:
    plausible, shock = part_of(row.get("plausibility")), part_of(row.get("shock"))
    more = advantage(row)
    return RadiusRow(
        radius=setting(row.get("radius")),
        worst=figure(row.get("worst"), write, "value"),
        random=write(row.get("random_best")),
        advantage="–" if more is None else f"{signed(100 * more, 1)} %",
        mahalanobis=number(plausible.get("mahalanobis"), 2),
        tail=chance(plausible.get("chi2_tail")),
        seen=percent(plausible.get("seen_days_frac"), 2),
        depth=number(shock.get("depth"), 2),
        haircut=percent(shock.get("haircut")),
        evaluations=number(row.get("evaluations"), 0),
    )


def _shock_rows(
    document: Mapping[str, Any], names: Sequence[str], part: str, write: Writer
) -> tuple[ShockRow, ...]:
    found = [part_of(part_of(row.get("shock")).get(part)) for row in _radii(document)]
    sizes = [
        abs(v) for column in found for raw in column.values() if (v := finite(raw)) is not None
    ]
    top = max(sizes, default=0.0) or 1.0
    return tuple(
        ShockRow(
            name=name,
            cells=tuple(
                (write(column.get(name)), 100 * (finite(column.get(name)) or 0.0) / top)
                for column in found
            ),
        )
        for name in names
    )


def _place(value: float | None, up: LinearScale) -> float | None:
    return None if value is None else 100 - up.at(value)
