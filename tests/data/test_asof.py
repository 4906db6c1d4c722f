from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.asof import as_of, in_bar, market_frame, until_next
from liqwarn.data.manifest import Origin
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.series import Series
from liqwarn.data.store import Store
from liqwarn.errors import DataError

T0 = 1_704_067_200
HOUR = 3_600
ORIGIN = Origin(file="x.csv", sha256="00", first_at=datetime(2024, 1, 1, tzinfo=UTC))


def series(event, known, value=None):
    event, known = np.asarray(event, dtype=np.int64), np.asarray(known, dtype=np.int64)
    value = np.arange(1.0, event.size + 1) if value is None else np.asarray(value, dtype=float)
    return Series(event=event, known=known, value=value)


def utc(seconds):
    return datetime.fromtimestamp(seconds, tz=UTC)


def records_of(source, event, known, **values):
    event = np.asarray(event, dtype=np.int64)
    key = SeriesKey(panel="test", source=source, symbol="BTCUSDT")
    columns = {name: np.asarray(column, dtype=float) for name, column in values.items()}
    rows = np.arange(event.size)
    return Records(key=key, event=event, known=np.asarray(known), values=columns, row=rows)


def put(store, *batch):
    store.append(batch, origin=ORIGIN)


@given(st.data())
def test_as_of_is_the_last_event_known_and_not_too_old(data):
    event = np.array(sorted(data.draw(st.sets(st.integers(0, 200), max_size=12))), dtype=np.int64)
    lag = data.draw(st.lists(st.integers(0, 60), min_size=event.size, max_size=event.size))
    known = event + np.array(lag, dtype=np.int64)
    times = np.arange(0, 260, 7)
    max_age = data.draw(st.integers(0, 100))

    value, age = as_of(series(event, known), times, max_age)

    for i, t in enumerate(times):
        usable = [k for k in range(event.size) if known[k] <= t]
        if usable and t - event[usable[-1]] <= max_age:
            assert value[i] == usable[-1] + 1.0
            assert age[i] == t - event[usable[-1]]
        else:
            assert np.isnan(value[i])
            assert np.isnan(age[i])


def test_a_bar_is_shown_once_at_the_close_it_is_known():
    cells = series([HOUR, 2 * HOUR, 4 * HOUR], [HOUR, 2 * HOUR + 1, 4 * HOUR])

    value, age = in_bar(cells, HOUR * np.arange(1, 6), HOUR)

    np.testing.assert_array_equal(value, [1.0, np.nan, 2.0, 3.0, np.nan])
    np.testing.assert_array_equal(age, [0.0, np.nan, HOUR, 0.0, np.nan])


def test_the_next_event_is_ahead_and_announced():
    events = series([10 * HOUR, 20 * HOUR], [5 * HOUR, 15 * HOUR])

    hours, amount = until_next(events, HOUR * np.array([4, 5, 9, 10, 14, 15, 20]))

    np.testing.assert_array_equal(hours, [np.nan, 5, 1, np.nan, np.nan, 5, np.nan])
    np.testing.assert_array_equal(amount, [np.nan, 1, 1, np.nan, np.nan, 2, np.nan])


# ---------------------------------------------------------------- the frame of a small market


@pytest.fixture
def small(make_panel, make_source, load, data_dir, candles):
    """A day of hourly candles, funding, late flows in USD, 4-hourly depth, a calendar."""
    table = candles(48)
    t = table["t"]
    pd.DataFrame({"t": t[::8] + HOUR * 8, "rate": 0.0001 * (1 + np.arange(6))}).to_csv(
        data_dir / "funding.csv", index=False
    )
    pd.DataFrame({"t": t, "usd": 4e7 + t % 7}).to_csv(data_dir / "flows.csv", index=False)
    pd.DataFrame({"t": t[::4], "bids": 1e6 + t[::4] % 11}).to_csv(
        data_dir / "depth.csv", index=False
    )
    pd.DataFrame({"t": [T0 + 30 * HOUR]}).to_csv(data_dir / "fomc.csv", index=False)

    def of(name, column, field, **changes):
        clock = {"column": "t", "unit": "s", "label": "end"} | changes.pop("time", {})
        return (
            make_source(name=name, file=f"{name}.csv", time=clock, fields={field: column}) | changes
        )

    panel = make_panel(
        make_source(),
        of("funding", "rate", "funding_rate"),
        of("flows", {"column": "usd", "unit": "usd_at_typical"}, "inflow",
           time={"label": "start", "step": "1h"}, known_lag="90min"),
        of("depth", "bids", "bid_depth_usd", time={"label": "start", "step": "4h"}),
        calendars=[{"name": "fomc", "gives": "macro", "file": "fomc.csv", "known_before": "1d",
                    "time": {"column": "t", "unit": "s", "label": "end"}}],
    )  # fmt: skip
    load(panel, table)
    return panel, table


def test_a_bar_is_named_by_its_close(small, store):
    panel, table = small

    frame = market_frame(store, panel)

    assert frame.times[0] == np.datetime64("2024-01-01T01:00:00")
    assert frame.shape == (1, 48)
    np.testing.assert_array_equal(frame.field("close")[0], table["close"])
    assert (frame.ages["close"] == 0.0).all()


def test_settled_values_stay_and_grow_old(small, store):
    panel, _ = small
    frame = market_frame(store, panel)

    assert np.isnan(frame.field("funding_rate")[0, :7]).all()
    assert frame.field("funding_rate")[0, 7:16].tolist() == [0.0001] * 8 + [0.0002]
    assert frame.ages["funding_rate"][0, 7:10].tolist() == [0.0, HOUR, 2 * HOUR]


def test_a_late_flow_is_the_hour_that_was_known_then_in_coins_of_its_own_price(small, store):
    panel, table = small
    frame = market_frame(store, panel)
    typical = (table["high"] + table["low"] + table["close"]) / 3.0
    coins = ((4e7 + table["t"] % 7) / typical).to_numpy()

    assert np.isnan(frame.field("inflow")[0, :2]).all()
    np.testing.assert_allclose(frame.field("inflow")[0, 2:], coins[:-2], rtol=1e-12)
    assert (frame.ages["inflow"][0, 2:] == 2 * HOUR).all()


def test_a_four_hourly_value_is_known_at_the_end_of_its_interval(small, store):
    panel, _ = small
    depth = market_frame(store, panel).field("bid_depth_usd")[0]

    assert np.isnan(depth[:3]).all()
    assert depth[3] == depth[6] == 1e6 + T0 % 11
    assert depth[7] == 1e6 + (T0 + 4 * HOUR) % 11


def test_a_scheduled_event_counts_down(small, store):
    panel, _ = small
    hours = market_frame(store, panel).field("next_macro_h")[0]

    assert np.isnan(hours[:5]).all()
    assert hours[5:29].tolist() == list(range(24, 0, -1))
    assert np.isnan(hours[29:]).all()


def planes(frame, stop):
    return {
        **{name: plane[:, :stop].tobytes() for name, plane in frame.fields.items()},
        **{f"age {name}": plane[:, :stop].tobytes() for name, plane in frame.ages.items()},
    }


@pytest.mark.parametrize("bars", [1, 2, 9, 31, 48])
def test_the_frame_of_an_earlier_moment_is_the_same_bits(small, store, bars):
    panel, _ = small
    whole = market_frame(store, panel)
    moment = utc(T0 + bars * HOUR)

    assert planes(market_frame(store, panel, end=moment), bars) == planes(whole, bars)
    assert planes(market_frame(store, panel, known_by=moment), bars) == planes(whole, bars)


def test_asked_at_a_moment_later_bars_hold_only_what_was_known_then(small, store):
    panel, _ = small

    frame = market_frame(store, panel, known_by=utc(T0 + 17 * HOUR), end=utc(T0 + 30 * HOUR))

    assert frame.shape[1] == 30
    assert np.isnan(frame.field("close")[0, 17:]).all()
    assert frame.field("funding_rate")[0, 16:25].tolist() == [0.0002] * 9
    assert np.isnan(frame.field("funding_rate")[0, 25:]).all()


@pytest.mark.parametrize("first", [1, 5, 20, 47])
def test_the_tail_is_the_same_bits_as_the_whole(small, store, first):
    panel, _ = small
    whole = market_frame(store, panel)

    tail = market_frame(store, panel, start=utc(T0 + (first + 1) * HOUR))

    assert tail.first_bar == whole.first_bar + first
    for name in whole.fields:
        assert tail.fields[name].tobytes() == whole.fields[name][:, first:].copy().tobytes(), name


def random_market(data, store):
    """Irregular records with random lags, from two sources of each kind."""
    hours = np.arange(1, 25)
    close = np.array(data.draw(st.lists(st.floats(1.0, 9.0), min_size=24, max_size=24)))
    everything = []
    for name in ("klines", "other"):
        keep = np.array(data.draw(st.lists(st.booleans(), min_size=24, max_size=24)))
        keep[0] = keep[-1] = keep[0] or name == "klines"
        lag = data.draw(st.sampled_from([0, 60, HOUR]))
        everything.append(
            (name, hours[keep] * HOUR, lag, {"close": close[keep], "volume": close[keep]})
        )
    for name in ("oi_a", "oi_b"):
        minutes = data.draw(st.sets(st.integers(1, 24 * 60), min_size=1, max_size=20))
        event = np.array(sorted(minutes)) * 60
        lag = data.draw(st.sampled_from([0, 17 * 60, 3 * HOUR]))
        everything.append((name, event, lag, {"open_interest": 1.0 + np.arange(event.size)}))
    batch = [
        records_of(name, T0 + e, T0 + e + lag, **v) for name, e, lag, v in everything if e.size
    ]
    put(store, *batch)
    return batch


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_not_known_yet_changes_nothing(tmp_path_factory, make_panel, make_source, data):
    """Law: without every record known after t, the frame up to t is the same bits."""
    candle = {"close": "close", "volume": "volume"}
    clock = {"column": "t", "unit": "s", "label": "end"}
    trust = data.draw(st.sampled_from([0, 1]))
    panel = make_panel(
        make_source(fields=candle, priority=trust),
        make_source(name="other", fields=candle),
        make_source(name="oi_a", time=clock, priority=trust,
                    fields={"open_interest": {"column": "o", "unit": "usd_at_close"}}),
        make_source(name="oi_b", time=clock, fields={"open_interest": "o"}),
        max_age={"open_interest": "5h"},
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("law")
    batch = random_market(data, Store(folder / "whole"))
    whole = market_frame(Store(folder / "whole"), panel)
    closes = whole.times.astype(np.int64)
    moment = int(data.draw(st.sampled_from(closes.tolist())))
    put(Store(folder / "early"), *(r.take(r.known <= moment) for r in batch))

    early_frame = market_frame(Store(folder / "early"), panel, end=utc(moment))

    bars = int((closes <= moment).sum())
    assert early_frame.shape[1] == bars
    assert planes(early_frame, bars) == planes(whole, bars)
    asked = market_frame(Store(folder / "whole"), panel, known_by=utc(moment))
    assert planes(asked, bars) == planes(whole, asked.shape[1])


# ---------------------------------------------------------------- choosing between sources


def test_the_higher_priority_wins_at_each_bar_it_knows(make_panel, make_source, store):
    fields = {"open_interest": "o"}
    clock = {"column": "t", "unit": "s", "label": "end"}
    panel = make_panel(
        make_source(fields={"close": "close"}),
        make_source(name="good", priority=5, time=clock, fields=fields),
        make_source(name="poor", time=clock, fields=fields),
        max_age={"open_interest": "1h"},
    )
    hours = T0 + HOUR * np.arange(1, 7)
    put(
        store,
        records_of("klines", hours, hours, close=np.ones(6)),
        records_of("good", hours[1:3], hours[1:3], open_interest=[20, 30]),
        records_of("poor", hours, hours, open_interest=[1, 2, 3, 4, 5, 6]),
    )

    found = market_frame(store, panel).field("open_interest")[0]

    assert found.tolist() == [1, 20, 30, 30, 5, 6]


def test_half_hours_make_hours_and_a_hole_leaves_none(
    make_panel, make_source, load, candles, store
):
    step = {"column": "t", "unit": "s", "label": "start", "step": "30min"}
    table = candles(12, step=1_800).drop(index=5)

    load(panel := make_panel(make_source(time=step)), table)
    frame = market_frame(store, panel)

    assert frame.shape == (1, 6)
    assert np.isnan(frame.field("close")[0]).tolist() == [False, False, True, False, False, False]
    assert frame.field("high")[0, 0] == table["high"][:2].max()
    assert frame.field("volume")[0, 1] == table["volume"].iloc[2:4].sum()
    assert frame.field("open")[0, 3] == table["open"][6]


def test_late_sums_of_a_finer_source_end_as_much_earlier(
    make_panel, make_source, load, candles, store
):
    table = candles(12)
    panel = make_panel(
        make_source(fields={"close": "close"}),
        make_source(name="flows", fields={"inflow": "volume"}, known_lag="1h"),
        bar="4h",
    )
    load(panel, table)
    frame = market_frame(store, panel)

    volume = table["volume"]
    expected = [np.nan, volume[3:7].sum(), volume[7:11].sum()]
    np.testing.assert_allclose(frame.field("inflow")[0], expected, rtol=1e-12)
    assert frame.ages["inflow"][0, 1] == HOUR


# ---------------------------------------------------------------- the grid


def test_all_symbols_share_the_grid_of_any_known_close(
    make_panel, make_source, load, data_dir, candles, store
):
    panel = make_panel(make_source(symbol=None, file="{symbol}.csv"), symbols=["AUSDT", "BUSDT"])
    candles(5).to_csv(data_dir / "AUSDT.csv", index=False)
    candles(5, start=T0 + 3 * HOUR).to_csv(data_dir / "BUSDT.csv", index=False)
    load(panel)

    frame = market_frame(store, panel)

    assert frame.shape == (2, 8)
    assert np.isfinite(frame.field("close")).sum(axis=1).tolist() == [5, 5]


def test_validity_cuts_the_frame(make_panel, load, candles, store):
    panel = make_panel(valid={"from": "2024-01-01T05:00", "to": "2024-01-01T10:00"})
    load(panel, candles())

    times = market_frame(store, panel).times

    assert (times[0], times[-1]) == (
        np.datetime64("2024-01-01T06:00:00"),
        np.datetime64("2024-01-01T10:00:00"),
    )


def test_a_feed_that_fell_silent_is_not_a_shorter_history(make_panel, load, candles, store):
    load(panel := make_panel(), candles(5))

    frame = market_frame(store, panel, end=utc(T0 + 8 * HOUR))

    assert np.isfinite(frame.field("close")[0]).tolist() == [True] * 5 + [False] * 3


def test_an_empty_store_says_what_to_do(make_panel, store):
    with pytest.raises(DataError, match=r"knows no close.*ingest its files first"):
        market_frame(store, make_panel())


def test_a_start_after_the_end_is_told(make_panel, load, candles, store):
    load(panel := make_panel(), candles(5))
    start = utc(T0) + timedelta(days=2)

    with pytest.raises(DataError, match="knows no close from 2024-01-03"):
        market_frame(store, panel, start=start)
