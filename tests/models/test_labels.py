from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.frames import SIDES, epoch_seconds
from liqwarn.models.events import detect_events
from liqwarn.models.labels import make_labels, make_milder_labels
from liqwarn.models.legs import measure_legs

HOUR = timedelta(hours=1)
FIVE = timedelta(minutes=5)
FOUR = timedelta(hours=4)
FALL = [100.0, 96.0, 95.5]
SOLD = [1000.0, 950.0, 940.0]


def labels_of(frame, config, horizons_h=(1, 4, 24)):
    return make_labels(frame, detect_events(frame, config), config, horizons_h)


def by_definition(frame, config, horizons_h=(1, 4, 24)):
    """Labels one cell at a time, from the words of the definition and moments of time."""
    events, legs = detect_events(frame, config), measure_legs(frame, config)
    seconds = epoch_seconds(frame.times)
    gap, bar = config.gap.total_seconds(), frame.bar.total_seconds()
    y = np.full((*frame.shape, 2, len(horizons_h)), np.nan)
    for row, t, s, k in np.ndindex(y.shape):
        last = seconds[t] + gap + 3600 * horizons_h[k]
        settled = last + config.confirm_bars * bar
        ahead = (seconds > seconds[t]) & (seconds <= settled)
        if 3600 * horizons_h[k] % bar or settled > seconds[-1]:
            continue
        if legs[SIDES[s]].known[row, ahead].all():
            y[row, t, s, k] = any(
                seconds[t] + gap < event.onset.timestamp() <= last
                for event in events
                if (event.symbol, event.side) == (frame.symbols[row], SIDES[s])
            )
    return y


def ones(y, first):
    return (np.flatnonzero(y == 1.0) - first).tolist()


def test_an_hourly_label_sees_the_next_bars_up_to_the_horizon(
    market_story, market_quiet, market_config
):
    frame = market_story(HOUR, close=FALL, open_interest=SOLD)
    labels = labels_of(frame, market_config(HOUR))
    y = labels.y[0, :, 0]

    # the onset is bar 1
    assert ones(y[:, 0], market_quiet) == [0]
    assert ones(y[:, 1], market_quiet) == [-3, -2, -1, 0]
    assert ones(y[:, 2], market_quiet) == list(range(-23, 1))
    assert not (labels.y[0, :, 1] == 1.0).any()
    assert labels.horizons_h == (1, 4, 24)


def test_on_five_minute_bars_the_next_bar_is_too_late_to_act_on(
    market_story, market_quiet, market_config
):
    frame = market_story(FIVE, close=FALL, open_interest=SOLD, tail=400)
    y = labels_of(frame, market_config(FIVE)).y[0, :, 0]

    # onset bar 1 less the gap of a bar: the hour is the twelve bars before bar 0
    assert ones(y[:, 0], market_quiet) == list(range(-12, 0))
    assert ones(y[:, 1], market_quiet) == list(range(-48, 0))
    assert y[market_quiet, 0] == 0.0


def test_an_hour_is_no_horizon_of_four_hour_bars(market_story, market_quiet, market_config):
    frame = market_story(FOUR, close=FALL, open_interest=SOLD)
    y = labels_of(frame, market_config(FOUR)).y[0, :, 0]

    assert np.isnan(y[..., 0]).all()
    assert ones(y[:, 1], market_quiet) == [0]
    assert ones(y[:, 2], market_quiet) == [-5, -4, -3, -2, -1, 0]


def test_without_open_interest_every_label_is_unknown(market_story, market_config):
    frame = market_story(HOUR, close=FALL, long_liq_usd=[0.0, 1e8])
    labels = labels_of(frame, market_config(HOUR))

    assert np.isnan(labels.y).all()
    assert not labels.running.any()


@pytest.mark.parametrize("coins", [[1000.0, 400.0], [1000.0, np.nan, 1000.0]])
def test_labels_around_a_splice_or_a_gap_are_unknown(
    market_story, market_quiet, market_config, coins
):
    frame = market_story(HOUR, close=[100.0, 95.0], open_interest=coins)
    y = labels_of(frame, market_config(HOUR)).y[0, :, :, 0]
    last_unsettled = len(coins) - 1

    # an onset within the hour could be confirmed up to six bars after it
    unknown = slice(market_quiet + 1 - 7, market_quiet + last_unsettled)
    assert np.isnan(y[unknown]).all()
    assert (y[market_quiet + last_unsettled : market_quiet + 20] == 0.0).all()
    assert (y[market_quiet - 50 : market_quiet + 1 - 7] == 0.0).all()


def test_a_certain_onset_is_unknown_too_where_its_future_is_not_known(
    market_story, market_quiet, market_config
):
    """Else what is left in the sample would be bent towards onsets."""
    coins = [*SOLD, 940.0, 940.0, np.nan, 940.0]
    frame = market_story(HOUR, close=FALL, open_interest=coins)
    config = market_config(HOUR)

    assert len(detect_events(frame, config)) == 1
    assert np.isnan(labels_of(frame, config).y[0, market_quiet]).all()


def test_the_future_that_is_not_there_yet_is_unknown(market_story, market_config):
    frame = market_story(HOUR, close=[100.0], open_interest=[1000.0])
    y = labels_of(frame, market_config(HOUR)).y[0, :, 0]

    # confirmation may take six bars more than the horizon
    assert [int(np.isnan(y[50:, k]).sum()) for k in range(3)] == [7, 10, 30]


@pytest.mark.parametrize(
    ("bar", "minutes"),
    [
        (FIVE, (5 + 60 + 360, 5 + 240 + 360, 5 + 1440 + 360)),
        (HOUR, (60 + 360, 240 + 360, 1440 + 360)),
        (FOUR, (60 + 480, 240 + 480, 1440 + 480)),
    ],
)
def test_a_label_is_known_when_every_onset_in_it_would_be_confirmed(
    market_story, market_config, bar, minutes
):
    frame = market_story(bar, close=[100.0], open_interest=[1000.0])
    labels = labels_of(frame, market_config(bar))

    waited = (labels.end - frame.times[:, None]).astype(int) // 60
    assert (waited == minutes).all()


def test_an_event_and_two_hours_after_it_are_no_rows(market_story, market_quiet, market_config):
    # onset at bar 1; bar 2 is still 4.5 % below bar 0, bar 3 is level
    frame = market_story(HOUR, close=FALL, open_interest=SOLD)
    running = labels_of(frame, market_config(HOUR)).running

    assert (np.flatnonzero(running[0, :, 0]) - market_quiet).tolist() == [1, 2, 3, 4]
    assert not running[0, :, 1].any()


def test_the_pause_of_a_merged_event_is_no_row_and_has_no_onset_after_it(
    market_story, market_quiet, market_config
):
    frame = market_story(
        HOUR,
        close=[100.0, 97.0, 97.0, 97.0, 97.0, 94.0],
        open_interest=[1e3, 950.0, 950, 950, 950, 900],
    )
    labels = labels_of(frame, market_config(HOUR))

    assert (np.flatnonzero(labels.running[0, :, 0]) - market_quiet).tolist() == [*range(1, 9)]
    assert ones(labels.y[0, :, 0, 0], market_quiet) == [0]


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_labels_are_their_definition(market_random, market_config, seed):
    for bar, n_bars in ((HOUR, 120), (FIVE, 500)):
        frame, config = market_random(seed, bar=bar, n_bars=n_bars), market_config(bar)
        horizons = (1, 4, 24) if bar == HOUR else (1, 4)
        np.testing.assert_array_equal(
            labels_of(frame, config, horizons).y, by_definition(frame, config, horizons)
        )


def unlike_at_end(frame, config, end_of):
    """Rows whose label on a frame cut where it is said to be known is not that of the whole."""
    whole = labels_of(frame, config)
    first = epoch_seconds(frame.times[:1])[0]
    found = []
    for t in range(frame.shape[1]):
        for k in range(len(whole.horizons_h)):
            n_bars = int(epoch_seconds(end_of(whole)[t, k]) - first) // frame.bar_s + 1
            if n_bars > frame.shape[1]:
                continue
            cut = labels_of(frame.between(0, n_bars), config)
            if not np.array_equal(cut.y[:, t, :, k], whole.y[:, t, :, k], equal_nan=True):
                found.append((t, k))
            # rows are dropped by the longest horizon
            if k == 2 and not np.array_equal(cut.running[:, t], whole.running[:, t]):
                found.append((t, "running"))
    return found


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), milder=st.booleans())
def test_a_label_does_not_change_after_its_end(market_random, market_config, seed, milder):
    frame, config = market_random(seed, n_bars=110), market_config(HOUR)
    config = config.milder() if milder else config

    assert unlike_at_end(frame, config, lambda labels: labels.end) == []


def test_an_end_at_the_horizon_would_be_too_early(market_random, market_config):
    """The mutant: a label said to be known when its horizon is over."""
    frame, config = market_random(1, n_bars=110), market_config(HOUR)
    early = np.timedelta64(6, "h")

    assert unlike_at_end(frame, config, lambda labels: labels.end - early) != []


@pytest.mark.parametrize("seed", range(3))
def test_milder_labels_are_known_with_the_labels_and_have_more_onsets(
    market_random, market_config, seed
):
    frame = market_random(seed, n_bars=600)
    config = market_config(frame.bar)
    labels = labels_of(frame, config)

    milder = make_milder_labels(frame, config)

    np.testing.assert_array_equal(milder.end, labels.end)
    np.testing.assert_array_equal(np.isnan(milder.y), np.isnan(labels.y))
    assert np.nansum(milder.y) > np.nansum(labels.y)
    np.testing.assert_array_equal(milder.y, labels_of(frame, config.milder()).y)
