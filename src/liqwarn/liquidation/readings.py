"""What the liquidation map says at every bar, as fields that features can read.

Fields are named ``map_<side>_<what>``; distances are log distances from the close. Coins are
weighted means over the draws in force. A value is NaN where the map is younger than a week, where
open interest has been unknown for a day, and where the bar has no price.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as parts_of
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, BoolArray, FloatArray
from liqwarn.liquidation.cohort_map import MapState, Passage, Reader
from liqwarn.liquidation.fit import WARM_S, Draws, SymbolJob, passages, readers_of
from liqwarn.liquidation.ledger import Runs
from liqwarn.liquidation.market_path import Bars, before
from liqwarn.liquidation.parameters import MapParameters
from liqwarn.liquidation.posterior import candidates
from liqwarn.liquidation.schedule import blocks_of
from liqwarn.liquidation.side_values import EDGES, WHATS, side_values
from liqwarn.windows.arguments import compiled

__all__ = [
    "EDGES",
    "Trace",
    "fields_of",
    "is_usable",
    "map_fields",
    "quality_after",
    "trace",
    "trace_of",
    "usable_after",
]

_STALE_S: Final = 86_400
_FULL_S: Final = 14 * 86_400  # age at which a map is as good as it gets
_TRADES_ONLY: Final = 0.9  # quality of a map swept by trades instead of the mark price


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """What the maps in force say at every bar of a symbol.

    Attributes
    ----------
    within, square : ndarray of float64, shape (n_bars, 2, n_edges)
        Coins within each of :data:`EDGES` of the close, and their squares, by weight; `within` is
        NaN where the map is not usable.
    swept : ndarray of float64, shape (n_bars, 2)
        Coins the bar liquidated; NaN where the map is not usable.
    stock : ndarray of float64, shape (n_bars,)
        Open interest last known, coins.
    quality : ndarray of float64, shape (n_bars,)
        0 to 1; 0 where the map is not usable.
    """

    within: FloatArray
    square: FloatArray
    swept: FloatArray
    stock: FloatArray
    quality: FloatArray


def map_fields(
    job: SymbolJob, draws: Draws, since: tuple[int, MapState] | None = None
) -> Mapping[str, FloatArray]:
    """Readings of one symbol: field to an array of shape (n_bars,).

    With `since`, a month's position and the maps of all candidates before it, of the bars from that
    month on: the same bits as in the readings of the whole history.

    ``map_<side>_within_<k>`` coins liquidated by an adverse move of up to k %; ``_nearest`` log
    distance to the nearest quarter percent that holds at least 1 % of open interest, NaN where
    there is none within 10.5 %; ``_mean_distance`` mass-weighted log distance within 10 %;
    ``_peak`` most coins in any 1 % of the way to 10 %; ``_doubt`` standard deviation over mean of
    the draws' coins within 5 %; ``_swept`` coins the bar liquidated; ``map_quality`` 0 to 1.
    """
    return fields_of(trace(job, draws, since))


def fields_of(traced: Trace) -> Mapping[str, FloatArray]:
    """Readings by field, each of as many values as the trace has bars; see :func:`map_fields`."""
    values = side_values(traced.within, traced.square, traced.stock)
    fields = {"map_quality": traced.quality}
    for row, side in enumerate(SIDES):
        fields |= {f"map_{side}_{what}": values[row, k] for k, what in enumerate(WHATS)}
        fields[f"map_{side}_swept"] = np.ascontiguousarray(traced.swept[:, row])
    return fields


def trace(job: SymbolJob, draws: Draws, since: tuple[int, MapState] | None = None) -> Trace:
    """Walk the maps in force over a symbol's history, or from a month on; see `map_fields`."""
    ever, readers = readers_of(draws, EDGES)
    cloud = candidates(job.config.n_candidates, job.config.seed)
    chosen = [cloud[one] for one in ever]
    if since is None:
        return _trace(job, chosen, readers)
    first, whole = since
    return _trace(job, chosen, readers[first:], (first, whole.of_maps(ever)))


def trace_of(job: SymbolJob, parameters: MapParameters) -> Trace:
    """Walk one map, whatever the evidence says of it, over a symbol's history."""
    readers = [Reader(edges=EDGES, weights={0: 1.0}) for _ in blocks_of(job.frame.times)]
    return _trace(job, [parameters], readers)


def _trace(
    job: SymbolJob,
    parameters: Sequence[MapParameters],
    readers: list[Reader],
    since: tuple[int, MapState] | None = None,
) -> Trace:
    walk = passages(job, parameters, readers, since)
    parts = [
        _part(passage, reader, bars, state.stock)
        for reader, (_, bars, state, passage) in zip(readers, walk, strict=True)
    ]
    if not parts:
        raise FrameError(f"the frame of {job.symbol} has no bars, expected some to read the map at")
    return Trace(
        **{
            one.name: np.concatenate([getattr(part, one.name) for part in parts])
            for one in parts_of(Trace)
        }
    )


def _part(passage: Passage, reader: Reader, bars: Bars, last_stock: float) -> Trace:
    usable = usable_after(passage.runs, bars)
    swept = np.zeros_like(passage.swept[0])
    for k, weight in reader.weights.items():
        swept += weight * passage.swept[k]
    return Trace(
        within=np.where(usable[:, None, None], passage.within, np.nan),
        square=passage.square,
        swept=np.where(usable[:, None], swept, np.nan),
        stock=before(np.append(bars.stock(), np.nan), last_stock)[1:],
        quality=quality_after(passage.runs, bars),
    )


def usable_after(runs: Runs, bars: Bars) -> BoolArray:
    """Whether a map says anything after each bar."""
    return quality_after(runs, bars) > 0.0


def is_usable(age_s: ArrayLike, silent_s: ArrayLike) -> BoolArray:
    """Whether a map of that age and silence, in seconds, says anything.

    >>> is_usable([6 * 86_400, 30 * 86_400, 30 * 86_400], [0, 0, 2 * 86_400])
    array([False,  True, False])
    """
    return np.asarray((np.asarray(age_s) >= WARM_S) & (np.asarray(silent_s) <= _STALE_S))


def quality_after(runs: Runs, bars: Bars) -> FloatArray:
    """1 for a map two weeks old, fresh and swept by the mark price; 0 where it is not usable."""
    return _quality(bars.priced(), bars.marked, (runs.age, runs.silent), bars.bar_s)


@compiled
def _quality(
    priced: BoolArray,
    marked: BoolArray,
    runs: tuple[NDArray[np.int64], NDArray[np.int64]],
    bar_s: int,
) -> FloatArray:
    ages, silences = runs
    quality = np.zeros(priced.size)
    for k in range(priced.size):
        age_s, silent_s = ages[k] * bar_s, silences[k] * bar_s
        if priced[k] and age_s >= WARM_S and silent_s <= _STALE_S:
            age, fresh = min(age_s / _FULL_S, 1.0), 1.0 - silent_s / (2.0 * _STALE_S)
            quality[k] = age * fresh * (1.0 if marked[k] else _TRADES_ONLY)
    return quality
