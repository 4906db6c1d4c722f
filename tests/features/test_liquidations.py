"""Liquidation features on histories short enough to compute by hand."""

import numpy as np
import pytest

STANDING = {"open_interest": np.full(24, 100.0), "close": np.full(24, 50.0)}
LONGS = np.r_[np.zeros(20), 10.0, 20.0, 30.0, 40.0]
SHORTS = np.r_[np.full(12, 5.0), np.zeros(12)]


@pytest.mark.parametrize(("hours", "usd"), [(1, 40.0), (4, 100.0), (24, 100.0)])
def test_liquidated_share_of_open_interest(column, hours, usd):
    longs = column(f"liq_long_share_{hours}h", long_liq_usd=LONGS, **STANDING)
    shorts = column(f"liq_short_share_{hours}h", short_liq_usd=LONGS, **STANDING)

    assert longs[-1] == pytest.approx(usd / 5_000.0)
    assert shorts[-1] == pytest.approx(usd / 5_000.0)


def test_imbalance_is_positive_when_longs_suffer_and_0_when_nobody_does(column):
    fields = {"long_liq_usd": LONGS, "short_liq_usd": SHORTS}

    assert column("liq_imbalance_24h", **fields)[-1] == pytest.approx((100 - 60) / 160)
    assert column("liq_imbalance_4h", **fields)[-1] == 1.0
    assert column("liq_imbalance_1h", **fields)[-5] == 0.0


def test_active_share_of_the_day(column):
    assert column("liq_long_active_24h", long_liq_usd=LONGS)[-1] == pytest.approx(4 / 24)
    assert column("liq_short_active_24h", short_liq_usd=SHORTS)[-1] == pytest.approx(0.5)


@pytest.mark.parametrize("side", ["long", "short"])
def test_liquidations_against_a_month(column, side):
    usd = np.r_[np.tile([0.0, 10.0], 360), 100.0]

    window = usd[-720:]
    found = column(f"liq_{side}_z_30d", **{f"{side}_liq_usd": usd})[-1]
    assert found == pytest.approx((window[-1] - window.mean()) / window.std(ddof=1))


def test_forced_share_of_trading(column):
    found = column(
        "liq_to_volume_24h",
        long_liq_usd=LONGS,
        short_liq_usd=SHORTS,
        volume=np.full(24, 2.0),
        close=np.full(24, 50.0),
    )

    assert found[-1] == pytest.approx(160 / 2_400)
