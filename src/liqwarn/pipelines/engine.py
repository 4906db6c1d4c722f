"""Where work runs: here, or on a Dask cluster when one machine is not enough.

The only module that imports Dask. Tasks are top-level functions of one picklable argument, so the
same call runs in this process or on a cluster, and the results come back in the order asked for.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Protocol, TypeVar

from liqwarn.errors import ConfigError

__all__ = ["Engine", "MapFunction", "open_engine"]

T = TypeVar("T")
R = TypeVar("R")


class MapFunction(Protocol):
    """Like the builtin ``map`` over one iterable: lazy, in order."""

    def __call__(self, task: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Apply `task` to every item."""


class Engine:
    """Runs tasks in this process.

    Examples
    --------
    >>> list(Engine().map(abs, [-1, 2]))
    [1, 2]
    """

    def map(self, task: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Results of `task` for each item, in order, each as soon as it is there."""
        return map(task, items)


class _DaskEngine(Engine):
    """Runs tasks on a Dask cluster."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401  Dask has no types
        self._client = client

    def map(self, task: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Results of `task` for each item, in order; all are submitted at once."""
        futures = self._client.map(task, list(items), pure=False)
        return (future.result() for future in futures)


@contextmanager
def open_engine(cluster: str | None = None) -> Iterator[Engine]:
    """An engine for the length of a job.

    Parameters
    ----------
    cluster : str or None
        None runs in this process; ``"local"`` starts one Dask worker process a core on this
        machine; anything else is the address of a running scheduler, ``tcp://host:8786``.

    Raises
    ------
    ConfigError
        When Dask is not installed, or no scheduler answers at the address.
    """
    if cluster is None:
        yield Engine()
        return
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise ConfigError(
            "a cluster needs Dask; install it with: pip install 'liqwarn[cluster]'"
        ) from error
    local: Any = None
    client: Any = None
    try:
        if cluster == "local":
            local = distributed.LocalCluster(threads_per_worker=1, dashboard_address=None)
        client = distributed.Client(local or cluster, timeout="10s")
        yield _DaskEngine(client)
    except (OSError, TimeoutError) as error:
        if client is not None:
            raise
        raise ConfigError(f"no Dask scheduler answers at '{cluster}': {error}") from error
    finally:
        for opened in (client, local):
            if opened is not None:
                opened.close()
