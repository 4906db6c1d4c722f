"""What an outsider sees follows from what happened."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig, Positioning, Volatility
from liqwarn.simulation.market import simulate_market

HOUR, MINUTE, SECOND = (timedelta(**{unit: 1}) for unit in ("hours", "minutes", "seconds"))
BARS = {
    "10s": (10 * SECOND, 10 * SECOND),
    "1m": (MINUTE, 10 * SECOND),
    "15m": (15 * MINUTE, MINUTE),
    "1h": (HOUR, 5 * MINUTE),
    "4h": (4 * HOUR, 5 * MINUTE),
}


@pytest.fixture(scope="module", params=BARS)
def seen(request):
    """Markets of two symbols, of whom longs are very crowded, at bars of many lengths."""
    bar, step = BARS[request.param]
    people = Positioning(crowding_mean=3.0, crowding_std=0.1)
    config = MarketConfig(
        specs=DEFAULT_SPECS[2:4], bar=bar, step=step, n_bars=200, positioning=people
    )
    return simulate_market(config, seed=5)


def field(seen, name):
    return seen.frame.field(name)


def test_takers_sum_to_volume_and_none_is_negative(seen):
    buys, sells = field(seen, "taker_buy_volume"), field(seen, "taker_sell_volume")
    np.testing.assert_allclose(buys + sells, field(seen, "volume"))
    assert min(buys.min(), sells.min()) >= 0.0


def test_forced_flow_is_volume(seen):
    usd = seen.truth.liquidated_usd.sum(axis=2)
    assert (field(seen, "volume") * field(seen, "high") >= usd * (1.0 - 1e-9)).all()


def test_rates_change_at_their_settlements_only(seen):
    seconds = seen.frame.times.astype("datetime64[s]").astype(int)
    for suffix in ("", "_2"):
        every = field(seen, f"funding_interval{suffix}_h")
        assert (every == every[0, 0]).all()
        assert every[0, 0] >= 1.0
        changed = (np.diff(field(seen, f"funding_rate{suffix}"), axis=1) != 0.0).any(axis=0)
        assert not (seconds[1:][changed] % int(3600 * every[0, 0])).any()


def test_crowded_longs_pay(seen):
    assert field(seen, "funding_rate").mean() > 0.0005
    assert field(seen, "funding_rate_2").mean() > 0.0


def test_the_index_is_below_a_perpetual_that_longs_crowd(seen):
    ratio = field(seen, "index") / field(seen, "close")
    assert ratio.mean() < 1.0
    np.testing.assert_allclose(ratio, 1.0, atol=0.05)
    np.testing.assert_allclose(field(seen, "mark") / field(seen, "close"), 1.0, atol=0.002)


def test_the_second_venue_charges_by_its_own_interval(seen):
    a_day = [
        (field(seen, f"funding_rate{k}") * 24.0 / field(seen, f"funding_interval{k}_h")).mean()
        for k in ("", "_2")
    ]
    assert 0.5 < a_day[1] / a_day[0] < 3.0


def test_flows_make_the_reserve(seen):
    inflow, outflow = field(seen, "inflow"), field(seen, "outflow")
    net, reserve = field(seen, "netflow"), field(seen, "reserve")
    np.testing.assert_allclose(inflow - outflow, net)
    change = np.diff(reserve, axis=1)
    np.testing.assert_allclose(change, net[:, 1:], atol=1e-9 * reserve.max())
    assert ((field(seen, "whale_ratio") > 0.0) & (field(seen, "whale_ratio") <= 1.0)).all()


def test_what_is_shown_of_the_book_is_what_there_is(seen):
    assert min(field(seen, "bid_depth_usd").min(), field(seen, "ask_depth_usd").min()) > 0.0
    np.testing.assert_allclose(
        seen.truth.cohort_coins, field(seen, "open_interest")[:, :, None].repeat(2, 2)
    )


def test_volume_and_flows_are_of_the_bars_length():
    """Four times the bar, four times the coins."""
    rate = []
    for bar in (HOUR, 4 * HOUR):
        config = MarketConfig(
            specs=DEFAULT_SPECS[2:4],
            bar=bar,
            n_bars=2_400 * HOUR // bar,
            volatility=Volatility(fast_std=0.0, slow_std=0.0, sellers_per_month=0.0),
        )
        frame = simulate_market(config, seed=5).frame
        rate.append([frame.field(n).mean() / (bar / HOUR) for n in ("volume", "inflow")])
    np.testing.assert_allclose(rate[1], rate[0], rtol=0.35)
