"""The last keys that were seen, so that what a venue sends twice is told once."""

from collections.abc import Hashable, Iterable
from hashlib import blake2b

__all__ = ["Recent", "digest_of"]


def digest_of(content: bytes) -> bytes:
    """A key of a frame that takes no more memory than others, however long the frame is.

    >>> len(digest_of(bytes(5_000)))
    16
    """
    return blake2b(content, digest_size=16).digest()


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
