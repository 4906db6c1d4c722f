"""Thresholds are read off scores: each condition takes the share of time its tier may take."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from liqwarn.config import load_policy
from liqwarn.errors import PolicyError
from liqwarn.frames import bar_times
from liqwarn.policy.history import ScoreHistory
from liqwarn.policy.threshold_curve import thresholds_of, wanted_thresholds

HOUR = timedelta(hours=1)
SHIPPED = thresholds_of(load_policy(Path(__file__).parents[2] / "conf" / "policy.yaml"))
N = 20_000


def history(probability, quantile, base=0.01):
    n = probability.shape[0]
    p = np.repeat(probability[None, :, None, None], 2, axis=2)
    return ScoreHistory(
        symbols=("BTCUSDT",),
        times=bar_times(np.datetime64("2022-01-01"), n, HOUR),
        bar=HOUR,
        horizons_h=(1, 4, 24),
        probability=p * np.array([0.5, 1.0, 1.5]),
        quantile=np.repeat(quantile[None, :, None], 2, axis=2),
        base_rate=np.full((1, n, 2), base),
        in_progress=np.zeros((1, n, 2), dtype=np.bool_),
        quality=np.full((1, n), "ok"),
    )


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    quantile = rng.permutation((np.arange(N) + 0.5) / N)
    return history(0.01 * np.exp(2.0 * rng.normal(size=N)), quantile)


ALL = np.ones((1, N, 2), dtype=np.bool_)


def test_the_shipped_policy_gives_its_tiers_10_5_2_and_a_half_per_cent():
    shares = [round(1.0 - one.quantile, 6) for one in SHIPPED.enter]

    assert shares == [0.1, 0.05, 0.02, 0.005]
    assert SHIPPED.exits == (0.85, 0.9, 0.95, 0.98)


def test_each_condition_takes_the_share_of_its_tier(drawn):
    found = wanted_thresholds(drawn, ALL, SHIPPED)
    multiple = drawn.probability[..., 1] / drawn.base_rate

    for one, given in zip(found.enter, SHIPPED.enter, strict=True):
        share = 1.0 - given.quantile
        assert np.mean(drawn.quantile >= one.quantile) == pytest.approx(share, abs=2e-4)
        assert np.mean(multiple >= one.base_multiple) == pytest.approx(share, rel=0.05)
    for exit_, given in zip(found.exits, SHIPPED.exits, strict=True):
        assert np.mean(drawn.quantile >= exit_) == pytest.approx(1.0 - given, abs=2e-4)


def test_bars_that_an_onset_follows_do_not_count(drawn):
    high = drawn.probability[..., 1] > 0.3

    calm, all_ = (wanted_thresholds(drawn, quiet, SHIPPED) for quiet in (ALL & ~high, ALL))

    assert calm.enter[-1].base_multiple < all_.enter[-1].base_multiple


def test_a_market_that_ranks_its_present_high_asks_for_higher_quantiles(drawn):
    drifted = replace(drawn, quantile=drawn.quantile**0.5)

    found = wanted_thresholds(drifted, ALL, SHIPPED)

    assert found.enter[0].quantile == pytest.approx(0.9**0.5, abs=1e-3)


def test_bars_without_a_rank_or_a_score_do_not_count(drawn):
    quantile, probability = drawn.quantile.copy(), drawn.probability.copy()
    quantile[:, :5_000], probability[:, 5_000:9_000] = np.nan, np.nan
    holes = replace(drawn, quantile=quantile, probability=probability)

    found = wanted_thresholds(holes, ALL, SHIPPED)

    assert found == wanted_thresholds(drawn, ALL & (np.arange(N) >= 9_000)[None, :, None], SHIPPED)


def test_too_few_bars_ask_for_nothing(drawn):
    few = ALL & (np.arange(N) < 3_999)[None, :, None]

    with pytest.raises(PolicyError, match="7998 quiet bars with a rank, expected 8000 for 40"):
        wanted_thresholds(drawn, few, SHIPPED)


def test_a_model_that_says_the_same_of_every_bar_asks_for_nothing(drawn):
    constant = history(np.full(N, 0.01), np.full(N, 0.5))

    with pytest.raises(PolicyError, match=r"enter.quantile read off as .*, expected rising"):
        wanted_thresholds(constant, ALL, SHIPPED)


def test_exits_at_the_entries_ask_for_nothing(drawn):
    near = replace(SHIPPED, exits=tuple(one.quantile for one in SHIPPED.enter))

    with pytest.raises(PolicyError, match=r"exit_quantile read off as 0\.9, expected below its"):
        wanted_thresholds(drawn, ALL, near)
