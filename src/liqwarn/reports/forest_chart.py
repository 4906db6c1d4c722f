"""Dots with intervals under one another, on one scale, around a reference value."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from liqwarn.reports.formats import finite, interval
from liqwarn.reports.simulation_charts import LinearScale

__all__ = ["Forest", "ForestMark", "ForestRow", "forest"]

_TICKS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """What a row shows.

    Attributes
    ----------
    name, text : str
        On the left and on the right of the track.
    value : object
        Where the dot is; no dot when it is no finite number.
    ends : object
        Both ends of the interval, or something else when there is none.
    ours : bool
        Whether it is liqwarn's.
    others : tuple
        Further values, as small ticks.
    """

    name: str
    text: str
    value: object
    ends: object = None
    ours: bool = False
    others: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestMark:
    """A row laid out; positions in percent of the track."""

    name: str
    text: str
    ours: bool
    dot: float | None
    low: float | None
    width: float | None
    others: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """A chart of rows on one scale."""

    kind: ClassVar[str] = "forest"
    title: str
    side: str
    marks: tuple[ForestMark, ...]
    reference: float
    ticks: tuple[tuple[float, str], ...]


def forest(
    rows: Iterable[ForestRow],
    *,
    title: str,
    side: str = "",
    reference: float = 0.0,
    origin: float | None = None,
    unit: str = "",
) -> Forest | None:
    """Lay the rows out on a scale that holds the reference and every value.

    Parameters
    ----------
    rows : iterable of ForestRow
    title, side : str
    reference : float
        Where the vertical line stands: no difference, no skill, what guessing scores.
    origin : float, optional
        What the scale begins at or goes through; the reference when not given.
    unit : str
        "%" writes the ticks as percent.

    Returns
    -------
    Forest or None
        None when no row has a value.

    Examples
    --------
    >>> chart = forest([ForestRow(name="a", text="", value=1.0, ends=[-1.0, 3.0])], title="t")
    >>> chart.marks[0].dot, chart.marks[0].low, chart.marks[0].width, chart.reference
    (50.0, 0.0, 100.0, 25.0)
    """
    shown = tuple(rows)
    values = [v for row in shown for v in (row.value, *row.others)]
    values += [end for row in shown for end in (interval(row.ends) or ())]
    found = [v for v in map(finite, values) if v is not None]
    if not found:
        return None
    zero = reference if origin is None else origin
    scale = LinearScale.around(v - zero for v in (reference, *found))
    return Forest(
        title=title,
        side=side,
        marks=tuple(_mark(row, scale, zero) for row in shown),
        reference=scale.at(reference - zero),
        ticks=tuple((at, _label(value + zero, unit)) for at, value in scale.ticks(wanted=_TICKS)),
    )


def _mark(row: ForestRow, scale: LinearScale, zero: float) -> ForestMark:
    value, ends = finite(row.value), interval(row.ends)
    span = None if ends is None else [scale.at(end - zero) for end in ends]
    return ForestMark(
        name=row.name,
        text=row.text,
        ours=row.ours,
        dot=None if value is None else scale.at(value - zero),
        low=None if span is None else span[0],
        width=None if span is None else span[1] - span[0],
        others=tuple(scale.at(v - zero) for v in map(finite, row.others) if v is not None),
    )


def _label(value: float, unit: str) -> str:
    shown = round(100 * value, 9) if unit == "%" else round(value, 9)
    return f"{shown + 0.0:g}{' %' if unit == '%' else unit}".replace("-", "−")
