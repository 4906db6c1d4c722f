"""What a retraining beside the server tells: metrics, log lines, alerts."""

import io
import math
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from liqwarn.serving.clock import SystemClock
from liqwarn.serving.logs import logs_to
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.retrain_run import RetrainOutcome
from liqwarn.serving.retrain_watch import RetrainWatch

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
NEXT = NOW + timedelta(days=7)


class Alerts:
    """Keeps faults that were told."""

    def __init__(self):
        self.told = []

    def fault(self, fault, text):
        self.told.append((fault, text))

    def clear(self, fault):
        self.told.append((fault, None))


@pytest.fixture
def metrics():
    return ServingMetrics(SystemClock())


@pytest.fixture
def alerts():
    return Alerts()


@pytest.fixture
def lines():
    """What is logged, as it was written."""
    stream = io.BytesIO()
    with logs_to(stream, clock=SystemClock()):
        yield lambda: [orjson.loads(line) for line in stream.getvalue().splitlines()]


def outcome(result, code, said="", reasons=("a tie",)):
    return RetrainOutcome(
        result=result, code=code, reasons=reasons, champion="7", said=said,
        started=NOW, finished=NOW + timedelta(minutes=5), took_s=300.04,
    )  # fmt: skip


def sample(metrics, name, **labels):
    return metrics.registry.get_sample_value(f"liqwarn_{name}", labels)


def test_before_the_first_run_times_are_unknown(metrics):
    for name in ("last_finished", "next"):
        value = sample(metrics, f"retrain_{name}_timestamp_seconds")
        assert math.isnan(value)
    assert sample(metrics, "retrain_running") == 0


def test_a_run_that_kept_the_champion(metrics, alerts, lines):
    watch = RetrainWatch(metrics, alerts)
    watch.waiting(NOW, missed=None)
    assert sample(metrics, "retrain_next_timestamp_seconds") == NOW.timestamp()
    watch.started()
    assert sample(metrics, "retrain_running") == 1
    watch.finished(outcome("kept", 0), NEXT)

    assert sample(metrics, "retrain_running") == 0
    assert sample(metrics, "retrain_runs_total", result="kept") == 1
    ended = NOW.timestamp() + 300
    assert sample(metrics, "retrain_last_finished_timestamp_seconds") == ended
    assert sample(metrics, "retrain_next_timestamp_seconds") == NEXT.timestamp()
    assert alerts.told == [("retrain_failed", None)]
    told = lines()
    assert [line["event"] for line in told] == [
        "retraining on schedule", "retraining begins", "retraining finished",
    ]  # fmt: skip
    assert told[-1] | {
        "level": "info", "result": "kept", "code": 0, "champion": "7", "reasons": ["a tie"],
        "took_s": 300.0, "next": "2026-11-29T03:00:00.000Z",
    } == told[-1]  # fmt: skip


def test_a_run_that_failed_is_an_error_and_an_alert(metrics, alerts, lines):
    RetrainWatch(metrics, alerts).finished(outcome("failed", 1, "liqwarn: no file", ()), NEXT)

    assert alerts.told == [("retrain_failed", "failed: liqwarn: no file")]
    assert sample(metrics, "retrain_runs_total", result="failed") == 1
    [line] = lines()
    assert (line["level"], line["event"]) == ("error", "retraining failed")
    assert line["said"] == "liqwarn: no file"


def test_an_alert_says_how_it_ended_and_why(metrics, alerts):
    watch = RetrainWatch(metrics, alerts)
    watch.finished(outcome("killed", -9, reasons=()), NEXT)
    watch.finished(outcome("stopped", 3, "quality: 3 of 3", ("stale", "silent")), NEXT)

    assert alerts.told == [
        ("retrain_failed", "killed: "), ("retrain_failed", "stopped: stale; silent"),
    ]  # fmt: skip


@pytest.mark.parametrize(("result", "code"), [("ended", -15), ("locked", 75)])
def test_a_run_that_gave_way_is_no_fault(metrics, alerts, lines, result, code):
    RetrainWatch(metrics, alerts).finished(outcome(result, code), None)

    assert alerts.told == []
    assert sample(metrics, "retrain_runs_total", result=result) == 1
    assert [line["level"] for line in lines()] == ["info"]


def test_what_was_missed_or_left_out_is_told(metrics, lines):
    watch = RetrainWatch(metrics, None)
    watch.waiting(NEXT, missed=NOW)
    watch.left_out(NOW, NEXT)
    watch.finished(outcome("failed", 1), NEXT)
    watch.forgetful(OSError("disk full"))

    assert sample(metrics, "retrain_runs_total", result="left out") == 1
    told = lines()
    assert told[0]["missed"] == "2026-11-22T03:00:00.000Z"
    assert told[2]["due"] == "2026-11-22T03:00:00.000Z"
    assert told[-1]["error"] == "disk full"
