"""Token buckets: how often each caller may ask, on a clock that cannot jump."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from liqwarn.errors import ConfigError

__all__ = ["Rate", "TokenBuckets", "address_group"]

_LONGEST_NAME: Final = 64
"""Characters of an address that is none: a proxy may pass on whatever its caller claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often something may happen.

    Attributes
    ----------
    per_s : float
        Lasting rate a second.
    burst : int
        How many at once after a rest.
    """

    per_s: float
    burst: int

    def __post_init__(self) -> None:
        if not (0 < self.per_s < float("inf") and self.burst >= 1):
            raise ConfigError(
                f"rate is {self.per_s} a second with bursts of {self.burst}, "
                "expected more than 0 and 1 or more"
            )


class TokenBuckets:
    """A bucket a name, each refilled at the same rate; the names used longest ago are forgotten.

    A forgotten name starts anew with a full bucket, so `capacity` bounds the memory and not the
    rate of one busy name.

    Examples
    --------
    >>> now = [0.0]
    >>> buckets = TokenBuckets(Rate(per_s=2, burst=1), monotonic=lambda: now[0])
    >>> buckets.take("desk"), buckets.take("desk")
    (0.0, 0.5)
    >>> now[0] = 0.5
    >>> buckets.take("desk")
    0.0
    """

    def __init__(
        self, rate: Rate, *, monotonic: Callable[[], float], capacity: int = 10_000
    ) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._capacity = capacity
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str) -> float:
        """Take one token: 0 when there was one, else seconds until there will be."""
        now = self._monotonic()
        left, at = self._buckets.pop(name, (float(self._rate.burst), now))
        left = min(self._rate.burst, left + max(0.0, now - at) * self._rate.per_s)
        taken = left >= 1.0
        self._buckets[name] = (left - 1.0 if taken else left, now)
        if len(self._buckets) > self._capacity:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1.0 - left) / self._rate.per_s


def address_group(address: str) -> str:
    """The name under which a client's address is counted: one IPv6 host owns a whole /64.

    Examples
    --------
    >>> address_group("192.0.2.7"), address_group("2001:db8::1:2:3:4")
    ('192.0.2.7', '2001:db8::/64')
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_LONGEST_NAME]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return str(found)
