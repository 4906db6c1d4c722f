"""A map's coins by the price that liquidates them: profiles of a moment, heat maps over time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray
from liqwarn.liquidation.cohort_map import MapState, advance
from liqwarn.liquidation.fit import Draws, SymbolJob, in_force
from liqwarn.liquidation.frame_bars import bars_of
from liqwarn.liquidation.heat_map import HeatMap
from liqwarn.liquidation.kernel import BINS, LANES, ROWS, STEP
from liqwarn.liquidation.posterior import candidates
from liqwarn.liquidation.profile import Profile
from liqwarn.liquidation.readings import is_usable

__all__ = ["aggregated", "coins_by_bin", "heat_map_of", "profile_at", "profile_of", "states_at"]

_PER_CELL: Final = 2
"""Bins of the map in a cell of a picture: 0.2 % of price."""

_REACH: Final = 0.30
"""Log distance from the price that a profile and a heat map show."""

_GROWTH, _FRONT, _BOTTOM = (slice(k * LANES, (k + 1) * LANES) for k in (1, 2, 3))
_BAND: Final = (0.05, 0.95)


def coins_by_bin(state: MapState, k: int, first: int, count: int) -> FloatArray:
    """Coins of the `k`-th map by bin of log price, longs and shorts.

    Parameters
    ----------
    first, count : int
        Bins ``first`` to ``first + count``; bin ``b`` holds prices from ``exp(b * STEP)`` on.

    Returns
    -------
    ndarray of float64, shape (2, count)
        What is deeper than a ring reaches is in its last bin.
    """
    lanes = state.lanes[k]
    bins = first + np.arange(count)
    coins = np.empty((2, count))
    for side, own in enumerate((bins, -1 - bins)):
        rows = slice(side * ROWS, (side + 1) * ROWS)
        growth, front, bottom = (lanes[which][rows, None] for which in (_GROWTH, _FRONT, _BOTTOM))
        held = state.mass[k, rows][:, own & (BINS - 1)] / growth
        coins[side] = np.where((own >= bottom) & (own < front), held, 0.0).sum(axis=0)
    return coins


def states_at(
    job: SymbolJob, draws: Draws, positions: Sequence[int]
) -> Iterator[tuple[int, MapState, Mapping[int, float]]]:
    """The maps in force after some bars, by position and in order.

    Yields
    ------
    int, MapState, mapping of int to float
        The position, the state of all maps, and the weights of those in force.
    """
    wanted = sorted(set(positions))
    blocks = [b for b in draws.blocks if b.start <= wanted[-1]] if wanted else []
    shown = [k for k, b in enumerate(blocks) if any(b.start <= p < b.stop for p in wanted)]
    ever = sorted({one for k in shown for one in draws.drawn[k]})
    cloud = candidates(job.config.n_candidates, job.config.seed)
    bars = bars_of(job.frame, job.symbol)
    state = MapState.fresh(len(ever))
    for k, block in enumerate(blocks):
        month = bars.between(block.start, block.stop)
        now = in_force(job, block, month, [cloud[one] for one in ever])
        weights = {ever.index(one): w for one, w in draws.drawn[k].items() if one in ever}
        done = block.start
        for position in [p for p in wanted if block.start <= p < block.stop]:
            state, _ = advance(state, bars.between(done, position + 1), now)
            done = position + 1
            yield position, state, weights
        if block.stop <= wanted[-1]:
            state, _ = advance(state, bars.between(done, block.stop), now)


def profile_at(job: SymbolJob, draws: Draws, position: int) -> Profile:
    """What the map says after a bar.

    Raises
    ------
    FrameError
        When the position is not in the frame, or no price is known by then.
    """
    _check_position(job, position)
    _, state, weights = next(states_at(job, draws, [position]))
    if not np.isfinite(state.close):
        raise FrameError(f"{job.symbol}: no price is known by {job.frame.times[position]}")
    return profile_of(job.symbol, job.frame.times[position], state, weights, job.frame.bar_s)


def profile_of(
    symbol: str,
    as_of: np.datetime64,
    state: MapState,
    weights: Mapping[int, float],
    bar_s: int,
) -> Profile:
    """What maps say that have come to a bar with a price.

    Parameters
    ----------
    weights : mapping of position in the state to float
        Of the maps in force.
    bar_s : int
        Length of the bars they were walked over, seconds.
    """
    first, count = _cells(state.close, state.close)
    cells = _in_cells(state, sorted(weights), first, count)
    shares = np.array([weights[k] for k in sorted(weights)])
    mean = np.einsum("k,ksc->sc", shares, cells)
    band = _bands(cells, shares)
    edges = np.exp(np.arange(first, first + count + 1) * _PER_CELL * STEP)
    return Profile(
        symbol=symbol,
        as_of=as_of,
        price=state.close,
        open_interest=state.stock,
        prices=np.sqrt(edges[:-1] * edges[1:]),
        long=mean[0],
        short=mean[1],
        long_band=band[:, 0],
        short_band=band[:, 1],
        usable=_believed(state, bar_s),
        ledger=state.ledger,
    )


def heat_map_of(job: SymbolJob, draws: Draws, positions: Sequence[int]) -> HeatMap:
    """Profiles after each of some bars, on one grid of prices; NaN where the map is not usable.

    Raises
    ------
    FrameError
        When a position is not in the frame, or no bar among them has a price.
    """
    for position in positions:
        _check_position(job, position)
    rows = np.array(sorted(set(positions)), np.int64)
    bars = bars_of(job.frame, job.symbol).take(rows)
    priced = bars.priced()
    if not priced.any():
        raise FrameError(f"{job.symbol}: none of the {len(rows)} bars has a price")
    low, high = float(bars.low[priced].min()), float(bars.high[priced].max())
    first, count = _cells(low, high)
    coins = np.full((len(rows), 2, count), np.nan)
    for at, (_, state, weights) in enumerate(states_at(job, draws, rows.tolist())):
        if priced[at] and _believed(state, job.frame.bar_s):
            shares = np.array([weights[k] for k in sorted(weights)])
            cells = _in_cells(state, sorted(weights), first, count)
            coins[at] = np.einsum("k,ksc->sc", shares, cells)
    return HeatMap(
        symbol=job.symbol,
        times=job.frame.times[rows],
        edges=np.exp(np.arange(first, first + count + 1) * _PER_CELL * STEP),
        long=np.ascontiguousarray(coins[:, 0]),
        short=np.ascontiguousarray(coins[:, 1]),
        high=bars.high,
        low=bars.low,
        close=bars.close,
    )


def aggregated(profiles: Sequence[Profile], symbol: str) -> Profile:
    """Profiles of the same coin at several venues as one: coins add up, price is the mean.

    Bands are added too, as if the venues' maps erred together: that is the cautious reading.

    Raises
    ------
    FrameError
        When there is none, or their moments differ.
    """
    moments = sorted({str(one.as_of) for one in profiles})
    if len(moments) != 1:
        raise FrameError(f"profiles are of {moments}, expected one moment")
    grid = sorted({_cell_of(price) for one in profiles for price in one.prices.tolist()})
    place = {cell: k for k, cell in enumerate(grid)}
    total = {name: np.zeros(len(grid)) for name in ("long", "short")}
    bands = {name: np.zeros((2, len(grid))) for name in ("long_band", "short_band")}
    for one in profiles:
        at = [place[_cell_of(price)] for price in one.prices.tolist()]
        for name, sums in total.items():
            sums[at] += getattr(one, name)
        for name, pairs in bands.items():
            pairs[:, at] += getattr(one, name)
    return Profile(
        symbol=symbol,
        as_of=profiles[0].as_of,
        price=float(np.mean([one.price for one in profiles])),
        open_interest=float(sum(one.open_interest for one in profiles)),
        usable=all(one.usable for one in profiles),
        prices=np.exp((np.array(grid) + 0.5) * _PER_CELL * STEP),
        long=total["long"],
        short=total["short"],
        long_band=bands["long_band"],
        short_band=bands["short_band"],
    )


def _check_position(job: SymbolJob, position: int) -> None:
    if not 0 <= position < len(job.frame.times):
        raise FrameError(f"bar {position} of {len(job.frame.times)}, expected one of them")


def _believed(state: MapState, bar_s: int) -> bool:
    seen = state.ledger
    return bool(is_usable(seen.age_bars * bar_s, seen.silent_bars * bar_s))


def _cell_of(price: float) -> int:
    return int(np.floor(np.log(price) / (_PER_CELL * STEP)))


def _cells(low: float, high: float) -> tuple[int, int]:
    """First cell and number of cells around prices, as far as is shown."""
    first = _cell_of(low * float(np.exp(-_REACH)))
    return first, _cell_of(high * float(np.exp(_REACH))) - first + 1


def _in_cells(state: MapState, maps: Sequence[int], first: int, count: int) -> FloatArray:
    """Coins by cell: shape (n_maps, 2, count)."""
    bins = [coins_by_bin(state, k, first * _PER_CELL, count * _PER_CELL) for k in maps]
    return np.asarray(np.array(bins).reshape(len(maps), 2, count, _PER_CELL).sum(axis=3))


def _bands(cells: FloatArray, shares: FloatArray) -> FloatArray:
    """Weighted 5th and 95th percentiles over maps: shape (2, 2, count)."""
    order = np.argsort(cells, axis=0, kind="stable")
    below = np.cumsum(shares[order], axis=0)
    ranked = np.take_along_axis(cells, order, axis=0)
    last = len(shares) - 1
    at = [np.minimum((below < level - 1e-12).sum(axis=0), last) for level in _BAND]
    return np.array([np.take_along_axis(ranked, one[None], axis=0)[0] for one in at])
