"""One retraining of a panel at a time: a file for this machine, the registry's lock for others."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from liqwarn.config import Settings
from liqwarn.errors import LockHeldError
from liqwarn.models.registry import Registry
from liqwarn.models.registry_store import without_password
from liqwarn.pipelines.champion import registry_of

__all__ = ["lock_note", "only_retraining"]


@contextmanager
def only_retraining(panel: str, settings: Settings) -> Iterator[None]:
    """Hold both locks; a process that ends, however it ends, gives them back.

    Raises
    ------
    LockHeldError
        At once, when another run holds either.
    """
    folder = settings.home / "retrain"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{panel}.lock")
    try:
        held = lock.acquire(timeout=0)
    except Timeout as error:
        raise LockHeldError(
            f"another liqwarn retrain holds the lock {lock.lock_file}: wait until it has ended"
        ) from error
    with held, registry_of(panel, settings).retraining():
        yield


def lock_note(registry: Registry) -> tuple[str, ...]:
    """What to know of the lock: a tracking server has none that other machines would see."""
    if registry.uri.startswith(("sqlite:", "postgresql")):
        return ()
    told = (
        f"the registry at {without_password(registry.uri)} is a tracking server, which cannot lock "
        "out other machines: let one machine alone retrain this panel"
    )
    return (told,)
