"""A champion that a retraining made is released to the servers, once."""

from typing import Final

from liqwarn.models.alias_history import AliasHistory
from liqwarn.models.registry import Registry
from liqwarn.pipelines.retrain_journal import Notes, Step
from liqwarn.pipelines.retrain_result import ReleaseTo

__all__ = ["release_owed"]

_BY_HAND: Final = ("promote", "rollback")


def release_owed(
    registry: Registry, history: AliasHistory, notes: Notes, to: ReleaseTo | None
) -> str:
    """Release the champion if that is owed; the name of the release, empty when nothing was.

    It is owed when no person moved it last, and no run has released it there: a champion put there
    by hand is released by hand, and a server that was pointed elsewhere by hand stays there.
    """
    if to is None:
        return ""
    champion = registry.champion()
    done = history.champions()
    if champion is None or not done or done[-1].after != champion or done[-1].action in _BY_HAND:
        return ""
    if notes.journal.was_released(champion, to.place):
        return ""
    name = to.release(champion)
    notes.note(Step.RELEASED, {"version": champion, "place": to.place, "name": name})
    return name
