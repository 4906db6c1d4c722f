"""Orders by hand in the live loop: carried out between two bars, and again after a restart.

An order is decided, written to the journal of orders, and only then in force. After a restart the
bars behind the snapshot are taken again, and each order at its place between them: it has the same
moment, and so the same result.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex
from typing import Final

from liqwarn.errors import PolicyError
from liqwarn.frames import SIDES, Side
from liqwarn.live.bar import LiveScores
from liqwarn.live.engine import LiveEngine
from liqwarn.policy.between import decide_between
from liqwarn.policy.book import Decision, Key
from liqwarn.policy.orders import Action, Order, carry_out
from liqwarn.policy.position import Position
from liqwarn.policy.tiers import Policy
from liqwarn.serving.order_desk import Asked, OrderDesk
from liqwarn.serving.order_journal import OrderedSide, OrderEntry, OrderJournal
from liqwarn.serving.standing_orders import by_sides, missing_floors

__all__ = ["Carried", "LiveOrders", "shown_reason"]

_MOST_SAID: Final = 8
_LONGEST: Final = 500
_NO_WORDS: Final = "what was found cannot be shown"
_FOLDERS: Final = re.compile(r"[^\s:]*/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """An order that was carried out, or refused, and the decisions it led to; none if refused."""

    entry: OrderEntry
    decisions: Mapping[Key, Decision]


class LiveOrders:
    """Carries orders out on an engine; of the loop's thread alone.

    Parameters
    ----------
    journal : OrderJournal
    desk : OrderDesk
    policy : Policy
    symbols : sequence of str
        Of the panel.
    """

    def __init__(
        self, journal: OrderJournal, desk: OrderDesk, policy: Policy, symbols: Sequence[str]
    ) -> None:
        self.journal = journal
        self._desk, self._policy, self._symbols = desk, policy, tuple(symbols)
        self._behind = [one for one in journal.entries if one.accepted]
        self._seen = 0

    def again(self, engine: LiveEngine, scores: LiveScores) -> Iterator[Carried]:
        """What was ordered behind the engine's newest bar, before this process began.

        Yields nothing for what the engine's positions know already. Positions are changed.
        """
        as_of = scores.as_of
        here = [one for one in self._behind if one.as_of == as_of]
        self._behind = [one for one in self._behind if one.as_of > as_of]
        for entry in here:
            positions = engine.memory.positions
            lacking = [
                (one.symbol, one.side)
                for one in entry.sides
                if (one.symbol, one.side) in positions
                and positions[one.symbol, one.side].sequence < one.sequence
            ]
            ordered, _ = _ordered(entry.order, lacking, positions, entry.at, self._policy)
            if ordered:
                decisions = self._decide(ordered, engine, scores, entry.at)
                positions.update({key: one.after for key, one in decisions.items()})
                yield Carried(entry=entry, decisions=decisions)

    def due(self, engine: LiveEngine, wall: datetime) -> list[Asked]:
        """What is to be carried out now: loosenings that ended, what was asked, what is not held.

        The last is a tightening of all symbols, of which one has its first score only now; or one
        that the record of positions has lost.
        """
        positions = engine.memory.positions
        ended = [k for k, p in positions.items() if p.ceiling and not p.ceiling.active(wall)]
        asked = [
            _own(Action.LAPSE, "the loosening has ended", symbols, sides)
            for symbols, sides in by_sides(ended)
        ]
        if len(positions) != self._seen:
            self._seen = len(positions)
            lacking = missing_floors(self.journal.entries, positions, wall)
            asked += [Asked(one, "service") for one in lacking]
        # before the first score an order could speak of nothing, and there is no flag: it waits
        return asked + (self._desk.take() if positions else [])

    def forget_loosenings(self) -> None:
        """Grant none of before the restart again: it was granted on another model's scores.

        Its sides are decided again in its place, so that no sequence goes back.
        """
        self._behind = [
            one if one.order.action is not Action.LOOSEN else _without_loosening(one)
            for one in self._behind
        ]

    def fault(self, reason: str, engine: LiveEngine) -> Asked | None:
        """The order that halts every side for a failed integrity check; None where all are.

        Halted for that very reason: the flags, and who releases them, must know of each.
        """
        asked = _own(Action.FAULT, reason)
        why, positions = asked.order.reason, engine.memory.positions.values()
        return None if all(_halted(one, why) for one in positions) else asked

    def carry_out(
        self, asked: Asked, engine: LiveEngine, scores: LiveScores, wall: datetime
    ) -> Carried:
        """Decide, write down, and only then change the engine's positions.

        An order that is known already has its answer of then, and changes nothing.

        Raises
        ------
        OSError
            When it cannot be written down: nothing has changed, but for what the service itself
            orders, which only restricts and is found out again.
        """
        order, known = asked.order, self.journal.find(asked.order.id)
        if known is not None and known.order == order:
            return Carried(entry=known, decisions={})
        now = max(wall, scores.as_of)
        positions = engine.memory.positions
        ordered, why = self._checked(asked, known, positions, now)
        decisions = self._decide(ordered, engine, scores, now) if ordered else {}
        entry = OrderEntry(
            order=order,
            by=asked.by,
            at=now,
            as_of=scores.as_of,
            sides=tuple(
                OrderedSide(
                    symbol=symbol,
                    side=side,
                    before=positions[symbol, side].tier,
                    tier=one.after.tier,
                    sequence=one.after.sequence,
                )
                for (symbol, side), one in decisions.items()
            ),
            refused=tuple(why[:_MOST_SAID]),
        )
        try:
            self.journal.append(entry)
        except OSError:
            if asked.by != "service":
                raise
        positions.update({key: one.after for key, one in decisions.items()})
        return Carried(entry=entry, decisions=decisions)

    def _checked(
        self,
        asked: Asked,
        known: OrderEntry | None,
        positions: Mapping[Key, Position],
        now: datetime,
    ) -> tuple[dict[Key, Position], list[str]]:
        """The sides with the order on them, and why others are without."""
        order = asked.order
        if known is not None:
            return {}, [f"id {order.id!r} is that of another order"]
        if asked.stale and order.action in (Action.LOOSEN, Action.RELEASE):
            return {}, [f"the order to {order.action} waited too long: it was meant for then"]
        strange = sorted(set(order.symbols) - set(self._symbols))
        if strange:
            return {}, [f"symbols {strange[:5]} are not of the panel"]
        keys: list[Key] = [
            (symbol, side) for symbol in order.symbols or self._symbols for side in order.sides
        ]
        found = [key for key in keys if key in positions]
        why = [
            f"{symbol} has had no score yet: it has no flag, which lets no new risk in"
            for symbol in order.symbols
            if (symbol, SIDES[0]) not in positions
        ]
        ordered, refused = _ordered(order, found, positions, now, self._policy)
        return ordered, why + refused or ([] if ordered else ["no symbol has had a score yet"])

    def _decide(
        self,
        ordered: Mapping[Key, Position],
        engine: LiveEngine,
        scores: LiveScores,
        now: datetime,
    ) -> dict[Key, Decision]:
        positions, evidence = engine.memory.positions, scores.evidences()
        return decide_between(positions, ordered, evidence, now, self._policy)


def shown_reason(reason: str) -> str:
    r"""A reason as readers of flags may see it: one line, and not where things lie here.

    >>> shown_reason("/srv/live/audit.jsonl: line 7\nis not the one")
    'audit.jsonl: line 7 is not the one'

    Whatever was found, there is one: a halt must not fail for its words.
    """
    plain = "".join(one if one.isprintable() else " " for one in _FOLDERS.sub("", reason))
    return " ".join(plain.split())[:_LONGEST].strip() or _NO_WORDS


def _ordered(
    order: Order,
    keys: Sequence[Key],
    positions: Mapping[Key, Position],
    now: datetime,
    policy: Policy,
) -> tuple[dict[Key, Position], list[str]]:
    ordered, refused = {}, []
    for key in keys:
        if order.action is Action.FAULT and _halted(positions[key], order.reason):
            continue
        try:
            ordered[key] = carry_out(positions[key], order, now, policy)
        except PolicyError as error:
            refused.append(str(error))
    return ordered, refused


def _halted(position: Position, reason: str) -> bool:
    return any(floor.integrity and floor.reason == reason for floor in position.floors)


def _without_loosening(entry: OrderEntry) -> OrderEntry:
    order = replace(entry.order, action=Action.LAPSE, tier=None, lasts=None)
    return replace(entry, order=order)


def _own(
    action: Action, reason: str, symbols: tuple[str, ...] = (), sides: tuple[Side, ...] = SIDES
) -> Asked:
    """What the service orders by itself."""
    order = Order(
        id=f"{action}-{token_hex(12)}",
        action=action,
        symbols=symbols,
        sides=sides,
        names=("service",),
        reason=shown_reason(reason),
    )
    return Asked(order, "service")
