"""Signal boards: why each side of each symbol has the probability it has at one bar.

What the features add to the log-odds is the model's own account
(:meth:`liqwarn.models.cascade.CascadeModel.contributions`). Every feature of the model is in
exactly one group, shown as a signal or not, so that

    log-odds of the 4-h probability = start + sum of the groups' contributions,

where `start` is what is left: the average level with the calibration. It differs a little from row
to row, because the probability is made of the hazards of two intervals, whose pushes add up
exactly only in the limit of small ones.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from liqwarn.decisions import iso_utc
from liqwarn.errors import FrameError
from liqwarn.features.builder import all_features
from liqwarn.features.signal_catalogue import SIGNALS
from liqwarn.features.signals import GROUP_TITLES, GROUPS, Signal, group_of
from liqwarn.frames import SIDES, BoolArray, FeatureMatrix, FloatArray, Side, epoch_seconds
from liqwarn.pipelines.signal_percentile import remembered_bars, standing_of
from liqwarn.reports.signal_content import Board, Direction, Group, Level, Reading, direction_of
from liqwarn.reports.signal_text import phrase_text, value_text, verdict_text

__all__ = ["OTHER", "Chances", "Explainer", "make_boards"]

OTHER: Final = "other"
"""Group of the features that only the model knows, an older one's; a board has it if it has any."""

_TITLES: Final[Mapping[str, str]] = {**GROUP_TITLES, OTHER: "Features no longer built"}
_EXPECTED: Final[Mapping[int, Direction | None]] = {1: "raising", -1: "lowering", 0: None}
_THIRD: Final = 1.0 / 3.0


class Explainer(Protocol):
    """A model that says what each feature adds."""

    names_: tuple[str, ...]

    def contributions(self, X: FloatArray, names: Sequence[str] | None = None) -> FloatArray:
        """Log-odds each feature adds to the 4-h probability, shape (n_rows, 2, n_features)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chances:
    """What was made of one bar, each of shape (n_symbols, 2).

    Attributes
    ----------
    p_4h, quantile, base_rate : ndarray of float64
        NaN where not known.
    tiers : ndarray of int
        Negative where there is none yet.
    """

    p_4h: FloatArray
    quantile: FloatArray
    base_rate: FloatArray
    tiers: NDArray[np.integer]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Bar:
    """Everything the boards of one bar are made from.

    `values`, `percentiles` and `known` are of shape (n_symbols, n_columns), in the order of
    `columns`; `pushes` of shape (n_symbols, 2, n_features), in the order of `names`.
    """

    as_of: str
    columns: Mapping[str, int]
    units: Mapping[str, str]
    values: FloatArray
    percentiles: FloatArray
    known: BoolArray
    names: Mapping[str, int]
    groups: tuple[str, ...]
    pushes: FloatArray


def make_boards(
    matrix: FeatureMatrix, model: Explainer, chances: Chances, *, at: int = -1
) -> tuple[Board, ...]:
    """The boards of every symbol and side at one bar: symbol by symbol, long before short.

    Parameters
    ----------
    matrix : FeatureMatrix
        Holds the bar, and the 180 days before it for the percentiles.
    model : Explainer
        A signal of a feature it does not know is shown without a contribution.
    chances : Chances
        Of that bar.
    at : int
        Position of the bar, the last by default.

    Raises
    ------
    FrameError
        When the chances are of other symbols, or there is no bar.
    """
    shape = (len(matrix.symbols), len(SIDES))
    if chances.p_4h.shape != shape:
        raise FrameError(f"chances have shape {chances.p_4h.shape}, expected {shape}")
    if not len(matrix.times):
        raise FrameError("a board needs a bar, found a matrix of none")
    bar = _bar(matrix, model, at % len(matrix.times))
    cells = product(enumerate(matrix.symbols), enumerate(SIDES))
    return tuple(_board(bar, chances, (row, k), symbol, side) for (row, symbol), (k, side) in cells)


def _bar(matrix: FeatureMatrix, model: Explainer, at: int) -> _Bar:
    where = {name: k for k, name in enumerate(matrix.names)}
    shown = dict.fromkeys(s.column_of(side) for s in SIGNALS for side in SIDES)
    columns = [name for name in shown if name in where]
    kept = np.array([where[name] for name in columns], dtype=np.intp)
    seconds = epoch_seconds(matrix.times)
    past = remembered_bars(at, int(seconds[0]) // int(matrix.bar.total_seconds()), matrix.bar)
    now = matrix.values[:, at, kept]
    percentiles, known = standing_of(matrix.values[:, past[:, None], kept], now, matrix.bar)
    one = replace(
        matrix,
        times=matrix.times[at : at + 1],
        values=np.ascontiguousarray(matrix.values[:, at : at + 1]),
    )
    return _Bar(
        as_of=iso_utc(datetime.fromtimestamp(int(seconds[at]), tz=UTC)),
        columns={name: k for k, name in enumerate(columns)},
        units={feature.name: feature.unit for feature in all_features()},
        values=now,
        percentiles=percentiles,
        known=known,
        names={name: k for k, name in enumerate(model.names_)},
        groups=tuple(_group(name, matrix.families) for name in model.names_),
        pushes=model.contributions(np.ascontiguousarray(one.aligned(model.names_)[:, 0])),
    )


def _group(name: str, families: Mapping[str, str]) -> str:
    return group_of(name, families[name]) if name in families else OTHER


def _board(bar: _Bar, chances: Chances, cell: tuple[int, int], symbol: str, side: Side) -> Board:
    p, tier = _known(chances.p_4h[cell]), int(chances.tiers[cell])
    pushes = None if p is None else bar.pushes[cell]
    log_odds = None if p is None or not 0.0 < p < 1.0 else math.log(p / (1.0 - p))
    keys = (*GROUPS, *((OTHER,) if OTHER in bar.groups else ()))
    board = Board(
        symbol=symbol,
        side=side,
        as_of=bar.as_of,
        tier=f"T{tier}" if tier >= 0 else None,
        p_4h=p,
        base_rate=_known(chances.base_rate[cell]),
        quantile=_known(chances.quantile[cell]),
        log_odds=log_odds,
        start=None if log_odds is None or pushes is None else log_odds - float(pushes.sum()),
        groups=tuple(_group_board(bar, key, cell[0], side, pushes) for key in keys),
    )
    return replace(board, verdict=verdict_text(board))


def _group_board(bar: _Bar, key: str, row: int, side: Side, pushes: FloatArray | None) -> Group:
    readings = tuple(_reading(bar, s, row, side, pushes) for s in SIGNALS if s.group == key)
    total = None
    if pushes is not None:
        total = float(pushes[[group == key for group in bar.groups]].sum())
    told = math.fsum(reading.contribution or 0.0 for reading in readings)
    return Group(
        key=key,
        title=_TITLES[key],
        contribution=total,
        rest=None if total is None else total - told,
        signals=readings,
    )


def _reading(bar: _Bar, signal: Signal, row: int, side: Side, pushes: FloatArray | None) -> Reading:
    name, title = signal.column_of(side), signal.title_of(side)
    at = bar.columns.get(name)
    value = None if at is None else _known(bar.values[row, at])
    percentile = None if at is None else _known(bar.percentiles[row, at])
    level = _level(percentile)
    push = None
    if value is not None and pushes is not None and name in bar.names:
        push = float(pushes[bar.names[name]])
    text = value_text(value, signal.shown)
    return Reading(
        key=signal.key,
        title=title,
        feature=name,
        unit=bar.units.get(name, ""),
        value=value,
        text=text,
        percentile=percentile,
        level=level,
        contribution=push,
        direction=direction_of(push),
        expected=_EXPECTED[signal.expected(side)],
        agrees=_agrees(signal.expected(side), level, direction_of(push)),
        missing=_missing(value, at is not None and bool(bar.known[row, at])),
        phrase=phrase_text(side, title, signal.words, value, (text, level)),
    )


def _missing(value: float | None, known: bool) -> Literal["never", "now"] | None:
    if value is not None:
        return None
    return "now" if known else "never"


def _level(percentile: float | None) -> Level | None:
    """The third of the past a value stands in."""
    if percentile is None:
        return None
    return "high" if percentile >= 1.0 - _THIRD else "low" if percentile <= _THIRD else "middle"


def _agrees(expected: int, level: Level | None, direction: Direction | None) -> bool | None:
    """Whether a high or low value pushes the way the mechanism says; None where either is mute."""
    if not expected or level in (None, "middle") or direction in (None, "neutral"):
        return None
    return (direction == "raising") == ((level == "high") == (expected > 0))


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
