"""What the live server tells of its panel's ledger, from where the settings keep it."""

from contextlib import ExitStack
from pathlib import Path

from liqwarn.config import load_settings
from liqwarn.serving.alert_sink import AlertSink
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.ledger_watch import LedgerWatch
from liqwarn.serving.metric_families import tell_families
from liqwarn.serving.metrics import ServingMetrics

__all__ = ["follow_ledger"]


def follow_ledger(
    panel: str, folder: Path, metrics: ServingMetrics, alerts: AlertSink | None, stack: ExitStack
) -> LedgerWatch:
    """Have the ledger looked at, until `stack` is closed; it need not be there yet.

    Parameters
    ----------
    folder : Path
        Of the live loop's record; it remembers which alarms were told.
    """
    watch = LedgerWatch(
        load_settings().home,
        panel,
        clock=SystemClock(),  # the ledger is settled by the machine's clock, in a replay as well
        tell=None if alerts is None else alerts.tell,
        memory=folder,
    )
    tell_families(metrics.registry, watch.families)
    stack.callback(watch.stop)
    watch.start()
    return watch
