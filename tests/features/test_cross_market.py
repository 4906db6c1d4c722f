"""Cross-market features on panels small enough to compute by hand."""

import numpy as np
import pytest


def test_everybody_sees_the_leader(column):
    close = [[100.0, 100.0, 110.0], [50.0, 50.0, 40.0]]

    found = column("leader_return_1h", close=close)
    np.testing.assert_allclose(found[:, -1], [np.log(1.1)] * 2)
    coins = np.r_[[100.0] * 4, 80.0]
    found = column("leader_oi_change_4h", open_interest=[coins, coins * 0 + 1])
    np.testing.assert_allclose(found[:, -1], [np.log(0.8)] * 2)


def test_the_leaders_volatility_and_liquidations(column):
    close = np.exp(np.cumsum(np.r_[0.0, np.tile([0.01, -0.03], 12)]))

    found = column("leader_rv_1d", close=[close, np.ones(25)])
    np.testing.assert_allclose(found[:, -1], [np.sqrt(5e-4)] * 2)
    for side in ("long", "short"):
        fields = {f"{side}_liq_usd": [[10.0] * 4, [0.0] * 4]}
        standing = {"open_interest": np.full((2, 4), 4.0), "close": np.full((2, 4), 100.0)}
        found = column(f"leader_liq_{side}_share_4h", **fields, **standing)
        np.testing.assert_allclose(found[:, -1], [0.1, 0.1])


def test_breadth_leaves_out_symbols_that_are_not_known(column):
    coins = [[100.0, 98.0], [100.0, 99.5], [100.0, 90.0], [np.nan, 100.0]]

    np.testing.assert_allclose(
        column("breadth_oi_drop_1h", open_interest=coins)[:, -1], [2 / 3] * 4
    )


def test_breadth_of_falls_and_rises(column):
    close = [[100.0, 98.0], [100.0, 100.5], [100.0, 103.0], [100.0, 97.0]]

    assert column("breadth_fall_1h", close=close)[0, -1] == 0.5
    assert column("breadth_rise_1h", close=close)[0, -1] == 0.25


def test_correlation_with_the_others(column):
    returns = np.random.default_rng(4).normal(0.0, 0.01, (3, 168))
    close = np.exp(np.cumsum(np.c_[np.zeros(3), returns], axis=1))

    others = [returns[[1, 2]].mean(0), returns[[0, 2]].mean(0), returns[[0, 1]].mean(0)]
    each = [np.corrcoef(own, rest)[0, 1] for own, rest in zip(returns, others, strict=True)]
    np.testing.assert_allclose(column("market_corr_7d", close=close)[:, -1], each)
    np.testing.assert_allclose(column("mean_corr_7d", close=close)[:, -1], [np.mean(each)] * 3)


def test_strength_against_the_leader_and_dispersion(column):
    close = np.full((3, 25), 100.0)
    close[:, -1] = 110.0, 121.0, 100.0

    moves = np.log([1.1, 1.21, 1.0])
    np.testing.assert_allclose(
        column("relative_return_24h", close=close)[:, -1], moves - moves[0], atol=1e-15
    )
    np.testing.assert_allclose(
        column("dispersion_24h", close=close)[:, -1], [moves.std(ddof=1)] * 3
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relative_return_4h", 0.0),
        ("breadth_fall_1h", 1.0),
        ("dispersion_24h", np.nan),
        ("market_corr_7d", np.nan),
        ("mean_corr_7d", np.nan),
    ],
)
def test_a_symbol_alone_is_its_own_leader_and_has_no_others(column, name, expected):
    close = 100.0 * 0.98 ** np.arange(200.0)

    np.testing.assert_equal(column(name, close=close)[-1], expected)
