"""The breaker as an arm: the shipped policy on scores that are set by hand."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.config import load_policy
from liqwarn.pipelines.loop_breaker import BreakerArm
from liqwarn.pipelines.loop_score import LoopScore
from liqwarn.simulation.config import DEFAULT_SPECS
from liqwarn.simulation.loop_events import SIGNALS
from liqwarn.simulation.loop_market import loop_config, prepare
from liqwarn.simulation.restraint import Obedience, house_restraint

CONFIG = replace(loop_config(2), specs=DEFAULT_SPECS[3:5])  # neither is a core symbol but ETH's


@pytest.fixture(scope="module")
def market():
    return prepare(CONFIG, 1, Obedience())


@pytest.fixture(scope="module")
def policy(request):
    return load_policy(request.config.rootpath / "conf" / "policy.yaml")


def score_of(long_odds, short_odds):
    """A score that says the same whatever happens: base rate 1 %, pilots evenly spread."""
    theta = np.zeros((2, len(SIGNALS) + 1))
    theta[:, -1] = long_odds, short_odds
    return LoopScore(
        theta=theta,
        platt=np.array([[1.0, 0.0], [1.0, 0.0]]),
        noise=np.zeros(2),
        ranked=(np.linspace(0.0, 0.2, 1_000), np.linspace(0.0, 0.2, 1_000)),
        base_rate=np.array([0.01, 0.01]),
    )


def told(market, policy, score, *, bars, delay=0, anticipated=False):
    """What the arm says after each bar; the market itself is left free."""
    arm = BreakerArm(
        market=market, policy=policy, score=score, delay=delay, anticipated=anticipated
    )
    run, said = market.start(), []
    for _ in range(bars):
        run.advance(house_restraint(2))
        said.append(arm.decide(run))
    return arm, said


def test_a_calm_score_leaves_everybody_free(market, policy):
    arm, said = told(market, policy, score_of(-9.0, -9.0), bars=6)
    assert (np.array(arm.tiers) == 0.0).all()
    assert all((one.entry == 1.0).all() and (one.leverage == 1.0).all() for one in said)


@pytest.mark.parametrize(("odds", "tier", "entry"), [(-1.45, 2.0, 0.5), (-1.41, 3.0, 0.0)])
def test_tiers_come_with_their_limits(market, policy, odds, tier, entry):
    arm, said = told(market, policy, score_of(odds, -9.0), bars=1)
    assert (arm.tiers[0][:, 0] == tier).all()
    assert (said[0].entry[:, 0] == entry).all()
    assert (said[0].leverage[:, 0] == 0.5).all()
    assert (said[0].leverage[:, 1] < 1.0).all()


def test_a_delay_is_a_delay(market, policy):
    score = score_of(-1.41, -9.0)
    _, at_once = told(market, policy, score, bars=5)
    _, later = told(market, policy, score, bars=5, delay=2)
    assert all((one.entry == 1.0).all() for one in later[:2])
    for early, late in zip(at_once, later[2:], strict=False):
        np.testing.assert_array_equal(early.entry, late.entry)


def test_nobody_is_made_to_sell_into_a_cascade(market, policy):
    arm = BreakerArm(
        market=market, policy=policy, score=score_of(-9.0, -9.0), delay=0, anticipated=False
    )
    run = market.start()
    run.advance(house_restraint(2))
    run.record.prices[3, 0, run.last] -= 0.08
    run.record.held[0, run.last] *= 0.9
    said = arm.decide(run)
    assert arm.tiers[0][0, 0] == 4.0
    assert said.entry[0, 0] == 0.0
    assert said.cut[0, 0] == 0.0
    assert arm.tiers[0][1].tolist() == [0.0, 0.0]


def test_the_fearful_guess_and_stop_fearing_once_it_has_acted(market, policy):
    noisy = replace(score_of(-2.2, -9.0), noise=np.array([1.5, 0.0]))
    arm, said = told(market, policy, noisy, bars=60, anticipated=True)
    near = np.array([one.near for one in said])
    tiers = np.array(arm.tiers)
    assert near[:, :, 0].any()
    assert not near[:, :, 1].any()
    assert not (near[tiers >= 3.0] > 0.0).any()
    _, deaf = told(market, policy, noisy, bars=60)
    assert not np.array([one.near for one in deaf]).any()
