"""What the loop tells: every message counted once, whatever begins again."""

import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from liqwarn.data.bars.feed import Delivery
from liqwarn.policy.audit import Head
from liqwarn.serving.bundles import Verdict
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.logs import logs_to
from liqwarn.serving.metrics import ServingMetrics

Told = runpy.run_path(str(Path(__file__).with_name("live_given.py")))["Told"]
HOUR = timedelta(hours=1)
NOTHING = SimpleNamespace(counts={})


@pytest.fixture
def metrics(clock):
    return ServingMetrics(clock)


def bars(metrics, **labels):
    metrics.render()
    return metrics.registry.get_sample_value("liqwarn_bars_total", labels)


def test_messages_are_counted_on_after_the_loop_began_again(metrics):
    watch = LoopWatch(metrics, None, bar=timedelta(hours=1))

    for taken in (3, 5, 2):  # the last by another assembler
        watch.delivered(Delivery(), SimpleNamespace(counts={"accepted": taken, "late": 0}))

    assert bars(metrics, outcome="taken") == 7
    assert bars(metrics, outcome="late") == 0


def test_lines_that_are_no_messages_are_counted(metrics):
    watch = LoopWatch(metrics, None, bar=timedelta(hours=1))

    for _ in range(2):
        watch.delivered(Delivery(refused=2, faults=("no", "no")), SimpleNamespace(counts={}))

    assert bars(metrics, outcome="refused") == 4


@pytest.mark.parametrize(("silence_s", "told"), [(3_719.0, []), (3_721.0, ["fault"])])
def test_a_feed_that_is_silent_for_a_bar_and_two_minutes_is_a_fault(metrics, silence_s, told):
    alerts = Told()
    LoopWatch(metrics, alerts, bar=HOUR).delivered(Delivery(silence_s=silence_s), NOTHING)

    assert alerts.names() == told
    assert all(call[1] == "stale_feed" for call in alerts.calls)


def test_a_message_ends_the_alarm_and_an_empty_round_does_not(metrics):
    alerts = Told()
    watch = LoopWatch(metrics, alerts, bar=HOUR)
    watch.delivered(Delivery(), NOTHING)
    assert alerts.calls == []
    watch.delivered(Delivery(messages=(object(),)), NOTHING)
    assert alerts.calls == [("clear", "stale_feed")]


def test_what_is_refused_is_alarmed_until_another_is_taken(metrics):
    alerts = Told()
    watch = LoopWatch(metrics, alerts, bar=HOUR)
    given = {"folder": "f", "id": None, "at": datetime(2024, 8, 5, tzinfo=UTC), "took_s": 0.1}

    watch.bundle(Verdict(accepted=False, reason="unsigned", **given))

    assert alerts.calls == [("fault", "bundle_refused", "unsigned")]


def test_a_log_that_fails_and_a_loop_that_stops_are_alarmed(metrics):
    alerts = Told()
    watch = LoopWatch(metrics, alerts, bar=HOUR)
    watch.audit_failed(OSError("full"))
    watch.stopped(ValueError("a bug"))
    watch.audited(None)

    assert alerts.calls == [
        ("fault", "audit_failed", "full"),
        ("fault", "loop_stopped", "a bug"),
        ("clear", "audit_failed"),
    ]


def test_lines_of_the_log_are_counted_by_its_head(metrics):
    watch = LoopWatch(metrics, None, bar=HOUR)
    for lines in (10, 12, 17):
        watch.audited(Head(lines=lines, sha256="ab" * 32, size=lines, last_size=1))
    metrics.render()

    assert metrics.registry.get_sample_value("liqwarn_audit_lines_total") == 1 + 2 + 5


@pytest.mark.parametrize(("released", "warned"), [(None, 0), ("ab", 0), ("cd", 1)])
def test_a_bundle_of_another_policy_is_told(metrics, policy, released, warned):
    watch, log = LoopWatch(metrics, None, bar=HOUR), BytesIO()
    other = None if released is None else replace(policy, sha256=released * 32)

    with logs_to(log, clock=SystemClock()):
        watch.released_policy(other, replace(policy, sha256="ab" * 32))

    lines = [orjson.loads(line) for line in log.getvalue().splitlines()]
    assert len(lines) == warned
    assert all(one["bundle_sha256"] == "cd" * 32 for one in lines)
    assert all(one["in_force_sha256"] == "ab" * 32 for one in lines)
