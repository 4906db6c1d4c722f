"""The live loop: closing bars in, flags out, in one thread.

For each closed bar, in this order: the journal (on disk before anything is made of it), the engine,
the flags' readers in memory, then the record on disk. Killed anywhere, it takes up the journal and
makes the same again; see :mod:`liqwarn.serving.live_restart`.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from liqwarn.data.bars.assembler import MOST_AT_ONCE
from liqwarn.data.bars.feed import Delivery
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.message import BarColumn, close_seconds
from liqwarn.decisions import Flag
from liqwarn.errors import LiqwarnError, StoreError
from liqwarn.live.bar import LiveBar, LiveScores
from liqwarn.live.engine import LiveEngine
from liqwarn.policy.book import Key
from liqwarn.policy.position import Position
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.live_orders import Carried, LiveOrders
from liqwarn.serving.live_telling import Telling
from liqwarn.serving.loop_parts import LoopParts, Models
from liqwarn.serving.newest_bar import of_symbols, standing_bar, with_decisions
from liqwarn.serving.order_desk import Asked

__all__ = ["LiveLoop", "LoopParts", "Models"]

_WAIT_S: Final = 0.5
_AGAIN_S: Final = 2.0
_FLOOD_S: Final = 60.0
_CHECK_S: Final = 5.0


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
        self._snapped_model = engine.bundle.stamp
        self._audited_day = ""
        self._newest: tuple[LiveBar, BarColumn] | None = None
        self._told: FlagSet | None = None
        self._broken: list[str] = []
        self._checked = parts.clock.monotonic()
        self._telling = Telling(
            panel=parts.panel,
            policy=parts.policy,
            record=parts.record,
            watch=parts.watch,
            outlets=parts.outlets,
        )
        self._open = 0, 0.0  # the bar that is open, and since when without a pause of the feed
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
        if self._parts.waiting:
            self._take_in(Delivery(messages=tuple(self._parts.waiting), more=True), stop)
        ended = False
        while not (stop.is_set() or ended):
            ended = self.turn(stop)

    def turn(self, stop: threading.Event) -> bool:
        """One delivery; whether nothing will ever follow it."""
        parts = self._parts
        delivery = parts.feed.poll(_WAIT_S)
        if not self._take_in(delivery, stop):
            return False
        # a feed that never pauses must not keep them waiting for ever
        if not delivery.messages or parts.clock.monotonic() - self._checked >= _CHECK_S:
            self._check()
        self.between()
        parts.watch.delivered(delivery, parts.assembler)
        for beat in parts.beats:
            beat()
        return delivery.ended

    def _take_in(self, delivery: Delivery, stop: threading.Event) -> bool:
        """Whether a delivery is in the assembler, and flags are made of what it closed."""
        columns = self._columns(delivery, stop)
        if columns is None or (columns and not self._journalled(columns, stop)):
            return False
        self._parts.feed.taken()
        self.take_all(columns)
        return True

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
        stuck = self._stuck(flooded=delivery.more)
        still = (delivery.more and not stuck) or delivery.ended
        return columns if still else columns + assembler.tick(now)

    def _stuck(self, *, flooded: bool) -> bool:
        """Whether one bar has been open for too long of a feed that has not paused since.

        A backlog, however long, closes bar after bar; a flood of messages that close none must not
        keep the others' flags back.
        """
        open_close, now = close_seconds(self._parts.assembler.open_close), self._parts.stopwatch()
        if not flooded or open_close != self._open[0]:
            self._open = open_close, now
        return now - self._open[1] >= _FLOOD_S

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
            if self._parts.standings is not None:
                self._parts.standings.renew(self._engine.as_of)
            if place != last and close_seconds(column.time) < oldest.timestamp():
                self._telling.audit(self.step(column), column, self._engine, every=False)
            else:
                self.take(column)

    def take(self, column: BarColumn) -> tuple[Flag, ...]:
        """Make flags of a journalled bar, publish and record them."""
        parts, began = self._parts, self._parts.stopwatch()
        bar = self.step(column)
        behind = self._again()
        newest = self._standing()[0]
        told = self._told = self._telling.flags(newest, column, self._engine, parts.clock.wall())
        self._telling.publish(told)
        flags = tuple(told.flags.values())
        parts.watch.flagged(bar, flags, parts.stopwatch() - began)
        self._telling.file(told)
        day = bar.scores.as_of.date().isoformat()
        if self._telling.audit(bar, column, self._engine, every=day != self._audited_day):
            self._audited_day = day
        self._log(behind)
        self._telling.history(newest, flags)
        # what one model decided must not be decided again by another: that could end looser
        swapped = self._engine.bundle.stamp != self._snapped_model
        if swapped or bar.scores.as_of - self._snapped >= parts.snapshot_every:
            self.snapshot()
        return flags

    def repeat(self, flags: FlagSet) -> None:
        """Publish flags of before again: a target that begins empty has none until the next bar."""
        self._told = flags
        self._telling.publish(flags)

    def step(self, column: BarColumn) -> LiveBar:
        """Let the engine take a bar, with the model and the maps that are due."""
        engine = self._engine
        if not engine.ready_for(column.time):
            engine = self._rebuilt(engine, column)
        with self.lock:
            self._engine = engine
            self._parts.models.refresh(engine)
            if self._parts.standings is not None:
                close = datetime.fromtimestamp(close_seconds(column.time), tz=UTC)
                engine.standings = self._parts.standings.at(close)
            bar = self._engine.step(column)
        self._newest = bar, column
        return bar

    def _rebuilt(self, engine: LiveEngine, column: BarColumn) -> LiveEngine:
        self._parts.watch.rebuilding(column)
        try:
            return self._parts.rebuild(engine, column)  # minutes; nobody who looks waits for it
        except StoreError as error:
            if not isinstance(error.__cause__, OSError):  # it was changed, not merely unreadable
                self.broken(str(error))
                self.between()
            raise

    def snapshot(self) -> None:
        """Replace the snapshot, so that a restart has less to make again."""
        newest = None if self._newest is None else self._newest[0]
        if self._telling.snapshot(self._engine, newest):
            self._snapped = self._engine.as_of
            self._snapped_model = self._engine.bundle.stamp

    # ------------------------------------------------------------------ between two bars

    def stand_on(self, scores: LiveScores | None, column: BarColumn | None) -> None:
        """Say what the newest bar was, after a restart in which none was taken again.

        Without its scores an order is decided as without a usable score, which is stricter.
        """
        self._newest = standing_bar(self._engine, scores, column)

    def broken(self, reason: str) -> None:
        """Halt every side, before the next bar: an integrity check has failed."""
        self._broken.append(reason)

    def _check(self) -> None:
        self._checked = self._parts.clock.monotonic()
        for check in self._parts.checks:
            try:
                found = check()
            except Exception as error:  # a check that fails has found nothing
                self._parts.watch.failed(f"check {type(check).__name__}", error)
            else:
                self._broken += [] if found is None else [found]

    def between(self) -> None:
        """Carry out what was ordered since the newest bar, and halt for what was found broken."""
        orders = self._parts.orders
        if orders is None:
            return
        again = self._again()
        if again:
            self._tell_again(again)
            self._log(again)
        for asked in orders.due(self._engine, self._parts.clock.wall()):
            self._carry_out(orders, asked)
        self._halt_for_broken(orders)
        self._parts.watch.held(self._engine.memory.positions.values())

    def _halt_for_broken(self, orders: LiveOrders) -> None:
        if self._telling.fault is not None:
            self.broken(self._telling.fault)
            self._telling.fault = None
        for reason in dict.fromkeys(self._broken):
            asked = orders.fault(reason, self._engine)
            self._parts.watch.broken(reason, halted=asked is not None)
            if asked is not None:
                self._carry_out(orders, asked)
            halted = orders.fault(reason, self._engine) is None
            if self._engine.memory.positions and halted:  # none before the first score
                self._broken = [one for one in self._broken if one != reason]

    def _carry_out(self, orders: LiveOrders, asked: Asked) -> None:
        newest, _ = self._standing()
        try:
            with self.lock:
                wall = self._parts.clock.wall()
                carried = orders.carry_out(asked, self._engine, newest.scores, wall)
        except Exception as error:  # an order that cannot be kept must not stop the bars
            self._parts.watch.order_failed(asked.order, error)
            asked.answer(error)
            return
        if carried.decisions:
            self._newest = with_decisions(self._standing(), carried.decisions)
            self._tell_again([carried])
        self._parts.watch.ordered(carried.entry)
        asked.answer(carried.entry)
        self._log([carried])

    def _again(self) -> list[Carried]:
        """Orders behind the newest bar that a restart has to carry out again."""
        orders, done = self._parts.orders, []
        if orders is not None:
            with self.lock:
                for carried in orders.again(self._engine, self._standing()[0].scores):
                    self._newest = with_decisions(self._standing(), carried.decisions)
                    done.append(carried)
        return done

    def _tell_again(self, carried: Sequence[Carried]) -> None:
        """Publish the flags of the symbols that were decided again, with all others as they are."""
        newest, column = self._standing()
        part = of_symbols(newest, {key[0] for one in carried for key in one.decisions})
        told = self._telling.flags(part, column, self._engine, self._parts.clock.wall())
        before = {} if self._told is None else self._told.flags
        self._told = replace(told, flags=MappingProxyType({**before, **told.flags}))
        self._telling.publish(self._told)
        self._telling.file(self._told)
        self._telling.history(part, tuple(told.flags.values()), again=True)

    def _log(self, carried: Sequence[Carried]) -> None:
        """Put the decisions of orders into the audit log, those that are not there already."""
        newest, column = self._standing()
        for one in carried:
            if one.decisions:
                bar = replace(newest, decisions=one.decisions)
                self._telling.audit_ordered(bar, column, self._engine)

    def _standing(self) -> tuple[LiveBar, BarColumn]:
        if self._newest is None:
            self._newest = standing_bar(self._engine, None, None)
        return self._newest

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
        taken, last, recorded = 0, None, self._telling.recorded_until()
        if floor and self._parts.orders is not None:
            self._parts.orders.forget_loosenings()
        self._log(self._again())
        for column in columns:
            if last is not None:
                bar = self.step(last)
                if bar.scores.as_of > audited_until:
                    self._telling.audit(bar, last, self._engine, every=False)
                self._log(self._again())
                if bar.scores.as_of > recorded:
                    self._add_to_history(last)
            last, taken = column, taken + 1
        if last is not None:
            self._engine.hold(floor)
            self.take(last)
        return taken

    def _add_to_history(self, column: BarColumn) -> None:
        bar, _ = self._standing()
        told = self._telling.flags(bar, column, self._engine, self._parts.clock.wall())
        self._telling.history(bar, tuple(told.flags.values()))


def _behind(column: BarColumn, journal: Journal) -> bool:
    """Whether a column is not in the journal yet: an append may fail behind the first of a few."""
    return journal.end is None or bool(column.time > journal.end)
