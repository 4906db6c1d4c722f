"""The three risks of one position, apart: liquidation, the margin call before it, funding."""

import math
from dataclasses import dataclass
from typing import Final

from liqwarn.errors import FrameError
from liqwarn.liquidation.exposure import (
    bankruptcy_at,
    closing_price,
    equity_at,
    margin_ratio,
    notional_at,
)
from liqwarn.liquidation.funding import Funding, days_funded, erosion_per_day, paid_per_day
from liqwarn.liquidation.position import Position
from liqwarn.liquidation.requirement import Requirement

__all__ = ["WARNING_RATIO", "PositionRisk", "assess"]

WARNING_RATIO: Final = 0.8
"""Margin ratio of the margin call: equity is down to 1.25 times the maintenance margin.

Our choice. Venues warn at ratios of their own, which they change and state in different words; at
0.8 a fifth of the equity is left before liquidation, and the warning is still rare at low leverage.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRisk:
    """What threatens a position at one price.

    Attributes
    ----------
    position : Position
        As it was stated.
    requirement : Requirement
        What it must keep, and who says so.
    funding : Funding
        The rate that is taken to last; rate 0 when none was given.
    mark : float
        Price it is assessed at.
    liquidation_price, bankruptcy_price, call_price : float
        Where equity is the maintenance margin, nothing, and where maintenance is `warning_ratio`
        of the equity. 0 (linear long) or ``inf`` (inverse short) where no price does that.
    warning_ratio : float
        Margin ratio of the margin call.
    equity, maintenance : float
        At the mark, in the unit of the margin.
    margin_ratio : float
        Maintenance over equity at the mark; 1 is liquidation, ``inf`` when no equity is left.
    distance_frac, call_distance_frac : float
        From the mark to the liquidation and to the call price, as fractions of the mark; negative
        once the price is beyond it.
    distance_atr : float
        From the mark to liquidation in average true ranges; NaN without one.
    funding_per_day : float
        Paid a day at a constant price, in the unit of the margin; negative: received.
    erosion_per_day : float
        How far that moves the liquidation price towards the market, quote per coin.
    days_funded : float
        Days until funding alone liquidates it at a constant price; ``inf`` when never.
    """

    position: Position
    requirement: Requirement
    funding: Funding
    mark: float
    liquidation_price: float
    bankruptcy_price: float
    call_price: float
    warning_ratio: float
    equity: float
    maintenance: float
    margin_ratio: float
    distance_frac: float
    call_distance_frac: float
    distance_atr: float
    funding_per_day: float
    erosion_per_day: float
    days_funded: float

    @property
    def assumed(self) -> bool:
        """Whether the maintenance margin stands in for one that is not known."""
        return self.requirement.assumed

    @property
    def never(self) -> bool:
        """Whether no price liquidates it."""
        return self.liquidation_price == 0.0 or math.isinf(self.liquidation_price)


def assess(
    position: Position,
    requirement: Requirement,
    *,
    mark: float | None = None,
    atr: float | None = None,
    funding: Funding | None = None,
    warning_ratio: float = WARNING_RATIO,
) -> PositionRisk:
    """Assess a position at a price.

    Parameters
    ----------
    position : Position
        As a trader states it.
    requirement : Requirement
        What the venue requires of it.
    mark : float, optional
        Price now, quote per coin; by default the entry price.
    atr : float, optional
        Average true range, quote per coin, to measure the distance in.
    funding : Funding, optional
        By default none is paid.
    warning_ratio : float
        Margin ratio of the margin call, above every maintenance rate and at most 1.

    Raises
    ------
    FrameError
        When a value lies outside its range, or a position opened with this leverage would be
        liquidated at its own entry.

    Examples
    --------
    >>> from liqwarn.liquidation.requirement import flat_requirement
    >>> position = Position(side="long", entry=120.0, notional=120.0, leverage=5.0)
    >>> risk = assess(position, flat_requirement(0.01), funding=Funding(rate=0.0003))
    >>> round(risk.liquidation_price, 2), risk.bankruptcy_price, round(risk.call_price, 2)
    (96.97, 96.0, 97.22)
    >>> round(risk.distance_frac, 4), round(risk.margin_ratio, 3), round(risk.days_funded)
    (0.1919, 0.05, 211)
    """
    price = position.entry if mark is None else mark
    for name, found in (("mark price", price), ("average true range", 1.0 if atr is None else atr)):
        if not (math.isfinite(found) and found > 0.0):
            raise FrameError(f"{name} is {found}, expected a finite number above 0")
    rate = Funding(rate=0.0) if funding is None else funding
    exposure, required = position.exposure, requirement.maintenance
    _refuse_insolvent(position, requirement)
    liquidated = float(closing_price(exposure, required))
    called = float(closing_price(exposure, required, ratio=warning_ratio))
    away = _away(position, price, liquidated)
    return PositionRisk(
        position=position,
        requirement=requirement,
        funding=rate,
        mark=price,
        liquidation_price=liquidated,
        bankruptcy_price=float(bankruptcy_at(exposure)),
        call_price=called,
        warning_ratio=warning_ratio,
        equity=float(equity_at(exposure, price)),
        maintenance=float(required.at(notional_at(exposure, price))),
        margin_ratio=float(margin_ratio(exposure, required, price)),
        distance_frac=away / price,
        call_distance_frac=_away(position, price, called) / price,
        distance_atr=math.nan if atr is None else away / atr,
        funding_per_day=float(paid_per_day(exposure, rate, price)),
        erosion_per_day=float(erosion_per_day(exposure, required, rate, price)),
        days_funded=float(days_funded(exposure, required, rate, price)),
    )


def _away(position: Position, mark: float, price: float) -> float:
    return mark - price if position.side == "long" else price - mark


def _refuse_insolvent(position: Position, requirement: Requirement) -> None:
    if position.mode == "cross" or position.leverage is None:
        return
    needed = float(requirement.maintenance.at(position.value))
    if position.balance <= needed:
        raise FrameError(
            f"margin at leverage {position.leverage:.10g} is {position.balance:,.6g}, expected "
            f"above the maintenance margin at entry, {needed:,.6g} by {requirement.name}"
        )
