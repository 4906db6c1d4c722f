"""A lock that is a file: one process of this machine at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from liqwarn.errors import ConfigError

__all__ = ["file_lock"]


@contextmanager
def file_lock(path: Path, within_s: float) -> Iterator[None]:
    """Hold the lock while the block runs; a process that ends, however it ends, gives it back.

    Parameters
    ----------
    path : Path
        Made, with its folder, where it is not there.
    within_s : float
        Seconds to wait for another that holds it.

    Raises
    ------
    ConfigError
        Naming the lock, when another holds it for longer.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(path).acquire(timeout=within_s)
    except Timeout as error:
        raise ConfigError(f"somebody holds the lock {path} for {within_s:g} s") from error
    with held:
        yield
