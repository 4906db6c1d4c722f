"""The live server: the loop in one thread, its readers in another, and what restarts the loop.

A loop that cannot go on (a full disk, a damaged journal) says so, leaves the flags to run out, and
is begun again from its record every few seconds until that works. The readers are served all along.
"""

import gc
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from liqwarn.data.bars.assembler import Assembler
from liqwarn.data.bars.feed import Feed
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.message import BarColumn, close_seconds
from liqwarn.data.panel import Panel
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.live.engine import LiveEngine, Memory
from liqwarn.models.skill_floor import Standing
from liqwarn.policy.book import Key
from liqwarn.policy.orders import Action
from liqwarn.policy.position import Position
from liqwarn.policy.tiers import Policy
from liqwarn.serving.audit_patrol import AuditPatrol
from liqwarn.serving.clock import Clock
from liqwarn.serving.live_loop import LiveLoop, LoopParts, Models
from liqwarn.serving.live_orders import LiveOrders, shown_reason
from liqwarn.serving.live_record import AUDIT, SNAPSHOT, LiveRecord
from liqwarn.serving.live_restart import (
    BARS,
    audited_by,
    audited_until,
    journal_columns,
    last_positions,
    last_scores,
    remove_unfinished,
    restored,
)
from liqwarn.serving.live_standings import LiveStandings
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.order_desk import OrderDesk
from liqwarn.serving.order_journal import OrderJournal
from liqwarn.serving.ports import Publisher
from liqwarn.serving.shelf import FlagShelf

__all__ = ["Engines", "LiveService", "ServiceParts"]

_AGAIN_S: Final = 5.0
_PRICES_BEFORE: Final = 24  # bars within which the border looks for the price before a jump


class Engines(Protocol):
    """Makes engines; the batch's side, given by whoever starts the service."""

    def fresh(
        self,
        columns: Sequence[BarColumn],
        until: datetime | None,
        positions: Mapping[Key, Position],
    ) -> LiveEngine:
        """An engine after the store's history and the recorded bars behind it.

        `until` is the close of the newest bar it may know; None is the store's last. `positions`
        are where the breaker stood.
        """

    def restored(self, memory: Memory) -> LiveEngine:
        """An engine that remembers what a snapshot does."""

    def next_quarter(self, engine: LiveEngine, columns: Sequence[BarColumn]) -> LiveEngine:
        """An engine before the last of the recorded bars, with the maps of that bar's quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceParts:
    """What a service is made of.

    Attributes
    ----------
    folder : Path
        Of its record; see :mod:`liqwarn.serving.live_record`.
    panel, panel_sha256, policy
    terms : SymbolTerms
    engines : Engines
    models : Models
    feed : Feed
    joined : bool
        Whether the feed's bars were joined as of already.
    patience : timedelta
        How long a bar waits for symbols that have not reported.
    record : LiveRecord
    shelf : FlagShelf
    outlets : sequence of Publisher
        Beside the shelf.
    beats : sequence of callable
        Called each round: heartbeats.
    clock, watch
    desk : OrderDesk or None
        Where orders by hand are asked for; None makes one over the folder.
    checks : sequence of callable
        Asked in idle rounds what is no longer as it was signed or written; None is nothing.
    standings : callable or None
        The standings of the panel's ledger now; None disables no symbol.
    snapshot_every : timedelta
    """

    folder: Path
    panel: Panel
    panel_sha256: str
    policy: Policy
    terms: SymbolTerms
    engines: Engines
    models: Models
    feed: Feed
    joined: bool
    patience: timedelta
    record: LiveRecord
    shelf: FlagShelf
    clock: Clock
    watch: LoopWatch
    outlets: Sequence[Publisher] = ()
    beats: Sequence[Callable[[], None]] = ()
    desk: OrderDesk | None = None
    checks: Sequence[Callable[[], str | None]] = ()
    standings: Callable[[], Mapping[str, Standing]] | None = None
    snapshot_every: timedelta = timedelta(hours=6)


class LiveService:
    """Runs the loop, and again when it stops."""

    def __init__(self, parts: ServiceParts) -> None:
        self._parts = parts
        self.desk = parts.desk or OrderDesk(parts.folder)
        """Where orders by hand are asked for, from any thread."""
        log = parts.folder / AUDIT
        head = log.with_name(AUDIT.replace(".jsonl", ".head.json"))
        patrol = AuditPatrol(log, head, monotonic=parts.clock.monotonic)
        self._checks: tuple[Callable[[], str | None], ...] = (*parts.checks, patrol)
        self._loop: LiveLoop | None = None
        self._assembler: Assembler | None = None  # of the loop now, or of the one before it
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="liqwarn-loop", daemon=True)
        self.ended = threading.Event()
        """Set when the feed has ended, or the service was stopped."""

    @property
    def loop(self) -> LiveLoop | None:
        """The loop that runs now; None while it is being begun."""
        return self._loop

    @property
    def shelf(self) -> FlagShelf:
        """Where the newest flags lie."""
        return self._parts.shelf

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self, within_s: float = 10.0) -> None:
        """End the loop after the bar it is at."""
        self._stop.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if self._round():
                    return
                self._stop.wait(_AGAIN_S)
        finally:
            self._parts.feed.close()
            self.ended.set()

    def _tell(self, fault: str | None) -> None:
        """Tell the readers, who need not know where things lie on this machine."""
        where = str(self._parts.folder.absolute().parent)
        self._parts.shelf.fail(fault and fault.replace(where, "…"))

    def _round(self) -> bool:
        """One life of the loop; whether it ended as it should."""
        parts = self._parts
        try:
            with Journal.open(parts.folder / BARS, parts.panel) as journal:
                remove_unfinished(parts.folder)
                loop = self._begin(journal)
                parts.shelf.fail(None)
                loop.run(self._stop)
                loop.snapshot()
        except (
            Exception
        ) as error:  # whatever stops the loop, the readers are told and it is retried
            self._loop = None
            parts.watch.stopped(error)
            self._tell(f"the live loop stands still: {error}")
            return False
        return True

    def _begin(self, journal: Journal) -> LiveLoop:
        """A loop that has caught up with its journal."""
        parts = self._parts
        engine, columns = self._engine(journal)
        first = engine.number + len(columns) + 1
        assembler = Assembler(
            parts.panel,
            first=np.datetime64(first * parts.panel.bar_s, "s"),
            patience=parts.patience,
            joined=parts.joined,
        )
        assembler.remember(self._carried(journal, first))
        orders = OrderJournal(parts.folder)
        made = self._loop_parts(journal, assembler, orders)
        waiting = () if self._assembler is None else self._assembler.pending
        loop = LiveLoop(replace(made, waiting=waiting), engine)
        loop.stand_on(last_scores(parts.folder, engine.as_of), self._column(journal, engine))
        parts.record.begin()
        if not (parts.folder / SNAPSHOT).exists():
            loop.snapshot()  # so that the next start need not build all of it again
        since = engine.as_of
        if columns:
            taken = loop.catch_up(columns, audited_until(parts.folder), self._floor(engine))
            parts.watch.caught_up(taken, since)
        elif (before := parts.shelf.read().latest) is not None:
            loop.repeat(before)
        for reason in _damages(journal, orders, made.standings):
            loop.broken(reason)
        loop.between()
        gc.collect()
        gc.freeze()  # what stays for good is not looked through while a bar is waiting
        self._loop, self._assembler = loop, assembler
        return loop

    def _column(self, journal: Journal, engine: LiveEngine) -> BarColumn | None:
        """The newest bar that the engine has taken; None where the journal has it not."""
        panel = self._parts.panel
        found = journal_columns(journal, panel, _closed(engine.as_of) - panel.bar_s)
        return found[0] if found else None

    def _floor(self, engine: LiveEngine) -> Mapping[Key, Position]:
        """Where every side was published to stand, unless the same bars give the same again."""
        parts = self._parts
        if audited_by(parts.folder, engine.bundle.stamp, parts.policy.stamp):
            return {}
        return last_positions(parts.folder, None, parts.panel.symbol_names)

    def _carried(self, journal: Journal, first: int) -> tuple[BarColumn, ...]:
        """Recorded bars before bar `first` that the assembler may have to carry values from."""
        panel = self._parts.panel
        longest_s = max(panel.max_age_s(name) for name in panel.fields)
        back = max(_PRICES_BEFORE, longest_s // panel.bar_s + 1)
        recorded = journal_columns(journal, panel, (first - 1 - back) * panel.bar_s)
        return tuple(c for c in recorded if close_seconds(c.time) < first * panel.bar_s)

    def _engine(self, journal: Journal) -> tuple[LiveEngine, tuple[BarColumn, ...]]:
        """An engine, and the journal's bars behind it."""
        parts = self._parts
        memory = restored(parts.folder, parts.panel, parts.terms, panel_sha256=parts.panel_sha256)
        if memory is not None:
            engine = parts.engines.restored(memory)
            return engine, journal_columns(journal, parts.panel, _closed(engine.as_of))
        recorded = journal_columns(journal, parts.panel, 0)
        until = None
        if recorded:  # the last one is taken again, for its flags
            seconds = close_seconds(recorded[-1].time) - parts.panel.bar_s
            until = datetime.fromtimestamp(seconds, tz=UTC)
        positions = last_positions(parts.folder, until, parts.panel.symbol_names)
        engine = parts.engines.fresh(recorded[:-1], until, positions)
        behind = tuple(c for c in recorded if close_seconds(c.time) > _closed(engine.as_of))
        return engine, behind

    def _loop_parts(
        self, journal: Journal, assembler: Assembler, orders: OrderJournal
    ) -> LoopParts:
        parts = self._parts

        def rebuild(engine: LiveEngine, column: BarColumn) -> LiveEngine:
            recorded = journal_columns(journal, parts.panel, 0)
            upto = [c for c in recorded if close_seconds(c.time) <= close_seconds(column.time)]
            return parts.engines.next_quarter(engine, upto)

        return LoopParts(
            panel=parts.panel,
            policy=parts.policy,
            feed=parts.feed,
            assembler=assembler,
            journal=journal,
            record=parts.record,
            models=parts.models,
            clock=parts.clock,
            watch=parts.watch,
            rebuild=rebuild,
            outlets=(parts.shelf, *parts.outlets),
            snapshot_every=parts.snapshot_every,
            beats=parts.beats,
            orders=LiveOrders(orders, self.desk, parts.policy, parts.panel.symbol_names),
            standings=self._standings(),
            checks=self._checks,
            trouble=self._tell,
        )

    def _standings(self) -> LiveStandings | None:
        read = self._parts.standings
        return None if read is None else LiveStandings(self._parts.folder, read, self._parts.watch)


def _damages(journal: Journal, orders: OrderJournal, standings: LiveStandings | None) -> list[str]:
    """What of the journals is not as it was written, and was not halted for before.

    Damage stays as it is for good: once people have released it, a restart must not halt again. A
    segment that was set aside is missing from then on, which is the same damage in other words.
    """
    told = [one.order.reason for one in orders.entries if one.order.action is Action.FAULT]
    files = {f"journal of bars: {one.file}: ": one.reason for one in reversed(journal.damages)}
    found = [place + why for place, why in files.items() if not _begins(told, place)]
    faults = [orders.fault, None if standings is None else standings.fault]
    return found + [one for one in faults if one is not None and not _begins(told, one)]


def _begins(told: Sequence[str], words: str) -> bool:
    return any(reason.startswith(shown_reason(words)) for reason in told)


def _closed(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
