"""Funding as a slow loss: what a position pays a day, and how long its margin lasts.

A positive rate is paid by longs to shorts (``−s·rate·notional`` reaches the margin at every
settlement), so funding moves the liquidation price although the market stands still.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray
from liqwarn.liquidation.exposure import Exposure, closing_price, equity_at, notional_at
from liqwarn.liquidation.maintenance import Maintenance

__all__ = ["Funding", "days_funded", "erosion_per_day", "paid_per_day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """A funding rate that stays as it is.

    Attributes
    ----------
    rate : float
        Fraction of notional per settlement; positive: longs pay shorts.
    settlements_per_day : float
        3 where funding is settled every 8 hours, 24 where it is hourly.

    Raises
    ------
    FrameError
        When the rate is not between -1 and 1 or the settlements are not above 0.
    """

    rate: float
    settlements_per_day: float = 3.0

    def __post_init__(self) -> None:
        if not abs(self.rate) < 1.0:
            raise FrameError(f"funding rate is {self.rate}, expected a fraction between -1 and 1")
        if not 0.0 < self.settlements_per_day < np.inf:
            raise FrameError(
                f"settlements per day are {self.settlements_per_day}, "
                "expected a finite number above 0"
            )


def paid_per_day(exposure: Exposure, funding: Funding, price: ArrayLike) -> FloatArray:
    """What positions pay a day at a constant price, in the unit of the margin; negative: receive.

    >>> long = Exposure(side="long", contract="linear", entry=120.0, value=120.0, margin=24.0)
    >>> float(paid_per_day(long, Funding(rate=0.0003), 120.0).round(6))
    0.108
    """
    sign = 1.0 if exposure.side == "long" else -1.0
    daily = sign * funding.rate * funding.settlements_per_day
    return np.asarray(daily * notional_at(exposure, price))


def erosion_per_day(
    exposure: Exposure, maintenance: Maintenance, funding: Funding, price: ArrayLike
) -> FloatArray:
    """How far a day of funding moves the liquidation price towards the market.

    Returns
    -------
    ndarray of float64
        Quote per coin and day; negative when it moves away, 0 where no price liquidates.

    Examples
    --------
    >>> from liqwarn.liquidation.maintenance import flat_maintenance
    >>> long = Exposure(side="long", contract="linear", entry=120.0, value=120.0, margin=24.0)
    >>> flat = flat_maintenance(0.01)
    >>> float(erosion_per_day(long, flat, Funding(rate=0.0003), 120.0).round(4))
    0.1091
    """
    later = Exposure(
        side=exposure.side,
        contract=exposure.contract,
        entry=exposure.entry,
        value=exposure.value,
        margin=exposure.margin - paid_per_day(exposure, funding, price),
    )
    now, then = closing_price(exposure, maintenance), closing_price(later, maintenance)
    with np.errstate(invalid="ignore"):
        moved = np.asarray(then - now if exposure.side == "long" else now - then)
    return np.where(np.isinf(now) & np.isinf(then), 0.0, moved)


def days_funded(
    exposure: Exposure, maintenance: Maintenance, funding: Funding, price: ArrayLike
) -> FloatArray:
    """Days until funding alone liquidates positions while the price stands still.

    Returns
    -------
    ndarray of float64
        0 for positions already liquidated at that price, ``inf`` for those that pay nothing.

    Examples
    --------
    >>> from liqwarn.liquidation.maintenance import flat_maintenance
    >>> long = Exposure(side="long", contract="linear", entry=120.0, value=120.0, margin=24.0)
    >>> float(days_funded(long, flat_maintenance(0.01), Funding(rate=0.0003), 120.0).round(1))
    211.1
    """
    spare = equity_at(exposure, price) - maintenance.at(notional_at(exposure, price))
    paid = paid_per_day(exposure, funding, price)
    with np.errstate(divide="ignore", invalid="ignore"):
        days = np.where(paid > 0.0, np.maximum(spare, 0.0) / paid, np.inf)
    days = np.where(spare <= 0.0, 0.0, days)
    return np.where(np.isnan(spare) | np.isnan(paid), np.nan, days)
