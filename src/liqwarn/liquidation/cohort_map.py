"""The liquidation map of one perpetual: open interest as cohorts, advanced by a pure step.

Every coin of open interest is held by one long and one short, so on each side the cohorts sum to
open interest after every bar in which it is known. A rise opens a cohort at the bar's price on
both sides, split over ten leverages; price that reaches a cohort's liquidation price removes it;
cohorts age, faster at high leverage, and their coins are opened anew where price is.

Several maps that differ in their parameters are advanced together: what they disagree on is what
is not known. A state is a value: advancing it in any chunks gives the same bits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray
from liqwarn.liquidation.kernel import (
    BINS,
    LANES,
    STATE_SIZE,
    STEP,
    WORK_SIZE,
    Reading,
    fresh_lanes,
    run,
)
from liqwarn.liquidation.ledger import Ledger, Runs, count_runs, ledger_after
from liqwarn.liquidation.market_path import Bars, before, find_breaks, steps_a_bar, walk
from liqwarn.liquidation.parameters import MapParameters, map_rates

__all__ = ["MapState", "Passage", "Reader", "advance"]

_TOTAL: Final = slice(0, LANES)
_GROWTH: Final = slice(LANES, 2 * LANES)
_COORDINATES: Final = slice(2 * LANES, 4 * LANES)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapState:
    """Maps of one perpetual that differ in their parameters.

    Attributes
    ----------
    mass : ndarray of float64, shape (n_maps, LANES, BINS)
        Coins by bin of the liquidation price, times the lane's growth.
    lanes : ndarray of float64, shape (n_maps, STATE_SIZE)
        Totals, growths, fronts and bottoms; see :mod:`liqwarn.liquidation.kernel`.
    close, stock : float
        Last known price and open interest; NaN at the start.
    steps : int
        Steps walked.
    ledger : Ledger
        What was seen and missed.

    Examples
    --------
    >>> MapState.fresh(2).coins
    array([[0., 0.],
           [0., 0.]])
    """

    mass: FloatArray
    lanes: FloatArray
    close: float
    stock: float
    steps: int
    ledger: Ledger

    @classmethod
    def fresh(cls, n_maps: int) -> Self:
        """Maps that hold nothing yet."""
        return cls(
            mass=np.zeros((n_maps, LANES, BINS)),
            lanes=np.tile(fresh_lanes(), (n_maps, 1)),
            close=np.nan,
            stock=np.nan,
            steps=0,
            ledger=Ledger(),
        )

    def of_maps(self, positions: Sequence[int]) -> Self:
        """Some of the maps, in that order.

        >>> MapState.fresh(3).of_maps([0, 2]).coins.shape
        (2, 2)
        """
        rows = list(positions)
        return replace(self, mass=self.mass[rows], lanes=self.lanes[rows])

    @property
    def coins(self) -> FloatArray:
        """What each side of each map holds: shape (n_maps, 2)."""
        return np.asarray(self.lanes[:, _TOTAL].reshape(len(self.lanes), 2, -1).sum(axis=2))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reader:
    """Which maps to read after every bar, and how far.

    Attributes
    ----------
    edges : ndarray of float64, shape (n_edges,)
        Log distances from the price, ascending, > 0.
    weights : mapping of int to float
        Position of a map to its weight.

    Raises
    ------
    FrameError
        When an edge lies further than a map's ring reaches, or the edges do not ascend from 0.
    """

    edges: FloatArray
    weights: Mapping[int, float]

    def __post_init__(self) -> None:
        far = (BINS - 2) * STEP
        ascending = bool((np.diff(self.edges, prepend=0.0) > 0.0).all())
        if self.edges.size and not (ascending and self.edges[-1] <= far):
            raise FrameError(
                f"edges go from {self.edges[0]} to {self.edges[-1]}, "
                f"expected ascending log distances above 0 and up to {far}"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passage:
    """What happened to the maps on the way over some bars.

    Attributes
    ----------
    swept : ndarray of float64, shape (n_maps, n_bars, 2)
        Coins liquidated in each bar, longs and shorts; NaN where the bar has no price.
    within, square : ndarray of float64, shape (n_bars, 2, n_edges)
        Coins within each distance of the close after the bar, and their squares: weighted sums
        over the maps read; 0 where the bar has no price.
    runs : Runs
        Age and silence of the maps after each bar.
    """

    swept: FloatArray
    within: FloatArray
    square: FloatArray
    runs: Runs


@dataclass(slots=True, kw_only=True, eq=False)
class Maps:
    """The maps on their way: arrays of our own, changed in place."""

    mass: FloatArray
    work: FloatArray
    close: float
    stock: float
    steps: int


def advance(
    state: MapState,
    bars: Bars,
    parameters: Sequence[MapParameters],
    reader: Reader | None = None,
) -> tuple[MapState, Passage]:
    """Move maps over bars.

    Parameters
    ----------
    state : MapState
        Left as it is.
    bars : Bars
        What follows the bars the state has seen.
    parameters : sequence of MapParameters
        One a map.
    reader : Reader, optional
        What to read after every bar; nothing by default.

    Returns
    -------
    MapState, Passage

    Raises
    ------
    FrameError
        When there is not one set of parameters for each map.

    Examples
    --------
    >>> flat = np.full(3, 100.0)
    >>> bars = Bars(bar_s=300, number=np.arange(3), open=flat, high=flat,
    ...     low=np.array([100.0, 100.0, 99.0]), close=np.array([100.0, 100.0, 99.0]),
    ...     open_interest=np.array([50.0, 80.0, 80.0]),
    ...     volume=flat, crowding=np.zeros(3), marked=np.zeros(3, bool))
    >>> state, passage = advance(MapState.fresh(1), bars, [MapParameters()])
    >>> state.coins.round(6), bool(passage.swept[0, 2, 0] > 0.0)
    (array([[80., 80.]]), True)
    """
    if len(parameters) != len(state.mass):
        raise FrameError(f"{len(parameters)} parameters for {len(state.mass)} maps")
    read = Reader(edges=np.zeros(0), weights={}) if reader is None else reader
    maps = _taken(state, parameters, bars.bar_s)
    runs = count_runs(bars, state.ledger)
    breaks = find_breaks(bars, state.close, state.stock)
    n_bars, n_edges = len(bars.close), len(read.edges)
    passage = Passage(
        swept=np.full((len(state.mass), n_bars, 2), np.nan),
        within=np.zeros((n_bars, 2, n_edges)),
        square=np.zeros((n_bars, 2, n_edges)),
        runs=runs,
    )
    broken = (breaks.shift != 0.0) | (breaks.rescale != 0.0) | runs.restarts
    start = 0
    for stop in [*np.flatnonzero(broken).tolist(), n_bars]:
        _stretch(maps, bars, slice(start, stop), read, passage)
        if stop < n_bars:
            shift_maps(maps, float(breaks.shift[stop]))
            rescale_maps(maps, float(breaks.rescale[stop]))
            if runs.restarts[stop]:
                restart_maps(maps)
        start = stop
    return MapState(
        mass=maps.mass,
        lanes=maps.work[:, :STATE_SIZE].copy(),
        close=maps.close,
        stock=maps.stock,
        steps=maps.steps,
        ledger=ledger_after(bars, state.ledger, breaks, runs),
    ), passage


def _taken(state: MapState, parameters: Sequence[MapParameters], bar_s: int) -> Maps:
    rates = map_rates(parameters, bar_s / steps_a_bar(bar_s))
    work = np.zeros((len(state.mass), WORK_SIZE))
    work[:, :STATE_SIZE] = state.lanes
    work[:, STATE_SIZE : STATE_SIZE + rates.shape[1]] = rates
    return Maps(
        mass=state.mass.copy(), work=work, close=state.close, stock=state.stock, steps=state.steps
    )


def _stretch(maps: Maps, bars: Bars, where: slice, reader: Reader, passage: Passage) -> None:
    """Walk over bars between which nothing breaks."""
    part = bars.between(where.start, where.stop)
    rows = np.flatnonzero(part.priced())
    if not rows.size:
        return
    priced = part.take(rows)
    path = walk(priced, maps.close, maps.stock)
    per_bar = steps_a_bar(bars.bar_s)
    n_steps = path.shape[1]
    at = np.full(n_steps, -1)
    at[per_bar - 1 :: per_bar] = np.arange(len(rows))
    edges = np.ascontiguousarray(reader.edges / STEP)
    density = np.empty((2, int(edges[-1]) + 3 if edges.size else 1))
    for k in range(len(maps.mass)):
        swept = np.zeros((n_steps, 2))
        seen = np.zeros((2, len(rows) if k in reader.weights else 0, 2, len(edges)))
        asked = at if k in reader.weights else np.full(n_steps, -1)
        reading = Reading(swept, asked, edges, seen[0], seen[1], density)
        run(maps.mass[k], maps.work[k], path, maps.steps, reading, None)
        passage.swept[k, where.start + rows] = swept.reshape(-1, per_bar, 2).sum(axis=1)
        if k in reader.weights:
            passage.within[where.start + rows] += reader.weights[k] * seen[0]
            passage.square[where.start + rows] += reader.weights[k] * seen[1]
    maps.steps += n_steps
    maps.close = float(priced.close[-1])
    maps.stock = float(before(np.append(priced.stock(), np.nan), maps.stock)[-1])


def shift_maps(maps: Maps, log_ratio: float) -> None:
    """Move every cohort along with a price that changed its unit, to the nearest bin."""
    bins = round(log_ratio / STEP)
    half = LANES // 2
    maps.mass[:, :half] = np.roll(maps.mass[:, :half], bins, axis=2)
    maps.mass[:, half:] = np.roll(maps.mass[:, half:], -bins, axis=2)
    signs = np.tile(np.repeat([1.0, -1.0], half), 2)
    maps.work[:, _COORDINATES] += bins * signs


def rescale_maps(maps: Maps, log_ratio: float) -> None:
    """Scale every cohort along with open interest that changed its unit."""
    ratio = float(np.exp(log_ratio))
    maps.work[:, _TOTAL] *= ratio
    maps.work[:, _GROWTH] /= ratio
    maps.stock *= ratio


def restart_maps(maps: Maps) -> None:
    maps.mass[:] = 0.0
    maps.work[:, :STATE_SIZE] = fresh_lanes()
    maps.stock = np.nan
