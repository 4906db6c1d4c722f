"""What the retraining beside a server tells people and machines: logs, metrics, alerts."""

from datetime import datetime
from typing import Final

from liqwarn.decisions import iso_utc
from liqwarn.serving.alert_sink import AlertSink
from liqwarn.serving.logs import get_logger
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.retrain_run import RetrainOutcome

__all__ = ["RetrainWatch"]

_LOG: Final = get_logger("retrain")


class RetrainWatch:
    """Told of everything the schedule does.

    Parameters
    ----------
    metrics : ServingMetrics
    alerts : AlertSink or None
        Told of a run that failed, and of the next that did not.
    """

    def __init__(self, metrics: ServingMetrics, alerts: AlertSink | None) -> None:
        self._metrics, self._alerts = metrics, alerts

    def waiting(self, due: datetime | None, *, missed: datetime | None) -> None:
        """The schedule was started; a run that was missed while the server was down comes now."""
        self._metrics.retrain_due(due)
        if missed is not None:
            _LOG.warning("retraining is made up for", missed=iso_utc(missed))
        _LOG.info("retraining on schedule", next=_said(due))

    def started(self) -> None:
        """A run begins."""
        self._metrics.retrain_running(running=True)
        _LOG.info("retraining begins")

    def finished(self, outcome: RetrainOutcome, due: datetime | None) -> None:
        """A run has ended, however it did."""
        self._metrics.retrained(outcome.result, outcome.finished)
        self._metrics.retrain_running(running=False)
        self._metrics.retrain_due(due)
        tell = _LOG.error if outcome.failed else _LOG.info
        tell(
            "retraining failed" if outcome.failed else "retraining finished",
            result=outcome.result,
            code=outcome.code,
            champion=outcome.champion,
            reasons=list(outcome.reasons),
            took_s=round(outcome.took_s, 1),
            said=outcome.said,
            next=_said(due),
        )
        if self._alerts is None:
            return
        if outcome.ok:
            self._alerts.clear("retrain_failed")
        elif outcome.failed:
            why = "; ".join(outcome.reasons) or outcome.said
            self._alerts.fault("retrain_failed", f"{outcome.result}: {why[-500:]}")

    def left_out(self, due: datetime, following: datetime | None) -> None:
        """A run was due while the one before it was still on."""
        self._metrics.retrained("left out", None)
        self._metrics.retrain_due(following)
        _LOG.warning("retraining left out: the one before is still on", due=iso_utc(due))

    def forgetful(self, error: Exception) -> None:
        """When the last run was cannot be remembered over a restart."""
        _LOG.error("the last retraining cannot be remembered", error=str(error))


def _said(due: datetime | None) -> str | None:
    return None if due is None else iso_utc(due)
