"""Alarms of the ledger: once when they come, once when they go."""

import runpy
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from liqwarn.serving.ledger_alarms import AlarmNews

LEDGERS = runpy.run_path(str(Path(__file__).parents[1] / "reports" / "ledger_documents.py"))


def account(*subjects, severity="act", market="real"):
    rows = [{"rule": "skill", "subject": s, "severity": severity, "text": "low"} for s in subjects]
    return {"alarms": rows, "market": market}


def test_an_alarm_is_told_when_it_comes_and_when_it_goes_and_not_between():
    news = AlarmNews()
    (come,) = news.see(LEDGERS["make_account"]())

    assert (come.kind, come.severity, come.title) == (
        "ledger", "warning", "Ledger: skill of all long",
    )  # fmt: skip
    assert come.text == (
        "skill of all long: ROC-AUC of the last 90 days is 0.410 [0.330, 0.480]: worse than "
        "guessing\nWhat to do: docs/runbook.md.\nThis market is SIMULATED."
    )
    assert news.see(LEDGERS["make_account"]()) == []
    (gone,) = news.see(account())
    assert (gone.kind, gone.title, gone.text) == (
        "recovered", "Over: skill of all long", "skill of all long\nMarket: real.",
    )  # fmt: skip
    assert news.see(account()) == []


def test_what_is_only_to_be_watched_is_not_told():
    assert AlarmNews().see(account("a", severity="warn")) == []


def test_an_alarm_that_became_milder_is_over():
    news = AlarmNews()
    news.see(account("a"))

    assert [alert.kind for alert in news.see(account("a", severity="warn"))] == ["recovered"]


def test_one_for_another_is_both():
    news = AlarmNews([("skill", "a")])

    assert [alert.title for alert in news.see(account("b"))] == [
        "Ledger: skill of b", "Over: skill of a",
    ]  # fmt: skip


def test_many_at_once_are_one_alert_of_bounded_length():
    (alert,) = AlarmNews().see(account(*(f"S{n} {'x' * 900}" for n in range(300))))

    assert alert.title.endswith(" and 299 more")
    assert "\nand 292 more\n" in alert.text
    assert len(alert.text) < 6_000


@given(st.lists(st.sets(st.sampled_from("abcd")), max_size=8))
def test_each_change_is_told_exactly_once(history):
    news, standing = AlarmNews(), set()
    for now in history:
        alerts = news.see(account(*sorted(now)))
        kinds = {alert.kind for alert in alerts}
        expected = {"ledger"} if now - standing else set()
        assert kinds == expected | ({"recovered"} if standing - now else set())
        standing = now
