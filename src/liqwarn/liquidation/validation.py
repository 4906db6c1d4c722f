"""How well a liquidation map knew where liquidations would be, against what was realised.

Precision: a bar reaches some of the price bins beside the close before it. Of all bins reached,
take the tenth that the map, as it stood before the bar, had made the heaviest, and the tenth with
the most realised liquidations per length of price: precision is the share of the first that
belongs to the second. Picking at random, or a map that is the same everywhere, gives 10 %. Beside
it stands the share of all realised volume that fell into the map's tenth. Feeds give one figure a
bar, so it is spread evenly over the bins the bar reached.

Precision of bars: the same with the map's own total of the bar spread evenly too, which asks when
rather than where. Both totals are then divided by the same length, so random is not 10 %: the
level to beat is what realised volume shuffled among bars of nearly equal moves would give.

Rank correlation: of the coins the map liquidates in a bar with the coins realised. Most of it is
the move's, so it is given again inside deciles of equal moves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.stats import norm, rankdata

from liqwarn.errors import FrameError
from liqwarn.frames import BoolArray, FloatArray

__all__ = ["RANDOM", "Outcome", "Precision", "precision_at_top", "score_map", "wilson"]

RANDOM: Final = 0.10
"""Share of bins taken, and so the precision of picking them at random."""

_DECILES: Final = 10
_FEWEST: Final = 100
_SHUFFLES: Final = 10
_SHUFFLE_STRATA: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What happened to one side of one symbol, bar by bar; every array has shape (n_bars,).

    Attributes
    ----------
    realised : ndarray of float64
        Coins liquidated in the bar, or the fall of open interest that stands in for them; NaN is
        unknown, and such bars count nowhere. Not USD: a price that rises over the years would
        lend every map skill.
    moves : ndarray of float64
        Adverse log move of the bar from the close before.
    weeks, months : ndarray of int64
        Seven-day week since the epoch and calendar month, for intervals and tables.
    """

    realised: FloatArray
    moves: FloatArray
    weeks: np.ndarray
    months: np.ndarray


def wilson(share: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share of `n` independent trials.

    Examples
    --------
    >>> [round(one, 3) for one in wilson(0.3, 100)]
    [0.219, 0.396]
    """
    if not n > 0.0:
        return (0.0, 1.0)
    z = float(norm.ppf(0.5 + level / 2.0))
    centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n)
    half = z / (1.0 + z * z / n) * np.sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n))
    return (max(0.0, float(centre - half)), min(1.0, float(centre + half)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Marks of the heaviest tenth of the bins reached.

    Attributes
    ----------
    precision : float
        Share of it, by length, that is in the realised tenth too.
    volume_share : float
        Share of realised volume that fell into it.
    effective_bars : float
        Bars behind it (Kish's effective number): bins of one bar are not independent.
    """

    precision: float
    volume_share: float
    effective_bars: float


def precision_at_top(inside: FloatArray, reached: FloatArray, realised: FloatArray) -> Precision:
    """Score the tenth of the bins reached that a map marks the heaviest.

    Parameters
    ----------
    inside : ndarray of shape (n_bars, n_bins)
        What the map liquidates in each bin beside the price.
    reached : ndarray of shape (n_bars, n_bins)
        Share of the bin that the bar reached, 0 to 1.
    realised : ndarray of shape (n_bars,)
        Liquidated in the bar.

    Returns
    -------
    Precision
        NaN where nothing was liquidated in a bin reached.

    Notes
    -----
    Of equally heavy bins an equal part of each is taken, so ties earn nothing.

    Examples
    --------
    >>> inside = np.array([[9.0, 9.0], [1.0, 2.0], [1.0, 2.0], [0.0, 1.0], [0.0, 0.0]])
    >>> found = precision_at_top(inside, np.ones((5, 2)), np.array([6.0, 1.0, 1.0, 1.0, 1.0]))
    >>> found.precision, round(found.volume_share, 3), found.effective_bars
    (0.5, 0.3, 1.0)
    """
    rows, bins = np.nonzero(reached > 0.0)
    length = reached[rows, bins]
    in_bar = np.bincount(rows, weights=length, minlength=len(realised))
    density = realised[rows] / in_bar[rows]
    total = float((density * length).sum())
    if not total > 0.0:
        return Precision(precision=np.nan, volume_share=np.nan, effective_bars=0.0)
    ours = _taken(inside[rows, bins], length) * length
    theirs = _taken(density, length)
    bars = np.bincount(rows, weights=ours, minlength=len(realised))
    return Precision(
        precision=float((ours * theirs).sum() / ours.sum()),
        volume_share=float((ours * density).sum() / total),
        effective_bars=float(bars.sum() ** 2 / (bars**2).sum()),
    )


def _taken(mass: FloatArray, length: FloatArray) -> FloatArray:
    """How much of each bin belongs to the heaviest tenth, by length; ties share what is left."""
    values, group = np.unique(-mass, return_inverse=True)
    lengths = np.bincount(group, weights=length, minlength=len(values))
    before = np.cumsum(lengths) - lengths
    left = np.clip(RANDOM * length.sum() - before, 0.0, lengths)
    return np.asarray((left / lengths)[group])


def score_map(
    swept: FloatArray, within: FloatArray, edges: FloatArray, outcome: Outcome, seed: int
) -> dict[str, Any]:
    """A map's marks on one side of one symbol.

    Parameters
    ----------
    swept : ndarray of shape (n_bars,)
        Coins the map liquidates in the bar; NaN where it is not usable.
    within : ndarray of shape (n_bars, n_edges)
        Coins within each distance of the close **before** the bar; NaN where it is not usable.
    edges : ndarray of shape (n_edges,)
        Log distances.
    outcome : Outcome
    seed : int
        Of the bootstrap over weeks and of the shuffles.

    Returns
    -------
    dict
        ``n_bars``, ``precision_at_10pct``, ``wilson``, ``random``, ``effective_bars``,
        ``volume_share_at_10pct``, ``precision_of_bars``, ``shuffled_precision_of_bars`` (mean and
        standard deviation), ``rank_correlation``, ``within_move_rank_correlation`` and its 95 %
        interval ``within_move_interval``, and ``months`` with the precision of each.

    Raises
    ------
    FrameError
        When the shapes do not fit.
    """
    reached = _reached(outcome.moves, edges)
    if within.shape != reached.shape:
        raise FrameError(f"within has shape {within.shape}, expected {reached.shape}")
    inside = np.diff(within, axis=1, prepend=0.0)
    used = np.isfinite(outcome.realised) & np.isfinite(outcome.moves) & np.isfinite(swept)
    used &= np.isfinite(inside).all(axis=1)
    marks: dict[str, Any] = {"n_bars": int(used.sum()), "random": RANDOM}
    if marks["n_bars"] < _FEWEST:
        return marks
    top = precision_at_top(inside[used], reached[used], outcome.realised[used])
    deciles = _deciles(outcome.moves[used])
    mean, interval = _within_deciles(
        swept[used], outcome.realised[used], deciles, outcome.weeks[used], seed
    )
    marks |= {
        "precision_at_10pct": top.precision,
        "wilson": list(wilson(top.precision, top.effective_bars)),
        "effective_bars": top.effective_bars,
        "volume_share_at_10pct": top.volume_share,
        **_of_bars(swept[used], reached[used], outcome, used, seed),
        "rank_correlation": _spearman(swept[used], outcome.realised[used]),
        "within_move_rank_correlation": mean,
        "within_move_interval": list(interval),
        "months": _by_month(inside, reached, outcome, used),
    }
    return marks


def _reached(moves: FloatArray, edges: FloatArray) -> FloatArray:
    """Share of each bin that an adverse move from the price reaches."""
    starts = np.concatenate([[0.0], edges[:-1]])
    with np.errstate(invalid="ignore"):
        share = (moves[:, None] - starts) / (edges - starts)
    return np.asarray(np.nan_to_num(np.clip(share, 0.0, 1.0)))


def _of_bars(
    swept: FloatArray, reached: FloatArray, outcome: Outcome, used: BoolArray, seed: int
) -> dict[str, Any]:
    """Precision with the map's total of a bar spread evenly, and what chance would give."""
    length = reached.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.nan_to_num(np.where(length > 0.0, swept / length, 0.0))
    inside = np.broadcast_to(spread[:, None], reached.shape)
    realised = outcome.realised[used]
    strata = np.array_split(np.argsort(outcome.moves[used], kind="stable"), _SHUFFLE_STRATA)
    rng = np.random.default_rng(seed)
    chance = []
    for _ in range(_SHUFFLES):
        shuffled = realised.copy()
        for members in strata:
            shuffled[members] = realised[rng.permutation(members)]
        chance.append(precision_at_top(inside, reached, shuffled).precision)
    return {
        "precision_of_bars": precision_at_top(inside, reached, realised).precision,
        "shuffled_precision_of_bars": [float(np.mean(chance)), float(np.std(chance))],
    }


def _by_month(
    inside: FloatArray, reached: FloatArray, outcome: Outcome, used: BoolArray
) -> Mapping[str, dict[str, Any]]:
    months = {}
    for month in np.unique(outcome.months[used]).tolist():
        rows = used & (outcome.months == month)
        top = precision_at_top(inside[rows], reached[rows], outcome.realised[rows])
        if top.effective_bars > 0.0:
            months[str(np.datetime64(month, "M"))] = {
                "precision_at_10pct": top.precision,
                "wilson": list(wilson(top.precision, top.effective_bars)),
                "volume_share_at_10pct": top.volume_share,
            }
    return months


def _spearman(x: FloatArray, y: FloatArray) -> float:
    ranks = rankdata(x), rankdata(y)
    if ranks[0].std() == 0.0 or ranks[1].std() == 0.0:
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def _deciles(moves: FloatArray) -> np.ndarray:
    order = rankdata(moves, method="ordinal").astype(np.int64) - 1
    return np.asarray(order * _DECILES // len(moves))


def _within_deciles(
    x: FloatArray, y: FloatArray, deciles: np.ndarray, weeks: np.ndarray, seed: int
) -> tuple[float, tuple[float, float]]:
    """Mean over deciles of the rank correlation inside each, and its interval over weeks.

    A decile in which either is constant counts as 0. The bootstrap draws whole weeks; ranks are
    kept, so it covers the weeks' chance and not that of the ranking.
    """
    _, week = np.unique(weeks, return_inverse=True)
    n_weeks = int(week.max()) + 1
    sums = np.zeros((6, _DECILES, n_weeks))
    for decile in range(_DECILES):
        rows = np.flatnonzero(deciles == decile)
        a, b = rankdata(x[rows]), rankdata(y[rows])
        a, b = a - a.mean(), b - b.mean()
        for k, values in enumerate((np.ones_like(a), a, b, a * a, b * b, a * b)):
            sums[k, decile] = np.bincount(week[rows], weights=values, minlength=n_weeks)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n_weeks, np.full(n_weeks, 1.0 / n_weeks), size=1000).astype(float)
    point = _correlations(sums.sum(axis=2)[:, :, None])[:, 0].mean()
    samples = _correlations(np.einsum("kdw,bw->kdb", sums, drawn)).mean(axis=0)
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(point), (float(low), float(high))


def _correlations(sums: FloatArray) -> FloatArray:
    n, a, b, aa, bb, ab = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = ab / n - (a / n) * (b / n)
        spread = np.sqrt((aa / n - (a / n) ** 2) * (bb / n - (b / n) ** 2))
        return np.where(spread > 0.0, covariance / spread, 0.0)
