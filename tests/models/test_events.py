from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.frames import SIDES
from liqwarn.models.events import (
    EVENT_COLUMNS,
    Event,
    bar_positions,
    detect_events,
    episodes,
    event_table,
    in_progress,
)
from liqwarn.models.legs import measure_legs

HOUR = timedelta(hours=1)
FIVE = timedelta(minutes=5)
# runs from bar 1 to 4: half the threshold of 1.5 % at bar 1, all legs at bar 2, the low at bar 3
FALL = [100.0, 99.2, 96.0, 94.0, 94.5, 94.8]
SOLD = [1000.0, 1000.0, 940.0, 900.0, 905.0, 905.0]


def positions(frame, event, first):
    """Onset, confirmation, peak and end, counted from a bar."""
    moments = (event.onset, event.confirmed, event.peak, event.end)
    return [at - first for at in bar_positions(frame, moments)]


def marked(running, first):
    return (np.flatnonzero(running) - first).tolist()


def moment(hour):
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hour)


def event_at(onset, symbol="BTCUSDT", **changes):
    given = {
        "symbol": symbol,
        "side": "long",
        "onset": onset,
        "peak": onset,
        "end": onset,
        "confirmed": onset,
        "move": -0.03,
        "oi_loss": 0.04,
        "long_liq_usd": 1e6,
        "short_liq_usd": float("nan"),
        "severity": 2.0,
        "flags": ("flow_confirmed", "merged"),
        "runs": ((onset, onset),),
    }
    return Event(**(given | changes))


def test_an_hourly_fall_bar_by_bar(market_story, market_quiet, market_config):
    frame = market_story(HOUR, close=FALL, open_interest=SOLD)
    (event,) = detect_events(frame, market_config(HOUR))

    assert (event.symbol, event.side) == ("BTCUSDT", "long")
    assert positions(frame, event, market_quiet) == [1, 2, 3, 4]
    assert event.runs == ((event.confirmed, event.end),)
    assert event.move == pytest.approx(-0.06)
    assert event.oi_loss == pytest.approx(0.10)
    assert event.severity == pytest.approx(0.10 / 0.01)  # the strongest leg: open interest
    assert event.flags == ("severe", "flow_unknown")
    assert np.isnan([event.long_liq_usd, event.short_liq_usd]).all()


def test_an_hourly_rise_liquidates_shorts(market_story, market_quiet, market_config):
    frame = market_story(HOUR, close=[100.0, 103.0, 104.0, 103.0], open_interest=[1e3, 980.0])
    (event,) = detect_events(frame, market_config(HOUR))

    assert event.side == "short"
    # bar 3 is 0 % above the close two bars before it: over
    assert positions(frame, event, market_quiet) == [1, 1, 2, 2]
    assert event.move == pytest.approx(0.04)
    assert event.oi_loss == pytest.approx(0.02)
    assert event.severity == pytest.approx(0.04 / 0.015)
    assert event.flags == ("flow_unknown",)


def test_a_fall_on_five_minute_bars(market_story, market_quiet, market_config):
    close = [100.0, 99.8, 99.2, 98.9, 98.3, 98.0, 98.6, 99.0]
    coins = [1000.0, 999.0, 997.0, 992.0, 988.0, 970.0, 968.0, 968.0]
    frame = market_story(FIVE, close=close, open_interest=coins)
    (event,) = detect_events(frame, market_config(FIVE))

    # 0.8 % below the extreme of six closes at bar 2; 1.7 % and 1.2 % of open interest at bar 4;
    # at bar 7 the extreme is 99.8 and the price 0.8 % below it, at bar 8 it is 99.2 and 0.2 %
    assert positions(frame, event, market_quiet) == [2, 4, 5, 7]
    assert event.move == pytest.approx(-0.02)
    assert event.oi_loss == pytest.approx(0.032)
    assert event.flags == ("flow_unknown",)


@pytest.mark.parametrize(
    ("close", "coins"),
    [
        (FALL, [1000.0, 1000.0, 991.0, 985.0, 985.0]),  # never 1 % in a bar
        ([100.0, 98.6, 97.3, 96.0], [1000.0, 980.0, 960.0, 940.0]),  # never 1.5 % in a bar
        (FALL, [1000.0, 1000.0, 1060.0, 1100.0]),  # new positions, not forced ones
    ],
)
def test_one_leg_is_no_event(market_story, market_config, close, coins):
    frame = market_story(HOUR, close=close, open_interest=coins)

    assert detect_events(frame, market_config(HOUR)) == ()


def test_price_alone_is_no_event_without_open_interest(market_story, market_config):
    frame = market_story(HOUR, close=FALL, long_liq_usd=[0.0, 1e7])

    assert detect_events(frame, market_config(HOUR)) == ()


def test_liquidations_alone_are_no_event(market_story, market_config):
    usd = {"long_liq_usd": [0.0, 1e9, 1e9], "taker_sell_volume": [50.0, 500.0]}
    still = {"taker_buy_volume": [50.0], "open_interest": [1000.0]}

    for close in ([100.0], FALL):
        frame = market_story(HOUR, close=close, **usd, **still)
        assert detect_events(frame, market_config(HOUR)) == ()


def test_a_splice_of_sources_is_no_event(market_story, market_config):
    for factor in (0.4, 0.3):
        coins = [1000.0, 1000.0, 1000.0 * factor]
        frame = market_story(HOUR, close=FALL, open_interest=coins)
        assert detect_events(frame, market_config(HOUR)) == ()


def test_a_splice_within_an_event_is_not_its_loss(market_story, market_config):
    coins = [1000.0, 1000.0, 940.0, 94.0, 93.0, 93.0]
    frame = market_story(HOUR, close=FALL, open_interest=coins)
    (event,) = detect_events(frame, market_config(HOUR))

    assert event.oi_loss == pytest.approx(1.0 - 0.94 * 93 / 94)


def test_the_loss_is_a_drawdown_from_a_peak_to_a_later_trough(
    market_story, market_quiet, market_config
):
    # the open interest builds up during the fall and then breaks: the end is above the beginning
    coins = [1000.0, 1200.0, 1140.0, 1150.0, 1150.0]
    frame = market_story(HOUR, close=FALL, open_interest=coins)
    (event,) = detect_events(frame, market_config(HOUR))

    assert event.oi_loss == pytest.approx(0.05)
    assert "severe" in event.flags
    assert event.severity == pytest.approx(0.05 / 0.01)


def test_a_rise_after_the_trough_is_no_loss(market_story, market_config):
    coins = [1000.0, 1000.0, 980.0, 1300.0, 1290.0]
    frame = market_story(HOUR, close=FALL, open_interest=coins)
    (event,) = detect_events(frame, market_config(HOUR))

    assert event.oi_loss == pytest.approx(0.02)
    assert "severe" not in event.flags


@pytest.mark.parametrize(
    ("low", "left", "severe"), [(94.9, 949, True), (95.1, 949, False), (94.9, 951, False)]
)
def test_severe_takes_five_percent_of_both(market_story, market_config, low, left, severe):
    frame = market_story(HOUR, close=[100.0, low], open_interest=[1000.0, left])
    (event,) = detect_events(frame, market_config(HOUR))

    assert ("severe" in event.flags) == severe


@pytest.mark.parametrize(("pause", "expected"), [(5, 1), (6, 2)])
def test_runs_of_a_side_merge_when_less_than_six_hours_apart(
    market_story, market_quiet, market_config, pause, expected
):
    # the first run ends at bar 2, so its pause is until the next onset at bar 2 + pause
    close = [100.0, 97.0, *[97.0] * pause, 94.0]
    coins = [1000.0, 970.0, *[970.0] * pause, 900.0]
    frame = market_story(HOUR, close=close, open_interest=coins)
    events = detect_events(frame, market_config(HOUR))
    at = market_quiet

    assert len(events) == expected
    assert positions(frame, events[0], at)[:2] == [1, 1]
    assert [("merged" in event.flags) for event in events] == [expected == 1] * expected
    runs = [bar_positions(frame, run) for event in events for run in event.runs]
    assert runs == [[at + 1, at + 2], [at + 2 + pause, at + 3 + pause]]
    if expected == 1:
        assert events[0].move == pytest.approx(-0.06)
        assert events[0].oi_loss == pytest.approx(0.10)


def test_sides_do_not_merge(market_story, market_config):
    frame = market_story(
        HOUR, close=[100.0, 97.0, 97.0, 97.0, 100.0], open_interest=[1e3, 970.0, 970.0, 970.0, 940]
    )

    assert [event.side for event in detect_events(frame, market_config(HOUR))] == ["long", "short"]


def test_legs_in_neighbouring_bars_of_a_run_straddle_an_hours_edge(
    market_story, market_quiet, market_config
):
    config = market_config(HOUR)
    oi_first = {"close": [100.0, 99.1, 97.0], "open_interest": [1000.0, 980.0]}
    price_first = {"close": [100.0, 97.0], "open_interest": [1000.0, 1000.0, 980.0]}
    for fields in (oi_first, price_first):
        frame = market_story(HOUR, **fields)
        (event,) = detect_events(frame, config)
        assert positions(frame, event, market_quiet)[:2] == [1, 2]
        assert event.flags == ("flow_unknown", "straddling")

    # without the running move at both bars the legs are strangers
    apart = market_story(HOUR, close=[100.0, 99.5, 97.0], open_interest=[1000.0, 980.0])
    assert detect_events(apart, config) == ()


def test_bars_within_a_span_need_no_straddling(market_story, market_config):
    # price at bar 1, open interest a whole span later
    frame = market_story(FIVE, close=[100.0, 97.0], open_interest=[1000.0] * 7 + [950.0])

    assert detect_events(frame, market_config(FIVE)) == ()


def test_known_flow_can_veto_and_missing_flow_never_does(market_story, market_config):
    config = market_config(HOUR)
    even = {"taker_buy_volume": [50.0], "taker_sell_volume": [50.0]}
    none = {"long_liq_usd": [0.0]}

    def flags(**flow):
        frame = market_story(HOUR, close=FALL, open_interest=SOLD, **flow)
        return [event.flags[1] for event in detect_events(frame, config)]

    assert flags() == ["flow_unknown"]
    assert flags(**even) == ["flow_unknown"]
    assert flags(**none) == ["flow_unknown"]
    assert flags(**even, **none) == []
    assert flags(**even, long_liq_usd=[0.0, 0.0, 1e6]) == ["flow_confirmed"]
    selling = {"taker_buy_volume": [50.0], "taker_sell_volume": [50.0, 50.0, 90.0]}
    assert flags(**selling, **none) == ["flow_confirmed"]
    # buying is no evidence of longs being sold
    assert flags(taker_buy_volume=[50.0, 90.0], taker_sell_volume=[50.0], **none) == []


def test_liquidations_are_counted_from_onset_to_end(market_story, market_config):
    usd = [0.0, 1.0, 10.0, 100.0, 1000.0, 10000.0]
    frame = market_story(
        HOUR, close=FALL, open_interest=SOLD, long_liq_usd=usd, short_liq_usd=[0.0]
    )
    (event,) = detect_events(frame, market_config(HOUR))

    assert event.long_liq_usd == 1111.0
    assert event.short_liq_usd == 0.0


def test_a_cascade_needs_history(market_story, market_config):
    short = market_story(HOUR, quiet=20, close=FALL, open_interest=SOLD)

    assert detect_events(short, market_config(HOUR)) == ()
    assert len(detect_events(short, market_config(HOUR, min_history=timedelta(hours=10)))) == 1


def test_an_onset_lies_at_most_the_confirmation_time_back(
    market_story, market_quiet, market_config
):
    # a slide of 0.8 % an hour never ends; the legs hold after ten hours of it
    close = [100.0, *(100.0 * 0.992 ** np.arange(1, 11)), 88.0, 88.0]
    frame = market_story(HOUR, close=close, open_interest=[1000.0] * 11 + [950.0])
    (event,) = detect_events(frame, market_config(HOUR))

    assert positions(frame, event, market_quiet)[:2] == [5, 11]


def test_in_progress_runs_from_confirmation_and_pauses_between_runs(
    market_story, market_quiet, market_config
):
    close = [*FALL[:5], 94.8, 94.8, 92.0]
    frame = market_story(HOUR, close=close, open_interest=[*SOLD[:5], 905.0, 905.0, 850.0])
    events = detect_events(frame, market_config(HOUR))
    running = in_progress(frame, events)

    assert [event.flags[2:] for event in events] == [("merged",)]
    assert running.shape == (1, frame.shape[1], 2)
    assert marked(running[0, :, 0], market_quiet) == [2, 3, 4, 7, 8]
    assert not running[0, :, 1].any()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_what_is_known_of_an_event_at_a_bar_depends_on_nothing_after_it(
    market_random, market_config, seed
):
    frame, config = market_random(seed), market_config(HOUR)
    whole = detect_events(frame, config)
    running = in_progress(frame, whole)
    for at in range(25, frame.shape[1]):
        cut = frame.between(0, at + 1)
        seen = detect_events(cut, config)
        now = frame.times[at].astype("datetime64[s]").astype(int)
        early = [e for e in whole if e.confirmed.timestamp() <= now]
        assert [(e.symbol, e.side, e.onset, e.confirmed) for e in seen] == [
            (e.symbol, e.side, e.onset, e.confirmed) for e in early
        ]
        np.testing.assert_array_equal(in_progress(cut, seen), running[:, : at + 1])


def test_hindsight_of_the_pause_would_break_the_law(market_story, market_quiet, market_config):
    """The mutant: an event in progress from onset to end, as the catalogue has it."""
    close = [*FALL[:5], 94.8, 94.8, 92.0]
    frame = market_story(HOUR, close=close, open_interest=[*SOLD[:5], 905.0, 905.0, 850.0])
    config = market_config(HOUR)

    def peeking(of):
        return [[bar_positions(of, (e.onset, e.end)) for e in detect_events(of, config)]]

    assert peeking(frame) != peeking(frame.between(0, market_quiet + 6))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_event_is_what_its_definition_says(market_random, market_config, seed):
    frame, config = market_random(seed), market_config(HOUR)
    legs = measure_legs(frame, config)
    events = detect_events(frame, config)

    assert list(events) == sorted(events, key=lambda e: (e.onset, e.symbol, e.side))
    for event in events:
        row = frame.symbols.index(event.symbol)
        at, confirmed, peak, end = positions(frame, event, 0)
        assert at <= confirmed <= at + config.confirm_bars
        assert at <= peak <= end
        assert confirmed <= end
        assert legs[event.side].running[row, [at, end]].all()
        assert event.move * (-1.0 if event.side == "long" else 1.0) > 0
        assert 0.0 < event.oi_loss < 1.0
        assert event.severity > 0
        assert ("severe" in event.flags) == (min(abs(event.move), event.oi_loss) >= 0.05)
        assert ("merged" in event.flags) == (len(event.runs) > 1)
    for side in SIDES:
        for symbol in frame.symbols:
            mine = [e for e in events if (e.symbol, e.side) == (symbol, side)]
            gaps = [b.onset - a.end for a, b in pairwise(mine)]
            assert all(gap >= config.merge_gap for gap in gaps)


def test_events_of_some_symbols_are_the_events_of_all(market_random, market_config):
    frame, config = market_random(1), market_config(HOUR)
    alone = [
        event for name in frame.symbols for event in detect_events(frame.select((name,)), config)
    ]

    assert len(alone) > 1
    assert set(alone) == set(detect_events(frame, config))


def test_the_catalogue():
    table = event_table([event_at(moment(1)), event_at(moment(2), "ETHUSDT", flags=())])

    assert tuple(table.columns) == EVENT_COLUMNS
    assert table["flags"].tolist() == ["flow_confirmed;merged", ""]
    assert table["symbol"].tolist() == ["BTCUSDT", "ETHUSDT"]
    assert str(table["onset"].dtype) == "datetime64[us, UTC]"
    assert table["onset"][0] == moment(1)
    assert table["short_liq_usd"].isna().all()


def test_a_catalogue_without_events_has_the_same_columns():
    table = event_table([])

    assert len(table) == 0
    assert str(table["end"].dtype) == "datetime64[us, UTC]"


def test_episodes_are_chains_of_onsets():
    onsets = [0.0, 0.5, 1.5, 2.6, 10.0, 10.0]
    events = [event_at(moment(hour), symbol) for hour, symbol in zip(onsets, "ABCDEF", strict=True)]

    assert episodes(events).tolist() == [0, 0, 0, 1, 2, 2]
    assert episodes(events, timedelta(hours=2)).tolist() == [0, 0, 0, 0, 1, 1]
    assert episodes([]).tolist() == []


def test_bar_positions_may_lie_outside_of_the_frame(market_story):
    frame = market_story(HOUR, close=[100.0])
    first = datetime.fromtimestamp(int(frame.times[0].astype(int)), tz=UTC)

    assert bar_positions(frame, [first, first + 2 * HOUR, first - HOUR]) == [0, 2, -1]
    # a move confirmed before the frame began is in progress where it reaches into it
    event = event_at(first, runs=((first - 2 * HOUR, first + HOUR),))
    gone = event_at(first, runs=((first - 3 * HOUR, first - HOUR),))
    assert np.flatnonzero(in_progress(frame, [event])[0, :, 0]).tolist() == [0, 1]
    assert not in_progress(frame, [gone]).any()
