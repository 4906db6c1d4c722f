"""How limits compare: the stricter of two, and whether one is at least as strict as another."""

from dataclasses import replace
from functools import lru_cache
from typing import Final

from liqwarn.decisions import Limits

__all__ = ["HOUSE_LIMITS", "at_least_as_strict", "no_new_risk", "stricter"]

HOUSE_LIMITS: Final = Limits()
"""No restriction: the house's own limits hold."""


def _tighter(a: float | None, b: float | None) -> float | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)


@lru_cache(maxsize=4096)
def stricter(a: Limits, b: Limits) -> Limits:
    """The stricter of both, limit by limit.

    >>> stricter(Limits(leverage_frac=0.5), Limits(add_frac=0.2, post_only=True)).leverage_frac
    0.5
    """
    return Limits(
        leverage_frac=min(a.leverage_frac, b.leverage_frac),
        order_size_frac=min(a.order_size_frac, b.order_size_frac),
        add_frac=min(a.add_frac, b.add_frac),
        collateral_buffer_mult=max(a.collateral_buffer_mult, b.collateral_buffer_mult),
        max_participation_frac=_tighter(a.max_participation_frac, b.max_participation_frac),
        net_increase=a.net_increase and b.net_increase,
        post_only=a.post_only or b.post_only,
        collar_frac=_tighter(a.collar_frac, b.collar_frac),
        cancel_increasing=a.cancel_increasing or b.cancel_increasing,
    )


def at_least_as_strict(a: Limits, b: Limits) -> bool:
    """Whether nothing that `b` forbids is allowed by `a`.

    >>> at_least_as_strict(Limits(leverage_frac=0.5), Limits()), at_least_as_strict(
    ...     Limits(), Limits(post_only=True))
    (True, False)
    """
    return stricter(a, b) == a


@lru_cache(maxsize=4096)
def no_new_risk(limits: Limits) -> Limits:
    """The same limits, and no increase of exposure.

    >>> no_new_risk(Limits()).net_increase
    False
    """
    return replace(limits, net_increase=False, add_frac=0.0)
