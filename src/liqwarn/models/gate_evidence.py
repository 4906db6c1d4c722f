"""The figures a challenger is judged by, measured on its walk-forward and against a champion."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from liqwarn.frames import BoolArray, FloatArray
from liqwarn.models.bootstrap import interval
from liqwarn.models.evaluation import PRIMARY_H
from liqwarn.models.folds import OutOfSample
from liqwarn.models.gate import Difference, LeftOut, Sample, SideEvidence
from liqwarn.models.metrics import brier_skill, calibration_line
from liqwarn.models.ranking import IntArray, roc_auc
from liqwarn.models.results import HAR, MODEL, Cell, cells, paired_delta

__all__ = ["Frozen", "measure_evidence"]

_CHAMPION: Final = "champion"
_UNKNOWN: Final = float("nan")
_NO_DIFFERENCE: Final = Difference(mean=_UNKNOWN, low=_UNKNOWN, high=_UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frozen:
    """What the champion says of every test row, and up to when it had seen outcomes.

    Attributes
    ----------
    p : ndarray of float64, shape (n_rows, 2, n_horizons)
    until : numpy.datetime64
        Rows up to then are not compared.
    """

    p: FloatArray
    until: np.datetime64


def measure_evidence(
    found: OutOfSample, champion: Frozen | None, *, n_bootstrap: int, seed: int
) -> tuple[SideEvidence, ...]:
    """Evidence of each side that has rows with and without an onset at 4 h.

    The challenger is retrained along the walk, the champion is frozen, so only test rows later than
    the champion's own training are compared. A figure that the scores do not allow is NaN, which
    the gate holds against the challenger.

    Parameters
    ----------
    found : OutOfSample
        With the probabilities of the model and of HAR.
    """
    near = _at_primary(found)
    against = {} if champion is None else _unseen(found, champion, n_bootstrap, seed)
    return tuple(
        _side(near, cell, against.get(cell.side)) for cell in cells(near, n_bootstrap, seed)
    )


def _at_primary(found: OutOfSample, p: Mapping[str, FloatArray] | None = None) -> OutOfSample:
    """The same with one horizon, and no alarms."""
    h = found.rows.horizons_h.index(PRIMARY_H)
    given = {name: found.p[name] for name in (MODEL, HAR)} if p is None else p
    rows = replace(
        found.rows,
        horizons_h=(PRIMARY_H,),
        y=found.rows.y[:, :, [h]],
        milder=found.rows.milder[:, :, [h]],
    )
    near = {name: values[:, :, [h]] for name, values in given.items()}
    return replace(found, rows=rows, p=near, alarms={}, thresholds={})


def _unseen(found: OutOfSample, champion: Frozen, n_bootstrap: int, seed: int) -> dict[str, Cell]:
    """Cells of the rows the champion had not seen, by side."""
    unseen = np.flatnonzero(found.rows.times > champion.until)
    if not unseen.size:
        return {}
    part = replace(found, rows=found.rows.take(unseen), fold=found.fold[unseen])
    p = {MODEL: found.p[MODEL][unseen], _CHAMPION: champion.p[unseen]}
    return {cell.side: cell for cell in cells(_at_primary(part, p), n_bootstrap, seed)}


def _side(found: OutOfSample, cell: Cell, against: Cell | None) -> SideEvidence:
    y, p = cell.y, cell.p[MODEL]
    finite = bool(np.isfinite(p).all())
    ahead = _Ahead.of(cell, found.rows.bar.total_seconds())
    slope = calibration_line(y, p)[0] if finite else _UNKNOWN
    return SideEvidence(
        side=cell.side,
        sample=_sample(cell),
        not_finite=int((~np.isfinite(p)).sum()),
        tied_frac=_tied_frac(p, found.fold[cell.keep]),
        versus_har=_versus(cell, HAR),
        brier_skill_vs_har=brier_skill(y, p, cell.p[HAR]),
        calibration_slope=slope,
        level_ratio=float(p.mean() / y.mean()),
        roc_auc=_roc(y == 1, y == 0, p),
        roc_auc_low=interval(cell.roc_samples(MODEL))[0] if finite else _UNKNOWN,
        nearest_roc_auc=_roc(ahead.nearest, y == 0, p),
        edge_roc_auc=_roc(y == 1, ahead.outside, p),
        compared=Sample() if against is None else _sample(against),
        versus_champion=None if against is None else _versus(against, _CHAMPION),
        left_out=None if against is None else _left_out(against),
        worse_symbols=() if against is None else tuple(_worse_symbols(against)),
    )


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Rows by how far the next onset of their symbol is.

    Attributes
    ----------
    nearest : ndarray of bool
        An onset within the horizon, and none ahead of the symbol's next row.
    outside : ndarray of bool
        No onset within the horizon, but one within the horizon after it.
    """

    nearest: BoolArray
    outside: BoolArray

    @classmethod
    def of(cls, cell: Cell, bar_s: float) -> "_Ahead":
        nearest, outside = np.zeros((2, cell.y.size), dtype=np.bool_)
        for rows in _by_symbol(cell):
            times, y = cell.times[rows].astype(np.int64), cell.y[rows]
            onward = times[y == 1]
            follows = np.isin(times + int(bar_s), onward)
            nearest[rows] = (y == 1) & ~follows
            k = np.searchsorted(onward, times, side="right")
            gap = np.append(onward, np.iinfo(np.int64).max)[k] - times
            outside[rows] = (y == 0) & (gap <= 3600 * PRIMARY_H)
        return cls(nearest, outside)


def _by_symbol(cell: Cell) -> Iterator[IntArray]:
    for symbol in np.unique(cell.symbols):
        yield np.flatnonzero(cell.symbols == symbol)


def _sample(cell: Cell) -> Sample:
    """Onsets: runs of rows with one ahead, apart by more than the horizon."""
    onsets = 0
    for rows in _by_symbol(cell):
        ahead = cell.times[rows][cell.y[rows] == 1]
        onsets += int(ahead.size > 0) + int((np.diff(ahead) > np.timedelta64(PRIMARY_H, "h")).sum())
    return Sample(onsets=onsets, weeks=np.unique(cell.weeks[cell.y == 1]).size)


def _tied_frac(p: FloatArray, fold: IntArray) -> float:
    """Share of rows that have the commonest score of their fold."""
    tied = 0
    for k in np.unique(fold):
        tied += int(np.unique(p[fold == k], return_counts=True)[1].max())
    return tied / p.size


def _roc(positive: BoolArray, negative: BoolArray, p: FloatArray) -> float:
    """ROC-AUC of some rows against others; NaN where there are none, or a score is not finite."""
    chosen = positive | negative
    if not positive.any() or not negative.any() or not np.isfinite(p[chosen]).all():
        return _UNKNOWN
    return roc_auc(positive[chosen].astype(np.float64), p[chosen])


def _versus(cell: Cell, other: str, rows: BoolArray | slice = slice(None)) -> Difference:
    """PR-AUC of the challenger less another's; unknown where it cannot be measured."""
    y = cell.y[rows]
    if not y.any() or not all(np.isfinite(cell.p[name][rows]).all() for name in (MODEL, other)):
        return _NO_DIFFERENCE
    samples = {name: cell.pr_samples(name, rows) for name in (MODEL, other)}
    return _difference(paired_delta(cell, (MODEL, other), samples, rows))


def _left_out(cell: Cell) -> LeftOut | None:
    """What is left of the gain over the champion without the symbol that carries most of it."""
    symbols = np.unique(cell.symbols)
    if symbols.size < 2:
        return None
    rest = [
        LeftOut(symbol=str(symbol), rest=_versus(cell, _CHAMPION, cell.symbols != symbol))
        for symbol in symbols
    ]
    unknown = [one for one in rest if not np.isfinite(one.rest.low)]
    return unknown[0] if unknown else min(rest, key=lambda one: (one.rest.low > 0, one.rest.mean))


def _worse_symbols(cell: Cell) -> Iterator[str]:
    """Symbols in which the challenger loses beyond the interval."""
    for symbol in np.unique(cell.symbols):
        if _versus(cell, _CHAMPION, cell.symbols == symbol).high < 0:
            yield str(symbol)


def _difference(raw: Mapping[str, Any]) -> Difference:
    low, high = map(float, raw["ci"])
    return Difference(mean=float(raw["mean"]), low=low, high=high)
