import re
from dataclasses import replace
from datetime import timedelta

import pytest

from liqwarn.decisions import Limits, Tier, TradingState
from liqwarn.policy.overrides import halt_on_fault, tighten
from liqwarn.policy.position import Rule
from liqwarn.policy.restriction import restrict, state_of

PROBABILITY = {1: 0.1, 4: 0.2, 24: 0.3}


@pytest.fixture
def at(make_position, start):
    def at(tier, *, side="long", rule=Rule.SCORE, expired=False):
        position = make_position(side=side)
        return replace(
            position,
            tier=tier,
            rule=rule,
            ruled=replace(position.ruled, tier=tier),
            expired_since=start if expired else None,
        )

    return at


@pytest.mark.parametrize(
    ("tier", "state"),
    [("T0", "ACTIVE"), ("T1", "ACTIVE"), ("T2", "ACTIVE"), ("T3", "REDUCING"), ("T4", "REDUCING")],
)
def test_the_state_says_whether_a_side_may_grow(at, policy, start, tier, state):
    restriction = restrict(at(Tier[tier]), None, PROBABILITY, start, policy)
    assert restriction.state == state
    assert restriction.limits == policy.tiers[Tier[tier]].threatened
    assert restriction.probability == PROBABILITY


def test_without_a_usable_score_there_is_no_new_risk(at, policy, start):
    restriction = restrict(at(Tier.T2, expired=True), None, {}, start, policy)
    assert restriction.state is TradingState.REDUCING
    assert restriction.tier is Tier.T2
    assert not restriction.limits.net_increase


def test_halted_is_an_operators_word(at, policy, start):
    human = tighten(at(Tier.T0), Tier.T5, "Ada", "venue is down", start)
    broken = halt_on_fault(at(Tier.T0), "model hash differs", start)
    states = [restrict(p, None, {}, start, policy).state for p in (human, broken)]
    assert states == [TradingState.HALTED, TradingState.REDUCING]
    for position in (human, broken):
        limits = restrict(position, None, {}, start, policy).limits
        assert limits.cancel_increasing
        assert limits.order_size_frac > 0


def test_shared_limits_bind_limit_by_limit(at, policy, start):
    now = start + timedelta(hours=1)
    quiet, hot = at(Tier.T1, side="short"), at(Tier.T3)
    restriction = restrict(quiet, hot, {}, now, policy)
    assert restriction.limits == replace(policy.tiers[1].threatened, leverage_frac=0.5)
    assert len(restriction.reasons) == 2
    assert restrict(hot, quiet, {}, now, policy).limits == policy.tiers[3].threatened


@pytest.mark.parametrize("rule", Rule)
def test_reasons_are_sentences_without_thresholds(at, policy, start, rule):
    for expired in (False, True):
        position = at(Tier.T3, rule=rule, expired=expired)
        position = tighten(position, Tier.T3, "Ada", "exchange maintenance.", start)
        position = replace(position, rule=rule, ceiling=position.floors[0])
        (reason,) = restrict(position, None, {}, start, policy).reasons
        assert reason[0].isupper()
        assert reason.endswith((".", "exchange maintenance."))
        without_times = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "", reason)
        assert not re.search(r"\d|%", without_times)


def test_an_operators_words_may_hold_braces(at, policy, start):
    position = tighten(at(Tier.T0), Tier.T3, "Ada", "see {ticket}", start)
    assert restrict(position, None, {}, start, policy).reasons == (
        "Tightened by hand: see {ticket}",
    )


def test_state_of_limits():
    assert state_of(Limits(), halted=False) is TradingState.ACTIVE
    assert state_of(Limits(net_increase=False), halted=False) is TradingState.REDUCING
    assert state_of(Limits(net_increase=False), halted=True) is TradingState.HALTED
