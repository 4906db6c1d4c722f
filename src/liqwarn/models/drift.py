"""How far recent values lie from those a model was trained on, honest about slow series.

Hourly features are strongly autocorrelated: thirty days of a 30-day volatility hold about one
independent value. Distances measured as if every bar were one call every month a drift. So a grade
asks for both: a distance that matters (the population stability index over the reference's deciles)
and one that is more than chance (Kolmogorov and Smirnov's, judged by the effective sample sizes).
"""

from dataclasses import dataclass
from math import exp, sqrt
from typing import Final, Literal

import numpy as np

from liqwarn.frames import FloatArray

__all__ = [
    "Drift",
    "Grade",
    "correlation_time",
    "ks_chance",
    "ks_distance",
    "measure_series_drift",
    "psi",
]

Grade = Literal["none", "moderate", "large", "unknown"]

MODERATE_PSI: Final = 0.10
LARGE_PSI: Final = 0.25
MODERATE_CHANCE: Final = 0.05
LARGE_CHANCE: Final = 0.005
_LEAST: Final = 50
"""Known values below which nothing is said, on either side."""
_BINS: Final = 10
_FLOOR: Final = 1e-4
_WINDOW: Final = 5.0
"""Correlation is summed up to this many correlation times (Sokal, 1997)."""
_CALM: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far one series has moved.

    Attributes
    ----------
    psi, ks : float
        Distances; NaN where too few values are known.
    chance : float
        How likely a KS distance as large is without any drift, by the effective sizes.
    effective : float
        Effective number of recent values.
    missing_reference, missing_recent : float
        Shares of values that are missing.
    grade : {"none", "moderate", "large", "unknown"}
    """

    psi: float
    ks: float
    chance: float
    effective: float
    missing_reference: float
    missing_recent: float
    grade: Grade


def measure_series_drift(reference: FloatArray, recent: FloatArray) -> Drift:
    """Compare the recent values of a series with those before.

    Symbols are pooled in the distances; the effective sizes are those of one symbol, as symbols
    move together.

    Parameters
    ----------
    reference, recent : ndarray of float64, shapes (n_symbols, n_bars) and (n_symbols, n_recent)
        In order of time; NaN where missing.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(1, 2000))
    >>> measure_series_drift(noise[:, :1500], noise[:, 1500:]).grade
    'none'
    >>> measure_series_drift(noise[:, :1500], noise[:, 1500:] + 1.0).grade
    'large'
    """
    before, now = reference[np.isfinite(reference)], recent[np.isfinite(recent)]
    missing = (_missing(reference), _missing(recent))
    if min(before.size, now.size) < _LEAST:
        nothing = float("nan")
        return _drift((nothing, nothing, nothing, 0.0), missing, "unknown")
    time = correlation_time(reference)
    sizes = [max(1.0, _bars_known(part) / time) for part in (reference, recent)]
    far, distance = psi(before, now), ks_distance(before, now)
    chance = ks_chance(distance, sizes[0], sizes[1])
    return _drift((far, distance, chance, sizes[1]), missing, _grade(far, chance))


def _drift(
    found: tuple[float, float, float, float], missing: tuple[float, float], grade: Grade
) -> Drift:
    far, distance, chance, effective = found
    return Drift(
        psi=far,
        ks=distance,
        chance=chance,
        effective=effective,
        missing_reference=missing[0],
        missing_recent=missing[1],
        grade=grade,
    )


def _grade(far: float, chance: float) -> Grade:
    if far >= LARGE_PSI and chance < LARGE_CHANCE:
        return "large"
    return "moderate" if far >= MODERATE_PSI and chance < MODERATE_CHANCE else "none"


def psi(reference: FloatArray, recent: FloatArray) -> float:
    """Population stability index over the deciles of the reference.

    Values that repeat make fewer bins; a share of nothing counts as one in ten thousand.

    >>> psi(np.arange(100.0), np.arange(100.0))
    0.0
    """
    inner = np.unique(np.quantile(reference, np.arange(1, _BINS) / _BINS))
    shares = [
        np.bincount(np.searchsorted(inner, x, side="left"), minlength=inner.size + 1) / x.size
        for x in (reference, recent)
    ]
    expected, found = (np.maximum(share, _FLOOR) for share in shares)
    return float(np.sum((found - expected) * np.log(found / expected)))


def ks_distance(reference: FloatArray, recent: FloatArray) -> float:
    """Largest distance between the two distribution functions.

    >>> ks_distance(np.array([0.0, 1.0]), np.array([2.0, 3.0]))
    1.0
    """
    at = np.unique(np.concatenate([reference, recent]))
    shares = [np.searchsorted(np.sort(x), at, side="right") / x.size for x in (reference, recent)]
    return float(np.abs(shares[0] - shares[1]).max())


def ks_chance(distance: float, first: float, second: float) -> float:
    """Chance of a two-sample KS distance this large without drift (Stephens, 1970).

    Parameters
    ----------
    first, second : float
        Effective sizes of the samples.

    >>> round(ks_chance(0.3, 50, 50), 3)
    0.017
    """
    size = first * second / (first + second)
    scaled = (sqrt(size) + 0.12 + 0.11 / sqrt(size)) * distance
    if scaled < 0.2:  # the series below does not converge, and the chance is 1 to 12 digits
        return 1.0
    terms = [(1.0 if k % 2 else -1.0) * exp(-2.0 * k * k * scaled * scaled) for k in range(1, 101)]
    return min(1.0, max(0.0, 2.0 * sum(terms)))


def correlation_time(series: FloatArray) -> float:
    """Bars that one independent value of a series stands for, mean over symbols, at least 1.

    The integrated autocorrelation time of the ranks, which outliers do not bend, or of their
    distance from the middle, if that is longer: returns forget their sign at once and their size in
    weeks, and both shape a distribution.

    Parameters
    ----------
    series : ndarray of float64, shape (n_symbols, n_bars)
        NaN where missing; what is missing is left out, as if its neighbours were next to it.
    """
    found = []
    for row in series:
        known = row[np.isfinite(row)]
        if known.size >= _LEAST:
            centred = _centred_ranks(known)
            folded = np.abs(centred)
            found.append(max(_summed(centred), _summed(folded - folded.mean())))
    return float(np.mean(found)) if found else 1.0


def _centred_ranks(x: FloatArray) -> FloatArray:
    _, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    ranks: FloatArray = (np.cumsum(counts) - counts / 2.0)[place]
    return np.asarray(ranks - ranks.mean(), dtype=np.float64)


def _summed(centred: FloatArray) -> float:
    """Integrated autocorrelation time of a series of mean 0, by way of its spectrum."""
    if float(centred @ centred) < _CALM:
        return 1.0
    n = centred.size
    padded = 1 << (2 * n - 1).bit_length()
    power = np.abs(np.fft.rfft(centred, padded)) ** 2
    correlation = np.fft.irfft(power, padded)[:n]
    summed = 2.0 * np.cumsum(correlation / correlation[0]) - 1.0
    far = np.flatnonzero(np.arange(n) >= _WINDOW * summed)
    return float(max(1.0, summed[far[0]] if far.size else summed[-1]))


def _missing(x: FloatArray) -> float:
    return float(np.mean(~np.isfinite(x))) if x.size else float("nan")


def _bars_known(x: FloatArray) -> float:
    """Bars of which a value is known, mean over the symbols that have any."""
    known = np.isfinite(x).sum(axis=1)
    return float(np.mean(known[known > 0]))
