"""What the breaker lets a side hold, bar by bar: the limits in force, as arrays.

A history keeps tiers and states, not positions. They are enough: a side's limits are those of its
own tier and of the opposite side's, limit by limit the stricter, and its state says whether it may
grow. That this is what :func:`liqwarn.policy.restriction.binding` says is tested bar by bar.
"""

from dataclasses import dataclass

import numpy as np

from liqwarn.decisions import TradingState
from liqwarn.errors import PolicyError
from liqwarn.frames import BoolArray, FloatArray
from liqwarn.policy.history import History
from liqwarn.policy.limits import stricter
from liqwarn.policy.tiers import Policy

__all__ = ["Allowance", "allowance"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Allowance:
    """What one side of one symbol may hold after each bar's close.

    Attributes
    ----------
    leverage_frac : ndarray of float64, shape (n_bars,)
        Cap, as a share of the house's leverage.
    add_frac : ndarray of float64, shape (n_bars,)
        Of what the cap would allow to add, the share that may be added.
    may_increase : ndarray of bool, shape (n_bars,)
        Whether exposure may grow at all.
    """

    leverage_frac: FloatArray
    add_frac: FloatArray
    may_increase: BoolArray

    def leverage(self, house: float) -> FloatArray:
        """Leverage of a book that wants the house's and obeys, decided at each bar's close.

        Above the cap it comes down to the cap; below it, it adds the share that is allowed, and
        nothing while exposure may not grow. It starts with nothing.

        Examples
        --------
        >>> allowed = Allowance(leverage_frac=np.array([1.0, 0.5, 1.0, 1.0]),
        ...                     add_frac=np.array([1.0, 0.5, 0.0, 1.0]),
        ...                     may_increase=np.array([True, True, False, True]))
        >>> allowed.leverage(3.0).tolist()
        [3.0, 1.5, 1.5, 3.0]
        """
        held, out = 0.0, []
        caps, adds = (self.leverage_frac * house).tolist(), self.add_frac.tolist()
        for cap, add, grows in zip(caps, adds, self.may_increase.tolist(), strict=True):
            room = add * (cap - held) if grows else 0.0
            held = cap if held > cap else held + room
            out.append(held)
        return np.array(out)


def allowance(history: History, policy: Policy, symbol: int, side: int) -> Allowance:
    """Read one side of a history as limits; before its first score a side may hold nothing.

    Raises
    ------
    PolicyError
        When the history has tiers that the policy does not.
    """
    own, other = history.tiers[symbol, :, side], history.tiers[symbol, :, 1 - side]
    if max(own.max(initial=0), other.max(initial=0)) >= len(policy.tiers):
        raise PolicyError(
            f"history has tier {max(own.max(), other.max())}, expected below {len(policy.tiers)}"
        )
    leverage, add = np.zeros((2, own.size))
    for bar, (tier, opposite) in enumerate(zip(own.tolist(), other.tolist(), strict=True)):
        if tier < 0:
            continue
        limits = stricter(policy.tiers[tier].threatened, policy.tiers[opposite].other)
        leverage[bar], add[bar] = limits.leverage_frac, limits.add_frac
    may_increase = history.states[symbol, :, side] == TradingState.ACTIVE.value
    return Allowance(
        leverage_frac=leverage,
        add_frac=np.where(may_increase, add, 0.0),
        may_increase=may_increase,
    )
