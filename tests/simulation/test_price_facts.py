import numpy as np
import pytest

from liqwarn.simulation.price_facts import leverage_effect, price_facts


def closes(returns):
    return 100.0 * np.exp(np.cumsum(returns))


def test_clustered_volatility_is_seen_and_independent_moves_are_not():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(20_000)
    regime = np.repeat(np.exp(0.8 * rng.standard_normal(100)), 200)
    calm, clustered = (
        price_facts({"close": closes(0.01 * size * noise)}) for size in (1.0, regime)
    )
    assert abs(calm["abs_return_acf_24h"]) < 0.03
    assert clustered["abs_return_acf_24h"] > 0.2
    assert clustered["return_kurtosis"] > 1.5 * calm["return_kurtosis"]
    assert clustered["abs_return_acf_168h"] < clustered["abs_return_acf_24h"]


def test_the_two_tails_are_told_apart():
    rng = np.random.default_rng(1)
    returns = 0.001 * rng.standard_normal(20_000)
    falls = rng.choice(20_000, 400, replace=False)
    returns[falls] -= 0.005 * rng.pareto(1.5, 400)
    facts = price_facts({"close": closes(returns)})
    assert facts["tail_index_down"] < 2.0
    assert facts["tail_index_up"] > 5.0


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_leverage_effect_has_the_sign_of_the_move_that_volatility_follows(sign):
    rng = np.random.default_rng(1)
    returns = 0.002 * rng.standard_normal(10_000)
    for hour in range(100, 9_900, 200):
        returns[hour] = sign * 0.02
        returns[hour + 1 : hour + 25] *= 3.0
    assert np.sign(leverage_effect(returns)) == sign
    assert abs(leverage_effect(returns)) > 0.04
    assert leverage_effect(-returns) == pytest.approx(-leverage_effect(returns))


def test_ranges_are_measured_where_candles_are_known():
    close = closes(np.tile([0.01, 0.02, -0.03], 100))
    facts = price_facts({"close": close, "high": close * np.exp(0.01), "low": close / np.exp(0.01)})
    assert facts["range_over_abs_return"] == pytest.approx(0.02 / 0.02, rel=0.01)
    assert "range_over_abs_return" not in price_facts({"close": close})


def test_leverage_effect_of_moves_that_never_grow_is_unknown():
    assert np.isnan(leverage_effect(np.full(200, 0.01)))
