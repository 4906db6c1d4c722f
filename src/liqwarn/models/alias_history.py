"""The history of a panel's aliases in our own audit log: who moved champion or challenger, and why.

MLflow's registry keeps where an alias points, not where it pointed. Here every move has two lines
of a chained log (:mod:`liqwarn.chained_log`): the *intent*, on disk before the registry is touched,
and how it *ended*. A process that dies between them leaves an intent open, and the next move, by
whoever, ends it first.
"""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from liqwarn.chained_log import acknowledged, append_records
from liqwarn.decisions import iso_utc
from liqwarn.errors import AuditError

__all__ = ["AliasHistory", "AliasMove", "Ended"]

SCHEMA: Final = "liqwarn.alias/1"
ROLLBACK: Final = "rollback"
State = Literal["done", "failed", "superseded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasMove:
    """A move of an alias.

    Attributes
    ----------
    alias : {"champion", "challenger"}
    before : str or None
        Version it pointed at; None when it pointed nowhere.
    after : str
        Version it is to point at.
    action : {"first", "train", "retrain", "promote", "rollback", "copy"}
    reason, by : str
        Why, and a person's or a command's name.
    run : str
        Key of the training run; empty for a move by hand.
    at : str
        Moment of the intent, ISO 8601 in UTC.
    """

    alias: str
    before: str | None
    after: str
    action: str
    reason: str
    by: str
    at: str
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A move and how it ended.

    Attributes
    ----------
    number : int
        Sequence of its intent in the log.
    state : {"done", "failed", "superseded"} or None
        ``superseded``: the alias pointed elsewhere by the time an open intent was found; None
        while it is open.
    """

    number: int
    move: AliasMove
    state: str | None


class AliasHistory:
    """The log of one panel's aliases.

    Parameters
    ----------
    folder : Path
        Where the logs of all panels lie.
    panel : str
        Name of the panel.
    """

    def __init__(self, folder: Path, panel: str) -> None:
        self.log = folder / f"{panel}.jsonl"
        self.head = folder / f"{panel}.head.json"
        self.lock = folder / f"{panel}.lock"

    def intend(self, move: AliasMove) -> int:
        """Write down a move before it is made; returns its number."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        line = {"schema": SCHEMA, "state": "intent", **asdict(move)}
        return append_records(self.log, self.head, [line]).lines - 1

    def end(self, number: int, state: State, *, now: datetime, why: str = "") -> None:
        """Write down how a move ended."""
        line = {"schema": SCHEMA, "state": state, "intent": number, "at": iso_utc(now), "why": why}
        append_records(self.log, self.head, [line])

    def moves(self) -> tuple[Ended, ...]:
        """Every move in order; empty while there is no log.

        No lock is needed: others may write meanwhile.

        Raises
        ------
        AuditError
            When the log was edited, or holds something else than moves.
        """
        found: dict[int, Ended] = {}
        for number, record in enumerate(acknowledged(self.log, self.head), start=1):
            try:
                self._take(found, record)
            except (KeyError, TypeError) as error:
                raise AuditError(f"{self.log}: line {number} is no move of an alias") from error
        return tuple(found.values())

    def open_move(self) -> Ended | None:
        """The move that was intended and did not end; None when all ended."""
        return next((one for one in self.moves() if one.state is None), None)

    def champions(self) -> tuple[AliasMove, ...]:
        """Moves of the champion that were made, in order."""
        ended = (one for one in self.moves() if one.state == "done")
        return tuple(one.move for one in ended if one.move.alias == "champion")

    def earlier_champion(self, champion: str) -> str | None:
        """The version to go back to from `champion`; None when none is known.

        Champions lie on one another; a rollback takes off what lies on the version it goes to, so
        that two rollbacks in a row go two back, and not to and fro.
        """
        stack: list[str] = []
        for move in self.champions():
            if move.action == ROLLBACK and move.after in stack:
                top = len(stack) - stack[::-1].index(move.after)
                del stack[top:]
                continue
            if not stack and move.before is not None:
                stack.append(move.before)
            stack.append(move.after)
        while stack and stack[-1] == champion:
            stack.pop()
        return stack[-1] if stack else None

    @staticmethod
    def _take(found: dict[int, Ended], record: dict[str, object]) -> None:
        if record["schema"] != SCHEMA:
            raise KeyError(record["schema"])
        number = record["sequence"]
        if record["state"] == "intent" and isinstance(number, int):
            move = AliasMove(**{f.name: record[f.name] for f in fields(AliasMove)})  # type: ignore[arg-type]  # as it was written
            found[number] = Ended(number=number, move=move, state=None)
            return
        intent = found[record["intent"]]  # type: ignore[index]  # a KeyError otherwise
        if intent.state is not None:
            raise KeyError("a move that ended twice")
        found[intent.number] = Ended(
            number=intent.number, move=intent.move, state=str(record["state"])
        )
