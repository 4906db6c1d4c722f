"""Trades that are in a file more than once, found by their identifiers in eight bytes each."""

from collections.abc import Mapping, Sequence
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from liqwarn.errors import DataError

__all__ = ["Repeats", "hashes_of"]

Hashes = npt.NDArray[np.uint64]
Columns = Mapping[str, npt.NDArray[np.generic]]

_SAME: Final = ("timestamp", "side", "size", "price")
_FACTORS: Final = np.random.default_rng(20_240_115).integers(
    1, 1 << 63, size=128, dtype=np.uint64
) * np.uint64(2) + np.uint64(1)


def hashes_of(texts: npt.NDArray[np.bytes_]) -> Hashes:
    """A number for each text; 0 for an empty one.

    Parameters
    ----------
    texts : array of bytes
        Of at most 128 bytes each.
    """
    width = texts.dtype.itemsize
    letters = np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), width)
    # one text in two arrays of another width must give the same number, and zeros add nothing
    found: Hashes = letters.astype(np.uint64) @ _FACTORS[:width]
    return found


class Repeats:
    """Which identifiers are there more than once, and which of their trades were met.

    Parameters
    ----------
    twice : array of uint64
        Sorted.
    name : str
        What to call the file in a message.
    """

    def __init__(self, twice: Hashes, name: str) -> None:
        self._twice, self._name = twice, name
        self._met: dict[int, tuple[object, ...]] = {}

    @classmethod
    def among(cls, hashes: Sequence[Hashes], name: str) -> Self | None:
        """Those of a whole file, or None."""
        every = np.sort(np.concatenate([*hashes, np.empty(0, dtype=np.uint64)]))
        twice = np.unique(every[1:][every[1:] == every[:-1]])
        twice = twice[twice != 0]
        return cls(twice, name) if len(twice) else None

    def copies(self, hashes: Hashes, columns: Columns, before: int) -> npt.NDArray[np.bool_]:
        """Which rows say again what an earlier one said.

        Parameters
        ----------
        hashes : array of uint64, (n_rows,)
        columns : mapping of name to array
        before : int
            Rows of the file before these.

        Raises
        ------
        DataError
            When a row has the identifier of another trade.
        """
        copies = np.zeros(len(hashes), dtype=np.bool_)
        for at in np.flatnonzero(np.isin(hashes, self._twice)):
            trade = tuple(columns[name][at] for name in _SAME)
            first = self._met.setdefault(int(hashes[at]), trade)
            if first is not trade:
                copies[at] = True
                if first != trade:
                    raise DataError(
                        f"{self._name}, row {before + at + 1}, field 'trdMatchID': that of an "
                        "earlier trade with another time, side, size or price"
                    )
        return copies
