from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.asof import market_frame
from liqwarn.data.bars.assembler import MOST_AT_ONCE, OUTCOMES, Assembler
from liqwarn.data.manifest import Origin
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.store import Store
from liqwarn.errors import DataError

HOUR = 3_600
PATIENCE = timedelta(seconds=60)
SYMBOLS = ("BTCUSDT", "ETHUSDT")


@pytest.fixture
def assembler(panel, first):
    return Assembler(panel, first=first, patience=PATIENCE)


def test_a_bar_closes_when_everybody_has_reported(assembler, make_message, moment, first):
    now = moment(first, 1)

    assert assembler.take(make_message(0, "BTCUSDT"), now) == []
    assert assembler.waiting == ("ETHUSDT",)
    [column] = assembler.take(make_message(0, "ETHUSDT"), now)

    assert column.time == first
    assert column.fields["close"].tolist() == [50_000.0, 50_000.0]
    assert column.ages["close"].tolist() == [0.0, 0.0]
    assert np.isnan(column.fields["netflow"]).all()
    assert "next_macro_h" in column.fields
    assert "next_macro_h" not in column.ages
    assert assembler.open_close == first + HOUR


def test_a_bar_closes_when_patience_runs_out_and_nothing_is_filled(
    assembler, make_message, moment, first
):
    full = {"open_interest": 7.0, "close": 1.0, "open": 1.0, "high": 1.0, "low": 1.0}
    for symbol in SYMBOLS:
        columns = assembler.take(make_message(0, symbol, **full), moment(first))
    assert len(columns) == 1
    assembler.take(make_message(1, "BTCUSDT"), moment(first, HOUR))

    assert assembler.tick(moment(first, HOUR + 59.9)) == []
    [column] = assembler.tick(moment(first, HOUR + 60))

    assert column.fields["open_interest"].tolist()[0] == 7.0
    assert column.ages["open_interest"].tolist()[0] == HOUR
    assert all(np.isnan(values[1]) for values in column.fields.values())
    late = assembler.take(make_message(1, "ETHUSDT"), moment(first, HOUR + 61))
    assert late == []
    assert assembler.counts["late"] == 1


def test_skipped_bars_are_whole_columns_of_nothing(assembler, moment, first):
    columns = assembler.tick(moment(first, 5 * HOUR))

    assert [c.time for c in columns] == [first + k * HOUR for k in range(5)]
    assert all(np.isnan(v).all() for c in columns for v in c.fields.values())


def test_a_long_silence_comes_in_pieces(assembler, moment, first):
    now, times = moment(first, 300 * HOUR), []
    while columns := assembler.tick(now):
        assert len(columns) <= MOST_AT_ONCE
        times += [c.time for c in columns]

    assert times == [first + k * HOUR for k in range(300)]


def test_every_message_has_one_outcome(assembler, make_message, moment, first):
    now = moment(first, 1)
    odd = first.astype("datetime64[s]")
    for message, outcome in [
        (make_message(0, "BTCUSDT"), "accepted"),
        (make_message(0, "BTCUSDT"), "duplicate"),
        (make_message(0, "BTCUSDT", close=1.0), "conflict"),
        (make_message(-1, "BTCUSDT"), "late"),
        (make_message(1, "BTCUSDT"), "future"),
        (make_message(10**6, "BTCUSDT"), "future"),
        (make_message(0, "DOGEUSDT"), "unknown"),
        (make_message(0, "BTCUSDT", time=odd, bar_s=1_800), "wrong_bar"),
    ]:
        before = assembler.counts[outcome]
        assert assembler.take(message, now) == []
        assert assembler.counts[outcome] == before + 1
    assert sum(assembler.counts.values()) == 8
    assert set(assembler.counts) == set(OUTCOMES)

    [column] = assembler.take(make_message(0, "ETHUSDT"), now)
    assert column.fields["close"].tolist() == [50_000.0, 50_000.0]  # the first one stands


def test_a_few_bars_ahead_are_kept_and_no_more(assembler, make_message, moment, first):
    now = moment(first, 9 * HOUR)  # nobody has called tick for hours

    columns = assembler.take(make_message(9, "BTCUSDT"), now)
    assert [c.time for c in columns] == [first + k * HOUR for k in range(7)]
    assert [c.time for c in assembler.tick(now)] == [first + k * HOUR for k in (7, 8)]
    assert assembler.open_close == first + 9 * HOUR
    assert assembler.counts["accepted"] == 1


def test_a_bar_is_not_closed_before_its_patience_is_over_whatever_comes(
    panel, make_message, moment, first
):
    assembler = Assembler(panel, first=first, patience=timedelta(hours=9), look_ahead=1)

    assert assembler.take(make_message(2, "BTCUSDT"), moment(first, 2 * HOUR)) == []
    assert assembler.counts["future"] == 1


def test_what_waited_for_us_is_not_late(assembler, make_message, moment, first):
    """After five hours away the bars of the feed are taken, but for the one that is not there."""
    now, columns = moment(first, 5 * HOUR), []
    for bar in range(5):
        for symbol in SYMBOLS:
            if (bar, symbol) != (1, "ETHUSDT"):
                columns += assembler.take(make_message(bar, symbol), now)
    columns += assembler.tick(now)

    closes = np.array([c.fields["close"] for c in columns])
    assert closes.shape == (5, 2)
    assert np.argwhere(np.isnan(closes)).tolist() == [[1, 1]]
    assert assembler.counts["accepted"] == 9


def test_a_clock_that_is_a_little_ahead_is_forgiven(assembler, make_message, moment, first):
    assembler.take(make_message(0, "BTCUSDT"), moment(first, -1.9))
    assembler.take(make_message(0, "ETHUSDT"), moment(first, -2.1))

    assert assembler.counts["accepted"] == 1
    assert assembler.counts["future"] == 1


def test_refused_values_are_counted_and_carried_over_like_absent_ones(
    assembler, make_message, moment, first
):
    def bar(k, oi):
        for symbol in SYMBOLS:
            told = make_message(k, symbol, open_interest=oi, netflow=1.0)
            columns = assembler.take(told, moment(first, k * HOUR))
        return columns[0]

    bar(0, 5.0)
    column = bar(1, -5.0)

    assert column.fields["open_interest"].tolist() == [5.0, 5.0]
    assert column.ages["open_interest"].tolist() == [HOUR, HOUR]
    assert assembler.refusals == {"negative": 2}
    assert assembler.counts["accepted"] == 4


def test_a_price_far_off_its_neighbour_takes_its_row_with_it(make_panel, make_message, moment):
    panel = make_panel(("BTCUSDT",))
    first = np.datetime64("2024-08-05T01:00:00")
    assembler = Assembler(panel, first=first, patience=PATIENCE)
    assembler.take(make_message(0), moment(first))
    wild = {"open": 50_000.0, "high": 5e6, "low": 50_000.0, "close": 50_000.0, "volume": 1.0}

    [column] = assembler.take(make_message(1, **wild, netflow=2.0), moment(first, HOUR))

    assert {n for n, v in column.fields.items() if np.isfinite(v[0])} == {"netflow"}
    assert assembler.refusals == {"more than 20x off its neighbours": 1}


def test_the_first_close_lies_on_the_grid(panel, first):
    with pytest.raises(DataError, match="expected one of 1:00:00 bars"):
        Assembler(panel, first=first + 1, patience=PATIENCE)


# ------------------------------------------------------------------------------------------ laws


def random_bars(data, panel, make_message, n_bars):
    """Messages of some bars, each symbol at most once a bar, no two that contradict."""
    messages = []
    for bar in range(n_bars):
        for symbol in panel.symbol_names:
            if not data.draw(st.booleans()):
                continue
            fields = {"netflow": float(data.draw(st.integers(-3, 3)))}
            if data.draw(st.booleans()):
                fields["open_interest"] = float(data.draw(st.integers(-1, 5)))
            age = float(data.draw(st.sampled_from([0, 60, HOUR, 5 * HOUR])))
            told = make_message(bar, symbol, ages={"open_interest": age}, **fields)
            messages.append((bar, told))
    return messages


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_order_copies_and_lateness_within_patience_change_nothing(
    panel, make_message, moment, bits_of, data
):
    first = np.datetime64("2024-08-05T01:00:00")
    n_bars = 4
    told = random_bars(data, panel, make_message, n_bars)

    def run(arrivals):
        assembler = Assembler(panel, first=first, patience=PATIENCE)
        columns = []
        for at, message in sorted(arrivals, key=lambda one: one[0]):
            columns += assembler.take(message, moment(first, at))
        columns += assembler.tick(moment(first, n_bars * HOUR))
        assert sum(assembler.counts.values()) == len(arrivals)
        return columns, assembler

    plain, quiet = run([(bar * HOUR + k * 1e-3, m) for k, (bar, m) in enumerate(told)])
    copies = [one for one in told for _ in range(data.draw(st.integers(1, 3)))]
    delay = st.floats(-2.0, 59.9)
    mixed, noisy = run([(bar * HOUR + data.draw(delay), message) for bar, message in copies])

    assert [c.time for c in plain] == [first + k * HOUR for k in range(n_bars)]
    assert [bits_of(c) for c in mixed] == [bits_of(c) for c in plain]
    assert noisy.refusals == quiet.refusals
    assert noisy.counts["accepted"] == quiet.counts["accepted"]
    assert noisy.counts["duplicate"] + noisy.counts["late"] == len(copies) - len(told)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_comes_columns_are_in_order_each_once_and_counts_add_up(
    panel, make_message, moment, data
):
    first = np.datetime64("2024-08-05T01:00:00")
    assembler = Assembler(panel, first=first, patience=PATIENCE)
    times, taken = [], 0
    for _ in range(data.draw(st.integers(0, 25))):
        now = moment(first, data.draw(st.floats(-HOUR, 8 * HOUR)))  # the clock jumps about
        if data.draw(st.booleans()):
            symbol = data.draw(st.sampled_from([*SYMBOLS, "DOGEUSDT"]))
            value = float(data.draw(st.integers(0, 2)))
            message = make_message(data.draw(st.integers(-2, 12)), symbol, netflow=value)
            columns, taken = assembler.take(message, now), taken + 1
        else:
            columns = assembler.tick(now)
        times += [c.time for c in columns]

    assert times == [first + k * HOUR for k in range(len(times))]
    assert sum(assembler.counts.values()) == taken


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_restart_between_any_two_bars_changes_nothing(panel, make_message, moment, bits_of, data):
    first = np.datetime64("2024-08-05T01:00:00")
    told = random_bars(data, panel, make_message, 8)

    def run(assembler, bars):
        columns = []
        for bar in bars:
            for at, message in told:
                if at == bar:
                    columns += assembler.take(message, moment(first, bar * HOUR))
            columns += assembler.tick(moment(first, bar * HOUR + 60))
        return columns

    whole = run(Assembler(panel, first=first, patience=PATIENCE), range(8))
    cut = data.draw(st.integers(1, 7))
    again = Assembler(panel, first=first + cut * HOUR, patience=PATIENCE)
    again.remember(whole[:cut])

    assert [bits_of(c) for c in run(again, range(cut, 8))] == [bits_of(c) for c in whole[cut:]]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_successor_between_any_two_messages_changes_nothing(
    panel, make_message, moment, bits_of, data
):
    first = np.datetime64("2024-08-05T01:00:00")
    told = random_bars(data, panel, make_message, 4)
    cut = data.draw(st.integers(0, len(told)))

    def run(cut):
        assembler, columns = Assembler(panel, first=first, patience=PATIENCE), []
        for k, (bar, message) in enumerate(told):
            if k == cut:
                before, open_close = assembler.pending, assembler.open_close
                assembler = Assembler(panel, first=open_close, patience=PATIENCE)
                assembler.remember(columns)
                for one in before:
                    columns += assembler.take(one, moment(first, bar * HOUR))
            columns += assembler.take(message, moment(first, bar * HOUR))
        return columns + assembler.tick(moment(first, 4 * HOUR))

    assert [bits_of(c) for c in run(cut)] == [bits_of(c) for c in run(None)]


def test_only_the_past_can_be_remembered(panel, make_column, first):
    assembler = Assembler(panel, first=first + HOUR, patience=PATIENCE)
    assembler.remember([make_column(panel, 0)])

    with pytest.raises(DataError, match="expected one before the open bar"):
        assembler.remember([make_column(panel, 1)])


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_what_is_carried_is_what_the_batch_joins_as_of(
    tmp_path_factory, make_panel, make_message, moment, data
):
    """A feed that tells each record in the bar it became known in gives the batch's frame."""
    panel = make_panel(("BTCUSDT",), calendars=[])
    start = 1_722_816_000
    first, n_bars = np.datetime64(start + HOUR, "s"), 14
    event = np.array(sorted(data.draw(st.sets(st.integers(1, n_bars * HOUR), max_size=9))))
    event = event.astype(np.int64) + start
    oi = np.arange(1.0, event.size + 1.0)
    bars = start + HOUR * np.arange(1, n_bars + 1)
    store = Store(tmp_path_factory.mktemp("s"))

    def records(source, at, **values):
        key = SeriesKey(panel="bars", source=source, symbol="BTCUSDT")
        return Records(key=key, event=at, known=at, values=values, row=np.arange(at.size))

    price = 100.0 + np.arange(n_bars)
    candle = dict.fromkeys(("open", "high", "low", "close"), price)
    batch = [records("klines", bars, **candle, volume=price)]
    batch += [records("stock", event, open_interest=oi)] if event.size else []
    store.append(
        batch, origin=Origin(file="x", sha256="0", first_at=datetime(2024, 1, 1, tzinfo=UTC))
    )
    frame = market_frame(store, panel)

    assembler = Assembler(panel, first=first, patience=PATIENCE)
    columns = []
    for bar, close in enumerate(bars.tolist()):
        fields = {name: float(price[bar]) for name in (*candle, "volume")}
        fresh = np.flatnonzero((event > close - HOUR) & (event <= close))
        ages = {}
        if fresh.size:
            fields["open_interest"] = float(oi[fresh[-1]])
            ages = {"open_interest": float(close - event[fresh[-1]])}
        told = make_message(time=np.datetime64(close, "s"), ages=ages, **fields)
        columns += assembler.take(told, moment(first, bar * HOUR))

    np.testing.assert_array_equal([c.time for c in columns], frame.times)
    for name in ("open", "high", "low", "close", "volume", "open_interest", "netflow"):
        there = np.array([c.fields[name][0] for c in columns])
        assert there.tobytes() == frame.fields[name][0].tobytes(), name
        old = np.array([c.ages[name][0] for c in columns])
        np.testing.assert_array_equal(old, frame.ages[name][0])
