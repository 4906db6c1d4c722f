"""The history a live engine starts from: the store's, and behind it what was recorded."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.data.bars.message import BarColumn
from liqwarn.data.bars.replay_feed import columns_of
from liqwarn.data.quality import measure_quality
from liqwarn.pipelines.live_history import with_bars

HOUR = np.timedelta64(1, "h")


def cut(market, stop):
    frame = market.frame.between(0, stop)
    return replace(market, frame=frame, quality=measure_quality(frame, market.panel))


def same_planes(found, expected):
    assert set(found) == set(expected)
    for name, plane in expected.items():
        np.testing.assert_array_equal(found[name], plane, err_msg=name)
        assert found[name].flags.c_contiguous


@pytest.mark.parametrize("behind", [1, 7, 50])
def test_a_store_and_the_bars_behind_it_are_the_whole_history(market, behind):
    frame = market.frame
    short = cut(market, frame.shape[1] - behind)
    columns = list(columns_of(frame.between(frame.shape[1] - behind, frame.shape[1])))

    whole = with_bars(short, columns)

    assert np.array_equal(whole.frame.times, frame.times)
    same_planes(whole.frame.fields, frame.fields)
    same_planes(whole.frame.ages, frame.ages)
    for name in ("completeness", "usable", "quality"):
        ours, theirs = getattr(whole.quality, name), getattr(market.quality, name)
        np.testing.assert_array_equal(ours, theirs)


def test_of_a_bar_that_both_have_the_store_s_stays(market):
    frame = market.frame
    last = list(columns_of(frame.between(frame.shape[1] - 3, frame.shape[1])))
    other = [
        BarColumn(
            time=one.time,
            symbols=one.symbols,
            fields={name: values + 1.0 for name, values in one.fields.items()},
            ages=one.ages,
            bar_s=one.bar_s,
        )
        for one in last
    ]

    assert with_bars(market, other) is market
    assert with_bars(market, ()) is market
    short = cut(market, frame.shape[1] - 1)
    found = with_bars(short, other).frame
    np.testing.assert_array_equal(found.fields["close"][:, :-1], short.frame.fields["close"])
    np.testing.assert_array_equal(found.fields["close"][:, -1], frame.fields["close"][:, -1] + 1.0)


def test_bars_that_nobody_recorded_are_missing_and_count(market):
    frame = market.frame
    short = cut(market, frame.shape[1] - 10)
    columns = list(columns_of(frame.between(frame.shape[1] - 10, frame.shape[1])))
    kept = [columns[k] for k in (2, 3, 7)]

    whole = with_bars(short, kept)

    n = frame.shape[1]
    assert whole.frame.shape[1] == n - 2
    close, told = whole.frame.fields["close"], frame.fields["close"]
    for k in range(8):
        if k in (2, 3, 7):
            np.testing.assert_array_equal(close[:, n - 10 + k], told[:, n - 10 + k])
        else:
            assert np.isnan(close[:, n - 10 + k]).all()
    assert set(whole.quality.quality[:, n - 10].tolist()) == {"stale"}


def test_what_a_recorded_bar_does_not_have_is_missing(market):
    frame = market.frame
    time = frame.times[-1] + HOUR
    close = np.array([5.0, 6.0])
    one = BarColumn(
        time=time, symbols=frame.symbols, fields={"close": close}, ages={}, bar_s=frame.bar_s
    )
    found = with_bars(market, [one]).frame

    assert found.times[-1] == time
    assert set(found.fields) == set(frame.fields)
    assert found.fields["close"][:, -1].tolist() == [5.0, 6.0]
    others = [plane[:, -1] for name, plane in found.fields.items() if name != "close"]
    assert np.isnan(np.stack(others)).all()
