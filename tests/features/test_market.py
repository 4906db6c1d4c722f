"""Market features on prices short enough to compute by hand."""

import math

import numpy as np
import pytest

RNG = np.random.default_rng(5)
CLOSE = 100.0 * np.exp(np.cumsum(RNG.normal(0.0, 0.01, 800)))
RETURNS = np.diff(np.log(CLOSE))


def rms(returns):
    return np.sqrt((returns**2).mean())


@pytest.mark.parametrize(
    ("name", "hours"), [("rv_1h", 1), ("rv_6h", 6), ("rv_1d", 24), ("rv_7d", 168), ("rv_30d", 720)]
)
def test_realised_volatility(column, name, hours):
    assert column(name, close=CLOSE)[-1] == pytest.approx(rms(RETURNS[-hours:]))


def test_volatility_of_falls_and_rises(column):
    day, week = RETURNS[-24:], RETURNS[-168:]

    assert column("downside_vol_1d", close=CLOSE)[-1] == pytest.approx(rms(np.minimum(day, 0)))
    assert column("upside_vol_1d", close=CLOSE)[-1] == pytest.approx(rms(np.maximum(day, 0)))
    up, down = rms(np.maximum(week, 0)) ** 2, rms(np.minimum(week, 0)) ** 2
    assert column("semivol_skew_7d", close=CLOSE)[-1] == pytest.approx((up - down) / (up + down))


def test_volatility_of_volatility_and_its_ratios(column):
    daily = np.array([rms(RETURNS[at - 24 : at]) for at in range(len(RETURNS) - 167, 800)])
    day = rms(RETURNS[-24:])

    assert column("vol_of_vol_7d", close=CLOSE)[-1] == pytest.approx(np.log(daily).std(ddof=1))
    assert column("vol_ratio_1h_1d", close=CLOSE)[-1] == pytest.approx(
        math.log(abs(RETURNS[-1]) / day)
    )
    assert column("vol_ratio_1d_30d", close=CLOSE)[-1] == pytest.approx(
        math.log(day / rms(RETURNS[-720:]))
    )


def test_rank_of_volatility(column):
    quiet = np.cumsum(np.tile([0.001, -0.001], 12 * 90))
    close = np.exp(np.r_[quiet, quiet[-1] + np.cumsum(np.full(24, 0.05))])

    assert column("vol_rank_90d", close=close)[-1] == pytest.approx(1 - 0.5 / 270)


def test_range_based_volatility_and_the_true_range(column):
    high, low = np.full(24, 102.0), np.full(24, 100.0)

    expected = math.log(1.02) / math.sqrt(4 * math.log(2))
    assert column("parkinson_vol_1d", high=high, low=low)[-1] == pytest.approx(expected)
    found = column("atr_pct_24h", high=high, low=low, close=np.full(24, 100.0))
    assert found[-1] == pytest.approx(2.0)


@pytest.mark.parametrize("hours", [1, 4, 24, 168])
def test_returns(column, hours):
    found = column(f"price_return_{hours}h", close=CLOSE)

    assert found[-1] == pytest.approx(math.log(CLOSE[-1] / CLOSE[-1 - hours]))


@pytest.mark.parametrize(("window", "hours"), [("24h", 24), ("7d", 168), ("30d", 720)])
def test_drawdown_and_runup_are_from_closes(column, window, hours):
    last = CLOSE[-hours:]

    found = column(f"drawdown_{window}", close=CLOSE)[-1]
    assert found == pytest.approx(math.log(last[-1] / last.max()))
    found = column(f"runup_{window}", close=CLOSE)[-1]
    assert found == pytest.approx(math.log(last[-1] / last.min()))


@pytest.mark.parametrize(("window", "hours"), [("24h", 24), ("7d", 168)])
def test_trend_in_units_of_volatility(column, window, hours):
    slope = np.polyfit(np.arange(hours), np.log(CLOSE[-hours:]), 1)[0]

    expected = slope * hours / (rms(RETURNS[-hours:]) * math.sqrt(hours))
    assert column(f"trend_{window}", close=CLOSE)[-1] == pytest.approx(expected)


def test_skew_and_jumps(column):
    week, day = RETURNS[-168:], np.abs(RETURNS[-25:])

    assert column("return_skew_7d", close=CLOSE)[-1] == pytest.approx(
        (week**3).mean() / rms(week) ** 3
    )
    smooth = math.pi / 2 * (day[1:] * day[:-1]).mean()
    expected = max(1 - smooth / (day[1:] ** 2).mean(), 0.0)
    assert column("jump_share_24h", close=CLOSE)[-1] == pytest.approx(expected)
    one_jump = np.r_[np.full(24, 100.0), np.full(6, 120.0)]
    assert column("jump_share_24h", close=one_jump)[-1] == pytest.approx(1.0)


def test_volume_surges(column):
    volume = np.r_[np.full(720 - 24, 10.0), np.full(24, 40.0)]

    week = (144 * 10 + 24 * 40) / 168
    month = (696 * 10 + 24 * 40) / 720
    assert column("volume_surge_1h", volume=volume)[-1] == pytest.approx(math.log(40 / week))
    assert column("volume_surge_24h", volume=volume)[-1] == pytest.approx(math.log(40 / month))


def test_illiquidity_rises_when_the_same_move_takes_less_volume(column):
    close = np.tile([100.0, 101.0], 361)
    volume = np.r_[np.full(698, 10.0), np.full(24, 5.0)]

    impact = abs(np.diff(np.log(close))) / (volume * close)[1:]
    expected = math.log(impact[-24:].mean() / impact[-720:].mean())
    found = column("illiquidity_24h", close=close, volume=volume)[-1]
    assert found == pytest.approx(expected)
    assert found > 0.6


def test_wicks(column):
    bars = {"open": [10.0] * 24, "high": [16.0] * 24, "low": [8.0] * 24, "close": [12.0] * 24}

    assert column("wick_upper_24h", **bars)[-1] == pytest.approx(0.5)
    assert column("wick_lower_24h", **bars)[-1] == pytest.approx(0.25)


def test_touches_of_a_level(column):
    high = np.r_[100.0, np.full(500, 90.0)]
    high[400:500:10] = 99.6  # within 0.5 % of a high a week old is a touch only while it stands
    high[380] = 100.0

    reached = [h >= 0.995 * high[max(0, at - 167) : at + 1].max() for at, h in enumerate(high)]
    assert column("touch_high_7d", high=high)[-1] == pytest.approx(np.mean(reached[-168:]))
    assert 0.0 < np.mean(reached[-168:]) < 1.0
    low = 10_000.0 / high
    reached = [v <= 1.005 * low[max(0, at - 167) : at + 1].min() for at, v in enumerate(low)]
    assert column("touch_low_7d", low=low)[-1] == pytest.approx(np.mean(reached[-168:]))


def test_basis_uses_the_close_where_there_is_no_mark(column):
    found = column("basis", mark=[101.0, np.nan], close=[99.0, 99.0], index=[100.0, 100.0])
    np.testing.assert_allclose(found, [0.01, -0.01])

    mark = np.r_[np.tile([100.0, 100.2], 84), 101.0]
    window = mark[-168:] / 100.0 - 1.0
    found = column("basis_z_7d", mark=mark, close=mark, index=np.full(169, 100.0))
    assert found[-1] == pytest.approx((window[-1] - window.mean()) / window.std(ddof=1))


@pytest.mark.parametrize("hours", [1, 4, 24])
def test_taker_imbalance_with_and_without_the_sells(column, hours):
    bought, volume = np.full(24, 6.0), np.full(24, 8.0)

    found = column(f"taker_imbalance_{hours}h", taker_buy_volume=bought, volume=volume)
    assert found[-1] == pytest.approx(0.5)
    found = column(
        f"taker_imbalance_{hours}h", taker_buy_volume=bought, taker_sell_volume=np.full(24, 18.0)
    )
    assert found[-1] == pytest.approx(-0.5)
