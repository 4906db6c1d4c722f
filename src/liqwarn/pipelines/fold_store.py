"""Folds that are computed once: an evaluation that was interrupted goes on where it stopped.

A fold is a value in and a value out, so its result is kept under the hash of everything it depends
on: rows, makers, seed, and the source of the models themselves. Another model, other data or a
changed line of code is another hash, and nothing stale can be found.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import lightgbm as lgb
import numpy as np

import liqwarn
from liqwarn.durable import replace_file
from liqwarn.errors import ModelError, StoreError
from liqwarn.frames import FloatArray
from liqwarn.models.folds import FoldResult, FoldTask, MapFolds
from liqwarn.models.rows import Rows

__all__ = ["FoldStore", "task_key"]

_SOURCES: Final = ("models", "windows", "frames.py")


@cache
def _source_sha256() -> str:
    """Hash of the code that a fold runs."""
    root = Path(liqwarn.__file__).parent
    digest = sha256(f"numpy {np.__version__} lightgbm {lgb.__version__}".encode())
    for name in _SOURCES:
        path = root / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def task_key(task: FoldTask) -> str:
    """Hash of everything a fold's result depends on."""
    digest = sha256(_source_sha256().encode())
    for name, make in task.makers.items():
        digest.update(f"{name}\0{_described(make)}".encode())
    digest.update(str(task.seed).encode())
    for rows in (task.train, task.test):
        _add(digest.update, rows)
    return digest.hexdigest()


def _described(maker: object) -> str:
    """What a maker is: the names of its functions, and their arguments.

    Raises
    ------
    ModelError
        For a function without a name of its own: two of them could not be told apart.
    """
    if isinstance(maker, partial):
        given = [*maker.args, *(v for _, v in sorted(maker.keywords.items()))]
        names = ",".join(sorted(maker.keywords))
        return f"{_described(maker.func)}({names}|{';'.join(map(_described, given))})"
    if callable(maker):
        name = f"{getattr(maker, '__module__', '')}.{getattr(maker, '__qualname__', '<')}"
        if "<" in name:
            raise ModelError(f"maker {maker!r} has no name, expected a function of a module")
        return name
    return repr(maker)


def _add(update: Callable[[bytes], object], rows: Rows) -> None:
    update(repr((rows.bar, rows.names, rows.horizons_h, rows.X.shape)).encode())
    update("\n".join(rows.symbols.tolist()).encode())
    for array in (rows.times, rows.end, rows.X, rows.y, rows.milder):
        update(np.ascontiguousarray(array).tobytes())


class FoldStore:
    """Maps folds like another mapper, and keeps every result in a folder.

    Parameters
    ----------
    folder : Path
        One file a fold; made when the first result is there.
    run : MapFolds
        Computes what is not there, here or on a cluster, in order.
    """

    def __init__(self, folder: Path, run: MapFolds) -> None:
        self.folder = folder
        self.run = run

    def __call__(
        self, task: Callable[[FoldTask], FoldResult], items: Iterable[FoldTask], /
    ) -> Iterator[FoldResult]:
        """Results in order, each as soon as it is there."""
        waiting: deque[tuple[Path, bool]] = deque()

        def missing() -> Iterator[FoldTask]:
            for item in items:
                path = self.folder / f"{task_key(item)}.npz"
                waiting.append((path, path.exists()))
                if not waiting[-1][1]:
                    yield item

        for result in self.run(task, missing()):
            while waiting[0][1]:
                yield _load(waiting.popleft()[0])
            replace_file(waiting.popleft()[0], partial(_save, result))
            yield result
        while waiting:
            yield _load(waiting.popleft()[0])


def _save(result: FoldResult, path: Path) -> None:
    arrays = {f"p/{name}": p for name, p in result.p.items()}
    arrays |= {f"thresholds/{name}": t for name, t in result.thresholds.items()}
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=False, n_train=np.array(result.n_train), **arrays)


def _load(path: Path) -> FoldResult:
    found: dict[str, dict[str, FloatArray]] = {"p": {}, "thresholds": {}}
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            for key in arrays.files:
                kind, _, name = key.partition("/")
                if name:
                    found[kind][name] = arrays[key]
            n_train = int(arrays["n_train"])
    except (BadZipFile, EOFError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} is damaged ({error}): remove it, and it is made again") from error
    if not found["p"] or found["p"].keys() != found["thresholds"].keys():
        raise StoreError(f"{path} is damaged (no models): remove it, and it is made again")
    return FoldResult(p=found["p"], thresholds=found["thresholds"], n_train=n_train)
