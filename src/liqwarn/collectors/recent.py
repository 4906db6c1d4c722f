"""The last keys that were seen, so that what a venue sends twice is told once."""

from collections.abc import Hashable, Iterable

__all__ = ["Recent"]


class Recent:
    """A bounded memory of keys; the oldest is forgotten first.

    Examples
    --------
    >>> recent = Recent(2)
    >>> recent.add(["a", "b", "c"])
    >>> "a" in recent, "c" in recent
    (False, True)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: dict[Hashable, None] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._keys

    def add(self, keys: Iterable[Hashable]) -> None:
        """Remember keys, from the oldest to the newest."""
        self._keys.update(dict.fromkeys(keys))
        while len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]
