"""Charts of the simulation pages as SVG paths in boxes of 100 by 100, for any width."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from liqwarn.errors import FrameError
from liqwarn.reports.formats import finite
from liqwarn.reports.scales import text_of

__all__ = [
    "LinearScale",
    "band_path",
    "curve_path",
    "duration",
    "hour_ticks",
    "percent_label",
    "thin",
]

_MINUTE: Final = 1 / 60
_HOUR_STEPS: Final = (
    *(m * _MINUTE for m in (1, 2, 5, 10, 15, 30)),
    1, 2, 3, 4, 6, 12, 24, 48, 96, 168, 336, 720,
)  # fmt: skip
_POINTS: Final = 240
_LEAST_SPAN: Final = 1e-300  # below it, steps are no longer ordinary floats


@dataclass(frozen=True, slots=True)
class LinearScale:
    """Numbers on an axis: `low` at 0, `high` at 100.

    >>> scale = LinearScale.around([-13.0, 4.0])
    >>> (scale.low, scale.high), scale.at(-15.0), scale.ticks()[:2]
    ((-15.0, 5.0), 0.0, [(0.0, -15.0), (25.0, -10.0)])
    """

    low: float
    high: float

    def at(self, value: float) -> float:
        """Position between 0 and 100; values outside land on the edge."""
        inside = min(max(value, self.low), self.high)
        return 100.0 * (inside - self.low) / (self.high - self.low)

    def ticks(self, wanted: int = 5) -> list[tuple[float, float]]:
        """Positions and values of round numbers, about `wanted` of them."""
        step = _step((self.high - self.low) / wanted)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(self.at(k * step), round(k * step, 12)) for k in range(first, last + 1)]

    @classmethod
    def around(cls, values: Iterable[object]) -> "LinearScale":
        """The smallest round span that holds zero and every value."""
        found = [v for v in map(finite, values) if v is not None]
        low, high = min([0.0, *found]), max([0.0, *found])
        if high - low < _LEAST_SPAN:
            return cls(-1.0, 1.0)
        step = _step((high - low) / 5)
        return cls(
            math.floor(low / step + 1e-9) * step + 0.0, math.ceil(high / step - 1e-9) * step + 0.0
        )


def _step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least so large."""
    size = 10.0 ** math.floor(math.log10(least))
    return next((k * size for k in (1.0, 2.0, 5.0) if k * size >= least * (1 - 1e-9)), 10.0 * size)


def duration(hours: float) -> str:
    """A time span in the unit that suits it.

    >>> [duration(h) for h in (0, 0.005, 0.25, 1.5, 36)]
    ['0 h', '18 s', '15 min', '1.5 h', '36 h']
    """
    if 0 < hours < _MINUTE:
        return f"{3600 * hours:.4g} s"
    return f"{60 * hours:.4g} min" if 0 < hours < 1 else f"{hours:.4g} h"


def percent_label(value: float) -> str:
    """A price change on an axis.

    >>> percent_label(-5.0), percent_label(2.5), percent_label(0.0)
    ('−5 %', '+2.5 %', '0 %')
    """
    return f"{value:+g} %".replace("-", "−") if value else "0 %"


def hour_ticks(horizon_h: float, wanted: int = 6) -> list[tuple[float, str]]:
    """Positions and labels of whole spans from 0 to the horizon.

    >>> hour_ticks(48)[:2], [label for _, label in hour_ticks(1)][-1]
    ([(0.0, '0'), (25.0, '12 h')], '1 h')
    """
    step = next((s for s in _HOUR_STEPS if horizon_h / s <= wanted + 1e-9), _HOUR_STEPS[-1])
    count = math.floor(horizon_h / step + 1e-9)
    return [
        (100 * k * step / horizon_h, duration(round(k * step, 9)) if k else "0")
        for k in range(count + 1)
    ]


def thin(sequence: Sequence[object], points: int = _POINTS) -> list[float | None]:
    """At most about `points` of a series, evenly spread, first and last among them.

    >>> thin([0.0, 1.0, None, 3.0, 4.0], 3)
    [0.0, None, 4.0]
    """
    every = max(math.ceil((len(sequence) - 1) / max(points - 1, 1)), 1)
    places = list(range(0, len(sequence), every))
    if places and places[-1] != len(sequence) - 1:
        places.append(len(sequence) - 1)
    return [finite(sequence[place]) for place in places]


def curve_path(
    x: Sequence[float | None], y: Sequence[float | None], across: LinearScale, up: LinearScale
) -> str:
    """A line; where a value is missing there is a gap.

    >>> unit = LinearScale(0, 1)
    >>> curve_path([0, 0.5, 1], [0, 1, 0.5], unit, unit), curve_path([0, 1], [1, None], unit, unit)
    ('M0 100L50 0L100 50', 'M0 0')
    """
    return "".join(
        "M" + "L".join(f"{text_of(across.at(a))} {text_of(100 - up.at(b))}" for a, b in run)
        for run in _runs(x, y)
    )


def band_path(
    x: Sequence[float | None],
    low: Sequence[float | None],
    high: Sequence[float | None],
    scales: tuple[LinearScale, LinearScale],
) -> str:
    """The area between two lines; where either is missing there is a gap.

    Parameters
    ----------
    x, low, high : sequence of float or None
        Equally long.
    scales : tuple of LinearScale
        Across and up.

    Examples
    --------
    >>> unit = LinearScale(0, 1)
    >>> band_path([0, 1], [0, 0], [1, 0.5], (unit, unit))
    'M0 100L100 100L100 50L0 0Z'
    """
    across, up = scales
    parts = []
    for run in _runs(x, low, high):
        edge = [(a, b) for a, b, _ in run] + [(a, c) for a, _, c in reversed(run)]
        points = (f"{text_of(across.at(a))} {text_of(100 - up.at(b))}" for a, b in edge)
        parts.append("M" + "L".join(points) + "Z")
    return "".join(parts)


def _runs(*columns: Sequence[float | None]) -> list[list[tuple[float, ...]]]:
    """Stretches of rows in which every column is known."""
    sizes = [len(column) for column in columns]
    if len(set(sizes)) > 1:
        raise FrameError(f"curve has columns of sizes {sizes}, expected equal ones")
    runs: list[list[tuple[float, ...]]] = [[]]
    for row in zip(*columns, strict=True):
        known = tuple(value for value in row if value is not None)
        if len(known) == len(row):
            runs[-1].append(known)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
