"""What a liquidation map assumes of the people it cannot see: leverage, patience, position size."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import takewhile
from typing import Final

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES, FloatArray, Side
from liqwarn.liquidation.exposure import Contract
from liqwarn.liquidation.kernel import LANES, ROWS, STEP
from liqwarn.liquidation.margin import inverse_liquidation_price, liquidation_price
from liqwarn.liquidation.tiers import TierTable

__all__ = ["LEVERAGES", "MapParameters", "at_venue", "maintenance_by_leverage", "map_rates"]

LEVERAGES: Final = (2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0)
"""Leverages a cohort is split into."""

_FLAT: Final = (0.005,) * ROWS
_REFERENCE: Final = 10.0
_FASTEST: Final = 0.999  # share of a lane closed in one step, at most: growth must stay finite
_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MapParameters:
    """One guess at how positions are opened and closed.

    Attributes
    ----------
    median_leverage : float
        Of newly opened coins, by notional.
    leverage_spread : float
        Standard deviation of the logarithm of leverage.
    half_life_h : float
        Hours after which half of the coins opened at 10x were closed by their owners.
    age_power : float
        Ageing grows with leverage to this power: high leverage is held shortly.
    tilt : float
        What full crowding adds to the logarithm of the median leverage of the crowded side, and
        takes from the other's.
    spent : float
        Share of the way to liquidation that a position has lost when it is opened: fees, losses
        elsewhere in the account, margin moved out. In [0, 1).
    maintenance : tuple of float
        Maintenance margin rate at each of :data:`LEVERAGES`, fraction of notional.
    max_leverage : float
        Largest leverage the venue allows; what is above has no share.
    contract : {"linear", "inverse"}
        What the positions are margined in.

    Raises
    ------
    FrameError
        When a value is out of its range, or a maintenance rate would liquidate at entry.
    """

    median_leverage: float = 20.0
    leverage_spread: float = 0.9
    half_life_h: float = 12.0
    age_power: float = 1.0
    tilt: float = 0.3
    spent: float = 0.1
    maintenance: tuple[float, ...] = field(default=_FLAT)
    max_leverage: float = np.inf
    contract: Contract = "linear"

    def __post_init__(self) -> None:
        for name in ("median_leverage", "leverage_spread", "half_life_h"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise FrameError(f"{name} is {getattr(self, name)}, expected a positive number")
        for name in ("age_power", "tilt"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise FrameError(f"{name} is {getattr(self, name)}, expected a number from 0")
        if not 0.0 <= self.spent < 1.0:
            raise FrameError(f"spent is {self.spent}, expected a share in [0, 1)")
        if not self.max_leverage >= LEVERAGES[0]:
            raise FrameError(
                f"max_leverage is {self.max_leverage}, expected at least {LEVERAGES[0]}"
            )
        if len(self.maintenance) != ROWS:
            raise FrameError(f"{len(self.maintenance)} maintenance rates, expected {ROWS}")
        for rate, lever in zip(self.maintenance, LEVERAGES, strict=True):
            if not 0.0 <= rate * lever < 1.0:
                raise FrameError(
                    f"maintenance rate is {rate} at {lever:g}x, expected one in [0, {1 / lever:g})"
                )

    def mix(self, crowding: float = 0.0) -> FloatArray:
        """Shares of newly opened coins by leverage, for a side with that crowding in [-1, 1].

        >>> MapParameters(median_leverage=10.0, tilt=0.0).mix().round(3)
        array([0.041, 0.083, 0.151, 0.187, 0.202, 0.151, 0.121, 0.041, 0.017,
           0.008])
        """
        centre = np.log(self.median_leverage) + crowding * self.tilt
        distance = ((np.log(LEVERAGES) - centre) / self.leverage_spread) ** 2
        distance[np.array(LEVERAGES) > self.max_leverage] = np.inf
        weights = np.exp(0.5 * (distance.min() - distance))
        return np.asarray(weights / weights.sum())

    def distance(self, side: Side) -> FloatArray:
        """Log distance from entry to liquidation at each leverage, net of what is spent."""
        formula = liquidation_price if self.contract == "linear" else inverse_liquidation_price
        ratio = formula(side, 1.0, LEVERAGES, self.maintenance)
        return np.abs(np.log(ratio)) * (1.0 - self.spent)


def map_rates(parameters: Sequence[MapParameters], step_s: float) -> FloatArray:
    """What the kernel needs of each map: shape (n_maps, 6 * LANES), in the order of its blocks.

    Parameters
    ----------
    parameters : sequence of MapParameters
        One a map.
    step_s : float
        Seconds of a step.
    """
    rates = np.empty((len(parameters), 6 * LANES))
    for k, one in enumerate(parameters):
        rates[k] = _rates(one, step_s)
    return rates


@lru_cache(maxsize=1024)  # a live map asks for the same ones at every bar
def _rates(one: MapParameters, step_s: float) -> FloatArray:
    rates = np.empty((6, 2, ROWS))
    hazard = np.log(2.0) / one.half_life_h * (np.array(LEVERAGES) / _REFERENCE) ** one.age_power
    aged = np.minimum(-np.expm1(-hazard * step_s / _HOUR_S), _FASTEST)
    rates[0] = 1.0 - aged
    rates[1] = 1.0 / (1.0 - aged)
    rates[2] = [one.distance(side) / STEP for side in SIDES]
    rates[3] = one.mix()
    rates[4] = one.mix(1.0) - one.mix()
    rates[5] = one.mix(-1.0) - one.mix()
    return rates.ravel()


def at_venue(
    parameters: MapParameters, table: TierTable, position_usd: float, price: float
) -> MapParameters:
    """The same guess under a venue's tiers: its maintenance rates and its largest leverage."""
    offered = [tier.max_leverage for tier in table.tiers if tier.max_leverage is not None]
    return replace(
        parameters,
        maintenance=maintenance_by_leverage(table, position_usd, price),
        max_leverage=max(offered, default=np.inf),
    )


def maintenance_by_leverage(
    table: TierTable, position_usd: float, price: float
) -> tuple[float, ...]:
    """Maintenance margin rate of a typical position at each of :data:`LEVERAGES`.

    A position larger than what the table allows at a leverage is cut to what it allows, and where
    the table stops short of a leverage its first tier is used.

    Parameters
    ----------
    table : TierTable
        The tiers in force.
    position_usd : float
        Notional of a typical position.
    price : float
        Quote per coin, for tables that go by coins.

    Raises
    ------
    FrameError
        When the position or the price is not a positive number.
    """
    for name, value in (("position_usd", position_usd), ("price", price)):
        if not 0.0 < value < np.inf:
            raise FrameError(f"{name} is {value}, expected a positive number")
    return tuple(_rate(table, lever, position_usd, price) for lever in LEVERAGES)


def _rate(table: TierTable, leverage: float, position_usd: float, price: float) -> float:
    in_coins = table.measure == "coins" or table.contract == "inverse"
    unit = price if in_coins else 1.0
    allowed = takewhile(lambda t: (t.max_leverage or np.inf) >= leverage, table.tiers)
    tiers = list(allowed) or list(table.tiers[:1])
    size = min(position_usd / unit, tiers[-1].cap)
    tier = next(t for t in tiers if size <= t.cap)
    amount = tier.amount / size if table.measure == "notional" else 0.0
    return min(tier.rate - amount + table.fee_rate, 0.9 / leverage)
