"""Which tightenings the journal of orders says are in force, beside what the positions hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Final

from liqwarn.decisions import Tier, iso_utc
from liqwarn.policy.book import Key
from liqwarn.policy.orders import Action, Order
from liqwarn.policy.position import Override, Position
from liqwarn.serving.order_journal import OrderEntry

__all__ = ["in_force", "missing_floors"]

_RAISING: Final = (Action.HALT, Action.TIGHTEN, Action.FAULT)
_AGAIN: Final = "again-"


def missing_floors(
    entries: Sequence[OrderEntry], positions: Mapping[Key, Position], now: datetime
) -> list[Order]:
    """Tightenings in force that a position does not hold, as orders for just those sides.

    A release speaks of the sides it was carried out on; an order for all symbols speaks of those
    that came later, too.
    """
    orders = []
    for place, entry in enumerate(entries):
        order, end = entry.order, entry.order.ends(entry.at)
        if not _raises(entry, end, now):
            continue
        orders += [
            replace(
                order,
                id=f"{_AGAIN}{token_hex(12)}",
                symbols=(symbol,),
                sides=(side,),
                lasts=None if end is None else end - now,
            )
            for (symbol, side), position in positions.items()
            if order.covers(symbol, side)
            and not _released((symbol, side), entries[place + 1 :])
            and not _holds(position, order, end)
        ]
    return orders


def in_force(positions: Mapping[Key, Position], now: datetime) -> list[dict[str, object]]:
    """What was ordered by hand or for a fault and binds now, one entry an order."""
    found: dict[tuple[str, Override], list[dict[str, str]]] = {}
    for (symbol, side), position in sorted(positions.items()):
        held = [("fault" if one.integrity else "tighten", one) for one in position.floors]
        held += [] if position.ceiling is None else [("loosen", position.ceiling)]
        for kind, one in held:
            if one.active(now):
                granted = replace(one, granted_at=None)
                found.setdefault((kind, granted), []).append({"symbol": symbol, "side": side})
    return [
        {
            "action": kind,
            "tier": one.tier.name,
            "names": list(one.names),
            "reason": one.reason,
            "issued_at": iso_utc(one.issued_at),
            "expires_at": None if one.expires_at is None else iso_utc(one.expires_at),
            "sides": sides,
        }
        for (kind, one), sides in found.items()
    ]


def _raises(entry: OrderEntry, end: datetime | None, now: datetime) -> bool:
    """Whether it holds somebody up still; one that only repeats another does so by that one."""
    again = entry.by == "service" and entry.order.id.startswith(_AGAIN)
    raising = entry.accepted and entry.order.action in _RAISING and not again
    return raising and (end is None or now < end)


def _released(key: Key, later: Iterable[OrderEntry]) -> bool:
    return any(
        one.accepted
        and one.order.action is Action.RELEASE
        and one.order.covers(*key)
        and (not one.order.symbols or key in {(side.symbol, side.side) for side in one.sides})
        for one in later
    )


def _holds(position: Position, order: Order, end: datetime | None) -> bool:
    tier, reason = order.tier or Tier.T5, order.reason.strip()
    return any(
        floor.tier == tier
        and floor.reason == reason
        and floor.integrity == (order.action is Action.FAULT)
        and (
            floor.expires_at is None
            or (end is not None and floor.expires_at >= end - timedelta(seconds=1))
        )
        for floor in position.floors
    )
