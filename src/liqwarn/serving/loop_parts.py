"""What a live loop is made of."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from liqwarn.data.bars.assembler import Assembler
from liqwarn.data.bars.feed import Feed
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.message import BarColumn, BarMessage
from liqwarn.data.panel import Panel
from liqwarn.live.engine import LiveEngine
from liqwarn.policy.tiers import Policy
from liqwarn.serving.clock import Clock
from liqwarn.serving.live_orders import LiveOrders
from liqwarn.serving.live_record import LiveRecord
from liqwarn.serving.live_standings import LiveStandings
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.ports import Publisher

__all__ = ["LoopParts", "Models"]


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
    waiting : sequence of BarMessage
        Messages that a loop before this one took, of bars that it left open.
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
    orders : LiveOrders or None
        Orders by hand, and those of the service itself.
    standings : LiveStandings or None
        Which symbols are disabled; None is none, ever.
    checks : sequence of callable
        Asked in idle rounds what no longer is as it was signed or written; None is nothing.
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
    waiting: Sequence[BarMessage] = ()
    outlets: Sequence[Publisher] = ()
    snapshot_every: timedelta = timedelta(hours=6)
    beats: Sequence[Callable[[], None]] = ()
    orders: LiveOrders | None = None
    standings: LiveStandings | None = None
    checks: Sequence[Callable[[], str | None]] = ()
    trouble: Callable[[str | None], None] = lambda _: None
    stopwatch: Callable[[], float] = time.perf_counter
