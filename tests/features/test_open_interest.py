"""Open-interest features on histories short enough to compute by hand."""

import numpy as np
import pytest


@pytest.mark.parametrize("hours", [1, 4, 24, 72, 168])
def test_change_is_logarithmic_and_in_coins(column, hours):
    coins = np.r_[np.full(hours, 100.0), 80.0]

    found = column(f"oi_change_{hours}h", open_interest=coins)
    assert found[-1] == pytest.approx(np.log(0.8))
    assert np.isnan(found[:-1]).all()


def test_z_of_log_open_interest(column):
    coins = np.r_[np.tile([100.0, 110.0], 84), 150.0]

    window = np.log(coins[-168:])
    expected = (window[-1] - window.mean()) / window.std(ddof=1)
    assert column("oi_z_7d", open_interest=coins)[-1] == pytest.approx(expected)


def test_z_of_the_daily_change(column):
    coins = np.exp(np.random.default_rng(0).normal(0, 0.1, 744))

    changes = np.log(coins[24:] / coins[:-24])
    expected = (changes[-1] - changes.mean()) / changes.std(ddof=1)
    assert column("oi_change_z_30d", open_interest=coins)[-1] == pytest.approx(expected)


def test_rank_and_drawdown(column):
    coins = np.arange(1.0, 90 * 24 + 1)

    assert column("oi_rank_90d", open_interest=coins)[-1] == pytest.approx(1 - 0.5 / 270)
    fallen = np.r_[np.full(23, 200.0), 150.0]
    assert column("oi_drawdown_24h", open_interest=fallen)[-1] == pytest.approx(np.log(0.75))
    week = np.r_[np.full(160, 200.0), np.full(8, 100.0)]
    assert column("oi_drawdown_7d", open_interest=week)[-1] == pytest.approx(np.log(0.5))


def test_open_interest_in_days_of_volume(column):
    found = column("oi_to_volume_24h", open_interest=[480.0] * 24, volume=[10.0] * 24)

    assert found[-1] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("price", "coins", "quadrant"),
    [
        (110.0, 60.0, "oi_new_longs_24h"),
        (90.0, 60.0, "oi_new_shorts_24h"),
        (90.0, 40.0, "oi_long_exit_24h"),
        (110.0, 40.0, "oi_short_exit_24h"),
    ],
)
def test_exactly_one_quadrant_holds(column, price, coins, quadrant):
    fields = {"close": np.r_[[100.0] * 24, price], "open_interest": np.r_[[50.0] * 24, coins]}
    names = ("oi_new_longs_24h", "oi_new_shorts_24h", "oi_long_exit_24h", "oi_short_exit_24h")

    assert {name: column(name, **fields)[-1] for name in names} == {
        name: float(name == quadrant) for name in names
    }


def test_the_gap_between_contracts_and_price(column):
    fields = {"close": np.r_[[100.0] * 24, 110.0], "open_interest": np.r_[[50.0] * 24, 60.0]}

    expected = np.log(1.2) - np.log(1.1)
    assert column("oi_price_gap_24h", **fields)[-1] == pytest.approx(expected)


def test_the_leverage_ratio_is_the_providers_else_made(column):
    fields = {"open_interest": [50.0, 60.0], "reserve": [200.0, 200.0]}

    assert column("leverage_level", **fields).tolist() == [0.25, 0.3]
    assert column("leverage_level", **fields, leverage_ratio=[np.nan, 0.4]).tolist() == [0.25, 0.4]


def test_the_leverage_ratio_against_its_past(column):
    ratio = np.r_[np.tile([0.2, 0.3], 1079), 0.2, 0.9]

    window = ratio[-720:]
    expected = (window[-1] - window.mean()) / window.std(ddof=1)
    assert column("leverage_z_30d", leverage_ratio=ratio)[-1] == pytest.approx(expected)
    assert column("leverage_rank_90d", leverage_ratio=ratio)[-1] == pytest.approx(1 - 0.5 / 270)


def test_positioning_of_accounts(column):
    ratio = np.r_[np.tile([1.0, 1.2], 360), 2.0]

    window = np.log(ratio[-720:])
    assert column("long_short_log", long_short_ratio=ratio)[-1] == pytest.approx(np.log(2.0))
    assert column("long_short_z_30d", long_short_ratio=ratio)[-1] == pytest.approx(
        (window[-1] - window.mean()) / window.std(ddof=1)
    )
