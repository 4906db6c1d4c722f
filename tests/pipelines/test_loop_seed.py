"""One market under every arm: what is shared, what is measured, and that it can be done again."""

import numpy as np
import pytest

from liqwarn.config import load_policy
from liqwarn.pipelines.loop_score import LoopScore
from liqwarn.pipelines.loop_seed import LoopSetting, run_seed
from liqwarn.simulation.loop_events import SIGNALS
from liqwarn.simulation.restraint import Obedience


@pytest.fixture(scope="module")
def setting(request):
    theta = np.zeros((2, len(SIGNALS) + 1))
    theta[:, 2], theta[:, -1] = 1.0, -4.0
    score = LoopScore(
        theta=theta,
        platt=np.array([[1.0, 0.0], [1.0, 0.0]]),
        noise=np.zeros(2),
        ranked=(np.linspace(0.0, 0.05, 1_000), np.linspace(0.0, 0.05, 1_000)),
        base_rate=np.array([0.01, 0.01]),
    )
    policy = load_policy(request.config.rootpath / "conf" / "policy.yaml")
    return LoopSetting(
        days=4, delay_min=15, obedience=Obedience(phi=0.5), policy=policy, score=score
    )


@pytest.fixture(scope="module")
def result(setting):
    return run_seed(setting, 5)


def test_all_eight_runs_are_measured(result):
    assert len(result.metrics) == 8
    assert result.metrics["none", True] == result.metrics["none", False]
    assert result.events > 0


def test_a_seed_gives_the_same_figures_again(setting, result):
    again = run_seed(setting, 5)
    assert again.metrics == result.metrics
    assert again.tiers == result.tiers


def test_volatility_control_and_breaker_restrict_in_their_own_time(result):
    limited = {arm: result.metrics[arm, False]["time_limited"] for arm in ("breaker", "vol_target")}
    assert all(0.0 < share < 1.0 for share in limited.values())
    assert result.metrics["price_line", False]["time_limited"] < limited["breaker"]


def test_the_score_is_judged_where_no_cascade_runs(result):
    assert 0.4 < result.auc["long"] < 1.0
