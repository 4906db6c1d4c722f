"""Live legs bar by bar are those of the batch over the whole history, bit for bit."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import FrameError, ModelError, StoreError
from liqwarn.models.events import EventConfig, detect_events, in_progress
from liqwarn.models.legs import measure_legs
from liqwarn.models.live_legs import LegsState

HOUR = timedelta(hours=1)
BARS = (timedelta(minutes=5), timedelta(minutes=15), HOUR, timedelta(hours=4))
N_BARS = 260
FORGETTABLE = ("long_liq_usd", "taker_buy_volume", "taker_sell_volume", "open_interest")

IMPOSSIBLE = (0.0, -0.0, -1.0, 5e-324, 1e308, -1e308, np.nan, np.inf, -np.inf)


def config_of(bar, **changes):
    windows = {"sigma_window": 40 * bar, "trailing_window": 50 * bar, "min_history": 12 * bar}
    # quantiles so low that windows of 50 bars pass them often
    low = {"taker_quantile": 0.7, "liq_quantile": 0.8, "oi_quantile": 0.8}
    return replace(EventConfig.for_bar(bar), **(windows | low | changes))


def columns(frame, t):
    ages = {name: plane[:, t] for name, plane in frame.ages.items()}
    return {name: plane[:, t] for name, plane in frame.fields.items()}, ages, frame.first_bar + t


def batch(frame, config):
    return in_progress(frame, detect_events(frame, config))


def live(frame, config, start, *, saved_at=None):
    """What is in progress from the last bar of the history on."""
    state = LegsState.start(frame.between(0, start), config)
    found = [state.in_progress]
    for t in range(start, frame.shape[1]):
        found.append(state.advance(*columns(frame, t)))
        if t == saved_at:
            state = LegsState.from_bytes(state.to_bytes(), config)
    return np.stack(found, axis=1)


def disturbed(frame, seed, ways):
    """The frame with faults of one kind or another, and perhaps without some of its fields."""
    rng = np.random.default_rng(seed)
    shape = frame.shape
    fields = {name: plane.copy() for name, plane in frame.fields.items() if name not in ways}
    fields["volume"], ages = 1.9 * frame.fields["taker_sell_volume"], {}
    at = rng.integers(0, shape[1] - 20)
    if "gaps" in ways:
        for name, missing in (("close", np.nan), ("volume", np.inf)):
            fields[name][rng.random(shape) < 0.04] = missing
    if "constant" in ways:
        for plane in fields.values():
            plane[:, at : at + 20] = plane[:, at : at + 1]
    if "splice" in ways and "open_interest" in fields:
        # where the price leg holds, or the splice would decide nothing
        shock = 1 + int(np.abs(np.diff(np.log(frame.fields["close"][0]))).argmax())
        fields["open_interest"][:, shock:] *= rng.choice([0.1, 0.45, 2.2, 30.0])
        if rng.random() < 0.4:
            fields["open_interest"][0, shock - 1 : shock + 1] = rng.choice([[-1.0, -0.8], [0, 0]])
    if "quiet" in ways:
        fields["short_liq_usd"] *= rng.random(shape) < 0.15
    if "ages" in ways:
        carried = rng.random(shape) < 0.2
        ages["open_interest"] = np.where(carried, frame.bar_s, 0.0).cumsum(axis=1) % 14400.0
        ages["open_interest"][rng.random(shape) < 0.05] = np.nan
    return replace(frame, fields=fields, ages=ages)


WAYS = st.sets(
    st.sampled_from(["gaps", "constant", "splice", "quiet", "ages", *FORGETTABLE]),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    bar=st.sampled_from(BARS),
    ways=WAYS,
    start=st.integers(1, N_BARS - 1),
    defined=st.tuples(st.sampled_from([0.3, 1.0, 1.4]), st.booleans()),
)
def test_every_later_bar_is_the_batch_s(market_random, seed, bar, ways, start, defined):
    frame = disturbed(market_random(seed, bar=bar, n_bars=N_BARS), seed, ways)
    config = config_of(bar).scaled(defined[0])
    config = config.price_only() if defined[1] else config

    found = live(frame, config, start, saved_at=(start + N_BARS) // 2)

    np.testing.assert_array_equal(found, batch(frame, config)[:, start - 1 :])


@pytest.mark.parametrize("bar", BARS)
def test_no_rule_is_forgotten(market_random, bar):
    """Fixed markets in which every rule decides some bar: what a mutant of the step fails on."""
    config = config_of(bar).scaled(0.5)
    ways = (
        [],
        ["gaps", "ages"],
        ["splice", "quiet"],
        ["taker_sell_volume", "gaps"],
        ["quiet", "ages"],
    )
    running = 0
    for seed in range(20):
        frame = market_random(seed, bar=bar, n_bars=400)
        frame = disturbed(frame, seed, ways[seed % len(ways)])
        expected = batch(frame, config)
        running += int(expected.sum())
        np.testing.assert_array_equal(live(frame, config, 60), expected[:, 59:])
    assert running > 100


@pytest.mark.parametrize(
    ("coins", "confirmed"),
    [
        ([1000.0, 950.0], True),
        ([1000.0, 410.0], True),
        ([1000.0, 390.0], False),  # so much at once is a splice of sources
        ([1000.0, 2400.0], False),
        ([-10.0, -8.0], False),
        ([0.0, 0.0], False),
        ([1e308, 9e307], True),
        ([np.inf, 900.0], False),
    ],
)
def test_what_counts_as_deleveraging(market_story, market_quiet, coins, confirmed):
    frame = market_story(HOUR, close=[100.0, 96.0, 96.0], open_interest=[1000.0, 1000.0])
    fields = {name: plane.copy() for name, plane in frame.fields.items()}
    fields["open_interest"][0, market_quiet : market_quiet + 2] = coins
    frame, config = replace(frame, fields=fields), config_of(HOUR)

    found = live(frame, config, 100)

    assert found[0, market_quiet + 1 - 99, 0] == confirmed
    np.testing.assert_array_equal(found, batch(frame, config)[:, 99:])


def test_a_move_runs_on_across_a_missing_close(market_story, market_quiet):
    """Two closes are looked back at on long bars; one of them is enough."""
    frame = market_story(
        HOUR, close=[100.0, np.nan, 97.0, 94.0], open_interest=[1000.0, 1000.0, 950.0]
    )
    config = config_of(HOUR)

    found = live(frame, config, 100)

    assert found[0, market_quiet + 3 - 99, 0]  # open interest fell one bar before the price leg
    np.testing.assert_array_equal(found, batch(frame, config)[:, 99:])


def by_legs(frame, config):
    """What is in progress by the rule alone: events of impossible prices cannot be described."""
    with np.errstate(all="ignore"):
        legs = list(measure_legs(frame, config).values())
    expected = np.zeros((*frame.shape, 2), dtype=bool)
    for side, one in enumerate(legs):
        confirmed = one.confirmed(straddle=config.span_bars == 1)
        for t in range(frame.shape[1]):
            before = expected[:, t - 1, side] if t else False
            expected[:, t, side] = confirmed[:, t] | (before & one.running[:, t])
    return expected


@pytest.mark.parametrize("bar", BARS)
def test_impossible_values_are_the_batch_s_too(market_random, bar):
    config, running = config_of(bar).scaled(0.5), 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        frame = market_random(seed, bar=bar, n_bars=160)
        fields = {name: plane.copy() for name, plane in frame.fields.items()}
        for plane in fields.values():
            hit = rng.random(plane.shape) < 0.04
            plane[hit] = rng.choice(IMPOSSIBLE, hit.sum())
        frame = replace(frame, fields=fields)
        expected = by_legs(frame, config)
        running += int(expected.sum())
        np.testing.assert_array_equal(live(frame, config, 30), expected[:, 29:])
    assert running


@pytest.mark.parametrize("cut", [60, 100, 300])
def test_a_history_that_reaches_back_far_enough_is_as_good_as_all_of_it(market_random, cut):
    config = config_of(HOUR).scaled(0.5)
    frame = market_random(3, n_bars=700)
    later = frame.between(cut, 700)

    found = live(later, config, config.lookback_bars + 20)

    first = cut + config.lookback_bars + 20
    np.testing.assert_array_equal(found, batch(frame, config)[:, first - 1 :])


@pytest.mark.parametrize("days", [1, 6])
def test_a_move_that_runs_on_for_days_is_still_in_progress(market_story, days):
    """The quick way through a history must begin before the move at its end did."""
    n = 24 * days
    close = [100.0, *(97.0 * 0.99 ** np.arange(n))]
    coins = [1000.0, *[900.0] * n]
    frame = market_story(HOUR, close=close, open_interest=coins, tail=0)
    config = config_of(HOUR, sigma_k=0.1)
    expected = batch(frame, config)
    assert expected[0, -n:, 0].all()

    state = LegsState.start(frame, config)

    np.testing.assert_array_equal(state.in_progress, expected[:, -1])


def test_symbols_do_not_know_each_other(market_random):
    frame, config = market_random(5, n_bars=200), config_of(HOUR).scaled(0.5)

    both = live(frame, config, 80)

    for row, symbol in enumerate(frame.symbols):
        alone = live(frame.select((symbol,)), config, 80)
        np.testing.assert_array_equal(alone[0], both[row])


def test_a_bar_that_does_not_fit_changes_nothing(market_random):
    frame, config = market_random(5, n_bars=200), config_of(HOUR)
    state = LegsState.start(frame.between(0, 100), config)
    before = state.to_bytes()
    column, ages, number = columns(frame, 100)

    with pytest.raises(ModelError, match=rf"bar has number {number + 1}, expected {number}"):
        state.advance(column, ages, number + 1)
    with pytest.raises(ModelError, match=r"fields .* and open interest with its age, expected"):
        state.advance(column, {"open_interest": np.zeros(2)}, number)
    del column["open_interest"]
    with pytest.raises(ModelError, match=r"the bar has fields \('close', 'taker_buy"):
        state.advance(column, ages, number)
    assert state.to_bytes() == before


def test_what_no_history_can_be_started_from(market_random):
    frame = market_random(5, n_bars=20)
    with pytest.raises(ModelError, match="events are defined for 0:05:00 bars, the frame has 1:00"):
        LegsState.start(frame, config_of(BARS[0]))
    with pytest.raises(FrameError, match="the history has no bars, expected at least one"):
        LegsState.start(frame.between(0, 0), config_of(HOUR))
    with pytest.raises(FrameError, match="min_count is 99, expected 1 to the window's 50"):
        LegsState.start(frame, config_of(HOUR, min_history=99 * HOUR))


def test_bytes_give_back_the_same_state(market_random):
    frame, config = market_random(5, n_bars=200), config_of(HOUR)
    state = LegsState.start(frame, config)

    again = LegsState.from_bytes(state.to_bytes(), config)

    assert again.to_bytes() == state.to_bytes()
    assert (again.symbols, again.fields) == (state.symbols, state.fields)
    assert again.bar_number == frame.first_bar + 199


def test_bytes_that_are_not_a_state_s(market_random):
    config = config_of(HOUR)
    data = LegsState.start(market_random(5, n_bars=200), config).to_bytes()

    with pytest.raises(StoreError, match="damaged or cut short"):
        LegsState.from_bytes(data[:-1], config)
    with pytest.raises(StoreError, match=r"state is of events defined by \{.*, expected \{"):
        LegsState.from_bytes(data, config_of(HOUR, price_floor=0.02))
    magic = data.index(b"\n") + 1
    content = data[magic + 32 :].replace(b'"progress"', b'"Progress"')
    with pytest.raises(StoreError, match=r"state has arrays \{.*'Progress'.*, expected \{"):
        LegsState.from_bytes(data[:magic] + sha256(content).digest() + content, config)
