"""What stops a retraining before anything is trained, and what does not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from liqwarn.frames import epoch_seconds
from liqwarn.pipelines.retrain_limits import QualityLimits
from liqwarn.pipelines.retrain_quality import (
    check_dates,
    check_less,
    check_recent,
    data_figures,
)

LIMITS = QualityLimits()


@pytest.fixture
def spoilt(market):
    """The market with the last bars of some fields changed."""

    def made(bars, **changes):
        fields = dict(market.frame.fields)
        for name, change in changes.items():
            values = np.array(fields[name])
            values[:, -bars:] = change(values[:, -bars:])
            fields[name] = values
        return replace(market, frame=replace(market.frame, fields=fields))

    return made


def gone(values):
    return np.full_like(values, np.nan)


def gone_in_one(values):
    return np.where(np.arange(len(values))[:, None] == 0, np.nan, values)


def test_a_market_as_it_is_passes(market):
    found = check_recent(market, LIMITS)

    assert (found.reasons, found.notes) == ((), ())
    assert found.figures["least_coverage"] == 1.0
    assert found.figures["bars"] == 7 * 24 + 1


def test_a_feed_that_died_stops_with_the_field_and_its_share(spoilt):
    dead = check_recent(spoilt(48, close=gone), LIMITS)
    silent = check_recent(spoilt(26, close=gone), LIMITS)
    short = check_recent(spoilt(20, close=gone), LIMITS)

    assert "'close' of BTCUSDT is known at 72 % of the bars of the last 7 days" in dead.reasons[0]
    assert "'close' of BTCUSDT is silent since" in silent.reasons[0]
    assert short.reasons == ()


def test_one_symbol_of_many_is_only_told(spoilt):
    market = spoilt(48, close=gone_in_one)

    stops = check_recent(market, LIMITS)
    wide = check_recent(market, replace(LIMITS, symbols=0.5))

    assert len(stops.reasons) == 1
    assert (wide.reasons, len(wide.notes)) == ((), 1)


def in_thousands(values):
    return np.where(np.arange(len(values))[:, None] == 0, values / 1000.0, values)


def test_a_changed_unit_of_one_symbol_is_told_and_of_many_stops(spoilt):
    some = spoilt(3 * 24, open_interest=in_thousands)
    n = len(some.frame.symbols)

    told = check_recent(some, replace(LIMITS, symbols=1.0)).notes
    assert len(told) == 1
    assert f"'open_interest' of {some.frame.symbols[0]} is 0.00" in told[0]
    stops = check_recent(some, replace(LIMITS, symbols=0.5 / n))
    assert any("a changed unit?" in text for text in stops.reasons)


def test_a_level_that_has_lasted_is_no_leap(spoilt):
    """After a month it is how things are: what drifts away is to be learned from."""
    assert check_recent(spoilt(33 * 24, open_interest=in_thousands), LIMITS).reasons == ()


def test_prices_apart_are_in_doubt_and_disagree(spoilt):
    found = check_recent(spoilt(200, mark=lambda values: 1.1 * values), LIMITS)

    told = " ".join(found.reasons)
    assert "100 % of the newest bars of BTCUSDT are in doubt, prices apart" in told
    assert "close and mark of BTC lie" in told


def test_a_clock_that_went_back_and_data_that_stood_still_are_told_apart(market, bundle):
    end = datetime.fromtimestamp(int(epoch_seconds(market.frame.times)[-1]), UTC)

    def at(age, champion=bundle):
        return list(check_dates(market, LIMITS, now=end + age, champion=champion))

    assert at(timedelta(days=14)) == []
    assert "stale: the newest bar closed" in at(timedelta(days=15))[0]
    assert at(timedelta(days=900), champion=None) == []
    assert at(-timedelta(minutes=59)) == []
    assert "this machine's clock is wrong, or the data" in at(-timedelta(hours=2))[0]


def test_data_that_went_backwards_is_told(study, bundle):
    now = data_figures(study, ())
    before = {**now, "until": "2030-01-01T00:00:00+00:00", "known": now["known"] + 1}

    told = check_less(now, {**before, "symbols": [*now["symbols"], "XYZUSDT"]}, None)

    assert [text.split(":")[0] for text in told] == ["less data"] * 3
    assert "XYZUSDT of the last run is not in the panel" in told[0]
    assert "at the last run it ended 2030-01-01" in told[1]
    assert "the store lost some" in told[2]
    assert check_less(now, now, bundle) == ()
    assert check_less(now, None, None) == ()
    other_panel = check_less(now, {**before, "until": now["until"], "panel_sha256": "0"}, None)
    assert other_panel == ()


def test_a_symbol_that_only_the_champion_knew_is_told(study, bundle):
    few = {**data_figures(study, ()), "symbols": ["BTCUSDT"]}

    told = check_less(few, None, bundle)
    among_others = check_less({**few, "others": ["wide"]}, None, bundle)

    assert told == ("less data: the champion was trained on DOGEUSDT, which is not in the panel",)
    assert among_others == ()


def test_a_further_panel_that_is_left_out_is_less_data(study):
    now = data_figures(study, ())
    told = check_less(now, {**now, "others": ["wide"]}, None)

    assert told == ("less data: the last run trained on panel wide too, this one does not",)
    assert check_less({**now, "others": ["wide"]}, now, None) == ()
