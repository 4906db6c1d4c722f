from datetime import timedelta

import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.frames import MarketFrame, bar_times
from liqwarn.simulation.cascade_facts import (
    cascade_bars,
    cascade_hours,
    event_facts,
    joint_facts,
)

HOUR = timedelta(hours=1)


def planted(falls, n_bars=1_500, n_symbols=1, drop=0.04):
    """Small noise; price falls 5 %, and open interest by `drop`, at (symbol, hour)."""
    rng = np.random.default_rng(1)
    moves = 0.002 * rng.standard_normal((2, n_symbols, n_bars))
    for symbol, hour in falls:
        moves[:, symbol, hour] = -0.05, -drop
    close, held = np.exp(np.cumsum(moves, axis=2))
    return MarketFrame(
        symbols=tuple(f"{chr(65 + k)}USDT" for k in range(n_symbols)),
        times=bar_times(np.datetime64("2024-01-01T01:00:00"), n_bars, HOUR),
        bar=HOUR,
        fields={"close": 100.0 * close, "open_interest": 10.0 * held},
        ages={},
    )


def without_interest(frame):
    return MarketFrame(
        symbols=frame.symbols,
        times=frame.times,
        bar=frame.bar,
        fields={"close": frame.field("close")},
        ages={},
    )


def test_a_planted_cascade_is_found_on_its_side():
    found = cascade_bars(planted([(0, 1_000)]))
    assert found[0, 1_000].tolist() == [True, False]
    assert found.sum() == 1


def test_a_fall_without_a_loss_of_open_interest_is_a_shock_only():
    hours = cascade_hours(planted([(0, 1_000)], drop=-0.01))
    assert hours.shocks[0, 1_000].tolist() == [True, False]
    assert not hours.cascades.any()


def test_nothing_is_judged_before_its_threshold_is_known():
    hours = cascade_hours(planted([(0, 100)]))
    assert not hours.shocks.any()
    assert 700 < np.flatnonzero(hours.priced[0])[0] < 730
    bare = cascade_hours(without_interest(planted([(0, 1_000)])))
    assert bare.priced.any()
    assert not bare.judged.any()


def test_hours_near_each_other_are_one_event_and_rates_are_a_month():
    frame = planted([(0, 1_000), (0, 1_003), (0, 1_020)])
    hours = cascade_hours(frame)
    facts = event_facts(frame, hours, 0)
    months = hours.judged[0].sum() / 730.0
    assert facts["long_events_a_month"] == pytest.approx(2 / months)
    assert facts["short_events_a_month"] == 0.0
    assert facts["long_shocks_a_month"] == pytest.approx(2 / (hours.priced[0].sum() / 730.0))
    assert facts["event_oi_loss_median_pct"] == pytest.approx(4.0)


def test_facts_of_events_are_left_out_without_open_interest():
    frame = without_interest(planted([(0, 1_000)]))
    assert set(event_facts(frame, cascade_hours(frame), 0)) == {
        "long_shocks_a_month",
        "short_shocks_a_month",
    }


def test_losses_are_unknown_without_an_event():
    frame = planted([])
    assert np.isnan(event_facts(frame, cascade_hours(frame), 0)["event_oi_loss_median_pct"])


def test_events_are_shared_by_three_within_an_hour():
    together = [(0, 1_000), (1, 1_001), (2, 1_000)]
    frame = planted([*together, (0, 1_200), (1, 1_210)], n_symbols=4)
    facts = joint_facts(frame, cascade_hours(frame))
    # B at 1,001 sees A and C an hour before it, and they see B an hour after
    assert facts["events_shared_pct"] == pytest.approx(100.0 * 3 / 5)
    assert facts["shocks_shared_pct"] == pytest.approx(100.0 * 3 / 5)


def test_correlation_is_told_in_and_out_of_events():
    rng = np.random.default_rng(1)
    frame = planted([(k, hour) for hour in range(800, 1_500, 40) for k in range(3)], n_symbols=3)
    common = 0.004 * rng.standard_normal(frame.shape[1])
    apart = frame.field("close") * np.exp(0.01 * np.cumsum(common))
    frame = frame.joined({"close": apart})
    facts = joint_facts(frame, cascade_hours(frame))
    assert abs(facts["correlation_out_of_events"]) < 0.2
    assert set(facts) == {
        f"{what}_{kind}"
        for kind in ("shocks", "events")
        for what in ("correlation_out_of", "correlation_in")
    } | {"shocks_shared_pct", "events_shared_pct"}
    alone = frame.select(frame.symbols[:1])
    assert np.isnan(joint_facts(alone, cascade_hours(alone))["correlation_out_of_shocks"])


def test_a_part_keeps_the_thresholds_of_the_whole():
    frame = planted([(0, 1_000)])
    part = cascade_hours(frame).between(990, 1_010)
    assert part.cascades[0, 10].tolist() == [True, False]
    assert part.judged.all()
    assert not cascade_hours(frame.between(990, 1_010)).judged.any()


def test_only_hourly_bars_are_measured():
    frame = planted([])
    half = MarketFrame(
        symbols=frame.symbols,
        times=bar_times(np.datetime64("2024-01-01T00:30:00"), 1_500, timedelta(minutes=30)),
        bar=timedelta(minutes=30),
        fields=frame.fields,
        ages={},
    )
    with pytest.raises(FrameError, match="bar is 0:30:00, expected 1:00:00"):
        cascade_hours(half)
