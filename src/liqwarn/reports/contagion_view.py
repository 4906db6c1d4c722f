"""Who hits whom: the contagion matrix as a heat table, and what its spectral radius says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from liqwarn.errors import FrameError
from liqwarn.reports.formats import finite, interval, signed
from liqwarn.reports.simulation_figures import Figure, figure, part_of, significant

__all__ = [
    "DEEPEST",
    "ContagionView",
    "HeatCell",
    "contagion_view",
    "radius_figure",
    "radius_sentence",
]

DEEPEST: Final = 45
"""Percent of colour in the strongest cell; more would make its number hard to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """One cell; `depth` is percent of colour, `pushes` its sign: ``with`` or ``against``."""

    text: str
    depth: int
    pushes: str
    own: bool
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContagionView:
    """The matrix, row shocked and column hit, and its spectral radius."""

    shock: str
    symbols: tuple[str, ...]
    rows: tuple[tuple[str, tuple[HeatCell, ...]], ...]
    radius: Figure
    sentence: str
    feeds_itself: bool


def contagion_view(document: Mapping[str, Any]) -> ContagionView | None:
    """The contagion of a scenario result; None when it was not measured.

    Raises
    ------
    FrameError
        When the matrix is not as large as there are symbols.
    """
    part, symbols = part_of(document.get("contagion")), tuple(document["symbols"])
    matrix = part.get("matrix")
    if not matrix:
        return None
    sizes = [len(matrix), *{len(row) for row in matrix}]
    if set(sizes) != {len(symbols)}:
        raise FrameError(f"contagion matrix has sides {sizes}, expected {len(symbols)} symbols")
    top = max((abs(v) for row in matrix for c in row if (v := finite(c)) is not None), default=0.0)
    radius = radius_figure(part)
    return ContagionView(
        shock=signed(part.get("shock_pct"), 1),
        symbols=symbols,
        rows=tuple((name, _row(name, matrix[i], symbols, top)) for i, name in enumerate(symbols)),
        radius=radius,
        sentence=radius_sentence(part),
        feeds_itself=radius.raw is not None and radius.raw > 1.0,
    )


def radius_figure(part: Mapping[str, Any]) -> Figure:
    """The spectral radius with its interval.

    >>> radius_figure({"spectral_radius": 0.6123, "ci": [0.55, 0.68]})
    Figure(text='0.612', ci='[0.550, 0.680]', raw=0.6123)
    """
    return figure(
        {"value": part.get("spectral_radius"), "ci": part.get("ci")}, significant, "value"
    )


def radius_sentence(part: Mapping[str, Any]) -> str:
    """What the spectral radius says, and no more than its interval allows.

    >>> radius_sentence({"spectral_radius": 0.6, "ci": [0.5, 0.7]})[:40]
    'Below 1: what the market adds to a piece'
    >>> radius_sentence({"spectral_radius": 1.1, "ci": [0.9, 1.3]})[:46]
    'The interval covers 1: the market adds about a'
    """
    radius, ends = finite(part.get("spectral_radius")), interval(part.get("ci"))
    if radius is None:
        return "The spectral radius could not be computed."
    low, high = ends if ends is not None else (radius, radius)
    if low > 1.0:
        return (
            "Above 1: what the market adds to a piece of news is larger than the news, until the "
            "fuel near price is gone or value traders step in."
        )
    if high < 1.0:
        return (
            "Below 1: what the market adds to a piece of news is smaller than the news, so a "
            "shock dies out."
        )
    return "The interval covers 1: the market adds about as much to a piece of news as the news."


def _row(
    shocked: str, values: Sequence[object], symbols: Sequence[str], top: float
) -> tuple[HeatCell, ...]:
    return tuple(
        _cell(shocked, hit, finite(value), top) for hit, value in zip(symbols, values, strict=True)
    )


def _cell(shocked: str, hit: str, value: float | None, top: float) -> HeatCell:
    share = 0.0 if value is None or not top else abs(value) / top
    return HeatCell(
        text=signed(value, 2),
        depth=round(DEEPEST * share),
        pushes="against" if (value or 0.0) < 0.0 else "with",
        own=shocked == hit,
        title=f"{shocked} shocked, {hit} hit: {signed(value, 3)} per unit of the shock",
    )
