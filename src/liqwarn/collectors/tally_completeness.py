"""How much of the liquidations a feed tells, bounded by the fall of open interest.

When the price moves hard against a side and open interest falls, those who were liquidated are
among those who left. So what a feed told, over the fall, is at least what it told of the true
liquidations, as far as nobody opened new positions meanwhile. It is a bound and no measurement:
positions are closed by stops and by choice as well, which makes the share smaller than the feed's
true completeness, and positions opened in the same bars make it larger. What a complete feed shows
by this measure is known of the simulated market alone.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import BoolArray, FloatArray, Side

__all__ = ["FEWEST_EPISODES", "ToldShare", "told_share"]

FEWEST_EPISODES: Final = 10
"""With fewer nothing is estimated."""

_TOP: Final = 0.02
_RESAMPLES: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldShare:
    """What a feed told of a side, as a share of the fall of open interest.

    Attributes
    ----------
    episodes : int
        Moves against the side in which open interest fell.
    risen : int
        Those in which it did not, left out.
    share : float
        Median over the episodes; NaN with fewer than :data:`FEWEST_EPISODES`.
    low, high : float
        95 % interval of it, by resampling whole episodes.
    pooled : float
        All that was told over all that fell: the large episodes decide.
    told_usd, fallen_usd : float
        Its parts.
    """

    episodes: int
    risen: int
    share: float
    low: float
    high: float
    pooled: float
    told_usd: float
    fallen_usd: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON; NaN becomes None."""
        found = asdict(self)
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in found.items()}


def told_share(
    close: FloatArray,
    open_interest: FloatArray,
    told_usd: FloatArray,
    side: Side,
    *,
    seed: int = 0,
) -> ToldShare:
    """What a feed told of a side in its hardest bars, over the fall of open interest.

    An episode is a run of bars that are each among the 2 % with the largest move against the side,
    one bar between them at most; only those bars count.

    Parameters
    ----------
    close, open_interest, told_usd : ndarray of float64, shape (n_bars,)
        Of one symbol: quote per coin, coins, and USD of the side's liquidations; NaN is unknown.
    side : {"long", "short"}
    seed : int
        Of the resampling.

    Raises
    ------
    FrameError
        When the shapes differ.

    Examples
    --------
    >>> close, oi = np.full(1_000, 100.0), np.full(1_000, 50.0)
    >>> told = np.zeros(1_000)
    >>> for bar in range(50, 1_000, 50):   # each time 10 coins leave, of which 2 are told
    ...     close[bar:], oi[bar:] = close[bar - 1] * 0.95, oi[bar - 1] * 0.8
    ...     told[bar] = 0.2 * 0.2 * oi[bar - 1] * (close[bar - 1] + close[bar]) / 2
    >>> found = told_share(close, oi, told, "long")
    >>> found.episodes, round(found.share, 3), round(found.low, 3), round(found.high, 3)
    (19, 0.2, 0.2, 0.2)
    """
    if not close.shape == open_interest.shape == told_usd.shape or close.ndim != 1:
        shapes = close.shape, open_interest.shape, told_usd.shape
        raise FrameError(f"close, open interest and told have shapes {shapes}, expected one (n,)")
    told, fallen, risen = [], [], 0
    for bars in _episodes(close, open_interest, told_usd, side):
        price = (close[bars] + close[bars - 1]) / 2.0
        left = float(np.sum((open_interest[bars - 1] - open_interest[bars]) * price))
        if left > 0.0:
            told.append(float(told_usd[bars].sum()))
            fallen.append(left)
        else:
            risen += 1
    return _estimate(np.array(told), np.array(fallen), risen, seed)


def _episodes(
    close: FloatArray, open_interest: FloatArray, told: FloatArray, side: Side
) -> Iterator[np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Positions of the bars of each episode."""
    with np.errstate(divide="ignore", invalid="ignore"):
        move = np.diff(np.log(close), prepend=np.nan) * (-1.0 if side == "long" else 1.0)
    left = np.diff(open_interest, prepend=np.nan)
    known: BoolArray = np.isfinite(move) & np.isfinite(left) & np.isfinite(told)
    if not known.any():
        return
    hard = known & (move >= max(float(np.quantile(move[known], 1.0 - _TOP)), 1e-9))
    at = np.flatnonzero(hard)
    yield from (run for run in np.split(at, np.flatnonzero(np.diff(at) > 2) + 1) if run.size)


def _estimate(told: FloatArray, fallen: FloatArray, risen: int, seed: int) -> ToldShare:
    nan = math.nan
    share = low = high = pooled = nan
    if told.size >= FEWEST_EPISODES:
        shares = told / fallen
        drawn = np.random.default_rng(seed).integers(0, told.size, (_RESAMPLES, told.size))
        low, high = np.percentile(np.median(shares[drawn], axis=1), [2.5, 97.5]).tolist()
        share, pooled = float(np.median(shares)), float(told.sum() / fallen.sum())
    return ToldShare(
        episodes=int(told.size),
        risen=risen,
        share=share,
        low=low,
        high=high,
        pooled=pooled,
        told_usd=float(told.sum()),
        fallen_usd=float(fallen.sum()),
    )
