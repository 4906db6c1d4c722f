from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, MarketFrame
from liqwarn.models.legs import EventConfig, Legs, measure_legs

HOUR = timedelta(hours=1)
FIVE = timedelta(minutes=5)
PLANES = (
    "move",
    "price_threshold",
    "oi_loss",
    "oi_threshold",
    "flow",
    "flow_ratio",
    "running",
    "known",
)


def changed_after(frame, at, factor):
    """The same frame with everything after a bar altered."""
    fields = {name: np.array(x) for name, x in frame.fields.items()}
    for x in fields.values():
        x[:, at + 1 :] *= factor
    return MarketFrame(
        symbols=frame.symbols, times=frame.times, bar=frame.bar, fields=fields, ages={}
    )


@pytest.mark.parametrize(
    ("minutes", "thresholds", "bars", "gap"),
    [
        (5, (4.0, 0.015, 0.99), (6, 6, 72), 5),
        (15, (4.0, 0.015, 0.98), (2, 2, 24), 0),
        (30, (3.5, 0.015, 0.97), (1, 2, 12), 0),
        (60, (3.0, 0.015, 0.95), (1, 2, 6), 0),
        (240, (2.5, 0.02, 0.90), (1, 2, 2), 0),
    ],
)
def test_the_defaults_of_each_bar_length(minutes, thresholds, bars, gap):
    config = EventConfig.for_bar(timedelta(minutes=minutes))

    assert (config.sigma_k, config.price_floor, config.oi_quantile) == thresholds
    assert (config.span_bars, config.run_bars, config.confirm_bars) == bars
    assert config.gap == timedelta(minutes=gap)


@pytest.mark.parametrize("bar", [timedelta(0), timedelta(hours=5)])
def test_bars_that_hide_a_cascade_have_no_definition(bar):
    with pytest.raises(ModelError, match="expected at most 4:00:00"):
        EventConfig.for_bar(bar)


def test_the_definition_is_for_the_frames_bars(market_story):
    frame = market_story(HOUR, close=[100.0])

    with pytest.raises(ModelError, match="defined for 0:05:00 bars, the frame has 1:00:00"):
        measure_legs(frame, EventConfig.for_bar(FIVE))


def test_the_move_is_signed_from_the_extreme_of_the_span(market_story, market_quiet, market_config):
    frame = market_story(FIVE, close=[100.0, 102.0, 101.0, 99.0], open_interest=[1000.0])
    legs = measure_legs(frame, market_config(FIVE))
    at = market_quiet

    assert legs["long"].move[0, at + 1 : at + 4] == pytest.approx(
        [-0.02, 1 - 101 / 102, 1 - 99 / 102]
    )
    assert legs["short"].move[0, at + 1 : at + 4] == pytest.approx([0.02, 0.01, -0.01])


def test_on_an_hour_the_move_is_one_bar_but_a_run_looks_two_bars_back(
    market_story, market_quiet, market_config
):
    frame = market_story(HOUR, close=[100.0, 99.6, 99.2], open_interest=[1000.0])
    long = measure_legs(frame, market_config(HOUR))["long"]
    at = market_quiet + 2

    assert long.move[0, at] == pytest.approx(1 - 99.2 / 99.6)
    assert long.move[0, at] < long.price_threshold[0, at] / 2
    assert long.running[0, at]


@pytest.mark.parametrize(("bar", "scale"), [(HOUR, 3.0), (FIVE, 4.0 * np.sqrt(6.0))])
def test_the_price_threshold_is_k_sigma_scaled_to_the_span(market_frame, market_config, bar, scale):
    n_bars = 24 * timedelta(hours=1) // bar * 3
    returns = 0.01 * (-1.0) ** np.arange(n_bars)
    frame = market_frame(bar, {"close": 100.0 * np.exp(np.cumsum(returns))})
    config = market_config(bar)
    threshold = measure_legs(frame, config)["long"].price_threshold[0]

    # the sample of the window before the span; it starts at the second bar, which has a return
    sample = returns[1 : n_bars - config.span_bars]
    assert threshold[-1] == pytest.approx(scale * np.std(sample, ddof=1))
    assert np.isnan(threshold[: timedelta(days=1) // bar]).all()


def test_where_nothing_moved_the_thresholds_are_the_floors(
    market_story, market_quiet, market_config
):
    frame = market_story(HOUR, close=[100.0], open_interest=[1000.0])
    long = measure_legs(frame, market_config(HOUR))["long"]

    assert long.price_threshold[0, market_quiet] == 0.015
    assert long.oi_threshold[0, market_quiet] == 0.01
    assert long.known[0, market_quiet]


def test_the_open_interest_threshold_is_the_quantile_of_the_falls_before(
    market_frame, market_config
):
    falls = np.tile(np.linspace(-0.04, 0.04, 21), 10)
    coins = 1000.0 * np.cumprod(1.0 - falls)
    frame = market_frame(HOUR, {"close": np.full(210, 100.0), "open_interest": coins})
    config = market_config(HOUR)
    long = measure_legs(frame, config)["long"]

    assert long.oi_loss[0, 1:] == pytest.approx(falls[1:])
    # 96 falls before the last bar's own
    assert long.oi_threshold[0, -1] == pytest.approx(np.quantile(falls[-97:-1], 0.95), abs=1e-3)


def test_known_needs_price_open_interest_and_history(market_story, market_quiet, market_config):
    coins = [1000.0, np.nan, 1000.0, 1000.0]
    frame = market_story(
        HOUR, close=[100.0, 100.0, 100.0, 100.0, 100.0, np.nan, 100.0], open_interest=coins
    )
    known = measure_legs(frame, market_config(HOUR))["long"].known[0]
    at = market_quiet

    # a gap unsettles its bar and the bar measured from it
    assert known[at : at + 8].tolist() == [True, False, False, True, True, False, False, True]
    assert not known[: timedelta(days=1) // HOUR].any()


@pytest.mark.parametrize("factor", [0.4, 0.2, 2.5, 10.0])
def test_a_splice_of_open_interest_is_unknown(market_story, market_quiet, market_config, factor):
    frame = market_story(FIVE, close=[100.0], open_interest=[1000.0, 1000.0 * factor])
    known = measure_legs(frame, market_config(FIVE))["long"].known[0]
    at = market_quiet

    assert known[at : at + 9].tolist() == [True] + [False] * 6 + [True] * 2


def test_a_fall_just_short_of_a_fault_is_deleveraging(market_story, market_quiet, market_config):
    frame = market_story(HOUR, close=[100.0], open_interest=[1000.0, 410.0])
    long = measure_legs(frame, market_config(HOUR))["long"]

    assert long.oi_loss[0, market_quiet + 1] == pytest.approx(0.59)
    assert long.known[0, market_quiet + 1]


def test_no_open_interest_at_all_is_a_fault(market_story, market_quiet, market_config):
    frame = market_story(HOUR, close=[100.0], open_interest=[1000.0, 0.0, 1000.0, 1000.0])
    known = measure_legs(frame, market_config(HOUR))["long"].known[0]

    assert known[market_quiet : market_quiet + 4].tolist() == [True, False, False, True]


def test_a_record_carried_over_says_nothing_of_its_bar(market_story, market_quiet, market_config):
    plain = market_story(HOUR, close=[100.0], open_interest=[1000.0])
    age = np.full(plain.shape, 60.0)
    age[0, market_quiet + 1] += 3600.0
    frame = MarketFrame(
        symbols=plain.symbols,
        times=plain.times,
        bar=HOUR,
        fields=plain.fields,
        ages={"open_interest": age},
    )
    known = measure_legs(frame, market_config(HOUR))["long"].known[0]

    assert known[market_quiet : market_quiet + 4].tolist() == [True, False, False, True]


@pytest.mark.parametrize("factor", [0.67, 1.33])
def test_scaled_thresholds_are_the_thresholds_times_the_factor(
    market_random, market_config, factor
):
    """Whether the floor or the quantile sets them."""
    frame, config = market_random(3, gaps=False), market_config(HOUR)
    plain, scaled = measure_legs(frame, config), measure_legs(frame, config.scaled(factor))

    for side in SIDES:
        for name in ("price_threshold", "oi_threshold"):
            was, now = getattr(plain[side], name), getattr(scaled[side], name)
            np.testing.assert_allclose(now, factor * was)
            known = was[np.isfinite(was)]
            assert (known == known.min()).any()
            assert (known > known.min()).any()
        for name in ("move", "oi_loss", "flow", "flow_ratio", "known"):
            np.testing.assert_array_equal(getattr(plain[side], name), getattr(scaled[side], name))


def test_thresholds_cannot_be_scaled_away():
    for factor in (0.0, -1.0, float("nan")):
        with pytest.raises(ModelError, match="expected a factor above 0"):
            EventConfig.for_bar(HOUR).scaled(factor)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [1.0, 1.33])
def test_milder_thresholds_are_lower_where_they_are_known_and_known_at_the_same_bars(
    market_random, market_config, seed, scale
):
    frame = market_random(seed)
    config = market_config(frame.bar).scaled(scale)

    plain, milder = (measure_legs(frame, c) for c in (config, config.milder()))

    for side in SIDES:
        known = plain[side].known
        assert known.any()
        np.testing.assert_array_equal(milder[side].known, known)
        for name in ("price_threshold", "oi_threshold"):
            lower, usual = (getattr(legs[side], name)[known] for legs in (milder, plain))
            assert (lower < usual).all()


@pytest.mark.parametrize("minutes", [5, 15, 30, 60, 240])
def test_milder_falls_of_open_interest_are_four_times_as_frequent(minutes):
    config = EventConfig.for_bar(timedelta(minutes=minutes))

    milder = config.milder()

    assert 1.0 - milder.oi_quantile == pytest.approx(4.0 * (1.0 - config.oi_quantile))
    assert milder.oi_floor == config.oi_floor / 2.0
    assert milder.price_floor / config.price_floor == pytest.approx(2.0 / 3.0)
    assert milder.sigma_k / config.sigma_k == pytest.approx(2.0 / 3.0)
    assert (milder.confirm_bars, milder.gap) == (config.confirm_bars, config.gap)


def test_the_definition_itself_asks_for_open_interest():
    for minutes in (5, 15, 30, 60, 240):
        config = EventConfig.for_bar(timedelta(minutes=minutes))
        assert config.needs_open_interest
        assert config.scaled(0.67).needs_open_interest
        assert config.oi_scale == 1.0


def test_price_alone_asks_for_neither_open_interest_nor_flow(
    market_story, market_quiet, market_config
):
    config, at = market_config(HOUR), market_quiet + 1
    fall = {"close": [100.0, 95.0], "long_liq_usd": [0.0]}
    against = {"taker_buy_volume": [50.0], "taker_sell_volume": [50.0]}
    for fields in (fall, {**fall, **against, "open_interest": [1000.0]}):
        frame = market_story(HOUR, **fields)
        asked, alone = (measure_legs(frame, c)["long"] for c in (config, config.price_only()))

        for straddle in (True, False):
            assert not asked.confirmed(straddle=straddle)[0, at]
            confirmed = alone.confirmed(straddle=straddle)
            assert np.flatnonzero(confirmed[0]).tolist() == [at]
        assert asked.known[0, at] == ("open_interest" in fields)
        assert alone.known[0, at]


def test_price_alone_still_needs_a_price_and_history(market_story, market_quiet, market_config):
    frame = market_story(HOUR, close=[100.0, np.nan, 100.0])
    known = measure_legs(frame, market_config(HOUR).price_only())["long"].known[0]

    assert known[market_quiet : market_quiet + 4].tolist() == [True, False, False, True]
    assert not known[: timedelta(days=1) // HOUR].any()


def test_flow_has_three_values(market_story, market_quiet, market_config):
    config = market_config(HOUR)
    at = market_quiet + 1
    even, selling = [50.0], [50.0, 80.0]

    def flow(side, **fields):
        legs = measure_legs(market_story(HOUR, close=[100.0], **fields), config)
        return legs[side].flow[0, at]

    taker = {"taker_buy_volume": even, "taker_sell_volume": selling}
    quiet = {"taker_buy_volume": even, "taker_sell_volume": even}
    assert flow("long", **taker) == 1.0
    assert np.isnan(flow("short", **taker))  # liquidations could still show it
    assert flow("short", **taker, short_liq_usd=[0.0]) == 0.0
    assert flow("short", **taker, short_liq_usd=[0.0, 1e6]) == 1.0
    assert flow("long", **quiet, long_liq_usd=[0.0]) == 0.0
    assert np.isnan(flow("long", long_liq_usd=[0.0]))
    assert np.isnan(flow("long"))


def test_flow_is_a_multiple_of_its_threshold(market_frame, market_config):
    usd = np.tile(np.arange(1.0, 101.0), 3)
    frame = market_frame(HOUR, {"close": np.full(300, 100.0), "long_liq_usd": usd})
    ratio = measure_legs(frame, market_config(HOUR))["long"].flow_ratio[0]

    assert ratio[-1] == pytest.approx(100.0 / np.quantile(usd[-97:-1], 0.99), rel=0.01)


def legs_of(price, deleveraging, running, flow=(np.nan, np.nan)):
    """Two bars of one symbol; each leg holds or not."""
    one = np.ones((1, 2))
    return Legs(
        move=np.array([price], dtype=float),
        price_threshold=one,
        oi_loss=np.array([deleveraging], dtype=float),
        oi_threshold=one,
        flow=np.array([flow]),
        flow_ratio=one,
        running=np.array([running], dtype=bool),
        known=one.astype(bool),
    )


@pytest.mark.parametrize(
    ("price", "deleveraging", "running", "expected"),
    [
        ((0, 1), (0, 1), (0, 1), True),
        ((0, 1), (1, 0), (1, 1), True),
        ((0, 1), (1, 0), (0, 1), False),  # open interest fell before the move began
        ((1, 0), (0, 1), (1, 1), True),
        ((1, 0), (0, 1), (1, 0), False),  # or after it was over
        ((0, 1), (0, 0), (1, 1), False),
        ((0, 0), (0, 1), (1, 1), False),
    ],
)
def test_price_and_deleveraging_may_straddle_two_bars_of_a_run(
    price, deleveraging, running, expected
):
    legs = legs_of(price, deleveraging, running)
    same_bar = bool(price[1] and deleveraging[1])

    assert legs.confirmed(straddle=True).tolist() == [[False, expected]]
    assert legs.confirmed(straddle=False).tolist() == [[False, same_bar]]


@pytest.mark.parametrize(
    ("flow", "together", "apart"),
    [
        ((np.nan, np.nan), True, True),
        ((1.0, 1.0), True, True),
        ((np.nan, 0.0), False, True),
        ((1.0, 0.0), False, True),
        ((0.0, 1.0), True, True),
        ((0.0, 0.0), False, False),
    ],
)
def test_only_flow_that_is_known_to_be_absent_speaks_against_an_event(flow, together, apart):
    same_bar = legs_of((0, 1), (0, 1), (0, 1), flow)
    straddling = legs_of((0, 1), (1, 0), (1, 1), flow)

    assert same_bar.confirmed(straddle=False)[0, 1] == together
    assert straddling.confirmed(straddle=True)[0, 1] == apart


def test_sells_are_what_buys_leave_of_the_volume(market_story, market_quiet, market_config):
    frame = market_story(HOUR, close=[100.0], volume=[100.0, 130.0], taker_buy_volume=[50.0, 50.0])

    assert measure_legs(frame, market_config(HOUR))["long"].flow[0, market_quiet + 1] == 1.0


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    at=st.integers(30, 148),
    factor=st.sampled_from([0.5, 1.7, np.nan]),
)
def test_nothing_after_a_bar_changes_a_leg_up_to_it(market_random, market_config, seed, at, factor):
    frame, config = market_random(seed), market_config(HOUR)
    whole = measure_legs(frame, config)
    other = measure_legs(changed_after(frame, at, factor), config)

    for side in SIDES:
        for plane in PLANES:
            np.testing.assert_array_equal(
                getattr(whole[side], plane)[:, : at + 1],
                getattr(other[side], plane)[:, : at + 1],
                err_msg=f"{side} {plane}",
            )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), at=st.integers(30, 149), factor=st.floats(0.3, 3.0))
def test_a_bar_never_sets_its_own_threshold(market_random, market_config, seed, at, factor):
    frame, config = market_random(seed), market_config(HOUR)
    fields = {name: np.array(x) for name, x in frame.fields.items()}
    for x in fields.values():
        x[:, at] *= factor
    other = MarketFrame(symbols=frame.symbols, times=frame.times, bar=HOUR, fields=fields, ages={})

    for side in SIDES:
        for plane in ("price_threshold", "oi_threshold"):
            np.testing.assert_array_equal(
                getattr(measure_legs(frame, config)[side], plane)[:, : at + 1],
                getattr(measure_legs(other, config)[side], plane)[:, : at + 1],
            )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_up_and_down_are_mirror_images(market_random, market_config, seed):
    frame, config = market_random(seed, gaps=False), market_config(HOUR)
    fields = dict(frame.fields)
    fields["taker_buy_volume"], fields["taker_sell_volume"] = (
        fields["taker_sell_volume"],
        fields["taker_buy_volume"],
    )
    fields["long_liq_usd"], fields["short_liq_usd"] = (
        fields["short_liq_usd"],
        fields["long_liq_usd"],
    )
    fields["close"] = 1e4 / fields["close"]
    mirror = MarketFrame(symbols=frame.symbols, times=frame.times, bar=HOUR, fields=fields, ages={})
    long, short = measure_legs(frame, config)["long"], measure_legs(mirror, config)["short"]

    # a fall of x is a rise of x / (1 - x) of the inverse price
    np.testing.assert_allclose(short.move, long.move / (1.0 - long.move), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(short.oi_loss, long.oi_loss)
    np.testing.assert_array_equal(short.flow, long.flow)
