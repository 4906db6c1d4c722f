"""What can be said of a feed that tells one order a second at most.

Such a feed is full in a cascade: its count and its sum stop growing while the market goes on. What
still says something then is in how many seconds it spoke, the largest order, and a sum in which no
order counts for more than a cap.
"""

import math
from typing import Final

__all__ = ["CAP_USD", "SATURATED_SHARE", "capped_usd", "hidden_share", "is_saturated"]

CAP_USD: Final = 100_000.0
"""An order counts for so much at most in a capped sum: the same for every symbol and venue, so
that it needs no history, and one order more never hides behind a large one."""

SATURATED_SHARE: Final = 0.5
"""A minute is saturated when the feed spoke in at least this share of its seconds."""


def capped_usd(usd: float) -> float:
    """What an order counts for in a capped sum.

    >>> capped_usd(2_500.0), capped_usd(4e6)
    (2500.0, 100000.0)
    """
    return min(usd, CAP_USD)


def is_saturated(active_seconds: int, seconds: int = 60) -> bool:
    """Whether a feed of one order a second is too full to be counted.

    >>> is_saturated(29), is_saturated(30)
    (False, True)
    """
    return active_seconds >= SATURATED_SHARE * seconds


def hidden_share(active_seconds: int, seconds: int = 60) -> float:
    """Share of the orders that one a second hides, if orders came independently of one another.

    With orders at a rate of r a second, a share ``a = 1 - exp(-r)`` of the seconds has one, and of
    r only a is told. Real orders come in bursts, so more is hidden: a lower bound in practice.

    Parameters
    ----------
    active_seconds : int
        Seconds with at least one order.
    seconds : int
        Seconds listened to.

    Returns
    -------
    float
        0 without orders; 1 when every second has one and the rate is unknown.

    Examples
    --------
    >>> round(hidden_share(30), 3), hidden_share(0), hidden_share(60)
    (0.279, 0.0, 1.0)
    """
    if active_seconds <= 0:
        return 0.0
    if active_seconds >= seconds:
        return 1.0
    share = active_seconds / seconds
    return 1.0 + share / math.log1p(-share)
