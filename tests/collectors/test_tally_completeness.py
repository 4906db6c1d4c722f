"""What a feed tells over what left."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.collectors.tally_completeness import FEWEST_EPISODES, told_share
from liqwarn.errors import FrameError
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.market import simulate_market


def market(share=0.1, n=4_000, seed=1, side="long", leave=0.05):
    """Falls (of the price, for longs) with open interest that leaves, of which a share is told."""
    rng = np.random.default_rng(seed)
    sign = -1.0 if side == "long" else 1.0
    returns, left = 0.002 * rng.normal(size=n), 0.0005 * rng.normal(size=n)
    hard = np.arange(60, n, 55)
    returns[hard], left[hard] = sign * 0.04, -leave
    close = 100.0 * np.exp(np.cumsum(returns))
    coins = 1_000.0 * np.exp(np.cumsum(left))
    told = np.zeros(n)
    price = (close[hard] + close[hard - 1]) / 2
    told[hard] = share * (coins[hard - 1] - coins[hard]) * price
    return close, coins, told


@settings(max_examples=20)
@given(st.floats(0.01, 1.0), st.sampled_from(["long", "short"]), st.integers(0, 99))
def test_the_share_that_is_told_is_found(share, side, seed):
    found = told_share(*market(share, side=side, seed=seed), side)

    assert found.share == pytest.approx(share, rel=0.02)
    assert found.low <= found.share <= found.high
    assert found.episodes >= 70


def test_the_other_side_s_moves_say_nothing_of_a_side():
    close, coins, told = market(0.3, side="short")

    assert told_share(close, coins, told, "long").told_usd < 0.01 * told.sum()


def test_a_seed_gives_the_same_interval():
    close, coins, told = market()
    told = told * np.random.default_rng(2).uniform(0.5, 1.5, told.size)

    first = told_share(close, coins, told, "long", seed=3)

    assert told_share(close, coins, told, "long", seed=3) == first
    assert 0.0 < first.low < first.share < first.high


def test_moves_in_which_open_interest_rose_are_told_and_left_out():
    found = told_share(*market(leave=-0.05), "long")

    assert found.risen >= 70
    assert found.episodes < FEWEST_EPISODES
    assert np.isnan(found.share)
    assert found.to_dict()["share"] is None


@pytest.mark.parametrize("which", [0, 1, 2])
def test_unknown_bars_are_left_out(which):
    arrays = list(market(0.2))
    arrays[which] = arrays[which].copy()
    arrays[which][1_000:1_500] = np.nan

    found = told_share(*arrays, "long")

    assert found.share == pytest.approx(0.2, rel=0.02)
    assert found.episodes < 70


def test_nothing_known_is_nothing_told():
    unknown = np.full(50, np.nan)

    assert told_share(unknown, unknown, unknown, "long").episodes == 0


def test_of_the_simulated_market_a_thinned_feed_shows_less_than_it_truly_tells():
    """And a complete one far less than all: the rest of the fall are stops and choice."""
    market = simulate_market(MarketConfig(n_bars=24 * 240), seed=7)
    frame = market.frame
    for row in range(0, len(frame.symbols), 4):
        close, coins = frame.field("close")[row], frame.field("open_interest")[row]
        true = market.truth.liquidated_usd[row, :, 0]
        whole = told_share(close, coins, true, "long")
        thin = told_share(close, coins, frame.field("long_liq_usd")[row], "long")

        assert 0.3 < whole.share < 0.8
        assert thin.pooled < thin.told_usd / whole.told_usd < 0.2


def test_other_shapes_are_refused():
    with pytest.raises(FrameError, match=r"expected one \(n,\)"):
        told_share(np.ones(3), np.ones(3), np.ones(2), "long")
