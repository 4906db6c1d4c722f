"""How much of an order may be sent: plain numbers in, plain numbers out."""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from liqwarn.decisions import Limits
from liqwarn_nautilus.flag_book import Verdict

__all__ = ["House", "Permission", "opening_allowed", "price_refusal", "split"]

_NONE = Decimal(0)


class Permission(NamedTuple):
    """Whether exposure may grow, by how much, and why."""

    allowed: bool
    quantity: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class House:
    """The house's own limits of an instrument, as quantities; None is none that is known."""

    order: Decimal | None = None
    position: Decimal | None = None


def split(quantity: Decimal, opposite: Decimal) -> tuple[Decimal, Decimal]:
    """An order's reducing and its opening part, beside a position of the opposite side.

    >>> split(Decimal(8), Decimal(5))
    (Decimal('5'), Decimal('3'))
    """
    reducing = min(quantity, opposite)
    return reducing, quantity - reducing


def opening_allowed(
    quantity: Decimal, exposure: Decimal, verdict: Verdict, house: House
) -> Permission:
    """How much of an opening quantity may be sent.

    Parameters
    ----------
    quantity : Decimal
        Asked, the opening part alone.
    exposure : Decimal
        Held on that side, and resting in orders that would add to it.
    verdict : Verdict
    house : House
        Without a limit of one order the asked quantity stands for it and is scaled; without a
        limit of the position `leverage_frac` binds nothing.
    """
    if not verdict.new_risk:
        return Permission(False, _NONE, verdict.reason)
    share = _decimal(min(verdict.limits.order_size_frac, verdict.limits.add_frac))
    allowed = quantity * share if house.order is None else min(quantity, house.order * share)
    if house.position is not None:
        room = house.position * _decimal(verdict.limits.leverage_frac) - exposure
        allowed = min(allowed, max(room, _NONE))
    if allowed >= quantity:
        return Permission(True, quantity, verdict.reason)
    reason = f"{verdict.reason}: {allowed:f} of {quantity:f} may be added"
    return Permission(allowed > 0, allowed, reason)


def price_refusal(
    price: Decimal | None, mark: Decimal | None, *, post_only: bool, limits: Limits
) -> str | None:
    """Why an opening order's price or kind is refused, None when it is not.

    Parameters
    ----------
    price : Decimal or None
        Of the order; None is at market.
    mark : Decimal or None
        The last price known.
    post_only : bool
        Whether the order can only rest.
    """
    if limits.post_only and not post_only:
        return "entries must be post-only"
    if limits.collar_frac is None:
        return None
    if price is None:
        return "an order at market cannot keep to a collar"
    if mark is None:
        return "no price to hold the collar against"
    if abs(price - mark) > mark * _decimal(limits.collar_frac):
        return f"price {price} is beyond {limits.collar_frac:.2%} of {mark}"
    return None


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))
