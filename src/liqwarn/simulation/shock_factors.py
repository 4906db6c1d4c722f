"""What symbols move with: common and own factors, and how plausible a joint move is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import chi2
from sklearn.covariance import LedoitWolf

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray
from liqwarn.simulation.specs import SymbolSpec

__all__ = ["FEWEST_MOVES", "ShockFactors", "fitted_factors", "specified_factors"]

FEWEST_MOVES = 30
"""Past moves without which nothing is fitted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShockFactors:
    """Factors of standard deviation 1, and what each does to each symbol.

    There may be more factors than symbols, so that many factor values give one move; the likeliest
    of them, which is the one nearest to zero, is meant everywhere. A move is then a point `y` in
    as many dimensions as moves have, and its length is its Mahalanobis distance.

    Attributes
    ----------
    names : tuple of str
        Of the factors.
    loadings : ndarray, shape (n_symbols, n_factors)
        Log return of a symbol for one standard deviation of a factor.
    seen : ndarray, shape (n_moves,) or None
        Mahalanobis distances of past moves; None where there is no past.

    Raises
    ------
    FrameError
        When shapes do not fit, or nothing moves.

    Examples
    --------
    >>> factors = ShockFactors(names=("market", "A", "B"),
    ...                        loadings=np.array([[0.03, 0.04, 0.0], [0.03, 0.0, 0.04]]))
    >>> factors.n_dims, round(factors.distance(np.array([-0.05, 0.0])), 3)
    (2, 1.072)
    """

    names: tuple[str, ...]
    loadings: FloatArray
    seen: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.loadings.ndim != 2 or self.loadings.shape[1] != len(self.names):
            raise FrameError(
                f"loadings have shape {self.loadings.shape}, "
                f"expected (n_symbols, {len(self.names)})"
            )
        if not (np.isfinite(self.loadings).all() and self.loadings.any()):
            raise FrameError("loadings must be finite, and not all 0")

    @cached_property
    def _parts(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        left, sizes, right = np.linalg.svd(self.loadings, full_matrices=False)
        kept = sizes > 1e-9 * sizes[0]
        return left[:, kept], sizes[kept], right[kept]

    @property
    def n_dims(self) -> int:
        """Dimensions of a joint move."""
        return len(self._parts[1])

    @property
    def axes(self) -> FloatArray:
        """Direction of each factor among the moves, shape (n_factors, n_dims), length 1."""
        right = self._parts[2].T
        lengths = np.linalg.norm(right, axis=1, keepdims=True)
        return np.asarray((right / np.where(lengths > 0.0, lengths, 1.0))[lengths[:, 0] > 0.0])

    def values(self, y: FloatArray) -> FloatArray:
        """Factor values, in standard deviations."""
        return np.asarray(y @ self._parts[2])

    def moves(self, y: FloatArray) -> FloatArray:
        """Log return of each symbol."""
        return self.values(y) @ self.loadings.T

    def distance(self, moves: FloatArray) -> float:
        """Mahalanobis distance of log returns of shape (n_symbols,)."""
        left, sizes, _ = self._parts
        return float(np.linalg.norm(moves @ left / sizes))

    def tail(self, distance: float) -> float:
        """Chance of a move at least so far out, were the factors Gaussian."""
        return float(chi2.sf(distance**2, self.n_dims))

    def seen_frac(self, distance: float) -> float | None:
        """Share of past moves further out; None where there is no past."""
        return None if self.seen is None else float(np.mean(self.seen > distance))


def specified_factors(specs: Sequence[SymbolSpec], hours: float) -> ShockFactors:
    """The market's factor, one of each sector, and each symbol's own, as the simulator has them.

    Parameters
    ----------
    specs : sequence of SymbolSpec
        Volatilities in average times, and loadings.
    hours : float
        Length of a move.

    Examples
    --------
    >>> from liqwarn.simulation.specs import DEFAULT_SPECS
    >>> factors = specified_factors(DEFAULT_SPECS, 24.0)
    >>> factors.names[:4], len(factors.names), factors.n_dims
    (('market', 'sector ai', 'sector majors', 'ADAUSDT'), 15, 12)
    """
    sectors = sorted({spec.sector for spec in specs})
    beta = np.array([spec.beta for spec in specs])
    sector_beta = np.array([spec.sector_beta for spec in specs])
    member = np.array([[spec.sector == sector for sector in sectors] for spec in specs])
    own = np.diag(np.sqrt(1.0 - beta**2 - sector_beta**2))
    hourly = np.array([spec.volatility for spec in specs])
    parts = np.hstack([beta[:, None], sector_beta[:, None] * member, own])
    names = ("market", *(f"sector {sector}" for sector in sectors), *(s.name for s in specs))
    return ShockFactors(names=names, loadings=parts * (hourly * np.sqrt(hours))[:, None])


def fitted_factors(returns: FloatArray, bars: int) -> ShockFactors:
    """Factors of past moves: eigenvectors of their covariance, the largest first.

    The covariance is shrunk (Ledoit and Wolf 2004, scikit-learn), around a mean of zero. The sign
    of a factor is such that its largest loading is positive.

    Parameters
    ----------
    returns : ndarray, shape (n_symbols, n_bars)
        Log returns; a move with a NaN in it is left out.
    bars : int
        Bars in a move; moves do not overlap, and the last ends with the last bar.

    Raises
    ------
    FrameError
        When there are fewer than 30 complete moves, or a symbol never moves.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> common, own = rng.standard_normal(2400), rng.standard_normal((3, 2400))
    >>> factors = fitted_factors(0.01 * common + 0.005 * own, 24)
    >>> factors.names, factors.seen_frac(0.0)
    (('factor_1', 'factor_2', 'factor_3'), 1.0)
    """
    n_symbols, n_bars = returns.shape
    whole = returns[:, n_bars % bars :].reshape(n_symbols, -1, bars).sum(axis=2).T
    moves = whole[np.isfinite(whole).all(axis=1)]
    if len(moves) < FEWEST_MOVES:
        raise FrameError(
            f"{len(moves)} complete past moves of {bars} bars, expected at least {FEWEST_MOVES}"
        )
    stuck = np.flatnonzero(moves.std(axis=0) == 0.0)
    if stuck.size:
        raise FrameError(f"rows {stuck.tolist()} of the past returns never move")
    sizes, vectors = np.linalg.eigh(LedoitWolf(assume_centered=True).fit(moves).covariance_)
    vectors = vectors[:, ::-1]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(n_symbols)])
    names = tuple(f"factor_{number + 1}" for number in range(n_symbols))
    factors = ShockFactors(names=names, loadings=vectors * signs * np.sqrt(sizes[::-1]))
    seen = np.array([factors.distance(move) for move in moves])
    return ShockFactors(names=names, loadings=factors.loadings, seen=seen)
