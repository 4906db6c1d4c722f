"""The live loop: closing bars in, flags out, in one thread.

For each closed bar, in this order: the journal (on disk before anything is made of it), the engine,
the flags' readers in memory, then the record on disk. Killed anywhere, it takes up the journal and
makes the same again; see :mod:`liqwarn.serving.live_restart`.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, Protocol

from liqwarn.data.bars.assembler import MOST_AT_ONCE, Assembler
from liqwarn.data.bars.feed import Delivery, Feed
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.message import BarColumn, close_seconds
from liqwarn.data.panel import Panel
from liqwarn.decisions import Flag
from liqwarn.errors import LiqwarnError
from liqwarn.live.bar import LiveBar, flags_of
from liqwarn.live.engine import LiveEngine
from liqwarn.live.provenance import column_sha256
from liqwarn.policy.book import Key
from liqwarn.policy.flags import FlagSource
from liqwarn.policy.position import Position
from liqwarn.policy.tiers import Policy
from liqwarn.serving.clock import Clock
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.live_record import LiveRecord
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.ports import Publisher

__all__ = ["LiveLoop", "LoopParts", "Models"]

_WAIT_S: Final = 0.5
_AGAIN_S: Final = 2.0
_NO_END: Final = datetime.max.replace(tzinfo=UTC)


class Models(Protocol):
    """Where the model of record comes from."""

    def refresh(self, engine: LiveEngine) -> None:
        """Give the engine the model to score the next bar with, if it is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopParts:
    """What a loop is made of.

    Attributes
    ----------
    panel : Panel
    policy : Policy
    feed : Feed
    assembler : Assembler
    journal : Journal
    record : LiveRecord
    models : Models
    outlets : sequence of Publisher
        In the order in which they are published to: memory first, networks last.
    clock : Clock
    watch : LoopWatch
        Told of everything that happens, for logs, metrics and alerts.
    rebuild : callable
        An engine from the whole history up to the bar before a column, for a new quarter.
    snapshot_every : timedelta
        Bars' time between two snapshots.
    beats : sequence of callable
        Heartbeats, called each round.
    trouble : callable
        Told why the loop cannot go on for now, and None when it can.
    stopwatch : callable
        Seconds for the durations that are told, whatever the clock of a replay says.
    """

    panel: Panel
    policy: Policy
    feed: Feed
    assembler: Assembler
    journal: Journal
    record: LiveRecord
    models: Models
    clock: Clock
    watch: LoopWatch
    rebuild: Callable[[LiveEngine, BarColumn], LiveEngine]
    outlets: Sequence[Publisher] = ()
    snapshot_every: timedelta = timedelta(hours=6)
    beats: Sequence[Callable[[], None]] = ()
    trouble: Callable[[str | None], None] = lambda _: None
    stopwatch: Callable[[], float] = time.perf_counter


class LiveLoop:
    """Runs until told to stop, or until its feed has ended.

    Parameters
    ----------
    parts : LoopParts
    engine : LiveEngine
        After the last bar of the journal.
    """

    def __init__(self, parts: LoopParts, engine: LiveEngine) -> None:
        self._parts = parts
        self._engine = engine
        self._snapped = engine.as_of
        self._audited_day = ""
        self.lock = threading.Lock()
        """Held while the engine changes: take it to look at what it remembers."""

    @property
    def engine(self) -> LiveEngine:
        """The engine now; hold :attr:`lock` while you look into it."""
        return self._engine

    def run(self, stop: threading.Event) -> None:
        """Take what the feed delivers until `stop` is set or the feed has ended.

        Raises
        ------
        LiqwarnError, OSError
            When the journal cannot be written, or the engine refuses a bar. The flags that were
            published run out by themselves.
        """
        ended = False
        while not (stop.is_set() or ended):
            ended = self.turn(stop)

    def turn(self, stop: threading.Event) -> bool:
        """One delivery; whether nothing will ever follow it."""
        parts = self._parts
        delivery = parts.feed.poll(_WAIT_S)
        columns = self._columns(delivery, stop)
        if columns is None or (columns and not self._journalled(columns, stop)):
            return False
        parts.feed.taken()
        self.take_all(columns)
        parts.watch.delivered(delivery, parts.assembler)
        for beat in parts.beats:
            beat()
        return delivery.ended

    def _columns(self, delivery: Delivery, stop: threading.Event) -> list[BarColumn] | None:
        """What a delivery closed; after a long gap only the last of it, the rest has been taken.

        None when the loop was stopped on the way.
        """
        assembler, now = self._parts.assembler, self._parts.clock.wall()
        columns: list[BarColumn] = []
        for message in delivery.messages:
            while len(room := assembler.make_room(message, now)) == MOST_AT_ONCE:
                columns += room
                if stop.is_set() or not self._journalled(columns, stop):
                    return None
                self.take_all(columns, followed=True)
                columns = []
            columns += room
            columns += assembler.take(message, now)
        # what waits to be read may bring the symbols that lack; at the end nothing is awaited
        still = delivery.more or delivery.ended
        return columns if still else columns + assembler.tick(now)

    def _journalled(self, columns: Sequence[BarColumn], stop: threading.Event) -> bool:
        """Whether the columns are on disk: tried until it works, for they come only once.

        Meanwhile nothing is made of them, and what was published runs out.
        """
        parts, began = self._parts, self._parts.stopwatch()
        while True:
            try:
                parts.journal.append([c for c in columns if _behind(c, parts.journal)])
            except (LiqwarnError, OSError) as error:
                parts.watch.failed("journal", error)
                parts.trouble(f"the journal cannot be written: {error}")
                if stop.wait(_AGAIN_S):
                    return False
            else:
                parts.trouble(None)
                parts.watch.journalled(len(columns), parts.stopwatch() - began)
                return True

    def take_all(self, columns: Sequence[BarColumn], *, followed: bool = False) -> None:
        """Make flags of journalled bars; of those whose flags would have run out, none are issued.

        After a gap of months that is what lets the loop be back in seconds. The last one's are,
        unless it is `followed` by others at once.
        """
        last = None if followed else len(columns)
        oldest = self._parts.clock.wall() - self._parts.policy.valid_for(self._parts.panel.bar)
        for place, column in enumerate(columns, start=1):
            if place != last and close_seconds(column.time) < oldest.timestamp():
                self._audit(self.step(column), column, every=False)
            else:
                self.take(column)

    def take(self, column: BarColumn) -> tuple[Flag, ...]:
        """Make flags of a journalled bar, publish and record them."""
        parts, began = self._parts, self._parts.stopwatch()
        bar = self.step(column)
        told = self._flags(bar, column)
        for outlet in parts.outlets:
            self._safely(lambda to=outlet: to.publish(told), type(outlet).__name__)  # type: ignore[misc]
        flags = tuple(told.flags.values())
        parts.watch.flagged(bar, flags, parts.stopwatch() - began)
        self._safely(lambda: parts.record.flags(told), "flags.json")
        self._write(bar, column, flags)
        return flags

    def repeat(self, flags: FlagSet) -> None:
        """Publish flags of before again: a target that begins empty has none until the next bar."""
        for outlet in self._parts.outlets:
            self._safely(lambda to=outlet: to.publish(flags), type(outlet).__name__)  # type: ignore[misc]

    def step(self, column: BarColumn) -> LiveBar:
        """Let the engine take a bar, with the model and the maps that are due."""
        engine = self._engine
        if not engine.ready_for(column.time):
            self._parts.watch.rebuilding(column)
            engine = self._parts.rebuild(engine, column)  # minutes; nobody who looks waits for it
        with self.lock:
            self._engine = engine
            self._parts.models.refresh(engine)
            return self._engine.step(column)

    def _flags(self, bar: LiveBar, column: BarColumn) -> FlagSet:
        parts, issued_at = self._parts, self._parts.clock.wall()
        source = FlagSource(
            model=self._engine.bundle.stamp,
            data_sha256=column_sha256(column),
            completeness=0.0,
        )
        flags = flags_of(bar, parts.policy, source, issued_at=issued_at)
        return FlagSet(
            generated_at=issued_at,
            market=parts.panel.market,
            flags=MappingProxyType({flag.symbol: flag for flag in flags}),
        )

    def _write(self, bar: LiveBar, column: BarColumn, flags: Sequence[Flag]) -> None:
        parts, day = self._parts, bar.scores.as_of.date().isoformat()
        if self._audit(bar, column, every=day != self._audited_day):
            self._audited_day = day
        self._history(bar, flags)
        if bar.scores.as_of - self._snapped >= parts.snapshot_every:
            self.snapshot()

    def _history(self, bar: LiveBar, flags: Sequence[Flag]) -> None:
        self._safely(lambda: self._parts.record.history(bar, flags), "history")

    def _recorded_until(self) -> datetime:
        """The newest bar in the history; the end of time where nobody can tell."""
        try:
            return self._parts.record.recorded_until()
        except Exception as error:  # a history that is damaged must not stop the loop
            self._parts.watch.failed("history", error)
            return _NO_END

    def _audit(self, bar: LiveBar, column: BarColumn, *, every: bool) -> bool:
        """Whether the bar's decisions are logged; if not, the record owes them."""
        parts = self._parts
        try:
            head = parts.record.audit(bar, column, parts.policy, self._engine, every=every)
        except Exception as error:  # whatever it is, the flags are out and the next bar comes
            parts.watch.audit_failed(error)
            return False
        parts.watch.audited(head)
        return True

    def snapshot(self) -> None:
        """Replace the snapshot, so that a restart has less to make again.

        Not while the audit log is behind: what it lacks is logged by whoever makes it again.
        """
        if not self._parts.record.owes:
            self._snapped = self._engine.as_of
            self._safely(lambda: self._parts.record.snapshot(self._engine), "snapshot")

    def _safely(self, write: Callable[[], object], what: str) -> None:
        """One target that fails must not keep the flags from the others."""
        try:
            write()
        except Exception as error:  # nobody's own fault may take the flags from the rest
            self._parts.watch.failed(what, error)
        else:
            self._parts.watch.published(what)

    def catch_up(
        self,
        columns: Iterable[BarColumn],
        audited_until: datetime,
        floor: Mapping[Key, Position] = MappingProxyType({}),
    ) -> int:
        """Take bars that the journal holds already; only the last of them is published.

        Flags of the others that the history lacks are added to it, as issued now.

        Parameters
        ----------
        audited_until : datetime
            Newest decision in the audit log: what changed after it is logged now.
        floor : mapping of (symbol, side) to Position
            What was published before, where another model or policy takes the bars again.
        """
        taken, last, recorded = 0, None, self._recorded_until()
        for column in columns:
            if last is not None:
                bar = self.step(last)
                if bar.scores.as_of > audited_until:
                    self._audit(bar, last, every=False)
                if bar.scores.as_of > recorded:
                    self._history(bar, tuple(self._flags(bar, last).flags.values()))
            last, taken = column, taken + 1
        if last is not None:
            self._engine.hold(floor)
            self.take(last)
        return taken


def _behind(column: BarColumn, journal: Journal) -> bool:
    """Whether a column is not in the journal yet: an append may fail behind the first of a few."""
    return journal.end is None or bool(column.time > journal.end)
