"""May this side of this symbol take new risk: asked before every order that would add some."""

import os
import threading
import weakref
from types import TracebackType
from typing import Any, Protocol, Self

from liqwarn.board.clocks import SYSTEM_CLOCKS, Clocks
from liqwarn.board.flag import Refusal
from liqwarn.client.decision import Decision, denied, expired_tier
from liqwarn.client.seen import Seen
from liqwarn.decisions import Tier

__all__ = ["Gate", "Source"]


class Source(Protocol):
    """Where a gate's flags come from."""

    def find(self, symbol: str) -> Seen | Refusal:
        """What is known of a symbol now; never for longer than the stated bound."""

    def status(self) -> dict[str, Any]:
        """Age of the last good read, and what is wrong."""

    def close(self) -> None:
        """End it."""


class Gate:
    """Answers :class:`Decision` for a symbol and a side; made by ``open_gate``.

    It never raises, and without a good flag it denies. Threads may share it; a forked child may
    go on with it.

    Parameters
    ----------
    source : Source
        Board, server or file.
    name : str
        The source in words, for :meth:`status`.
    clocks : Clocks
        Where the time comes from.
    """

    def __init__(self, source: Source, name: str, *, clocks: Clocks = SYSTEM_CLOCKS) -> None:
        self._source = source
        self._find = source.find
        self._name = name
        self._clocks = clocks
        self._admitted: dict[str, Seen] = {}
        self._lock = threading.Lock()
        self._denials: dict[str, int] = {}
        self._closed = False
        _GATES.add(self)

    def __call__(self, symbol: str, side: str) -> Decision:
        """Whether exposure of this side of this symbol may grow now, and how.

        Parameters
        ----------
        symbol : str
            As the flags name it.
        side : str
            ``long`` or ``short``: of the position that the order would open or grow. Ask only for
            such orders; one that reduces a position is never barred.

        Returns
        -------
        Decision
            Without new risk when no good flag is known.
        """
        try:
            found = self._find(symbol)
            if found is self._admitted.get(symbol):
                return found.decisions[side]
            if type(found) is Seen:
                found = self._admit(symbol, found)
                if type(found) is Seen:
                    return found.decisions[side]
            return self._deny(symbol, side, found)  # type: ignore[arg-type]  # not a Seen
        except Exception as error:  # an order path must get an answer, whatever is wrong here
            return self._broken(symbol, side, error)

    def _admit(self, symbol: str, found: Seen) -> Seen | Refusal:
        """The flag, unless one of a higher order was seen before."""
        if self._closed:
            return Refusal(kind="closed", detail="the gate was closed")
        with self._lock:
            before = self._admitted.get(symbol)
            if before is not None and found.order < before.order:
                detail = f"sequence is {found.order[0]}, expected {before.order[0]} or higher"
                return Refusal(kind="lower sequence", detail=detail)
            self._admitted[symbol] = found
        return found

    def _deny(self, symbol: str, side: str, refusal: Refusal) -> Decision:
        self._count(refusal.kind)
        last = self._admitted.get(symbol)
        tier = int(Tier.T3)
        if refusal.kind == "expired" and last is not None:
            over = last.expired_for_s(self._clocks.wall_ns(), self._clocks.boot_ns())
            tier = expired_tier(over)
        before = last.decisions[side] if last is not None else None
        return denied(symbol, side, str(refusal), last=before, tier=tier)

    def _broken(self, symbol: object, side: object, error: Exception) -> Decision:
        if isinstance(symbol, str) and side not in ("long", "short"):
            self._count("unknown side")
            reason = f"unknown side: {side!r}, expected long or short"
        else:
            self._count("error")
            reason = f"error: {type(error).__name__} {error}"
        return denied(str(symbol), str(side), reason)

    def _count(self, kind: str) -> None:
        self._denials[kind] = self._denials.get(kind, 0) + 1

    def status(self) -> dict[str, Any]:
        """What an operator wants to see.

        Returns
        -------
        dict
            `source`; `age_s` of the last good read (of a board: of its writer's heartbeat);
            `fault`, what is wrong now, or None; `denials` for want of a flag, by kind. Threads
            that deny at the same moment may count once.
        """
        return {"source": self._name, **self._source.status(), "denials": dict(self._denials)}

    def close(self) -> None:
        """Close the source; from then on it denies."""
        self._closed = True
        self._source.close()
        self._admitted = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def renew_lock(self) -> None:
        """A lock of its own for a forked child: another thread may have held the parent's."""
        self._lock = threading.Lock()


_GATES: "weakref.WeakSet[Gate]" = weakref.WeakSet()


def _in_child() -> None:
    for gate in list(_GATES):
        gate.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
