"""What the live loop leaves on disk: audit log, snapshot, flags, and the history of flags.

::

    FOLDER/bars/                the journal: every closed bar, the loop's only input
    FOLDER/audit.jsonl          decisions, hash-chained; audit.head.json beside it
    FOLDER/orders.jsonl         what was ordered by hand, see liqwarn.serving.order_journal
    FOLDER/orders/              where orders wait, see liqwarn.serving.order_desk
    FOLDER/standings.jsonl      who was disabled behind which bar; standings.head.json beside it
    FOLDER/snapshot.live        what the engine remembers, replaced whole
    FOLDER/scores.live          the scores of the snapshot's bar
    FOLDER/events.csv           cascades up to when the engine was last made from the history
    FOLDER/flags.json           the newest flags, replaced whole
    FOLDER/history/DAY.parquet  every flag issued, a file a UTC day

The journals are written before anything is made of a bar or an order; everything else can be made
again from them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
import pandas as pd

from liqwarn.data.bars.message import BarColumn
from liqwarn.data.panel import Panel
from liqwarn.decisions import FLAGS_SCHEMA, Flag, iso_utc
from liqwarn.durable import replace_file, write_bytes
from liqwarn.live.bar import LiveBar, LiveScores
from liqwarn.live.engine import LiveEngine
from liqwarn.live.flag_rows import flag_frame, flag_rows, with_model
from liqwarn.live.provenance import audit_entries, must_log
from liqwarn.live.snapshot import pack_memory
from liqwarn.policy.audit import Head, append
from liqwarn.policy.audit_record import Provenance
from liqwarn.policy.book import Decision
from liqwarn.policy.tiers import Policy
from liqwarn.serving.audit_tail import logged_sequences
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.score_bytes import pack_scores
from liqwarn.tables import read_table, write_table

__all__ = ["AUDIT", "EVENTS", "FLAGS", "HISTORY", "SCORES", "SNAPSHOT", "LiveRecord"]

AUDIT: Final = "audit.jsonl"
EVENTS: Final = "events.csv"
FLAGS: Final = "flags.json"
HISTORY: Final = "history"
SCORES: Final = "scores.live"
SNAPSHOT: Final = "snapshot.live"

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class LiveRecord:
    """Writes the record of one loop; each method leaves its file whole or as it was.

    Parameters
    ----------
    folder : Path
    panel : Panel
    panel_sha256 : str
    document : callable
        A flag as it is published, signed where there is a key.
    """

    def __init__(
        self,
        folder: Path,
        panel: Panel,
        *,
        panel_sha256: str,
        document: Callable[[Flag], Mapping[str, Any]],
    ) -> None:
        self._folder = folder
        self._panel = panel
        self._panel_sha256 = panel_sha256
        self._document = document
        self._pages: dict[str, list[tuple[Any, ...]]] = {}
        self._late = False
        self._owed: list[tuple[Decision, Provenance]] = []

    @property
    def owes(self) -> bool:
        """Whether changes of tier are not in the audit log yet, or flags not in the history."""
        return bool(self._owed) or self._late

    def begin(self) -> None:
        """Forget what was not written: a loop that begins makes it again from the journal."""
        self._owed, self._pages, self._late = [], {}, False

    def recorded_until(self) -> datetime:
        """The newest bar in the history; long ago where there is none.

        Raises
        ------
        LiqwarnError, OSError, ValueError
            When the newest file cannot be read.
        """
        days = sorted((self._folder / HISTORY).glob("????-??-??.parquet"))
        newest = read_table(days[-1])["as_of"].max() if days else None
        return _NEVER if newest is None or pd.isna(newest) else newest.to_pydatetime()

    def audit(
        self, bar: LiveBar, column: BarColumn, policy: Policy, engine: LiveEngine, *, every: bool
    ) -> Head | None:
        """Log a bar's decisions; None when there was nothing to log.

        Changes of tier that cannot be logged are owed, and go first the next time.
        """
        told = list(audit_entries(bar, column, engine.bundle.stamp, every=every))
        return self._append(told, [one for one in told if must_log(one[0])], policy)

    def audit_ordered(
        self, bar: LiveBar, column: BarColumn, policy: Policy, engine: LiveEngine
    ) -> Head | None:
        """Log decisions between two bars, all of them, but for those that are logged already.

        They are owed whole: the fold over the bars does not make them again.
        """
        logged = logged_sequences(self._folder / AUDIT)
        told = [
            one
            for one in audit_entries(bar, column, engine.bundle.stamp, every=True)
            if (one[0].after.symbol, one[0].after.side, one[0].after.sequence) not in logged
        ]
        return self._append(told, told, policy)

    def _append(
        self,
        told: list[tuple[Decision, Provenance]],
        owed: list[tuple[Decision, Provenance]],
        policy: Policy,
    ) -> Head | None:
        entries = [*self._owed, *told]
        if not entries:
            return None
        self._owed += owed
        head = self._folder / AUDIT.replace(".jsonl", ".head.json")
        found = append(self._folder / AUDIT, head, entries, policy=policy)
        self._owed = []
        return found

    def flags(self, flags: FlagSet) -> None:
        """Replace the file of flags."""
        document = {
            "schema": FLAGS_SCHEMA,
            "generated_at": iso_utc(flags.generated_at),
            "market": flags.market,
            "flags": [self._document(flag) for flag in flags.flags.values()],
        }
        write_bytes(self._folder / FLAGS, orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))

    def history(self, bar: LiveBar, flags: Sequence[Flag], *, again: bool = False) -> None:
        """Add a bar's flags to the file of its day; `again` are some that were decided anew.

        What cannot be written is kept, and written before what follows it.
        """
        day = bar.scores.as_of.date().isoformat()
        if day not in self._pages:
            self._pages[day] = _rows_before(self._page(day), bar.scores.as_of, itself=again)
        self._pages[day] += flag_rows(bar, flags)
        self._late = True
        for begun in sorted(self._pages):
            write_table(flag_frame(self._pages[begun]), self._page(begun))
            if begun < day:
                del self._pages[begun]
        self._late = False

    def _page(self, day: str) -> Path:
        return self._folder / HISTORY / f"{day}.parquet"

    def snapshot(self, engine: LiveEngine, scores: LiveScores | None = None) -> None:
        """Replace the snapshot, and then the scores of its bar.

        Killed between the two, orders before the next bar are decided as without scores. The other
        way round, orders of before would be, that were published otherwise.
        """
        parts = pack_memory(engine.memory, self._panel, panel_sha256=self._panel_sha256)
        replace_file(self._folder / SNAPSHOT, lambda path: _fill(path, parts))
        if scores is not None:
            write_bytes(self._folder / SCORES, pack_scores(scores))


def _fill(path: Path, parts: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(parts)


def _rows_before(path: Path, as_of: datetime, *, itself: bool) -> list[tuple[Any, ...]]:
    """Rows of a day's file that come before a bar, or up to it.

    Of a bar that is taken again none stays.
    """
    if not path.exists():
        return []
    table, bar = with_model(read_table(path)), pd.Timestamp(as_of)
    kept: pd.DataFrame = table[table["as_of"] <= bar if itself else table["as_of"] < bar]
    return list(kept.itertuples(index=False, name=None))
