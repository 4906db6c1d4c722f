"""An order by hand as a value: who wants which tier, where, why and for how long.

What it does to a position is in :mod:`liqwarn.policy.overrides`; this says it in one shape that can
be written down, sent, and carried out again after a restart with the same result.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, cast

from liqwarn.decisions import Tier
from liqwarn.errors import PolicyError
from liqwarn.frames import SIDES, Side
from liqwarn.policy.overrides import Signed, halt_on_fault, loosen, release, tighten
from liqwarn.policy.position import Position
from liqwarn.policy.tiers import Policy

__all__ = [
    "BY_HAND",
    "MOST_SYMBOLS",
    "Action",
    "Order",
    "carry_out",
    "order_from_dict",
    "order_to_dict",
]

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_NAMES: Final = 4
_LONGEST_NAME: Final = 80
_LONGEST_REASON: Final = 500
MOST_SYMBOLS: Final = 1_000
"""An order names no more."""
_LONGEST: Final = timedelta(days=366)
_KEYS: Final = frozenset(["id", "action", "symbols", "sides", "tier", "names", "reason", "lasts_s"])


class Action(StrEnum):
    """What is ordered."""

    HALT = "halt"
    TIGHTEN = "tighten"
    LOOSEN = "loosen"
    RELEASE = "release"
    FAULT = "fault"
    """T5 by the service itself: an integrity check failed."""
    LAPSE = "lapse"
    """By the service itself: a loosening has ended, the side is decided again."""


BY_HAND: Final = (Action.HALT, Action.TIGHTEN, Action.LOOSEN, Action.RELEASE)
"""What people may order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order.

    Attributes
    ----------
    id : str
        Chosen by who orders: the same id is carried out once, however often it is sent.
    action : Action
    symbols : tuple of str
        None named is all of the panel, those that have no score yet included.
    sides : tuple of str
    tier : Tier or None
        To tighten or loosen to; the others know theirs.
    names : tuple of str
        Who decided; two different ones to loosen or release.
    reason : str
        A sentence; readers of the flag see it.
    lasts : timedelta or None
        From the moment it is carried out. None: until it is released.

    Raises
    ------
    PolicyError
        When it cannot be carried out on any position.

    Examples
    --------
    >>> Order(id="1", action=Action.LOOSEN, tier=Tier.T1, names=("Ada", "Bob"), reason="bad tick")
    Traceback (most recent call last):
        ...
    liqwarn.errors.PolicyError: loosen without an end, expected one within the policy's limit
    """

    id: str
    action: Action
    names: tuple[str, ...]
    reason: str
    symbols: tuple[str, ...] = ()
    sides: tuple[Side, ...] = SIDES
    tier: Tier | None = None
    lasts: timedelta | None = None

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise PolicyError(
                f"id is {self.id!r}, expected up to 64 letters, digits, '.', '_', '-'"
            )
        _check_words(self.names, self.reason)
        if not self.sides or set(self.sides) - set(SIDES) or len(self.symbols) > MOST_SYMBOLS:
            raise PolicyError(
                f"{len(self.symbols)} symbols and sides {list(self.sides)}, expected at most "
                f"{MOST_SYMBOLS} and {list(SIDES)} or one of them"
            )
        self._check_shape()
        if self.action in (Action.LOOSEN, Action.RELEASE):
            Signed(self.names, self.reason)

    def _check_shape(self) -> None:
        named = self.action in (Action.TIGHTEN, Action.LOOSEN)
        if named == (self.tier is None):
            need = "a tier" if named else "no tier: it has its own"
            raise PolicyError(f"{self.action} to {self.tier}, expected {need}")
        if self.action is Action.LOOSEN and self.lasts is None:
            raise PolicyError("loosen without an end, expected one within the policy's limit")
        if self.lasts is not None and not (named and timedelta(0) < self.lasts <= _LONGEST):
            need = f"above 0 and up to {_LONGEST}" if named else "no end: it stays until released"
            raise PolicyError(f"{self.action} for {self.lasts}, expected {need}")

    def covers(self, symbol: str, side: Side) -> bool:
        """Whether it speaks of that side."""
        return side in self.sides and (not self.symbols or symbol in self.symbols)

    def ends(self, now: datetime) -> datetime | None:
        """When it ends, carried out at `now`."""
        return None if self.lasts is None else now + self.lasts


def carry_out(position: Position, order: Order, now: datetime, policy: Policy) -> Position:
    """The position with the order on it; the breaker decides from there.

    Raises
    ------
    PolicyError
        Why the order cannot be carried out there.
    """
    match order.action:
        case Action.HALT | Action.TIGHTEN:
            tier, name = order.tier or Tier.T5, " and ".join(order.names)
            return tighten(position, tier, name, order.reason, now, expires_at=order.ends(now))
        case Action.LOOSEN:
            signed, end = Signed(order.names, order.reason), order.ends(now)
            tier = cast("Tier", order.tier)
            return loosen(
                position, tier, signed, now, expires_at=cast("datetime", end), policy=policy
            )
        case Action.RELEASE:
            return release(position, Signed(order.names, order.reason), now, policy=policy)
        case Action.FAULT:
            return halt_on_fault(position, order.reason, now)
        case Action.LAPSE:
            return position


def order_to_dict(order: Order) -> dict[str, Any]:
    """The order as plain JSON values."""
    return {
        "id": order.id,
        "action": order.action.value,
        "symbols": list(order.symbols),
        "sides": list(order.sides),
        "tier": None if order.tier is None else order.tier.name,
        "names": list(order.names),
        "reason": order.reason,
        "lasts_s": None if order.lasts is None else order.lasts.total_seconds(),
    }


def order_from_dict(raw: Mapping[str, Any]) -> Order:
    """Read an order back.

    Raises
    ------
    PolicyError
        When a key is unknown, missing or unreadable, or it is an order nobody could carry out.
    """
    if not isinstance(raw, Mapping) or set(raw) != _KEYS:
        found = sorted(raw) if isinstance(raw, Mapping) else type(raw).__name__
        raise PolicyError(f"order has {found}, expected {sorted(_KEYS)}")
    try:
        tier, lasts = raw["tier"], raw["lasts_s"]
        return Order(
            id=raw["id"],
            action=Action(raw["action"]),
            symbols=_texts(raw["symbols"]),
            sides=cast("tuple[Side, ...]", _texts(raw["sides"])),
            tier=None if tier is None else Tier[tier],
            names=_texts(raw["names"]),
            reason=raw["reason"],
            lasts=None if lasts is None else timedelta(seconds=lasts),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise PolicyError(f"unreadable order: {type(error).__name__} {error}") from error


def _texts(raw: Any) -> tuple[str, ...]:  # noqa: ANN401  whatever JSON says
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise TypeError(f"found {raw!r}, expected a list of texts")
    return tuple(raw)


def _check_words(names: tuple[str, ...], reason: str) -> None:
    """Names and reasons go into flags, logs and alerts: one line each, and no more than that."""
    if not 1 <= len(names) <= _MOST_NAMES or not all(n.strip() for n in names):
        raise PolicyError(f"names are {list(names)}, expected 1 to {_MOST_NAMES}, none empty")
    if not reason.strip():
        raise PolicyError("the reason is empty, expected a sentence")
    for what, text, most in (
        *(("name", n, _LONGEST_NAME) for n in names),
        ("reason", reason, _LONGEST_REASON),
    ):
        if len(text) > most or not text.isprintable():
            raise PolicyError(
                f"{what} has {len(text)} characters, expected at most {most} on one line"
            )
