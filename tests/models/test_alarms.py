from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ModelError
from liqwarn.models.alarms import (
    ALARM_BUDGETS,
    AlarmRows,
    alarm_metrics,
    alarm_thresholds,
    approaches,
    false_alarms,
    lead_table,
    leads,
)
from liqwarn.models.events import Event

HOUR = timedelta(hours=1)
FIVE = timedelta(minutes=5)
START = datetime(2024, 1, 1, tzinfo=UTC)
WEEK_H = 168


def rows_of(n_bars=WEEK_H, *, onsets=(), bar=HOUR, gap=timedelta(0), hours=4, symbols=("BTC",)):
    """Bars 0 to n of each symbol; `y` is 1 where an onset bar follows within the horizon."""
    seconds = int(START.timestamp()) + np.arange(n_bars) * int(bar.total_seconds())
    bars = np.arange(n_bars)
    skip, ahead = gap // bar, timedelta(hours=hours) // bar
    y = np.zeros(n_bars)
    for onset in onsets:
        y[(onset > bars + skip) & (onset <= bars + skip + ahead)] = 1.0
    return AlarmRows(
        symbols=np.repeat(np.array(symbols), n_bars),
        times=np.tile(seconds, len(symbols)).astype("datetime64[s]"),
        y=np.tile(y, len(symbols)),
        bar=bar,
        gap=gap,
        horizon=timedelta(hours=hours),
    )


def alarm_at(rows, *bars):
    alarm = np.zeros(len(rows.times), dtype=bool)
    alarm[list(bars)] = True
    return alarm


def event_at(bar_number, *, symbol="BTC", side="long", bar=HOUR):
    onset = START + bar_number * bar
    return Event(
        symbol=symbol,
        side=side,
        onset=onset,
        peak=onset,
        end=onset,
        confirmed=onset,
        move=-0.03,
        oi_loss=0.03,
        long_liq_usd=0.0,
        short_liq_usd=0.0,
        severity=2.0,
        flags=(),
        runs=((onset, onset),),
    )


def test_thresholds_would_have_spent_each_budget_on_training_rows():
    p = np.random.default_rng(0).permutation(np.linspace(0.0, 1.0, 1001))
    thresholds = alarm_thresholds(p)

    assert ALARM_BUDGETS == (0.01, 0.02, 0.05, 0.10)
    assert thresholds == pytest.approx([0.99, 0.98, 0.95, 0.90])
    spent = (p[:, None] > thresholds).mean(axis=0)
    assert spent == pytest.approx(ALARM_BUDGETS, abs=1e-3)


def test_rows_never_scored_out_of_fold_set_no_threshold():
    known = np.linspace(0.0, 1.0, 101)
    mixed = np.concatenate([np.full(50, np.nan), known])

    assert np.array_equal(alarm_thresholds(mixed), alarm_thresholds(known))
    assert np.isinf(alarm_thresholds(np.full(5, np.nan))).all()


def test_a_forecast_that_never_varies_never_alarms():
    assert not (alarm_thresholds(np.full(100, 0.2)) < 0.2).any()


@pytest.mark.parametrize(
    ("alarm", "minutes"),
    [
        (99, 0.0),  # the bar just before the onset bar: it closes where the onset bar starts
        (98, 60.0),
        (96, 180.0),
        (95, np.nan),  # its horizon ended at the bar before the onset
        (100, np.nan),  # the onset bar itself warns of nothing
        (101, np.nan),
    ],
)
def test_the_lead_runs_from_the_alarm_to_the_start_of_the_onset_bar(alarm, minutes):
    rows = rows_of()
    found = leads(rows, alarm_at(rows, alarm), [event_at(100)], "long")

    np.testing.assert_array_equal(found, [minutes])


@pytest.mark.parametrize(
    ("alarm", "minutes"),
    [(199, np.nan), (198, 5.0), (188, 55.0), (187, 60.0), (186, np.nan)],
)
def test_on_five_minute_bars_an_alarm_in_the_gap_is_too_late(alarm, minutes):
    rows = rows_of(300, bar=FIVE, gap=FIVE, hours=1, onsets=(200,))
    found = leads(rows, alarm_at(rows, alarm), [event_at(200, bar=FIVE)], "long")

    np.testing.assert_array_equal(found, [minutes])
    # an alarm counts for the event exactly where the label says an onset follows
    assert rows.y[alarm] == float(np.isfinite(minutes))


def test_the_first_alarm_of_an_event_counts():
    rows = rows_of()
    found = leads(rows, alarm_at(rows, 97, 98, 99), [event_at(100)], "long")

    assert found.tolist() == [120.0]


def test_events_of_the_side_and_symbol_that_have_a_row_before_them():
    rows = rows_of(symbols=("BTC", "ETH"))
    alarm = alarm_at(rows, 99)  # of BTC
    events = [
        event_at(100),
        event_at(100, symbol="ETH"),
        event_at(100, side="short"),
        event_at(100, symbol="SOL"),
        event_at(0),
        event_at(WEEK_H + 4),
    ]

    np.testing.assert_array_equal(leads(rows, alarm, events, "long"), [0.0, np.nan])
    np.testing.assert_array_equal(leads(rows, alarm, events, "short"), [0.0])
    # one row, the last, is in the horizon of an onset after the test
    np.testing.assert_array_equal(leads(rows, alarm, [event_at(WEEK_H + 3)], "long"), [np.nan])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), gap=st.sampled_from([0, 1]), hours=st.sampled_from([1, 4, 24]))
def test_an_approach_is_the_rows_whose_horizon_holds_the_onset(seed, gap, hours):
    """Rows in any order, with holes; one row at a time says the same."""
    rng = np.random.default_rng(seed)
    rows = rows_of(60, gap=gap * HOUR, hours=hours, symbols=("BTC", "ETH"))
    kept = rng.permutation(120)[: rng.integers(20, 120)]
    rows = replace(rows, symbols=rows.symbols[kept], times=rows.times[kept], y=rows.y[kept])
    events = [
        event_at(int(at), symbol=str(symbol))
        for at, symbol in zip(
            rng.integers(0, 90, 12), rng.choice(["BTC", "ETH", "SOL"], 12), strict=True
        )
    ]

    found = {id(event): at for event, at in approaches(rows, events, "long")}

    for event in events:
        onset = np.datetime64(event.onset.replace(tzinfo=None), "s")
        ahead = (onset - rows.times).astype(int) - gap * 3600
        expected = (rows.symbols == event.symbol) & (ahead > 0) & (ahead <= hours * 3600)
        at = found.get(id(event), np.empty(0, dtype=int))
        assert sorted(at) == np.flatnonzero(expected).tolist()
        assert (np.diff(rows.times[at].astype(int)) > 0).all()


def test_the_lead_table():
    table = lead_table(np.array([0.0, 15.0, 60.0, 120.0, 14.0, np.nan, np.nan, np.nan]))

    assert (table["q25"], table["median"], table["q75"]) == (14.0, 15.0, 60.0)
    # of all events, the missed ones too
    assert table["share_ge_15"] == 3 / 8


def test_a_lead_table_without_warnings_or_events():
    missed, nothing = lead_table(np.array([np.nan, np.nan])), lead_table(np.empty(0))

    assert missed["share_ge_15"] == 0.0
    assert np.isnan(missed["median"])
    assert np.isnan(list(nothing.values())).all()


@pytest.mark.parametrize(
    ("alarms", "episodes"),
    [
        ((), 0),
        ((10,), 1),
        ((10, 11, 12), 1),  # an hour apart: one episode
        ((10, 12), 2),  # two hours apart: two
        ((10, 50), 2),
        ((97,), 0),  # an onset follows
        ((94, 95, 96, 97), 0),  # begins in vain, but is kept up until an onset follows
        ((94, 96), 1),  # two episodes, the first in vain
        ((99, 100, 101), 0),
        ((100,), 1),  # at the onset bar no other follows
    ],
)
def test_false_alarm_episodes_of_a_week(alarms, episodes):
    rows = rows_of(onsets=(100,))

    assert false_alarms(rows, alarm_at(rows, *alarms)) == episodes


def test_false_alarms_on_five_minute_bars_merge_below_two_hours():
    rows = rows_of(WEEK_H * 12, bar=FIVE, gap=FIVE, hours=1)

    assert false_alarms(rows, alarm_at(rows, 10, 33)) == 1.0
    assert false_alarms(rows, alarm_at(rows, 10, 34)) == 2.0


def test_false_alarms_are_per_symbol_and_week_in_any_order_of_rows():
    rows = rows_of(2 * WEEK_H, symbols=("BTC", "ETH"))
    alarm = alarm_at(rows, 10, 11, 100, 2 * WEEK_H + 10, 2 * WEEK_H - 1, 2 * WEEK_H)
    order = np.random.default_rng(0).permutation(len(alarm))
    mixed = AlarmRows(
        symbols=rows.symbols[order],
        times=rows.times[order],
        y=rows.y[order],
        bar=rows.bar,
        gap=rows.gap,
        horizon=rows.horizon,
    )

    # BTC: bars 10 and 11, bar 100, its last bar; ETH: its first bar, bar 10
    assert false_alarms(rows, alarm) == 5 / 4
    assert false_alarms(mixed, alarm[order]) == 5 / 4


def test_every_row_needs_its_alarm():
    with pytest.raises(ModelError, match="3 alarms for 168 rows"):
        false_alarms(rows_of(), np.zeros(3, dtype=bool))


def test_no_rows_have_no_rate():
    assert np.isnan(false_alarms(rows_of(0), np.zeros(0, dtype=bool)))


def test_metrics_at_every_budget():
    rows = rows_of(onsets=(50, 100, 150))
    events = [event_at(50), event_at(100), event_at(150), event_at(60, side="short")]
    alarms = np.stack(
        [
            alarm_at(rows),
            alarm_at(rows, 49),
            alarm_at(rows, 20, 49, 97, 98),
            alarm_at(rows, 20, 30, 48, 49, 97, 147),
        ],
        axis=1,
    )
    found = alarm_metrics(rows, alarms, events, "long")

    assert found["events"] == 3
    assert found["event_recall"] == pytest.approx(
        {"0.01": 0.0, "0.02": 1 / 3, "0.05": 2 / 3, "0.10": 1.0}
    )
    assert found["false_alarms_per_symbol_week"] == {
        "0.01": 0.0,
        "0.02": 0.0,
        "0.05": 1.0,
        "0.10": 2.0,
    }
    assert found["alarm_time"] == pytest.approx(
        {"0.01": 0.0, "0.02": 1 / 168, "0.05": 4 / 168, "0.10": 6 / 168}
    )
    # at 5 % of the time: 0 and 120 minutes ahead, and a miss
    assert found["lead_minutes"] == pytest.approx(
        {"median": 60.0, "q25": 30.0, "q75": 90.0, "share_ge_15": 1 / 3}
    )


def test_metrics_without_events():
    rows = rows_of()
    found = alarm_metrics(rows, np.zeros((WEEK_H, 4), dtype=bool), iter(()), "long")

    assert found["events"] == 0
    assert np.isnan(list(found["event_recall"].values())).all()
