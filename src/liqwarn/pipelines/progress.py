"""How a long job says where it is."""

from typing import Protocol

__all__ = ["OnProgress", "silent"]


class OnProgress(Protocol):
    """Called with a stage's name and how much of it is done; must return at once."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """Say that `done` of `total` steps of `stage` are done."""


def silent(_stage: str, _done: int, _total: int, /) -> None:
    """Say nothing."""
