"""Symbols that are not scored, in the live loop: each change is on record before it is in force.

The ledger's standings are another process's file, which says what is true now. What was true when
a bar was taken is in the loop's own journal, a chained log: who was disabled behind which bar.
After a restart the bars behind the snapshot are taken again with what the journal has of each, to
the same decisions; only the next new bar looks at the file again.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from liqwarn.chained_log import append_records, records, verify
from liqwarn.decisions import iso_utc
from liqwarn.errors import AuditError
from liqwarn.models.skill_floor import Standing
from liqwarn.serving.live_watch import LoopWatch

__all__ = ["STANDINGS", "LiveStandings"]

STANDINGS: Final = "standings.jsonl"
_SCHEMA: Final = "liqwarn.live_standings/1"
_HEAD: Final = "standings.head.json"

Standings = Mapping[str, Standing]


class LiveStandings:
    """Who is disabled, bar by bar; of the loop's thread alone.

    Parameters
    ----------
    folder : Path
        Of the loop's record.
    read : callable
        The ledger's standings now; only who is disabled matters.
    watch : LoopWatch
        Told of changes, and of what cannot be read or written.
    """

    def __init__(self, folder: Path, read: Callable[[], Standings], watch: LoopWatch) -> None:
        self._log, self._head = folder / STANDINGS, folder / _HEAD
        self._read, self._watch = read, watch
        self.fault: str | None = None
        """What is wrong with the journal of before; None when it is whole."""
        self._after: list[datetime] = []
        self._known: list[Standings] = []
        try:
            for after, standings in self._recorded():
                self._note(after, standings)
        except AuditError as error:
            self.fault = str(error)

    def at(self, close: datetime) -> Standings:
        """Who is disabled for the bar of that close, as the journal has it."""
        place = bisect_left(self._after, close)
        return self._known[place - 1] if place else {}

    def renew(self, newest: datetime) -> None:
        """Look at the ledger; what is other than before is in force behind the newest bar.

        A file that cannot be read changes nothing, nor does a journal that cannot be written.
        Who was disabled stays so until the ledger enables it under the same champion: it says the
        next one's name before this server has that model, and one that is gone says nothing.
        """
        try:
            before = self._known[-1] if self._known else {}
            wanted = _disabled(before, self._read())
            if wanted == before:
                return
            line = {
                "schema": _SCHEMA,
                "after": iso_utc(newest),
                "disabled": {name: _plain(one) for name, one in sorted(wanted.items())},
            }
            append_records(self._log, self._head, [line])
        except Exception as error:  # whatever it is, the bars go on as they went
            self._watch.failed("standings", error)
            return
        self._note(newest, wanted)
        self._watch.standings(before, wanted)

    def _note(self, after: datetime, standings: Standings) -> None:
        self._after.append(after)
        self._known.append(standings)

    def _recorded(self) -> Iterator[tuple[datetime, Standings]]:
        if not self._log.exists() and not self._head.exists():
            return
        append_records(self._log, self._head, [])  # sets an interrupted append aside
        verify(self._log, self._head)
        for number, record in records(self._log):
            try:
                disabled = {name: _standing(raw) for name, raw in record["disabled"].items()}
                yield _moment(record["after"]), disabled
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise AuditError(f"{self._log}: line {number} says no standings") from error


def _disabled(before: Standings, told: Standings) -> dict[str, Standing]:
    """Who is disabled by what is told now; a standing holds for the champion it names alone."""
    out = {name: one for name, one in told.items() if not one.enabled}
    for name, one in before.items():
        now = told.get(name)
        if now is None or (now.enabled and now.champion != one.champion):
            out[name] = one
    return out


def _plain(one: Standing) -> dict[str, Any]:
    return {"champion": one.champion, "since": iso_utc(one.since), "reason": one.reason}


def _standing(raw: Mapping[str, Any]) -> Standing:
    return Standing(
        enabled=False,
        champion=raw["champion"],
        since=_moment(raw["since"]),
        reason=raw["reason"],
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
