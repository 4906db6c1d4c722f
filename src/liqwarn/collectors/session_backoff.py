"""How long to wait before a line is tried again: longer each time, never all at the same moment."""

import random

__all__ = ["Backoff"]


class Backoff:
    """Waits that double with each failure, with jitter, and start again after a healthy spell.

    Parameters
    ----------
    rng : random.Random
    first_s, longest_s : float
    healthy_s : float
        A line that held so long has forgotten its failures.

    Examples
    --------
    >>> backoff = Backoff(random.Random(1), first_s=1.0, longest_s=60.0, healthy_s=60.0)
    >>> waits = [backoff.failed(0.0) for _ in range(8)]
    >>> [wait <= limit for wait, limit in zip(waits, (1, 2, 4, 8, 16, 32, 60, 60))]
    [True, True, True, True, True, True, True, True]
    >>> backoff.failed(held_s=61.0) <= 1.0
    True
    """

    def __init__(
        self, rng: random.Random, *, first_s: float, longest_s: float, healthy_s: float
    ) -> None:
        self._rng = rng
        self._first_s, self._longest_s, self._healthy_s = first_s, longest_s, healthy_s
        self._failures = 0

    def failed(self, held_s: float) -> float:
        """Seconds to wait after a connection that held so long, 0 for one that never came."""
        if held_s >= self._healthy_s:
            self._failures = 0
        most = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return most * self._rng.uniform(0.5, 1.0)
