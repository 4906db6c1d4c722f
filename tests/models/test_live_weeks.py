"""Weeks and misses: every onset is caught or missed in one week, and the account adds up."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.models.live_skill import LiveRows, measure_live_skill, skill_table
from liqwarn.models.live_weeks import missed_events, weekly_table

HOUR = timedelta(hours=1)
MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
N = 24 * 7 * 12


def onset(k):
    """In the bar behind row `k`."""
    moment = MONDAY + (k + 1) * HOUR
    return SimpleNamespace(symbol="BTCUSDT", side="long", onset=moment, severity=2.0)


@pytest.fixture
def given():
    """A cascade every four days, at any hour of the week; every other one is warned of."""
    events = [onset(k) for k in range(60, N - 10, 97)]
    times = np.datetime64("2024-01-01", "s") + np.arange(N) * np.timedelta64(3600, "s")
    y, tier = np.zeros(N), np.zeros(N, dtype=np.int64)
    rng = np.random.default_rng(0)
    p = 0.02 + 0.02 * rng.random(N)
    for number, event in enumerate(events):
        k = int((event.onset - MONDAY) / HOUR)
        y[k - 4 : k] = 1.0
        if number % 2:
            tier[k - 1], p[k - 4 : k] = 2, 0.3
    return rows_of(times, y, p, tier), events


def rows_of(times, y, p, tier):
    n = len(times)
    return LiveRows(
        bar=HOUR,
        symbols=np.full(n, "BTCUSDT"),
        times=times,
        sides=np.zeros(n, dtype=np.int64),
        models=np.full(n, "1"),
        p=p,
        y=y,
        tier=tier,
        timely=np.ones(n, dtype=bool),
    )


def test_weeks_add_up_to_all(given):
    rows, events = given
    weeks = list(weekly_table(rows, events))
    whole = measure_live_skill(rows, events, "long")

    assert sum(week["rows"] for week in weeks) == len(rows)
    assert sum(week["onsets"] for week in weeks) == len(events) == whole["recall"]["events"]
    assert sum(week["caught"] for week in weeks) == whole["recall"]["caught"]
    assert sum(week["missed"] for week in weeks) == len(
        list(missed_events(rows, severities(events)))
    )
    assert [week["week"] for week in weeks] == sorted(week["week"] for week in weeks)


def severities(events):
    return [(event, event.severity) for event in events]


def test_misses_are_the_others_newest_first_with_the_highest_probability(given):
    rows, events = given
    missed = list(missed_events(rows, severities(events)))

    assert [miss["onset"] for miss in missed] == sorted(
        (f"{e.onset:%Y-%m-%dT%H:%M:%S}.000Z" for e in events[::2]), reverse=True
    )
    k = int((events[0].onset - MONDAY) / HOUR)
    assert missed[-1]["p_4h"] == rows.p[k - 4 : k].max()
    assert (missed[-1]["tier"], missed[-1]["severity"]) == ("T0", 2.0)


def test_skill_is_told_where_onsets_are_enough_and_nowhere_else(given):
    rows, events = given
    found = {
        (r["scope"], r["window"], r["model"]): r
        for r in skill_table(rows, events, MONDAY + N * HOUR)
        if r["side"] == "long"
    }

    assert set(found) == {
        (scope, window, model)
        for scope in ("all", "BTCUSDT")
        for window in ("all", "90d", "30d")
        for model in ("any", "1")
    }
    whole, month = found["all", "all", "any"], found["all", "30d", "any"]
    assert whole == found["all", "all", "1"] | {"model": "any"}
    assert whole["roc_auc"]["low"] < whole["roc_auc"]["value"] < whole["roc_auc"]["high"]
    assert 0.5 < whole["roc_auc"]["value"] < 1.0
    assert np.isnan(month["pr_auc"]["value"])
    assert month["note"].startswith("too few: 8 onsets in")
