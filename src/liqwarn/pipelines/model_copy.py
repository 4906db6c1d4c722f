"""A panel's models in another store, with the aliases on the record where there is one."""

from dataclasses import dataclass, replace
from datetime import datetime

from liqwarn.config import Settings
from liqwarn.models.registry_copy import Copied, copy_registry
from liqwarn.models.registry_store import Store
from liqwarn.pipelines.alias_moves import COPY, Mandate, history_of, take_over
from liqwarn.pipelines.champion import registry_of
from liqwarn.pipelines.progress import OnProgress, silent

__all__ = ["ModelCopy", "copy_models"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCopy:
    """What was copied, and which aliases moved.

    Attributes
    ----------
    copied : Copied
    moved : dict of str to (str or None)
        Aliases that pointed elsewhere in the target, and where.
    recorded : bool
        Whether the target is the store whose history lies in this home.
    """

    copied: Copied
    moved: dict[str, str | None]
    recorded: bool

    def to_dict(self) -> dict[str, object]:
        """The same as plain data, for ``--json``."""
        return {**self.copied.to_dict(), "moved": self.moved, "recorded": self.recorded}

    def to_text(self) -> str:
        """The same in a line."""
        was = ", ".join(f"{alias} was {v}" for alias, v in sorted(self.moved.items()) if v)
        told = "" if self.recorded else "; no history is kept of another store than this home's"
        return f"{self.copied.to_text()}{f'; {was}' if was else ''}{told}"


def copy_models(
    panel: str,
    uris: tuple[str, str],
    settings: Settings,
    *,
    now: datetime,
    on_progress: OnProgress = silent,
) -> ModelCopy:
    """Copy a panel's runs, versions and aliases from the first store into the second.

    The source's aliases win. When the target is the store of these settings, champion and
    challenger move by the history, as by any other command.
    """
    source, target = (registry_of(panel, replace(settings, mlflow_uri=uri)) for uri in uris)
    done = copy_registry(source, target, on_progress=on_progress)
    recorded = target.uri == Store(settings.mlflow_uri).uri
    if recorded:
        mandate = Mandate(
            action=COPY,
            reason=f"copied from {source.store.told}",
            by="liqwarn models copy",
            now=now,
        )
        moved = take_over(target, history_of(panel, settings), done.aliases, mandate)
    else:
        held = {alias: target.alias(alias) for alias in done.aliases}
        moved = {alias: v for alias, v in held.items() if v != done.aliases[alias]}
        with target.changing():
            for alias in sorted(done.aliases):  # `previous` behind what would set it
                target.point(alias, done.aliases[alias], "")
    return ModelCopy(copied=done, moved=moved, recorded=recorded)
