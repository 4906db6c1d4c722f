"""The way of alerts: the loop never waits, and what was lost is counted and said."""

import threading
import time
from collections import Counter

import pytest

from liqwarn.serving.alert_events import Alert
from liqwarn.serving.alert_sink import AlertSink
from liqwarn.serving.flag_file import FlagSet


class Carrier:
    """Keeps what it carries; stalls while told to, and fails as often as told to."""

    def __init__(self):
        self.carried, self.failures = [], []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, alert):
        self.go.wait(10)
        if self.failures:
            failure = self.failures.pop()
            if failure is not None:
                raise failure
            return False
        self.carried.append(alert)
        return True


@pytest.fixture
def carrier():
    return Carrier()


@pytest.fixture
def outcomes():
    return Counter()


@pytest.fixture
def sink(carrier, clock, outcomes):
    made = []

    def sink(**options):
        counted = lambda outcome: outcomes.update([outcome])  # noqa: E731  one line is enough
        made.append(AlertSink(carrier, clock=clock, on_outcome=counted, pause_s=0.001, **options))
        return made[-1]

    yield sink
    carrier.go.set()
    for one in made:
        one.close()


def test_tiers_and_faults_reach_people(sink, carrier, outcomes, make_flag, noon):
    told = sink()
    flags = {"BTC": make_flag("BTC", "T4")}
    told.publish(FlagSet(generated_at=noon, market="real", flags=flags))
    told.fault("stale_feed", "no bar for 3 min")
    told.clear("stale_feed")
    told.close()

    assert [alert.kind for alert in carrier.carried] == ["tier", "stale_feed", "recovered"]
    assert outcomes == {"sent": 3}


def test_a_stalled_carrier_never_makes_the_loop_wait(sink, carrier, outcomes, clock):
    carrier.go.clear()
    told = sink(capacity=2)
    begun = time.perf_counter()
    for _ in range(8):
        told.fault("stale_feed", "x")
        clock.run(hours=1)
    took = time.perf_counter() - begun

    assert took < 1
    carrier.go.set()
    told.close()
    assert outcomes["dropped"] >= 5
    assert outcomes["dropped"] + outcomes["sent"] == 8


def test_what_is_too_much_is_held_back_and_said(sink, carrier, outcomes, clock):
    told = sink()
    for _ in range(15):
        told.fault("stale_feed", "x")
        told.clear("stale_feed")
    clock.run(hours=1)
    told.fault("stale_feed", "y")
    told.close()

    assert outcomes == {"sent": 21, "held back": 10}
    assert carrier.carried[-1].text == "y\n10 alerts before this one were not sent."


def test_a_fault_is_told_in_the_hour_in_which_every_tier_is(
    sink, carrier, outcomes, make_flag, noon
):
    told = sink()
    flags = {}
    for number in range(15):  # one symbol after the other falls
        flags[f"S{number}"] = make_flag(f"S{number}", "T4")
        told.publish(FlagSet(generated_at=noon, market="real", flags=dict(flags)))
    told.fault("loop_stopped", "for 40 s")
    told.close()

    assert outcomes == {"sent": 11, "held back": 5}
    assert carrier.carried[-1].kind == "loop_stopped"


def test_a_failure_is_tried_again_and_then_counted(sink, carrier, outcomes):
    carrier.failures = [None, OSError("refused"), ValueError("odd"), None, OSError("x")]
    told = sink()
    told.fault("stale_feed", "first")
    told.fault("audit_failed", "second")
    while sum(outcomes.values()) < 2:
        time.sleep(0.005)

    assert [alert.text for alert in carrier.carried] == ["second"]
    assert outcomes == {"failed": 1, "sent": 1}


def test_it_ends_in_time_whatever_the_carrier_does(sink, carrier):
    carrier.go.clear()
    told = sink()
    told.fault("stale_feed", "x")
    begun = time.perf_counter()
    told.close(within_s=0.05)

    assert time.perf_counter() - begun < 1


def test_alerts_worked_out_elsewhere_go_the_same_way(sink, carrier, outcomes):
    told = sink()
    told.tell([Alert(kind="ledger", severity="warning", title="t", text="x")] * 12)
    told.close()

    assert [alert.kind for alert in carrier.carried] == ["ledger"] * 10
    assert outcomes == {"sent": 10, "held back": 2}
