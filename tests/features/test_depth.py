"""Depth features on books small enough to compute by hand."""

import numpy as np
import pytest


def book(bids, asks):
    return {"bid_depth_usd": bids, "ask_depth_usd": asks}


def test_imbalance(column):
    assert column("depth_imbalance", **book([30.0, 0.0], [10.0, 0.0])).tolist() == [0.5, 0.0]
    bids = np.tile([30.0, 10.0], 12)
    found = column("depth_imbalance_mean_24h", **book(bids, np.full(24, 10.0)))
    assert found[-1] == pytest.approx(0.25)


def test_depth_in_hours_of_volume_and_share_of_open_interest(column):
    fields = book([600.0] * 24, [400.0] * 24) | {"close": [50.0] * 24}

    assert column("depth_to_volume_24h", **fields, volume=[10.0] * 24)[-1] == pytest.approx(2.0)
    assert column("depth_to_oi", **fields, open_interest=[200.0] * 24)[-1] == pytest.approx(0.1)


def test_change_of_depth(column):
    bids = np.r_[np.full(24, 60.0), 10.0]

    for name in ("depth_change_4h", "depth_change_24h"):
        found = column(name, **book(bids, np.full(25, 40.0)))
        assert found[-1] == pytest.approx(np.log(0.5))


@pytest.mark.parametrize(("window", "hours"), [("7d", 168), ("30d", 720)])
def test_depth_against_its_past(column, window, hours):
    bids = np.random.default_rng(1).lognormal(0, 1, hours)

    both = np.log(bids + 1.0)
    found = column(f"depth_z_{window}", **book(bids, np.ones(hours)))[-1]
    assert found == pytest.approx((both[-1] - both.mean()) / both.std(ddof=1))
