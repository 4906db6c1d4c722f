"""The loop's model of record: whatever bundle the holder has when a bar closes."""

from collections.abc import Callable

from liqwarn.live.engine import LiveEngine
from liqwarn.models.fast_cascade import FastCascade
from liqwarn.serving.bundles import BundleHolder, LoadedBundle

__all__ = ["FixedModels", "HeldModels"]


class FixedModels:
    """The model that the engine began with, for ever."""

    def refresh(self, engine: LiveEngine) -> None:
        """Leave the engine as it is."""


class HeldModels:
    """The bundle in use; a bar is scored by one, and the next may be by another.

    Parameters
    ----------
    holder : BundleHolder
    on_swap : callable, optional
        Told of a bundle when the engine begins to score with it.
    """

    def __init__(
        self, holder: BundleHolder, *, on_swap: Callable[[LoadedBundle], None] = lambda _: None
    ) -> None:
        self._holder = holder
        self._on_swap = on_swap
        self._quick: tuple[str, FastCascade] | None = None

    def refresh(self, engine: LiveEngine) -> None:
        """Let the engine score with the bundle in use, if it does not."""
        loaded = self._holder.current()
        if engine.bundle.stamp == loaded.bundle.stamp:
            return
        if self._quick is None or self._quick[0] != loaded.id.sha256:
            self._quick = (loaded.id.sha256, FastCascade(loaded.bundle.model))
        engine.swap(loaded.bundle, self._quick[1])
        self._on_swap(loaded)
