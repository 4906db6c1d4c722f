"""What may stand against a cascade: nothing, a public price line, control of volatility.

An arm looks at a run after a bar and says what holds from the next one on. Where anticipated, the
fearful leave when what they can see for themselves says that the arm is about to act.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.loop_events import moving_little, realised_volatility
from liqwarn.simulation.loop_market import LoopRun
from liqwarn.simulation.restraint import Restraint, house_restraint

__all__ = [
    "Always",
    "Arm",
    "Free",
    "PriceLine",
    "VolTarget",
    "matching_target",
]

LINE, NEAR_LINE = 0.05, 0.015
LINE_LOOKBACK_H, LINE_STAY_H = 4.0, 1.0
VOLATILITY_H = 12.0
LEAST_FACTOR = 0.25


class Arm(Protocol):
    """Something that restricts the obedient."""

    def decide(self, run: LoopRun) -> Restraint:
        """What holds from now on, from what is known at the last bar's close."""
        ...


@dataclass(frozen=True, slots=True)
class Free:
    """House limits alone. There is no line to fear."""

    def decide(self, run: LoopRun) -> Restraint:
        """See :class:`Arm`."""
        return house_restraint(len(run.market.config.specs))


@dataclass(frozen=True, slots=True)
class Always:
    """A share of the house leverage at all times: the most that limits on leverage can do."""

    leverage: float

    def decide(self, run: LoopRun) -> Restraint:
        """See :class:`Arm`."""
        free = house_restraint(len(run.market.config.specs))
        calm = moving_little(run.market.config, run.record, run.last)
        return free._replace(leverage=self.leverage * free.leverage, cut=calm.astype(np.float64))


@dataclass(slots=True)
class PriceLine:
    """A public line: 5 % from the extreme of four hours, the side may only reduce for an hour.

    Its leverage limit is that of the breaker's tier for the same orders, half of the house's.
    """

    config: MarketConfig
    anticipated: bool
    until: FloatArray

    @classmethod
    def of(cls, config: MarketConfig, *, anticipated: bool) -> "PriceLine":
        """An arm that has seen nothing yet."""
        return cls(config, anticipated, np.full((len(config.specs), 2), -1.0))

    def decide(self, run: LoopRun) -> Restraint:
        """See :class:`Arm`."""
        bars = round(LINE_LOOKBACK_H / self.config.bar_h)
        close = run.closes()[:, -bars:]
        away = np.stack(
            [close.max(axis=1) - close[:, -1], close[:, -1] - close.min(axis=1)], axis=1
        )
        crossed = away >= LINE
        stay = run.bar + LINE_STAY_H / self.config.bar_h
        self.until = np.where(crossed, stay, self.until)
        shut = run.bar < self.until
        near = (away >= LINE - NEAR_LINE) & ~shut if self.anticipated else np.zeros_like(shut)
        return Restraint(
            entry=np.where(shut, 0.0, 1.0),
            leverage=np.where(shut, 0.5, 1.0),
            cut=shut.astype(np.float64),
            near=near.astype(np.float64),
        )


@dataclass(frozen=True, slots=True)
class VolTarget:
    """Leverage in inverse proportion to realised volatility, of both sides alike.

    Attributes
    ----------
    target : float
        Volatility over its usual level up to which nothing is restricted.
    """

    config: MarketConfig
    target: float
    anticipated: bool

    def decide(self, run: LoopRun) -> Restraint:
        """See :class:`Arm`."""
        now = realised_volatility(self.config, run.closes(), VOLATILITY_H)
        factor = np.clip(self.target / np.maximum(now, 1e-12), LEAST_FACTOR, 1.0)
        factor = np.round(factor, 2)
        both = np.stack([factor, factor], axis=1)
        near = (now > 0.9 * self.target) & (now < 1.3 * self.target) & self.anticipated
        return Restraint(
            entry=both.copy(),
            leverage=both,
            cut=(both < 1.0).astype(np.float64),
            near=np.stack([near, near], axis=1).astype(float),
        )


def matching_target(volatility: FloatArray, exposure: float) -> float:
    """The target at which volatility control allows a given exposure on average.

    Parameters
    ----------
    volatility : ndarray
        Realised, of all symbols and bars of a run without restrictions.
    exposure : float
        Average factor on the house leverage that the other arm allowed.

    Examples
    --------
    >>> volatility = np.array([0.5, 1.0, 2.0])
    >>> round(matching_target(volatility, 5 / 6), 3)
    1.0
    """
    low, high = 0.0, float(volatility.max()) + 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        allowed = np.clip(middle / volatility, LEAST_FACTOR, 1.0).mean()
        low, high = (middle, high) if allowed < exposure else (low, middle)
    return 0.5 * (low + high)
