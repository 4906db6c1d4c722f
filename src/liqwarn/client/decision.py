"""The answer an order path gets, from a flag or for want of one."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from liqwarn.decisions import Limits, Restriction, Tier, TradingState

__all__ = ["ASSUMED", "Decision", "Moment", "allowed", "denied", "expired_tier"]

Side = Literal["long", "short"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one side of one symbol may do now. Orders that reduce risk need no decision.

    Attributes
    ----------
    symbol, side : str
        `side` is that of the position an order would open or grow.
    tier : int
        0 to 5; 3 is assumed when there is no usable flag.
    state : str
        ``ACTIVE``, ``REDUCING`` or ``HALTED``; never ``HALTED`` for want of a flag.
    new_risk : bool
        Whether exposure of this side may grow at all.
    leverage_frac, order_size_frac, add_frac : float
        Factors on the house limits.
    collateral_buffer_mult, max_participation_frac, post_only, collar_frac, cancel_increasing
        As in :class:`liqwarn.decisions.Limits`.
    quality : str
        ``ok``, ``degraded``, ``stale`` or ``unknown``.
    reason : str
        Why, in words; for a denial, what was missing.
    fresh : bool
        Whether it comes from a flag within its validity.
    sequence : int
        Of the flag; −1 without one.
    as_of_s, valid_until_s : float
        Seconds since 1970, UTC; NaN when unknown.
    p_4h : float or None
        Calibrated chance of a cascade of this side within 4 h.
    """

    symbol: str
    side: str
    tier: int
    state: str
    new_risk: bool
    leverage_frac: float
    order_size_frac: float
    add_frac: float
    collateral_buffer_mult: float
    max_participation_frac: float | None
    post_only: bool
    collar_frac: float | None
    cancel_increasing: bool
    quality: str
    reason: str
    fresh: bool
    sequence: int
    as_of_s: float
    valid_until_s: float
    p_4h: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and how a flag was made, as both its sides share it."""

    sequence: int
    as_of_ns: int
    valid_until_ns: int
    quality: str


ASSUMED: Final = Limits(
    leverage_frac=0.5,
    order_size_frac=0.0,
    add_frac=0.0,
    collateral_buffer_mult=1.5,
    max_participation_frac=0.05,
    net_increase=False,
    post_only=True,
)
"""Without a usable flag: no new risk. A flag that was stricter stays so."""


def allowed(symbol: str, side: str, restriction: Restriction, moment: Moment) -> Decision:
    """What a good flag says; one of quality ``stale`` or ``unknown`` denies.

    A flag whose state and limits contradict one another is taken by the stricter.

    >>> calm = Restriction(tier=Tier.T0, state=TradingState.ACTIVE, limits=Limits(),
    ...                    probability={4: 0.01}, reasons=("Calm.",))
    >>> noon = Moment(sequence=1, as_of_ns=0, valid_until_ns=10**9, quality="ok")
    >>> allowed("BTCUSDT", "long", calm, noon).new_risk
    True
    """
    limits, fresh = restriction.limits, moment.quality in ("ok", "degraded")
    grows = (
        restriction.state is TradingState.ACTIVE
        and limits.net_increase
        and min(limits.leverage_frac, limits.order_size_frac, limits.add_frac) > 0.0
    )
    decision = Decision(
        symbol=symbol,
        side=side,
        tier=int(restriction.tier),
        state=restriction.state.value,
        new_risk=grows,
        leverage_frac=limits.leverage_frac,
        order_size_frac=limits.order_size_frac,
        add_frac=limits.add_frac,
        collateral_buffer_mult=limits.collateral_buffer_mult,
        max_participation_frac=limits.max_participation_frac,
        post_only=limits.post_only,
        collar_frac=limits.collar_frac,
        cancel_increasing=limits.cancel_increasing,
        quality=moment.quality,
        reason=" ".join(restriction.reasons) or f"flag: T{restriction.tier:d}",
        fresh=fresh,
        sequence=moment.sequence,
        as_of_s=moment.as_of_ns / 1e9,
        valid_until_s=moment.valid_until_ns / 1e9,
        p_4h=restriction.probability.get(4),
    )
    if fresh:
        return decision
    return denied(symbol, side, f"stale: the flag says {moment.quality}", last=decision)


def denied(
    symbol: str,
    side: str,
    reason: str,
    *,
    last: Decision | None = None,
    tier: int = Tier.T3,
) -> Decision:
    """No new risk.

    Parameters
    ----------
    last : Decision or None
        The last good one of this side, which is never loosened: its tier, its limits and an
        operator's halt stay.
    tier : int
        The least to assume.
    """
    halted = last is not None and last.state == TradingState.HALTED.value
    return Decision(
        symbol=symbol,
        side=side,
        tier=max(int(tier), last.tier if last else 0),
        state=(TradingState.HALTED if halted else TradingState.REDUCING).value,
        new_risk=False,
        leverage_frac=min(ASSUMED.leverage_frac, last.leverage_frac if last else 1.0),
        order_size_frac=0.0,
        add_frac=0.0,
        collateral_buffer_mult=max(
            ASSUMED.collateral_buffer_mult, last.collateral_buffer_mult if last else 1.0
        ),
        max_participation_frac=_least(
            ASSUMED.max_participation_frac, last.max_participation_frac if last else None
        ),
        post_only=True,
        collar_frac=last.collar_frac if last else None,
        cancel_increasing=last.cancel_increasing if last else False,
        quality="stale" if last else "unknown",
        reason=reason,
        fresh=False,
        sequence=last.sequence if last else -1,
        as_of_s=last.as_of_s if last else math.nan,
        valid_until_s=last.valid_until_s if last else math.nan,
        p_4h=None,
    )


def _least(a: float | None, b: float | None) -> float | None:
    known = [value for value in (a, b) if value is not None]
    return min(known, default=None)


def expired_tier(expired_for_s: float) -> int:
    """The least tier of a flag that expired so long ago: T2, from an hour on T3.

    >>> expired_tier(1.0), expired_tier(3600.0)
    (2, 3)
    """
    return int(Tier.T3 if expired_for_s >= 3600.0 else Tier.T2)
