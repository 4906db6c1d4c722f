import numpy as np
import pytest

from liqwarn.simulation.position_facts import (
    funding_facts,
    interest_changes,
    interest_persistence,
    liquidation_facts,
)


def test_noise_in_open_interest_comes_back_and_a_trend_goes_on():
    rng = np.random.default_rng(1)
    shocks = 0.01 * rng.standard_normal(10_000)
    noise, walk = np.exp(shocks), np.exp(np.cumsum(shocks))
    smooth = np.exp(np.cumsum(np.convolve(shocks, np.ones(24), mode="valid")))
    facts = [interest_persistence({"open_interest": one}) for one in (noise, walk, smooth)]
    ratios = [one["oi_day_over_hour"] for one in facts]
    assert ratios[0] < 0.3
    assert ratios[1] == pytest.approx(1.0, abs=0.1)
    assert ratios[2] > 3.0
    assert abs(facts[0]["oi_level_acf_24h"]) < 0.05
    assert facts[1]["oi_level_acf_24h"] > 0.7
    assert facts[1]["oi_level_acf_168h"] < facts[1]["oi_level_acf_24h"]


def test_a_gap_in_open_interest_is_left_out():
    level = np.exp(0.01 * np.cumsum(np.random.default_rng(1).standard_normal(5_000)))
    level[2_000:2_100] = np.nan
    changes = interest_changes({"open_interest": level})
    assert changes["oi_change_std_pct"] == pytest.approx(1.0, rel=0.05)
    assert changes["oi_change_p05_pct"] == pytest.approx(-1.64, rel=0.1)
    assert all(np.isfinite(list(interest_persistence({"open_interest": level}).values())))


def test_volume_is_measured_where_it_is_known():
    level = np.tile([100.0, 101.0], 50)
    facts = interest_changes({"open_interest": level, "volume": 0.07 * level})
    assert facts["volume_over_oi_median_pct"] == pytest.approx(7.0)


def test_funding_is_of_eight_hours_whatever_the_interval():
    rates = 1e-4 * np.repeat(np.random.default_rng(1).standard_normal(500), 8)
    every_eight = {"funding_rate": rates, "funding_interval_h": np.full(4_000, 8.0)}
    hourly = {"funding_rate": rates / 8.0, "funding_interval_h": np.ones(4_000)}
    facts, same = funding_facts(every_eight), funding_facts(hourly)
    assert facts == pytest.approx(same)
    assert facts == pytest.approx(funding_facts({"funding_rate": rates}))
    assert facts["funding_std_pct"] == pytest.approx(0.01, rel=0.1)
    assert facts["funding_negative_share"] == pytest.approx(0.5, abs=0.06)
    assert abs(facts["funding_acf_8h"]) < 0.15


def test_liquidations_are_of_both_sides_over_open_interest_in_usd():
    n = 5_000
    sizes = np.random.default_rng(1).pareto(2.0, n) + 1.0
    usd = {"open_interest": np.full(n, 10.0), "close": np.full(n, 100.0)}
    facts = liquidation_facts({**usd, "long_liq_usd": 0.6 * sizes, "short_liq_usd": 0.4 * sizes})
    assert facts["long_liq_share"] == pytest.approx(0.6)
    assert facts["liq_over_oi_median_pct"] == pytest.approx(0.1 * np.median(sizes))
    assert facts["liq_over_oi_p99_pct"] == pytest.approx(0.1 * np.quantile(sizes, 0.99))
    assert facts["liq_tail_index"] == pytest.approx(2.0, rel=0.3)
