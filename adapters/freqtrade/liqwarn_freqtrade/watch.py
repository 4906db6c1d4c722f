"""What changed since the last look, and the pair locks that follow from it."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from liqwarn.client import Decision
from liqwarn_freqtrade.gates import allows

__all__ = ["Watch"]

logger = logging.getLogger(__name__)

MAX_REASON = 200  # freqtrade keeps a lock's reason in a column of 255


class Watch:
    """Logs each change of a side's state, and locks a pair's side for as long as it is denied.

    A lock lasts until the next candle and is renewed at each look, so one that a dead bot leaves
    behind soon ends by itself. Only locks made here are taken back: never a protection's, and
    never a human's.

    Parameters
    ----------
    lock, unlock : callable
        The strategy's ``lock_pair`` and ``unlock_reason``.
    """

    def __init__(self, lock: Callable[..., Any], unlock: Callable[[str], Any]) -> None:
        self._lock = lock
        self._unlock = unlock
        self._seen: dict[tuple[str, str], tuple[int, str, bool]] = {}
        self._locked: dict[tuple[str, str], str] = {}

    def look(self, pair: str, decision: Decision, now: datetime, *, locks: bool) -> None:
        """Take note of a decision."""
        key, allowed = (pair, decision.side), allows(decision)
        state = (decision.tier, decision.state, allowed)
        if self._seen.get(key) != state:
            self._seen[key] = state
            logger.log(
                logging.INFO if allowed else logging.WARNING,
                "liqwarn: %s %s is at T%d %s, new risk %s: %s",
                pair,
                decision.side,
                decision.tier,
                decision.state,
                "allowed" if allowed else "denied",
                decision.reason,
            )
        if locks and not allowed:
            text = f"liqwarn {pair} {decision.side}: {decision.reason}"[:MAX_REASON]
            reason = self._locked.setdefault(key, text)
            self._lock(pair, until=now, reason=reason, side=decision.side)
        elif key in self._locked:
            self._unlock(self._locked.pop(key))
