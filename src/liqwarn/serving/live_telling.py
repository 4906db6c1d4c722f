"""What is made of decisions: flags, told to every outlet, and their record on disk.

Nobody's own fault may take the flags from the rest: each outlet and each file fails by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from liqwarn.data.bars.message import BarColumn
from liqwarn.data.panel import Panel
from liqwarn.decisions import Flag
from liqwarn.errors import AuditError
from liqwarn.live.bar import LiveBar, flags_of
from liqwarn.live.engine import LiveEngine
from liqwarn.live.provenance import column_sha256
from liqwarn.policy.audit import Head
from liqwarn.policy.flags import FlagSource
from liqwarn.policy.tiers import Policy
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.live_record import LiveRecord
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.ports import Publisher

__all__ = ["Telling"]

_NO_END: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Telling:
    """Tells and records; of the loop's thread alone.

    Attributes
    ----------
    fault : str or None
        Why the audit log is broken, not merely hard to write, found since it was last taken.
    """

    panel: Panel
    policy: Policy
    record: LiveRecord
    watch: LoopWatch
    outlets: Sequence[Publisher]
    fault: str | None = None

    def flags(
        self, bar: LiveBar, column: BarColumn, engine: LiveEngine, issued_at: datetime
    ) -> FlagSet:
        """The flags of a bar's decisions."""
        source = FlagSource(
            model=engine.bundle.stamp, data_sha256=column_sha256(column), completeness=0.0
        )
        flags = flags_of(bar, self.policy, source, issued_at=issued_at)
        return FlagSet(
            generated_at=issued_at,
            market=self.panel.market,
            flags=MappingProxyType({flag.symbol: flag for flag in flags}),
        )

    def publish(self, flags: FlagSet) -> None:
        """Give flags to every outlet, in their order."""
        for outlet in self.outlets:
            self._safely(lambda to=outlet: to.publish(flags), type(outlet).__name__)  # type: ignore[misc]

    def file(self, flags: FlagSet) -> None:
        """Replace the file of flags."""
        self._safely(lambda: self.record.flags(flags), "flags.json")

    def history(self, bar: LiveBar, flags: Sequence[Flag], *, again: bool = False) -> None:
        """Add flags to the history; `again` are a bar's that was told before, decided anew."""
        self._safely(lambda: self.record.history(bar, flags, again=again), "history")

    def recorded_until(self) -> datetime:
        """The newest bar in the history; the end of time where nobody can tell."""
        try:
            return self.record.recorded_until()
        except Exception as error:  # a history that is damaged must not stop the loop
            self.watch.failed("history", error)
            return _NO_END

    def audit(self, bar: LiveBar, column: BarColumn, engine: LiveEngine, *, every: bool) -> bool:
        """Whether a bar's decisions are logged; if not, the record owes them."""
        return self._audited(
            lambda: self.record.audit(bar, column, self.policy, engine, every=every)
        )

    def audit_ordered(self, bar: LiveBar, column: BarColumn, engine: LiveEngine) -> bool:
        """The same for what was decided between two bars; what is logged already is left out."""
        return self._audited(lambda: self.record.audit_ordered(bar, column, self.policy, engine))

    def _audited(self, write: Callable[[], Head | None]) -> bool:
        try:
            head = write()
        except Exception as error:  # whatever it is, the flags are out and the next bar comes
            if isinstance(error, AuditError):
                self.fault = str(error)
            self.watch.audit_failed(error)
            return False
        self.watch.audited(head)
        return True

    def snapshot(self, engine: LiveEngine, newest: LiveBar | None) -> bool:
        """Replace the snapshot; not while the audit log is behind.

        What that lacks is logged by whoever makes it again.
        """
        if self.record.owes:
            return False
        scores = newest.scores if newest is not None else None
        self._safely(lambda: self.record.snapshot(engine, scores), "snapshot")
        return True

    def _safely(self, write: Callable[[], object], what: str) -> None:
        """One target that fails must not keep the flags from the others."""
        try:
            write()
        except Exception as error:  # nobody's own fault may take the flags from the rest
            self.watch.failed(what, error)
        else:
            self.watch.published(what)
