from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.decisions import (
    MAX_LIFE,
    ModelStamp,
    Tier,
    TradingState,
    flag_from_dict,
    flag_to_dict,
)
from liqwarn.errors import PolicyError
from liqwarn.frames import SIDES
from liqwarn.policy.book import step_book
from liqwarn.policy.flags import (
    FlagSource,
    expire,
    expired_tier,
    issue_flag,
    unknown_restrictions,
)
from liqwarn.policy.limits import at_least_as_strict
from liqwarn.policy.overrides import Signed, loosen, tighten

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SOURCE = FlagSource(model=ModelStamp(version="3", sha256="m"), data_sha256="d", completeness=0.77)


@pytest.fixture
def issue(policy, make_position, make_score, start):
    """The flag after some calm hours and one more with the given long score."""

    def issue(change=lambda position: position, issued_after=MINUTE, **long):
        positions = {("BTC", side): make_position(side=side) for side in SIDES}
        for n in range(1, 5):
            now = start + n * HOUR
            given = {"multiple": 0.5, "quantile": 0.3}
            scores = {
                ("BTC", "long"): make_score(now, **({**given, **long} if n == 4 else given)),
                ("BTC", "short"): make_score(now, side="short", **given),
            }
            decisions, _ = step_book(positions, scores, now, policy)
            positions = {key: decision.after for key, decision in decisions.items()}
        pair = {side: change(positions["BTC", side]) for side in SIDES}
        return issue_flag(
            pair,
            {side: scores["BTC", side] for side in SIDES},
            now,
            policy,
            issued_at=now + issued_after,
            source=SOURCE,
        )

    return issue


def test_a_flag_carries_what_execution_needs(issue, policy, start):
    flag = issue(multiple=9, quantile=0.985)
    assert flag.as_of == start + 4 * HOUR
    assert flag.valid_until == flag.as_of + 70 * MINUTE
    assert (flag.quality, flag.completeness) == ("ok", 0.77)
    assert flag.sides["long"].tier is Tier.T3
    assert flag.sides["short"].limits.leverage_frac == 0.5
    assert flag.policy == policy.stamp
    assert flag_from_dict(flag_to_dict(flag)) == flag


@pytest.mark.parametrize("early", [0, 1, 60, 9999])
def test_a_bar_ahead_of_the_clock_buys_no_validity(issue, early):
    flag = issue(issued_after=-early * MINUTE)
    assert flag.valid_until == flag.issued_at + 70 * MINUTE


def test_no_flag_outlives_the_longest_life(issue):
    flag = issue(lambda position: replace(position, valid_for=99 * HOUR))
    assert flag.valid_until == flag.as_of + MAX_LIFE


def test_no_threshold_is_in_a_flag(issue, policy):
    text = str(flag_to_dict(issue(multiple=9, quantile=0.985)))
    for rung in policy.tiers[1:5]:
        for secret in (rung.enter.quantile, rung.exit_quantile):
            assert str(secret) not in text
    assert "enter" not in text
    assert "exit" not in text


@pytest.mark.parametrize(
    ("given", "quality"),
    [
        ({"probability": {}}, "unknown"),
        ({"probability": {}, "quality": "stale"}, "stale"),
        ({"quality": "degraded"}, "degraded"),
        ({"quality": "unknown"}, "unknown"),
    ],
)
def test_a_flag_is_as_good_as_its_worse_side(issue, given, quality):
    assert issue(**given).quality == quality


def test_a_loosened_flag_ends_with_the_loosening(issue, policy, start):
    def ease(position):
        raised = tighten(position, Tier.T2, "Ada", "x", start + 4 * HOUR)
        end = start + 4 * HOUR + 20 * MINUTE
        return loosen(
            raised,
            Tier.T1,
            Signed(("Ada", "Grace"), "x"),
            start + 4 * HOUR,
            expires_at=end,
            policy=policy,
        )

    assert issue(ease).valid_until == start + 4 * HOUR + 20 * MINUTE


def test_both_sides_of_one_symbol_are_needed(policy, make_position, make_score, start):
    pair = {"long": make_position(), "short": make_position("ETH", "short")}
    scores = {side: make_score(start, side=side) for side in SIDES}
    with pytest.raises(PolicyError, match=r"flag of \['BTC', 'ETH'\]"):
        issue_flag(pair, scores, start, policy, issued_at=start, source=SOURCE)
    with pytest.raises(PolicyError, match="expected both sides of one symbol"):
        issue_flag({"long": pair["long"]}, scores, start, policy, issued_at=start, source=SOURCE)


@pytest.mark.parametrize(
    ("tier", "minutes", "assumed"),
    [
        ("T0", 0, "T2"),
        ("T1", 59, "T2"),
        ("T0", 60, "T3"),
        ("T2", 60, "T3"),
        ("T4", 9999, "T4"),
        ("T5", 0, "T5"),
    ],
)
def test_expired_is_never_calm(policy, tier, minutes, assumed):
    assert expired_tier(Tier[tier], minutes * MINUTE, policy) is Tier[assumed]


@given(
    tier=st.sampled_from(Tier),
    minutes=st.integers(0, 10_000),
    more=st.integers(0, 10_000),
)
def test_staleness_only_tightens_and_never_halts(policy, tier, minutes, more):
    first = expired_tier(tier, minutes * MINUTE, policy)
    second = expired_tier(tier, (minutes + more) * MINUTE, policy)
    assert tier <= first <= second
    assert second < Tier.T5 or tier is Tier.T5
    assert first >= Tier.T2


def test_an_expired_flag_is_stale_and_allows_no_new_risk(issue, policy):
    fresh = issue()
    assert fresh.sides["long"].state is TradingState.ACTIVE
    stale = expire(fresh, timedelta(0), policy)
    assert stale.quality == "stale"
    for name, side in stale.sides.items():
        assert (side.tier, side.state) == (Tier.T2, TradingState.REDUCING)
        assert not side.probability
        assert not side.limits.net_increase
        assert at_least_as_strict(side.limits, fresh.sides[name].limits)
        assert side.reasons[0].startswith("Expired: valid until 2024-08-05T05:10:00.000Z")
    assert (stale.sequence, stale.valid_until) == (fresh.sequence, fresh.valid_until)


def test_a_halt_stays_halted_when_it_expires(issue, policy, start):
    halted = issue(lambda position: tighten(position, Tier.T5, "Ada", "x", start + 4 * HOUR))
    stale = expire(halted, HOUR, policy)
    assert {side.state for side in stale.sides.values()} == {TradingState.HALTED}


def test_stricter_limits_in_the_flag_outlive_it(issue, policy):
    fresh = issue()
    sides = {
        name: replace(side, limits=replace(side.limits, order_size_frac=0.1))
        for name, side in fresh.sides.items()
    }
    stale = expire(replace(fresh, sides=sides), timedelta(0), policy)
    assert stale.sides["long"].limits.order_size_frac == 0.1


def test_an_unknown_symbol_is_as_long_expired(policy):
    assumed = unknown_restrictions(policy)
    assert set(assumed) == set(SIDES)
    for side in assumed.values():
        assert (side.tier, side.state) == (Tier.T3, TradingState.REDUCING)
        assert not side.limits.net_increase
