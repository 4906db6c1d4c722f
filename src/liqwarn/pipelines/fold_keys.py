"""What a fold's result is known by: the hash of everything it depends on.

The training blocks of a walk-forward grow: each begins with the rows of the one before. Their hash
goes on where the last one stopped, once the rows are seen to be the same, so that all folds
together are hashed once and not once each.
"""

from collections.abc import Iterator
from functools import cache, partial
from hashlib import sha256
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.models.folds import FoldTask
from liqwarn.models.rows import Rows
from liqwarn.pipelines.source_hash import source_sha256

__all__ = ["FoldKey", "FoldKeys", "task_key"]

_SOURCES: Final = ("models", "windows", "frames.py")


class FoldKey(NamedTuple):
    """Keys of a fold.

    Attributes
    ----------
    fit : str
        Of what its models are fitted to: code, makers, seed, training rows.
    result : str
        Of that and the test rows.
    """

    fit: str
    result: str


class FoldKeys:
    """Keys of folds one after the other, cheapest where each continues the one before."""

    def __init__(self) -> None:
        self._train = _GrowingHash()

    def of(self, task: FoldTask) -> FoldKey:
        """Keys of the next fold; the same whichever folds came before.

        Raises
        ------
        ModelError
            For a maker without a name of its own: two of them could not be told apart.
        """
        digest = sha256(_source().encode())
        for name, make in task.makers.items():
            digest.update(f"{name}\0{_described(make)}\n".encode())
        digest.update(f"{task.seed}\n{self._train.of(task.train)}".encode())
        fit = digest.hexdigest()
        test = _GrowingHash().of(task.test)
        return FoldKey(fit=fit, result=sha256(f"{fit}\n{test}".encode()).hexdigest())


def task_key(task: FoldTask) -> str:
    """Hash of everything a fold's result depends on."""
    return FoldKeys().of(task).result


@cache
def _source() -> str:
    return source_sha256(_SOURCES, ("numpy", "scipy", "lightgbm"))


def _described(maker: object) -> str:
    """What a maker is: the names of its functions, and their arguments.

    How many `workers` fit it is no part of what comes out.
    """
    if isinstance(maker, partial):
        named = {k: v for k, v in sorted(maker.keywords.items()) if k != "workers"}
        given = [*maker.args, *named.values()]
        names = ",".join(named)
        return f"{_described(maker.func)}({names}|{';'.join(map(_described, given))})"
    if callable(maker):
        name = f"{getattr(maker, '__module__', '')}.{getattr(maker, '__qualname__', '<')}"
        if "<" in name:
            raise ModelError(f"maker {maker!r} has no name, expected a function of a module")
        return name
    return repr(maker)


class _GrowingHash:
    """Hash of rows, that goes on where rows begin with those hashed last."""

    def __init__(self) -> None:
        self._seen: Rows | None = None
        self._columns = [sha256() for _ in range(_COLUMNS)]

    def of(self, rows: Rows) -> str:
        """The hash of the rows, whatever was hashed before."""
        n_seen = 0 if self._seen is None else len(self._seen)
        if self._seen is None or not _continues(rows, self._seen):
            n_seen, self._columns = 0, [sha256() for _ in range(_COLUMNS)]
        for digest, column in zip(self._columns, _columns_of(rows), strict=True):
            digest.update(_bytes(column[n_seen:]))
        self._seen = rows
        head = repr((rows.bar, rows.names, rows.horizons_h, rows.X.shape))
        told = [head, *(digest.hexdigest() for digest in self._columns)]
        return sha256("\n".join(told).encode()).hexdigest()


_COLUMNS: Final = 6


def _columns_of(rows: Rows) -> tuple[NDArray[Any], ...]:
    return rows.symbols, rows.times, rows.end, rows.X, rows.y, rows.milder


def _continues(rows: Rows, seen: Rows) -> bool:
    """Whether the rows begin with those seen, bit for bit."""
    n = len(seen)
    if len(rows) < n or rows.X.shape[1] != seen.X.shape[1] or rows.y.shape[1:] != seen.y.shape[1:]:
        return False
    return all(_same_bits(pair) for pair in _pairs(rows, seen, n))


def _pairs(rows: Rows, seen: Rows, n: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    for ours, theirs in zip(_columns_of(rows), _columns_of(seen), strict=True):
        yield ours[:n], theirs


def _same_bits(pair: tuple[NDArray[Any], NDArray[Any]]) -> bool:
    ours, theirs = (
        one if one.dtype.kind == "U" else np.ascontiguousarray(one).view(np.int64) for one in pair
    )
    return bool(np.array_equal(ours, theirs))


def _bytes(column: NDArray[Any]) -> bytes | memoryview:
    """A column's bytes; names end in a line feed, whatever their longest one."""
    if column.dtype.kind == "U":
        return "".join(f"{name}\n" for name in column.tolist()).encode()
    return np.ascontiguousarray(column).reshape(-1).view(np.uint8).data
