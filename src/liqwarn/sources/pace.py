"""How often a server may be asked: a distance, a bound a minute, pauses, what its headers say."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["Budget", "Pace"]

_MINUTE: Final = 60.0
_COUNT: Final = re.compile(r"\d{1,7}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Headers in which a provider tells questions allowed in a minute, and those used up."""

    allowed: str
    used: str


class Pace:
    """When the next question may be asked; moments are seconds of a clock that never goes back.

    Parameters
    ----------
    between_s : float
        From a question to the next.
    per_minute : int
        Most weight of all questions of any minute; 0 is no bound.
    budget : Budget, optional
        Headers that say how long `between_s` is.

    Examples
    --------
    >>> pace = Pace(1.0, per_minute=40)
    >>> for _ in range(2):
    ...     pace.take(20, now=0.0)
    >>> pace.left(20, now=10.0)
    50.0
    """

    def __init__(
        self, between_s: float, *, per_minute: int = 0, budget: Budget | None = None
    ) -> None:
        self._between_s = between_s
        self._per_minute = per_minute
        self._budget = budget
        self._free_at = 0.0
        self._asked: deque[tuple[float, int]] = deque()

    def left(self, weight: int, *, now: float) -> float:
        """Seconds still to wait for a question of a weight, 0 or less when there are none."""
        return max(self._free_at, self._room_at(weight, now)) - now

    def take(self, weight: int, *, now: float) -> None:
        """A question of a weight is asked now."""
        self.hold(self._between_s, now=now)
        if self._per_minute:
            self._asked.append((now, weight))

    def hold(self, seconds: float, *, now: float) -> None:
        """Nothing is asked for so long."""
        self._free_at = max(self._free_at, now + seconds)

    def heed(self, headers: Mapping[str, str], *, now: float) -> None:
        """What the headers of a reply say; those that cannot be read say nothing.

        >>> pace = Pace(2.0, budget=Budget(allowed="MAX", used="USE"))
        >>> pace.heed({"MAX": "240", "USE": "240"}, now=0.0)
        >>> pace.left(1, now=0.0)
        60.0
        >>> pace.take(1, now=60.0)
        >>> pace.left(1, now=60.0)
        0.25
        """
        if self._budget is None:
            return
        allowed = _count(headers.get(self._budget.allowed))
        used = _count(headers.get(self._budget.used))
        if allowed:
            self._between_s = _MINUTE / allowed
            if used is not None and used >= allowed:
                self.hold(_MINUTE, now=now)

    def _room_at(self, weight: int, now: float) -> float:
        """When a minute has room for a question: after those that then are a minute old."""
        if not self._per_minute:
            return now
        while self._asked and self._asked[0][0] + _MINUTE <= now:
            self._asked.popleft()
        over = sum(w for _, w in self._asked) + weight - self._per_minute
        at = now
        for asked, freed in self._asked:
            if over <= 0:
                break
            at, over = asked + _MINUTE, over - freed
        return at


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and _COUNT.fullmatch(text) else None
