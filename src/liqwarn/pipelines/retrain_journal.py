"""The journal of retraining: what each run checked, found and changed, a line a step.

``LIQWARN_HOME/retrain/PANEL.jsonl`` is a chained log (:mod:`liqwarn.chained_log`). A run is named
by its key; one that was killed has no end in it, and is begun again under the same key. Only the
run that holds the lock of retraining writes here.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final

from liqwarn.chained_log import append_records, read_head, records, verify
from liqwarn.decisions import iso_utc
from liqwarn.errors import LiqwarnError
from liqwarn.pipelines.retrain_ledger import ledger_records

__all__ = ["SCHEMA", "Journal", "Notes", "Step", "journal_of"]

SCHEMA: Final = "liqwarn.retrain/1"
Line = Mapping[str, Any]


class Step(StrEnum):
    """The steps of a run, in order; a run ends with one of the last two, or breaks off.

    ``FAILED`` says why it broke off where something could say so; the next run goes on.
    """

    STARTED = "started"
    DATA = "data"
    QUALITY = "quality"
    DRIFT = "drift"
    JUDGED = "judged"
    TRAINED = "trained"
    REGISTERED = "registered"
    MOVED = "moved"
    RELEASED = "released"
    FAILED = "failed"
    STOPPED = "stopped"
    FINISHED = "finished"


class Journal:
    """The journal of one panel.

    Parameters
    ----------
    folder : Path
        Where the journals of all panels lie.
    panel : str
    """

    def __init__(self, folder: Path, panel: str) -> None:
        self.panel = panel
        self.log = folder / f"{panel}.jsonl"
        self.head = folder / f"{panel}.head.json"
        self.plain = folder / f"{panel}.plain.jsonl"

    def open(self) -> None:
        """Make the journal ready: take over a ledger of before there were journals, and check it.

        Raises
        ------
        StoreError
            When the old ledger is unreadable.
        AuditError
            When the journal was edited or cut.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self._is_plain():
            ledger_records(self.log)  # refused before it is touched
            self.log.replace(self.plain)
        append_records(self.log, self.head, [])  # what a kill left behind its end goes aside
        if self.plain.exists() and not read_head(self.head).lines:
            append_records(self.log, self.head, ledger_records(self.plain))
        verify(self.log, self.head)

    def lines(self) -> list[dict[str, Any]]:
        """Every line in order; empty while there is no journal, or only an old ledger."""
        if self._is_plain():
            return ledger_records(self.log)
        if not self.head.exists():
            return ledger_records(self.plain) if self.plain.exists() else []
        return [line for _, line in islice(records(self.log), read_head(self.head).lines)]

    def append(self, line: Line) -> None:
        """Add a line; it is on disk when this returns, or not there at all."""
        append_records(self.log, self.head, [{"schema": SCHEMA, **line}])

    def finished(self, run: str) -> dict[str, Any] | None:
        """The line that finished a run; None when there is none."""
        return next((one for one in self.lines() if _is_end(one) and one["run"] == run), None)

    def accepted_data(self) -> dict[str, Any] | None:
        """What the last finished run stood on, as its ``data`` line has it; None before any."""
        lines = self.lines()
        done = {one["run"] for one in lines if _is_end(one)}
        found = [one for one in lines if one["step"] == Step.DATA and one["run"] in done]
        return found[-1]["figures"] if found else None

    def shown_by(self, run: str) -> list[dict[str, Any]]:
        """ROC-AUC by side of the challenger that a run walked forward; empty for a first model.

        Returns
        -------
        list of dict
            ``side``, ``value`` and ``low``, the lower end of its interval; None where unknown.
        """
        judged = [one["figures"] for one in self.of_run(run) if one["step"] == Step.JUDGED]
        return [
            {"side": one["side"], "value": one["roc_auc"], "low": one.get("roc_auc_low")}
            for one in (judged[-1]["evidence"] if judged else ())
        ]

    def was_released(self, version: str, place: str) -> bool:
        """Whether a run has released a version there."""
        told = {"version": version, "place": place}
        return any(
            one["step"] == Step.RELEASED and told.items() <= one["figures"].items()
            for one in self.lines()
        )

    def of_run(self, run: str) -> list[dict[str, Any]]:
        """Lines of a run, of all its attempts."""
        return [one for one in self.lines() if one["run"] == run]

    def _is_plain(self) -> bool:
        """Whether the log is a ledger of before there were journals: lines without a chain."""
        if self.head.exists() or not self.log.exists():
            return False
        with self.log.open("rb") as stream:
            return b'"sequence":' not in stream.readline()


def _is_end(line: Line) -> bool:
    return bool(line["step"] == Step.FINISHED)


def journal_of(panel: str, home: Path) -> Journal:
    """The journal of a panel, below ``LIQWARN_HOME``."""
    return Journal(home / "retrain", panel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """Writes the steps of one run.

    Attributes
    ----------
    journal : Journal
    run : str
        Its key.
    now : datetime
        When it was begun.
    elapsed : callable
        Seconds since then.
    """

    journal: Journal
    run: str
    now: datetime
    elapsed: Callable[[], float]

    def note(
        self, step: Step, figures: Mapping[str, Any] | None = None, reasons: Sequence[str] = ()
    ) -> None:
        """Write down that a step is done."""
        self.journal.append(
            {
                "step": str(step),
                "run": self.run,
                "at": iso_utc(self.now),
                "seconds": round(self.elapsed(), 3),
                "figures": dict(figures or {}),
                "reasons": list(reasons),
            }
        )

    def failed(self, error: Exception) -> None:
        """Write down why a run breaks off, if that can be written; it is told in any case."""
        with suppress(LiqwarnError, OSError):
            self.note(Step.FAILED, {"error": type(error).__name__}, (str(error),))
