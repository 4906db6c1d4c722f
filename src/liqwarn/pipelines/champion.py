"""Where the model of record comes from: a folder, or the registry's champion."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from liqwarn.config import Settings
from liqwarn.errors import ModelError
from liqwarn.models.registry import Registry
from liqwarn.models.registry_store import without_password

if TYPE_CHECKING:
    from liqwarn.models.bundle import Bundle

__all__ = ["open_bundle", "open_champion", "registry_of"]


def registry_of(panel: str, settings: Settings) -> Registry:
    """The registry of a panel's models."""
    settings.home.mkdir(parents=True, exist_ok=True)
    locks = settings.home / "locks"
    return Registry(settings.mlflow_uri, panel, artifacts=settings.artifacts, locks=locks)


def open_champion(panel: str, settings: Settings) -> "Bundle | None":
    """The champion's bundle; None while the registry has none."""
    from liqwarn.models.bundle import load_bundle  # noqa: PLC0415  moving an alias needs no trees

    registry = registry_of(panel, settings)
    version = registry.champion()
    if version is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        return load_bundle(registry.fetch(version, Path(folder)), version=version)


def open_bundle(folder: Path | None, panel: str, settings: Settings) -> "Bundle":
    """The bundle in a folder, or the champion of a panel.

    Raises
    ------
    ModelError
        When there is no champion, or the bundle is not whole.
    """
    from liqwarn.models.bundle import load_bundle  # noqa: PLC0415  likewise

    if folder is not None:
        return load_bundle(folder, version=folder.name)
    champion = open_champion(panel, settings)
    if champion is None:
        raise ModelError(
            f"panel '{panel}' has no champion in the registry at "
            f"{without_password(settings.mlflow_uri)}: run "
            "`liqwarn train` first, or name a bundle with --model"
        )
    return champion
