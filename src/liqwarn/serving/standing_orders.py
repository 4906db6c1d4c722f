"""Which tightenings the journal of orders says are in force, beside what the positions hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Final

from liqwarn.decisions import Tier, iso_utc
from liqwarn.frames import SIDES, Side
from liqwarn.policy.book import Key
from liqwarn.policy.orders import MOST_SYMBOLS, Action, Order
from liqwarn.policy.position import Override, Position
from liqwarn.serving.order_journal import OrderEntry

__all__ = ["by_sides", "in_force", "missing_floors"]

_RAISING: Final = (Action.HALT, Action.TIGHTEN, Action.FAULT)
_AGAIN: Final = "again-"


def missing_floors(
    entries: Sequence[OrderEntry], positions: Mapping[Key, Position], now: datetime
) -> list[Order]:
    """Tightenings in force that a position does not hold, as orders for just those sides.

    A release speaks of the sides it was carried out on; an order for all symbols speaks of those
    that came later, too. The work grows with orders times sides, not with the square of either.
    """
    orders: list[Order] = []
    standing = set(positions)  # sides that nothing later released
    for entry in reversed(entries):
        order, end = entry.order, entry.order.ends(entry.at)
        if not standing:
            break
        if entry.accepted and order.action is Action.RELEASE:
            standing -= _released(entry, standing)
        elif _raises(entry, end, now):
            lasts = None if end is None else end - now
            lacking = [
                key
                for key in positions
                if key in standing and order.covers(*key) and not _holds(positions[key], order, end)
            ]
            orders += [
                replace(
                    order, id=f"{_AGAIN}{token_hex(12)}", symbols=symbols, sides=of, lasts=lasts
                )
                for symbols, of in by_sides(lacking)
            ]
    return orders[::-1]


def by_sides(keys: Iterable[Key]) -> list[tuple[tuple[str, ...], tuple[Side, ...]]]:
    """Symbols with the same sides together: what as few orders as possible can name.

    >>> by_sides([("A", "long"), ("B", "short"), ("A", "short"), ("C", "short")])
    [(('A',), ('long', 'short')), (('B', 'C'), ('short',))]
    """
    sides: dict[str, list[Side]] = {}
    for symbol, side in keys:
        sides.setdefault(symbol, []).append(side)
    groups: dict[tuple[Side, ...], list[str]] = {}
    for symbol, found in sides.items():
        groups.setdefault(tuple(one for one in SIDES if one in found), []).append(symbol)
    return [
        (tuple(symbols[at : at + MOST_SYMBOLS]), found)
        for found, symbols in groups.items()
        for at in range(0, len(symbols), MOST_SYMBOLS)
    ]


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


def _released(entry: OrderEntry, sides: Iterable[Key]) -> set[Key]:
    carried = {(side.symbol, side.side) for side in entry.sides}
    order = entry.order
    return {k for k in sides if order.covers(*k) and (not order.symbols or k in carried)}


def _holds(position: Position, order: Order, end: datetime | None) -> bool:
    """Whether something holds it as high for as long: a release takes all of them back."""
    tier, until = order.tier or Tier.T5, None if end is None else end - timedelta(seconds=1)
    broken = order.action is Action.FAULT
    return any(floor.holds(tier, until, integrity=broken) for floor in position.floors)
