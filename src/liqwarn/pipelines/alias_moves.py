"""Moving champion and challenger: the one way for train, retrain, promote, rollback and copy.

A move is made alone: under the lock of the history, which is a file, and inside it the registry's
own, which in PostgreSQL holds across machines: what a move was decided on is still true when the
alias moves, whoever else trains or promotes.

Order of a move: the intent is on disk, then the registry's alias moves, then the end is on disk.
Killed anywhere, the next move finds the intent open and ends it, once: it moves the alias if it
still points where it pointed, or only writes down that it has moved.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from liqwarn.config import Settings
from liqwarn.decisions import iso_utc
from liqwarn.errors import LiqwarnError, ModelError
from liqwarn.models.alias_history import ROLLBACK, AliasHistory, AliasMove, Ended
from liqwarn.models.registry import CHALLENGER, CHAMPION, Registry
from liqwarn.pipelines.file_lock import file_lock

__all__ = [
    "COPY",
    "Mandate",
    "Moved",
    "appoint",
    "audited",
    "finish_open_move",
    "history_of",
    "promote",
    "rollback",
    "still_needed",
    "take_over",
]

COPY = "copy"
LOCK_S = 60.0
_ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """On whose word an alias moves.

    Attributes
    ----------
    action : {"first", "train", "retrain", "promote", "rollback", "copy"}
    reason, by : str
    now : datetime
    run : str
        Key of the training run; empty for a move by hand.
    """

    action: str
    reason: str
    by: str
    now: datetime
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a move by hand did.

    Attributes
    ----------
    champion : str
        Version that is champion now.
    before : str or None
    moved : bool
        False when it was champion already.
    """

    champion: str
    before: str | None
    moved: bool

    def to_dict(self) -> dict[str, object]:
        """The same as plain data, for ``--json``."""
        return asdict(self)

    def to_text(self) -> str:
        """The same in a line."""
        if not self.moved:
            return f"version {self.champion} is champion already: nothing was moved"
        return f"champion is version {self.champion}, it was {self.before or 'none'}"


def history_of(panel: str, settings: Settings) -> AliasHistory:
    """The history of a panel's aliases, below ``LIQWARN_HOME``."""
    return AliasHistory(settings.home / "aliases", panel)


def appoint(registry: Registry, history: AliasHistory, version: str, mandate: Mandate) -> bool:
    """Give a newly registered version its alias: champion if there is none, else challenger.

    Returns
    -------
    bool
        Whether it is champion.
    """
    with _alone(registry, history) as check:
        _finish(registry, history, mandate.now, check)
        champion = registry.champion()
        if champion is None:
            first = replace(mandate, action="first", reason=f"{mandate.reason}: no champion before")
            _move(registry, history, (CHAMPION, version), first, check)
            return True
        if champion != version:
            _move(registry, history, (CHALLENGER, version), mandate, check)
        return champion == version


def promote(
    registry: Registry,
    history: AliasHistory,
    version: str,
    mandate: Mandate,
    *,
    instead_of: str | None = _ANY,
) -> Moved:
    """Make a version champion; nothing moves when it is champion already.

    Parameters
    ----------
    instead_of : str or None
        The champion it was judged against; None for none. By default whichever there is.

    Raises
    ------
    ModelError
        When the registry has no such version, or somebody has moved the champion meanwhile.
    """
    with _alone(registry, history) as check:
        _finish(registry, history, mandate.now, check)
        before = registry.champion()
        if before == version:
            return Moved(champion=version, before=before, moved=False)
        if instead_of not in (_ANY, before):
            raise ModelError(
                f"{registry.name}: champion is version {before}, but {version} was judged against "
                f"{instead_of}: somebody moved it meanwhile, and nothing was changed"
            )
        _move(registry, history, (CHAMPION, version), mandate, check)
        return Moved(champion=version, before=before, moved=True)


def rollback(registry: Registry, history: AliasHistory, mandate: Mandate) -> Moved:
    """Make the champion before this one champion again, as the history has it.

    Raises
    ------
    ModelError
        When there is no champion, or the history knows none before it.
    """
    with _alone(registry, history) as check:
        _finish(registry, history, mandate.now, check)
        before = registry.champion()
        if before is None:
            raise ModelError(f"{registry.name} has no champion: `liqwarn train` makes the first")
        target = history.earlier_champion(before)
        if target is None:
            raise ModelError(
                f"{registry.name}: champion is version {before}, and {history.log} knows none "
                "before it: name one with `liqwarn promote`"
            )
        _move(registry, history, (CHAMPION, target), replace(mandate, action=ROLLBACK), check)
        return Moved(champion=target, before=before, moved=True)


def take_over(
    registry: Registry, history: AliasHistory, aliases: Mapping[str, str], mandate: Mandate
) -> dict[str, str | None]:
    """Point aliases where they pointed in the registry that a model was copied from.

    Champion and challenger move on the record; nothing depends on the others.

    Returns
    -------
    dict of str to (str or None)
        The aliases that moved, and where they pointed before.
    """
    moved: dict[str, str | None] = {}
    with _alone(registry, history) as check:
        _finish(registry, history, mandate.now, check)
        for alias in (CHALLENGER, CHAMPION):
            before = registry.alias(alias)
            if alias in aliases and before != aliases[alias]:
                _move(registry, history, (alias, aliases[alias]), mandate, check)
                moved[alias] = before
        for alias in aliases.keys() - {CHALLENGER, CHAMPION}:
            registry.point(alias, aliases[alias], "")
    return moved


def audited(
    registry: Registry, history: AliasHistory, now: datetime
) -> tuple[tuple[Ended, ...], str | None]:
    """Every move, the interrupted one ended, and the champion of the same moment."""
    with _alone(registry, history) as check:
        _finish(registry, history, now, check)
        return history.moves(), registry.champion()


def still_needed(registry: Registry, history: AliasHistory) -> frozenset[str]:
    """Versions that a rollback would go to, or that an interrupted move is about."""
    left = history.open_move()
    about = () if left is None else (left.move.before, left.move.after)
    earlier = history.earlier_champion(registry.champion() or "")
    return frozenset(version for version in (*about, earlier) if version is not None)


def finish_open_move(registry: Registry, history: AliasHistory, now: datetime) -> Ended | None:
    """End a move that was interrupted; returns it, or None when there is none."""
    with _alone(registry, history) as check:
        return _finish(registry, history, now, check)


def _finish(
    registry: Registry, history: AliasHistory, now: datetime, check: Callable[[], None]
) -> Ended | None:
    left = history.open_move()
    if left is None:
        return None
    found = registry.alias(left.move.alias)
    if found == left.move.before:
        _make(registry, history, left.number, left.move, now, check)
    elif found == left.move.after:
        history.end(left.number, "done", now=now, why="ended after an interruption")
    else:
        why = f"after an interruption it points at version {found or 'none'}"
        history.end(left.number, "superseded", now=now, why=why)
    return left


def _move(
    registry: Registry,
    history: AliasHistory,
    what: tuple[str, str],
    mandate: Mandate,
    check: Callable[[], None],
) -> None:
    alias, version = what
    registry.require(version)  # an intent that can never be carried out is none
    move = AliasMove(
        alias=alias,
        before=registry.alias(alias),
        after=version,
        action=mandate.action,
        reason=mandate.reason,
        by=mandate.by,
        run=mandate.run,
        at=iso_utc(mandate.now),
    )
    _make(registry, history, history.intend(move), move, mandate.now, check)


def _make(
    registry: Registry,
    history: AliasHistory,
    number: int,
    move: AliasMove,
    now: datetime,
    check: Callable[[], None],
) -> None:
    try:
        check()  # a lock that was lost with its connection may be another's by now
        # a copied version says already why it once became champion
        registry.point(move.alias, move.after, "" if move.action == COPY else move.reason)
    except LiqwarnError as error:
        history.end(number, "failed", now=now, why=str(error))
        raise
    history.end(number, "done", now=now)


@contextmanager
def _alone(registry: Registry, history: AliasHistory) -> Iterator[Callable[[], None]]:
    """Hold the locks of history and registry; yields what raises when the latter was lost."""
    with file_lock(history.lock, LOCK_S), registry.changing() as check:
        yield check
