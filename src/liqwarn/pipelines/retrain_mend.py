"""A version that was registered and, its process killed, never given an alias."""

from datetime import datetime

from liqwarn.models.alias_history import AliasHistory
from liqwarn.models.registry import CHALLENGER, Registry
from liqwarn.pipelines.alias_moves import Mandate, appoint

__all__ = ["appoint_left_over"]


def appoint_left_over(registry: Registry, history: AliasHistory, now: datetime) -> str | None:
    """Give the newest version its alias if no alias ever pointed at it; returns that version.

    Only the newest: an older one was followed by another that a run has dealt with.
    """
    newest = registry.newest()
    if newest is None:
        return None
    version, run = newest
    if any(one.move.after == version for one in history.moves()):
        return None
    if version in (registry.champion(), registry.alias(CHALLENGER)):  # moved past the history
        return None
    command = "retrain" if run else "train"
    mandate = Mandate(
        action=command,
        reason="newly trained, by a run that was interrupted",
        by=f"liqwarn {command}",
        run=run,
        now=now,
    )
    appoint(registry, history, version, mandate)
    return version
