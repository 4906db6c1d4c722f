"""Where an event lies among the bars shown, and the bars as plain columns."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from liqwarn.frames import SIDES
from liqwarn.pipelines.event_forecast import Source, forecast
from liqwarn.pipelines.event_scene import HORIZON, Scene, scene_event, scene_series, span_of
from liqwarn.pipelines.risk import PRIMARY


@pytest.fixture(scope="module")
def event(study):
    """The last long event of the leader in the part of the market no model has seen."""
    return [e for e in study.events if (e.symbol, e.side) == ("BTCUSDT", "long")][-2]


@pytest.fixture(scope="module")
def scene(study, event, policy, bundle_folder):
    span = span_of(study, event)
    start = event.onset - 48 * study.market.frame.bar
    told = forecast(study, start, Source(model=bundle_folder, policy=policy))
    return Scene(study=study, event=event, span=span, forecast=told)


def test_a_picture_shows_48_bars_before_the_onset_and_36_after_the_end(study, event):
    span, times = span_of(study, event), study.market.frame.times

    assert times[span.onset].item().replace(tzinfo=event.onset.tzinfo) == event.onset
    assert times[span.end].item().replace(tzinfo=event.end.tzinfo) == event.end
    assert (span.onset - span.first, span.last - span.end) == (48, 36)


def test_the_hours_asked_for_are_shown(study, event):
    span = span_of(study, event, timedelta(hours=20))

    assert (span.onset - span.first, span.last - span.end) == (20, 15)


def test_a_picture_ends_with_the_data(study, event):
    frame = study.market.frame

    span = span_of(study, event, len(frame.times) * frame.bar)

    assert (span.first, span.last) == (0, len(frame.times) - 1)


def test_the_bars_at_which_an_alarm_counts_end_before_the_onset(scene):
    moments = [scene.at(int(k)) for k in scene.before]
    hour = timedelta(hours=1)

    assert moments == [scene.event.onset - k * hour for k in (4, 3, 2, 1)]
    assert scene.onset_start == moments[-1]


def test_a_gap_in_which_nobody_can_act_shifts_them(scene):
    hour = timedelta(hours=1)

    class Late:
        gap = hour

    slow = replace(scene, study=replace(scene.study, definition=Late()))
    moments = [slow.at(int(k)) for k in slow.before]

    assert moments == [scene.event.onset - k * hour for k in (5, 4, 3, 2)]


def test_the_series_are_the_frame_and_the_scores(scene):
    series, frame = scene_series(scene), scene.study.market.frame
    scores, history = scene.forecast.decided.risk.scores, scene.forecast.decided.history
    shown = slice(scene.span.first, scene.span.last + 1)
    times = [datetime.fromisoformat(moment) for moment in series["time"]]
    first = scores.moments().index(times[0])
    bars = slice(first, first + len(times))

    assert {len(column) for column in series.values()} == {len(times)}
    assert times[scene.span.onset - scene.span.first] == scene.event.onset
    for name in ("close", "open_interest", "long_liq_usd"):
        np.testing.assert_array_equal(series[name], frame.field(name)[0, shown])
    for j, side in enumerate(SIDES):
        p = scores.probability[0, bars, j, PRIMARY]
        np.testing.assert_array_equal(series[f"p_4h_{side}"], p)
        np.testing.assert_array_equal(series[f"tier_{side}"], history.tiers[0, bars, j])
        assert series[f"early_{side}"] == (~scene.study.labels.running[0, shown, j]).tolist()


def test_funding_is_put_on_8_hours(scene):
    market = scene.study.market
    rate = market.frame.field("funding_rate")[0, scene.shown]
    every_4h = np.full(market.frame.shape, 4.0)
    faster = replace(market, frame=market.frame.joined({"funding_interval_h": every_4h}))
    unknown = replace(
        market, frame=market.frame.joined({"funding_interval_h": np.full_like(every_4h, np.nan)})
    )

    for changed, factor in ((faster, 2.0), (unknown, 1.0)):
        other = replace(scene, study=replace(scene.study, market=changed))
        np.testing.assert_allclose(scene_series(other)["funding_8h"], factor * rate)


def test_an_event_as_data_says_when_its_onset_bar_began(event):
    told = scene_event(event, timedelta(hours=1))

    began = datetime.fromisoformat(told["onset_start"])
    assert began == event.onset - timedelta(hours=1)
    assert (told["symbol"], told["side"], told["flags"]) == ("BTCUSDT", "long", list(event.flags))


def test_the_horizon_is_the_primary_one():
    assert timedelta(hours=4) == HORIZON
