"""What the live loop tells people and machines: logs, metrics, alerts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from liqwarn.data.bars.assembler import Assembler
from liqwarn.data.bars.feed import Delivery
from liqwarn.data.bars.message import BarColumn
from liqwarn.decisions import Flag, iso_utc
from liqwarn.live.bar import LiveBar
from liqwarn.models.skill_floor import Standing
from liqwarn.policy.audit import Head
from liqwarn.policy.orders import Order
from liqwarn.policy.position import Position
from liqwarn.policy.tiers import Policy
from liqwarn.serving.alert_sink import AlertSink
from liqwarn.serving.bundles import Verdict
from liqwarn.serving.logs import get_logger
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.order_journal import OrderEntry

__all__ = ["LoopWatch"]

_LOG: Final = get_logger("loop")
_PROMPT: Final = timedelta(minutes=2)


class LoopWatch:
    """Told of everything the loop does.

    Parameters
    ----------
    metrics : ServingMetrics
    alerts : AlertSink or None
    bar : timedelta
        Length of a bar: a feed that is silent for longer, and two minutes, is a fault.
    """

    def __init__(
        self, metrics: ServingMetrics, alerts: AlertSink | None, *, bar: timedelta
    ) -> None:
        self._metrics, self._alerts = metrics, alerts
        self._silence_s = (bar + _PROMPT).total_seconds()
        self._counted: dict[str, int] = {}
        self._audited = 0
        metrics.bar_interval(bar)

    def journalled(self, bars: int, seconds: float) -> None:
        """Closed bars are on disk."""
        self._metrics.journal(bars, seconds)

    def delivered(self, delivery: Delivery, assembler: Assembler) -> None:
        """The loop went round; what the feed brought has been sorted."""
        self._metrics.heartbeat()
        for fault in delivery.faults:
            _LOG.warning("feed refused", fault=fault)
        told = {**assembler.counts, "unreadable": delivery.refused}
        for outcome, count in told.items():
            base = 0 if outcome == "unreadable" else self._counted.get(outcome, 0)
            base = base if base <= count else 0  # a loop that began again counts anew
            for _ in range(min(count - base, 1_000)):
                self._count(outcome)
        self._counted = dict(assembler.counts)
        silent = delivery.silence_s > self._silence_s
        if silent and self._alerts is not None:
            self._alerts.fault("stale_feed", f"nothing came for {delivery.silence_s:.0f} s")
        elif self._alerts is not None and delivery.messages:
            self._alerts.clear("stale_feed")

    def _count(self, outcome: str) -> None:
        if outcome == "accepted":
            self._metrics.bar("taken")
        elif outcome in ("late", "duplicate"):
            self._metrics.bar(outcome)
        else:
            self._metrics.bar("refused", reason=outcome)

    def flagged(self, bar: LiveBar, flags: Sequence[Flag], seconds: float) -> None:
        """A bar's flags are published."""
        self._metrics.bar_to_flag(seconds)
        heard = bool((bar.scores.completeness > 0.0).any())  # a bar nobody reported is no news
        self._metrics.bar("closed", closed_at=bar.scores.as_of if heard else None)
        _LOG.info(
            "bar closed",
            as_of=iso_utc(bar.scores.as_of),
            flags=len(flags),
            ms=round(seconds * 1e3, 3),
        )
        for decision in bar.decisions.values():
            before, after = decision.before, decision.after
            if after.tier != before.tier:
                _LOG.warning(
                    "tier changed",
                    symbol=after.symbol,
                    side=after.side,
                    before=before.tier.name,
                    after=after.tier.name,
                    rule=after.rule.value,
                )

    def published(self, target: str) -> None:
        """A target took a publication."""
        self._metrics.published(target)

    def failed(self, target: str, error: Exception) -> None:
        """A target did not take a publication; the others did."""
        self._metrics.published(target, ok=False)
        _LOG.error("publication failed", target=target, error=str(error))

    def audited(self, head: Head | None) -> None:
        """A bar's decisions are in the audit log, if there were any to log."""
        if head is not None:
            self._metrics.audit_written(head.lines - self._audited if self._audited else 1)
            self._audited = head.lines
        if self._alerts is not None:
            self._alerts.clear("audit_failed")

    def audit_failed(self, error: Exception) -> None:
        """The audit log could not be written."""
        self._metrics.audit_failed()
        _LOG.error("audit log failed", error=str(error))
        if self._alerts is not None:
            self._alerts.fault("audit_failed", str(error))

    def bundle(self, verdict: Verdict) -> None:
        """A bundle was offered."""
        told = verdict.to_dict()
        if verdict.accepted and verdict.id is not None:
            self._metrics.bundle_swapped(verdict.id.version, verdict.id.sha256)
            _LOG.info("bundle in use", **told)
        else:
            self._metrics.bundle_refused("refused")
            _LOG.error("bundle refused", **told)
        if self._alerts is not None:
            if verdict.accepted:
                self._alerts.clear("bundle_refused")
            else:
                self._alerts.fault("bundle_refused", verdict.reason)

    def ordered(self, entry: OrderEntry) -> None:
        """An order was carried out, or refused; it is in the journal of orders."""
        order = entry.order
        self._metrics.order(order.action.value, accepted=entry.accepted)
        _LOG.warning(
            "order carried out" if entry.accepted else "order refused",
            id=order.id,
            action=order.action.value,
            tier=None if order.tier is None else order.tier.name,
            names=list(order.names),
            reason=order.reason,
            by=entry.by,
            sides=len(entry.sides),
            refused=list(entry.refused),
        )
        for one in entry.sides:
            if one.tier != one.before:
                _LOG.warning(
                    "tier changed",
                    symbol=one.symbol,
                    side=one.side,
                    before=one.before.name,
                    after=one.tier.name,
                    rule=order.action.value,
                )

    def order_failed(self, order: Order, error: Exception) -> None:
        """An order could not be written down: nothing has changed."""
        self._metrics.order(order.action.value, accepted=False)
        _LOG.error("order not carried out", id=order.id, error=f"{type(error).__name__}: {error}")

    def held(self, positions: Iterable[Position]) -> None:
        """Where every side stands now: how many are held by hand, or halted for a fault."""
        tightened = loosened = broken = 0
        for position in positions:
            tightened += any(not floor.integrity for floor in position.floors)
            broken += any(floor.integrity for floor in position.floors)
            loosened += position.ceiling is not None
        self._metrics.held(tightened=tightened, loosened=loosened, integrity=broken)
        if broken == 0 and self._alerts is not None:
            self._alerts.clear("integrity_failed")

    def broken(self, reason: str, *, halted: bool) -> None:
        """An integrity check failed; whether sides are halted for it now, or are already."""
        if halted:
            _LOG.error("integrity check failed: every side is halted", reason=reason)
            self._metrics.integrity_failed()
        if self._alerts is not None:
            self._alerts.fault("integrity_failed", reason)

    def standings(self, before: Mapping[str, Standing], now: Mapping[str, Standing]) -> None:
        """Other symbols are disabled than before, from the next bar on."""
        for symbol, one in now.items():
            if before.get(symbol) != one:
                _LOG.warning(
                    "symbol disabled", symbol=symbol, model=one.champion, reason=one.reason
                )
        for symbol in before.keys() - now.keys():
            _LOG.warning("symbol enabled", symbol=symbol)

    def released_policy(self, released: Policy | None, in_force: Policy) -> None:
        """A bundle scores that was released with a policy, which need not be the one in force."""
        if released is not None and released.sha256 != in_force.sha256:
            _LOG.warning(
                "another policy than the bundle's is in force",
                bundle=released.version,
                bundle_sha256=released.sha256,
                in_force=in_force.version,
                in_force_sha256=in_force.sha256,
            )

    def rebuilding(self, column: BarColumn) -> None:
        """The liquidation maps of a new quarter are being fitted; flags run out meanwhile."""
        _LOG.warning("fitting the maps of a new quarter", bar=str(column.time))

    def stopped(self, error: BaseException) -> None:
        """The loop stands still."""
        self._metrics.loop_error()
        _LOG.error("loop stopped", error=f"{type(error).__name__}: {error}")
        if self._alerts is not None:
            self._alerts.fault("loop_stopped", str(error))

    def caught_up(self, bars: int, since: datetime) -> None:
        """The journal's bars after the snapshot have been taken again."""
        _LOG.info("caught up", bars=bars, since=iso_utc(since.astimezone(UTC)))
