"""Maintenance margin by the size of a position: tiers as one convex, piecewise linear function."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray

__all__ = ["Maintenance", "flat_maintenance"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maintenance:
    """What a venue requires to keep a position open.

    The venues write ``notional · rate − amount`` with the rate and the maintenance amount of the
    tier the notional falls into. With rising rates and continuous amounts that is the largest of
    the lines of all tiers, which needs no look-up and cannot jump at a boundary.

    Attributes
    ----------
    rates : ndarray of float64, shape (n_tiers,)
        Maintenance rates as fractions of notional, strictly rising, in [0, 1).
    amounts : ndarray of float64, shape (n_tiers,)
        Maintenance amounts, not falling, the first 0, in the unit of the margin: quote units for
        linear contracts, coins for inverse ones.

    Raises
    ------
    FrameError
        When the shapes differ or the values do not rise.

    Examples
    --------
    >>> tiers = Maintenance(rates=np.array([0.004, 0.005]), amounts=np.array([0.0, 50.0]))
    >>> tiers.at([50_000, 60_000]).round(9)
    array([200., 250.])
    """

    rates: FloatArray
    amounts: FloatArray

    def __post_init__(self) -> None:
        rates, amounts = self.rates, self.amounts
        if rates.ndim != 1 or rates.size == 0 or rates.shape != amounts.shape:
            raise FrameError(
                f"maintenance rates and amounts have shapes {rates.shape} and {amounts.shape}, "
                "expected the same (n_tiers,)"
            )
        if not bool(((rates >= 0.0) & (rates < 1.0)).all()) or bool((np.diff(rates) <= 0.0).any()):
            raise FrameError(
                f"maintenance rates are {rates.tolist()}, expected rising fractions in [0, 1)"
            )
        if amounts[0] != 0.0 or not bool((np.diff(amounts) >= 0.0).all()):
            raise FrameError(
                f"maintenance amounts are {amounts.tolist()}, expected 0 first and none falling"
            )

    def at(self, notional: ArrayLike) -> FloatArray:
        """Maintenance margin of a notional, in the same unit; NaN stays NaN."""
        value = np.asarray(notional, np.float64)[..., None]
        return np.asarray(np.max(value * self.rates - self.amounts, axis=-1))

    def tier(self, notional: ArrayLike) -> NDArray[np.int64]:
        """Index of the tier whose line applies; at a boundary the lower one."""
        value = np.asarray(notional, np.float64)[..., None]
        return np.asarray(np.argmax(value * self.rates - self.amounts, axis=-1), np.int64)

    def plus_fee(self, rate: float) -> "Maintenance":
        """The same with the venue's liquidation fee rate added to every tier.

        Raises
        ------
        FrameError
            When the rate is negative or lifts a tier to 1 or beyond.
        """
        if not 0.0 <= rate < 1.0:
            raise FrameError(f"liquidation fee rate is {rate}, expected a fraction in [0, 1)")
        return Maintenance(rates=self.rates + rate, amounts=self.amounts)

    def at_ratio(self, ratio: float) -> "Maintenance":
        """The margin a position must keep so that maintenance is `ratio` of its equity.

        Raises
        ------
        FrameError
            When the ratio is not above every rate, or above 1.
        """
        if not float(self.rates[-1]) < ratio <= 1.0:
            raise FrameError(
                f"margin ratio is {ratio}, expected above the largest maintenance rate "
                f"{float(self.rates[-1])} and at most 1"
            )
        return Maintenance(rates=self.rates / ratio, amounts=self.amounts / ratio)


def flat_maintenance(rate: float) -> Maintenance:
    """One rate for every size.

    Raises
    ------
    FrameError
        When the rate is not a fraction in [0, 1).

    Examples
    --------
    >>> float(flat_maintenance(0.01).at(96.97).round(4))
    0.9697
    """
    return Maintenance(rates=np.array([rate], np.float64), amounts=np.zeros(1))
