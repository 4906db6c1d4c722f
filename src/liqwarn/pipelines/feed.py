"""A panel's files followed as they grow: each bar that closes is sent to the live loop.

The bars are those of the batch: what is new of the files is ingested, and the as-of join says what
was known at the close. So a bar is the same bits whether it is fed or scored later, as long as its
records were in the files in time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from liqwarn.config import load_panel, load_settings
from liqwarn.data.asof import market_frame
from liqwarn.data.bars.codec import encode_message
from liqwarn.data.bars.message import BarMessage
from liqwarn.data.bars.producer import Producer
from liqwarn.data.bars.replay_feed import column_at, messages_of
from liqwarn.data.ingest import ingest
from liqwarn.data.panel import Panel
from liqwarn.data.queries import DataPlace
from liqwarn.data.store import Store
from liqwarn.errors import ConfigError, DataError, SourceError, StoreError
from liqwarn.pipelines.file_changes import FileChanges

__all__ = ["FeedJob", "FeedTurn", "PanelFeed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedJob:
    """Which panel, from where, and how long a bar is waited for.

    Attributes
    ----------
    panel : Path
    data : Path
        Folder of the files that grow.
    store : Path or None
        None is ``LIQWARN_HOME/store/PANEL``.
    patience : timedelta
        After a close: a symbol whose core fields are not known by then is sent as it is.
    wait : timedelta
        After a close: nothing is looked at before, since nothing can be known.
    every : timedelta
        How often the files are looked at while a bar is waited for.
    back : int
        Bars before the start that are sent as well.
    """

    panel: Path
    data: Path
    store: Path | None = None
    patience: timedelta = timedelta(seconds=20)
    wait: timedelta = timedelta(0)
    every: timedelta = timedelta(seconds=2)
    back: int = 1

    def faults(self, panel: Panel) -> Iterator[str]:
        """What is wrong with it."""
        if not self.data.is_dir():
            yield f"data folder is {self.data}, expected a folder of files"
        if not timedelta(0) < self.patience < panel.bar:
            yield f"patience is {self.patience}, expected above 0 and below a bar, {panel.bar}"
        if not timedelta(0) < self.every <= self.patience:
            yield f"every is {self.every}, expected above 0 and at most the patience"
        if not timedelta(0) <= self.wait < self.patience:
            yield f"wait is {self.wait}, expected 0 or more and below the patience"
        if self.back < 0:
            yield f"back is {self.back}, expected 0 or more bars"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedTurn:
    """What a look at the files led to.

    Attributes
    ----------
    sent : int
        Messages given to the producer.
    whole : int
        Of them those whose core fields are known.
    bar : datetime or None
        The last close of which something was sent.
    fault : str
        Why the files could not be used; empty when they could.
    """

    sent: int = 0
    whole: int = 0
    bar: datetime | None = None
    fault: str = ""


class PanelFeed:
    """Looks at a panel's files and gives bars to a producer.

    Parameters
    ----------
    job : FeedJob
    producer : Producer
    now : float
        Seconds since the epoch: bars that close after it are sent, and `job.back` before it.
    refresh : callable, optional
        Brings the files up to date before each look, such as tables of a tape.

    Raises
    ------
    ConfigError
        When the job cannot be done, every fault together.
    """

    def __init__(
        self,
        job: FeedJob,
        producer: Producer,
        *,
        now: float,
        refresh: Callable[[float], None] | None = None,
    ) -> None:
        self._panel = load_panel(job.panel)
        if faults := list(job.faults(self._panel)):
            raise ConfigError("\n".join(faults))
        self._job, self._producer, self._refresh = job, producer, refresh
        self._store = Store(job.store or load_settings().home / "store" / self._panel.name)
        self._changes = FileChanges()
        self._bar_s = self._panel.bar_s
        self._next = int(now) // self._bar_s * self._bar_s - (job.back - 1) * self._bar_s
        self._told: set[str] = set()

    @property
    def next_close(self) -> int:
        """Close of the oldest bar that is not sent whole, seconds since the epoch."""
        return self._next

    def bars_since(self, close: int) -> int:
        """Bars sent whole since a close."""
        return (self._next - close) // self._bar_s

    def due(self, now: float) -> bool:
        """Whether a bar that is not sent has closed, and may be known."""
        return self._next + self._job.wait.total_seconds() <= now

    def look(self, now: float) -> FeedTurn:
        """Read what is new, and give the producer what has closed and is known."""
        fault = ""
        try:
            if self._refresh is not None:
                self._refresh(now)
            moment = datetime.fromtimestamp(now, tz=UTC)
            with self._changes.since_last_time() as changed:
                ingest(self._panel, self._place(changed), self._store, now=moment)
        except (DataError, StoreError, SourceError) as error:
            fault = str(error)
        try:  # what was known before the fault is sent all the same when its time has come
            return replace(self._give(now), fault=fault)
        except (DataError, StoreError) as error:
            return FeedTurn(fault=fault or str(error))

    def _place(self, changed: Callable[[Path], bool]) -> DataPlace:
        """The folder's changed files; queries are asked each time."""
        databases = load_settings().databases
        return DataPlace(folder=self._job.data, databases=databases, wanted=changed)

    def _give(self, now: float) -> FeedTurn:
        if not self.due(now):
            return FeedTurn()
        last = int(now) // self._bar_s * self._bar_s
        frame = market_frame(
            self._store,
            self._panel,
            start=datetime.fromtimestamp(self._next, tz=UTC),
            end=datetime.fromtimestamp(last, tz=UTC),
        )
        sent = whole = 0
        bar: datetime | None = None
        for place in range(frame.times.size):
            close = int(frame.times[place].astype("datetime64[s]").astype(np.int64))
            late = now >= close + self._job.patience.total_seconds()
            chosen = [
                (message, core)
                for message in messages_of(column_at(frame, place))
                if message.symbol not in self._told and ((core := self._has_core(message)) or late)
            ]
            self._producer.give(encode_message(m).rstrip(b"\n") for m, _ in chosen)
            sent, whole = sent + len(chosen), whole + sum(core for _, core in chosen)
            bar = datetime.fromtimestamp(close, tz=UTC) if chosen else bar
            self._told |= {message.symbol for message, _ in chosen}
            if len(self._told) < len(self._panel.symbols):
                break
            self._told, self._next = set(), close + self._bar_s
        return FeedTurn(sent=sent, whole=whole, bar=bar)

    def _has_core(self, message: BarMessage) -> bool:
        return all(name in message.fields for name in self._panel.core)
