"""How the last run of retraining ended, by the last lines of its journal."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from liqwarn.decisions import moment_from_iso
from liqwarn.errors import LiqwarnError

__all__ = ["LastRuns", "RunEnd", "read_last_runs"]

ENDS: Final = ("finished", "stopped", "failed")
_TAIL: Final = 256 * 1024
"""Bytes looked at: hundreds of lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """The end of a run.

    Attributes
    ----------
    step : {"finished", "stopped", "failed"}
    at : datetime
        When the run was begun.
    action : str
        What a finished run did, such as ``promoted`` or ``kept``; else empty.
    champion : str
        Version after it; empty where the line does not say.
    """

    step: str
    at: datetime
    action: str = ""
    champion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRuns:
    """The last end of any kind, and the last run that finished; None when there is none."""

    last: RunEnd | None = None
    finished: RunEnd | None = None


def read_last_runs(journal: Path) -> LastRuns:
    """What the end of a journal tells; never raises, and what is no line of one is passed over.

    Only the last 256 KiB are read: the chain is not checked here, ``liqwarn retrain`` does that.
    """
    last: RunEnd | None = None
    for end in _ends_backwards(journal):
        last = last or end
        if end.step == "finished":
            return LastRuns(last=last, finished=end)
    return LastRuns(last=last)


def _ends_backwards(journal: Path) -> Iterator[RunEnd]:
    for line in reversed(_tail(journal)):
        with suppress(LiqwarnError, KeyError, TypeError, ValueError):
            end = _end(orjson.loads(line))
            if end is not None:
                yield end


def _tail(journal: Path) -> list[bytes]:
    try:
        with journal.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(size - _TAIL, 0))
            lines = stream.read(_TAIL).splitlines()
    except OSError:
        return []
    return lines[1:] if size > _TAIL else lines


def _end(line: object) -> RunEnd | None:
    """The end that a line tells of; of the ledger of before there were journals too."""
    if not isinstance(line, dict):
        return None
    step = line.get("step", "finished" if "action" in line else None)
    if step not in ENDS:
        return None
    told = line.get("figures", line)
    figures: Mapping[str, Any] = told if isinstance(told, dict) else {}
    begun = moment_from_iso(line["at"], "at").astimezone(UTC)
    return RunEnd(
        step=step,
        at=begun,
        action=_word(figures.get("action")),
        champion=_word(figures.get("champion")),
    )


def _word(found: object) -> str:
    return str(found)[:64] if isinstance(found, str | int) else ""
