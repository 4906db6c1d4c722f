"""Exchange-flow features on histories short enough to compute by hand."""

import numpy as np
import pytest


@pytest.mark.parametrize("hours", [1, 6, 24])
def test_inflow_against_thirty_days(column, hours):
    inflow = np.random.default_rng(hours).lognormal(0, 1, 720 + hours - 1)

    means = np.convolve(inflow, np.full(hours, 1 / hours), mode="valid")
    expected = (means[-1] - means.mean()) / means.std(ddof=1)
    assert column(f"inflow_z_{hours}h", inflow=inflow)[-1] == pytest.approx(expected)


def test_netflow_is_the_providers_else_made(column):
    fields = {"inflow": [5.0] * 24, "outflow": [2.0] * 24, "volume": [30.0] * 24}

    assert column("netflow_to_volume_1h", **fields)[-1] == pytest.approx(0.1)
    assert column("netflow_to_volume_24h", **fields)[-1] == pytest.approx(0.1)
    given = column("netflow_to_volume_1h", **fields, netflow=[-6.0] * 24)
    assert given[-1] == pytest.approx(-0.2)


def test_netflow_against_thirty_days(column):
    netflow = np.random.default_rng(2).normal(0, 1, 743)

    means = np.convolve(netflow, np.full(24, 1 / 24), mode="valid")
    expected = (means[-1] - means.mean()) / means.std(ddof=1)
    assert column("netflow_z_24h", netflow=netflow)[-1] == pytest.approx(expected)


def test_shares_of_the_day(column):
    fields = {"inflow": [3.0] * 24, "outflow": [1.0] * 24}

    assert column("flow_imbalance_24h", **fields)[-1] == pytest.approx(0.5)
    found = column("inflow_to_oi_24h", inflow=[3.0] * 24, open_interest=[720.0] * 24)
    assert found[-1] == pytest.approx(0.1)


def test_reserve_change(column):
    reserve = np.r_[np.full(168, 100.0), 90.0]

    assert column("reserve_change_7d", reserve=reserve)[-1] == pytest.approx(np.log(0.9))
    assert column("reserve_change_24h", reserve=reserve)[-1] == pytest.approx(np.log(0.9))


def test_whale_share(column):
    ratio = np.r_[np.tile([0.4, 0.6], 360), 0.9]

    window = ratio[-720:]
    assert column("whale_share_24h", whale_ratio=ratio)[-2] == pytest.approx(0.5)
    assert column("whale_share_z_30d", whale_ratio=ratio)[-1] == pytest.approx(
        (window[-1] - window.mean()) / window.std(ddof=1)
    )
