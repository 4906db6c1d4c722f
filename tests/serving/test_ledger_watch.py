"""The ledger beside the server: metrics over HTTP, alerts once, and never in its way."""

import runpy
import threading
import time
from pathlib import Path

import orjson
import pytest

from liqwarn.serving.ledger_watch import MEMORY, LedgerWatch
from liqwarn.serving.metric_families import tell_families
from liqwarn.serving.metrics import ServingMetrics

GIVEN = runpy.run_path(str(Path(__file__).with_name("ledger_given.py")))


@pytest.fixture
def home(tmp_path):
    return GIVEN["GivenHome"](tmp_path)


@pytest.fixture
def told():
    return []


@pytest.fixture
def watch(home, clock, told):
    """Make a watch, as a start of the server does."""
    made = []

    def watch(tell=told.extend):
        one = LedgerWatch(home.folder, home.panel, clock=clock, tell=tell, memory=home.folder)
        made.append(one)
        return one

    yield watch
    for one in made:
        one.stop()


def test_alarms_are_told_once_over_restarts(watch, home, told):
    home.settle()
    watch().look()
    again = watch()
    again.look()

    assert [alert.kind for alert in told] == ["ledger"]
    home.settle(alarms=[])
    again.look()
    watch().look()
    assert [alert.kind for alert in told] == ["ledger", "recovered"]


def test_an_alarm_that_went_while_the_server_was_down_is_told_as_over(watch, home, told):
    home.settle()
    watch().look()
    home.settle(alarms=[])
    watch().look()

    assert [alert.kind for alert in told] == ["ledger", "recovered"]


@pytest.mark.parametrize("memory", [b"", b"[]", b'{"told": 3}', b'{"told": [["one"]]}'])
def test_a_memory_that_is_damaged_tells_again(watch, home, told, memory):
    (home.folder / MEMORY).write_bytes(memory)
    home.settle()
    watch().look()

    assert [alert.kind for alert in told] == ["ledger"]
    assert orjson.loads((home.folder / MEMORY).read_bytes())["told"] == [["skill", "all long"]]


def test_a_damaged_account_ends_no_alarm(watch, home, told):
    home.settle()
    one = watch()
    one.look()
    home.replace(b"{")
    one.look()
    home.settle()
    one.look()

    assert [alert.kind for alert in told] == ["ledger"]


def test_nobody_is_told_where_nobody_asked(watch, home):
    home.settle()
    watch(tell=None).look()

    assert not (home.folder / MEMORY).exists()


def test_it_looks_by_itself(watch, home, told):
    home.settle()
    watch().start()
    for _ in range(200):
        if told:
            break
        time.sleep(0.01)

    assert [alert.kind for alert in told] == ["ledger"]


def test_a_teller_that_fails_does_not_end_the_looking(watch, home, monkeypatch):
    monkeypatch.setattr("liqwarn.serving.ledger_watch._EVERY_S", 0.01)
    asked = threading.Semaphore(0)

    def tell(_alerts):
        asked.release()
        raise RuntimeError("no way out")

    home.settle()
    watch(tell=tell).start()
    assert asked.acquire(timeout=5)
    for _ in range(300):
        home.settle(alarms=[], generated_at="2025-10-02T00:05:00Z")
        if asked.acquire(timeout=0.01):
            return
    raise AssertionError("it looked no more")


def test_metrics_follow_the_files(watch, home, clock):
    metrics = ServingMetrics(clock)
    tell_families(metrics.registry, watch().families)

    assert b"liqwarn_ledger_age_seconds NaN" in metrics.render()
    home.settle()
    home.run("finished", action="kept", champion="4")
    text = metrics.render()
    assert b'liqwarn_ledger_pr_auc{side="long",symbol="all",window="90d"} 0.064' in text
    assert (
        b'liqwarn_retrain_journal_last_info{action="kept",champion="4",step="finished"} 1' in text
    )
    home.run("stopped", "2025-10-12T03:00:00Z")
    home.replace(b"torn")
    text = metrics.render()
    assert b"liqwarn_ledger_pr_auc{" not in text
    assert b"liqwarn_ledger_read_errors_total 2.0" in text
    assert b'liqwarn_retrain_journal_last_info{action="",champion="",step="stopped"} 1' in text
