"""What realised liquidations say about a map's parameters, given the moves that happened.

How much is liquidated in a bar is explained by the move first, and the move is not the map's
merit. So bars are compared within strata of nearly equal moves only: inside each, realised coins
and swept coins are replaced by their ranks about the stratum's middle, less what the rank of the
move itself explains of them, and the likelihood is that of a bivariate normal with the
correlation of what is left, its scale profiled out. Ranks, because public feeds are truncated and
their level says little. A day counts as one observation, because hours of one day are not
independent.

Where no liquidations are published, falls of open interest stand in for them, in large moves
only: in small ones positions are closed by choice.
"""

from typing import Final

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.liquidation.market_path import Bars, before, find_breaks

__all__ = ["adverse_moves", "log_likelihood", "realised_coins", "within_strata"]

_STRATA: Final = 5
_DAY_S: Final = 86_400
_FEWEST: Final = 12  # bars a stratum, below which ranks say nothing
_NOTHING: Final = 1e-9  # variance of ranks below which the move explains all of them
_LARGE: Final = 0.8  # quantile of moves above which a fall of open interest is taken as forced


def adverse_moves(bars: Bars, last_close: float) -> FloatArray:
    """How far each bar went against longs and against shorts.

    Returns
    -------
    ndarray of float64, shape (n_bars, 2)
        Log distance from the close before to the low, and to the high; NaN where unknown. The
        close before is taken in the unit of the bar, should that have changed.
    """
    priced = bars.priced()
    low, high, close = (np.where(priced, x, np.nan) for x in (bars.low, bars.high, bars.close))
    last, shift = before(close, last_close), find_breaks(bars, last_close, np.nan).shift
    return np.stack([np.log(last / low) + shift, np.log(high / last) - shift], axis=1)


def realised_coins(
    liquidated_usd: FloatArray, bars: Bars, last_close: float, last_stock: float
) -> FloatArray:
    """Coins liquidated in each bar: as published, else the fall of open interest in large moves.

    Parameters
    ----------
    liquidated_usd : ndarray of shape (n_bars, 2)
        As published, longs and shorts; NaN where nothing is.
    last_close, last_stock : float
        Before the first bar.

    Returns
    -------
    ndarray of float64, shape (n_bars, 2)
        NaN where neither is known. If a side's feed says anything in these bars, only the feed
        counts: the two have different scales. Open interest in another unit did not fall.
    """
    moves = adverse_moves(bars, last_close)
    stock = bars.stock()
    fall = np.maximum(before(stock, last_stock) - stock, 0.0)
    fall[find_breaks(bars, last_close, last_stock).rescale != 0.0] = np.nan
    coins = liquidated_usd / np.where(bars.priced(), bars.close, np.nan)[:, None]
    for side in range(2):
        if np.isfinite(coins[:, side]).any() or not np.isfinite(moves[:, side]).any():
            continue
        large = moves[:, side] > np.nanquantile(moves[:, side], _LARGE)
        coins[:, side] = np.where(large, fall, np.nan)
    return coins


def within_strata(values: FloatArray, moves: FloatArray, strata: int = _STRATA) -> FloatArray:
    """Ranks inside strata of equal moves, about their middle, from -0.5 to 0.5.

    Parameters
    ----------
    values : ndarray of shape (n_series, n_bars)
        No NaN.
    moves : ndarray of shape (n_bars,)
        No NaN.
    strata : int
        Number of strata, each of the same number of bars.

    Examples
    --------
    >>> within_strata(np.array([[1.0, 2.0, 30.0, 10.0]]), np.array([0.1, 0.2, 0.9, 0.8]), 2)
    array([[-0.25,  0.25,  0.25, -0.25]])
    """
    from scipy.stats import rankdata  # noqa: PLC0415  slow, and a restart does not need it

    order = np.argsort(moves, kind="stable")
    ranks = np.empty_like(values)
    for members in np.array_split(order, strata):
        inside = rankdata(values[:, members], axis=1)
        ranks[:, members] = (inside - (len(members) + 1) / 2.0) / max(len(members), 1)
    return ranks


def log_likelihood(
    swept: FloatArray, realised: FloatArray, moves: FloatArray, bar_s: int
) -> FloatArray:
    """How well each map's swept coins explain one side's realised ones, in nats.

    Parameters
    ----------
    swept : ndarray of shape (n_maps, n_bars)
        Coins.
    realised, moves : ndarray of shape (n_bars,)
        Coins, and the adverse move; bars where either is NaN are left out.
    bar_s : int
        Seconds of a bar.

    Returns
    -------
    ndarray of float64, shape (n_maps,)
        Over that of a map that knows nothing; 0 for one that is worse, or with too few bars.
    """
    known = np.isfinite(realised) & np.isfinite(moves) & np.isfinite(swept).all(axis=0)
    n_bars = int(known.sum())
    if n_bars < _STRATA * _FEWEST:
        return np.zeros(len(swept))
    move = within_strata(moves[known][None, :], moves[known])[0]
    mine = _unexplained(within_strata(swept[:, known], moves[known]), move)
    theirs = _unexplained(within_strata(realised[known][None, :], moves[known]), move)[0]
    scale = np.sqrt((mine**2).sum(axis=1) * (theirs**2).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        informed = scale > _NOTHING * n_bars
        correlation = np.where(informed, (mine * theirs).sum(axis=1) / scale, 0.0)
    days = n_bars * bar_s / _DAY_S
    return np.asarray(-0.5 * days * np.log1p(-(np.clip(correlation, 0.0, 0.999) ** 2)))


def _unexplained(ranks: FloatArray, move: FloatArray) -> FloatArray:
    """Ranks less their regression on the move's: shape (n_series, n_bars)."""
    slope = (ranks * move).sum(axis=1) / max(float((move**2).sum()), _NOTHING)
    return np.asarray(ranks - slope[:, None] * move)
