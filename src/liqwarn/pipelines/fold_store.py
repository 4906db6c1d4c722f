"""Folds that are computed once: an evaluation that was interrupted goes on where it stopped.

A fold is a value in and a value out, so its result is kept under the hash of everything it depends
on: rows, makers, seed, and the source of the models themselves. Another model, other data or a
changed line of code is another hash, and nothing stale can be found.

A walk that is repeated as time goes on finds every closed block there. Of the open block, which has
more test rows each time, the fitted trees are kept as well.
"""

import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from liqwarn.durable import replace_file
from liqwarn.errors import StoreError
from liqwarn.frames import FloatArray
from liqwarn.models.folds import FoldResult, FoldTask, MapFolds
from liqwarn.models.kept_fit import KeptFit
from liqwarn.pipelines.fold_keys import FoldKey, FoldKeys

__all__ = ["FoldStore"]

_FAULTS: Final = (
    BadZipFile, EOFError, KeyError, TypeError, ValueError, AttributeError, RuntimeError,
    OverflowError, OSError, struct.error, zlib.error,
)  # fmt: skip
_FITS: Final = 2  # of the open block, and of the one before it while its last outcomes come in


class FoldStore:
    """Maps folds like another mapper, and keeps every result in a folder.

    Parameters
    ----------
    folder : Path
        One file a fold; made when the first result is there.
    run : MapFolds
        Computes what is not there, here or on a cluster, in order.
    rolling : bool
        For one walk that is repeated with more data each time: fitted trees are kept, too, and a
        damaged file counts as missing. Otherwise it is an error.

    Attributes
    ----------
    used : list of str
        Names, without suffix, of the files that the last finished walk used or that the next one
        will: every result, and the trees of the last two folds. Whoever repeats walks removes the
        others.

    Raises
    ------
    StoreError
        When a result is damaged.
    """

    def __init__(self, folder: Path, run: MapFolds, *, rolling: bool = False) -> None:
        self.folder = folder
        self.run = run
        self.rolling = rolling
        self.used: list[str] = []

    def __call__(
        self, task: Callable[[FoldTask], FoldResult], items: Iterable[FoldTask], /
    ) -> Iterator[FoldResult]:
        """Results in order, each as soon as it is there."""
        waiting: deque[tuple[FoldKey, FoldResult | None]] = deque()
        used: list[FoldKey] = []

        def missing() -> Iterator[FoldTask]:
            keys = FoldKeys()
            for item in items:
                key = keys.of(item)
                used.append(key)
                waiting.append((key, self._result(key)))
                if waiting[-1][1] is None:
                    yield self._prepared(item, key)

        for result in self.run(task, missing()):
            yield from _ready(waiting)
            self._keep(waiting.popleft()[0], result)
            yield result
        yield from _ready(waiting)
        self.used = [self._result_file(key).stem for key in used]
        if self.rolling:
            self.used += [self._fit_file(key).stem for key in used[-_FITS:]]

    def _result_file(self, key: FoldKey) -> Path:
        return self.folder / f"{key.result}.npz"

    def _fit_file(self, key: FoldKey) -> Path:
        return self.folder / f"fit-{key.fit}.npz"

    def _result(self, key: FoldKey) -> FoldResult | None:
        path = self._result_file(key)
        try:
            return _load(path) if path.exists() else None
        except StoreError:
            if self.rolling:
                return None
            raise

    def _prepared(self, item: FoldTask, key: FoldKey) -> FoldTask:
        """The task with the trees that were kept of it."""
        path = self._fit_file(key)
        if not self.rolling or not path.exists():
            return item
        try:
            return replace(item, kept=_load_fits(path))
        except StoreError:
            return item

    def _keep(self, key: FoldKey, result: FoldResult) -> None:
        replace_file(self._result_file(key), partial(_save, _arrays(result)))
        if self.rolling and result.kept:
            replace_file(self._fit_file(key), partial(_save, _fit_arrays(result.kept)))


def _ready(waiting: deque[tuple[FoldKey, FoldResult | None]]) -> Iterator[FoldResult]:
    """What was there already, up to the next that was not."""
    while waiting and (found := waiting[0][1]) is not None:
        waiting.popleft()
        yield found


Arrays = Mapping[str, NDArray[np.generic]]


def _arrays(result: FoldResult) -> Arrays:
    arrays: dict[str, NDArray[np.generic]] = {f"p/{name}": p for name, p in result.p.items()}
    arrays |= {f"thresholds/{name}": t for name, t in result.thresholds.items()}
    return {"n_train": np.array(result.n_train), **arrays}


def _fit_arrays(kept: Mapping[str, KeptFit]) -> Arrays:
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, fit in kept.items():
        arrays[f"model/{name}"] = np.frombuffer(fit.model, dtype=np.uint8)
        arrays[f"thresholds/{name}"] = fit.thresholds
    return arrays


def _save(arrays: Arrays, path: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def _read(path: Path) -> dict[str, dict[str, NDArray[np.generic]]]:
    """Arrays by kind and name; those without a kind under the kind ''."""
    found: dict[str, dict[str, NDArray[np.generic]]] = {}
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            for key in arrays.files:
                kind, _, name = key.rpartition("/") if "/" not in key else key.partition("/")
                found.setdefault(kind, {})[name] = arrays[key]
    except _FAULTS as error:
        raise _damaged(path, str(error)) from error
    return found


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(f"{path} is damaged ({why}): remove it, and it is made again")


def _load(path: Path) -> FoldResult:
    found = _read(path)
    p, thresholds, alone = (found.get(kind, {}) for kind in ("p", "thresholds", ""))
    if not p or p.keys() != thresholds.keys() or "n_train" not in alone:
        raise _damaged(path, "no models")
    return FoldResult(
        p=_floats(p), thresholds=_floats(thresholds), n_train=int(alone["n_train"].item())
    )


def _load_fits(path: Path) -> dict[str, KeptFit]:
    found = _read(path)
    models, thresholds = found.get("model", {}), _floats(found.get("thresholds", {}))
    if not models or models.keys() != thresholds.keys():
        raise _damaged(path, "no models")
    return {
        name: KeptFit(model=content.tobytes(), thresholds=thresholds[name])
        for name, content in models.items()
    }


def _floats(arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, FloatArray]:
    return {name: array.astype(np.float64, copy=False) for name, array in arrays.items()}
