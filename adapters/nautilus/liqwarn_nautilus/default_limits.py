"""Limits by tier, as the policy that liqwarn ships sets them.

The flag history names tiers and states, not limits. A house with a policy of its own passes its own
table to :func:`~liqwarn_nautilus.history.load_flags`.
"""

from dataclasses import dataclass

from liqwarn.decisions import Limits
from liqwarn.policy.limits import no_new_risk, stricter

__all__ = ["DEFAULT_LIMITS", "TierLimits", "limits_of"]


@dataclass(frozen=True, slots=True)
class TierLimits:
    """What a tier asks of the side it threatens, and of the opposite one."""

    threatened: Limits = Limits()
    other: Limits = Limits()


_CAUTION = {
    "leverage_frac": 0.5,
    "order_size_frac": 0.75,
    "collateral_buffer_mult": 1.5,
    "max_participation_frac": 0.05,
}
_RESTRICT = {**_CAUTION, "add_frac": 0.0, "net_increase": False, "post_only": True}
_HALT = Limits(**_RESTRICT, collar_frac=0.01, cancel_increasing=True)

DEFAULT_LIMITS: dict[int, TierLimits] = {
    0: TierLimits(),
    1: TierLimits(Limits(leverage_frac=0.75, order_size_frac=0.75)),
    2: TierLimits(Limits(**_CAUTION, add_frac=0.5), Limits(leverage_frac=0.75)),
    3: TierLimits(Limits(**_RESTRICT), Limits(leverage_frac=0.5)),
    4: TierLimits(Limits(**_RESTRICT, collar_frac=0.01), Limits(leverage_frac=0.5)),
    5: TierLimits(_HALT, _HALT),
}
"""By tier, of the policy's version 1.0.0."""


def limits_of(tier: int, opposite: int, state: str, table: dict[int, TierLimits]) -> Limits:
    """What binds a side: its own tier's limits and what the opposite tier shares, the stricter.

    >>> limits_of(0, 3, "ACTIVE", DEFAULT_LIMITS).leverage_frac
    0.5
    >>> limits_of(0, 4, "REDUCING", DEFAULT_LIMITS).net_increase
    False
    """
    limits = stricter(table[tier].threatened, table[opposite].other)
    return limits if state == "ACTIVE" else no_new_risk(limits)
