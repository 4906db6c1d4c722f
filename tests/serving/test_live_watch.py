"""What the loop tells: every message counted once, whatever begins again."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from liqwarn.data.bars.feed import Delivery
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.metrics import ServingMetrics


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
