"""What holds for every history under a loosening by hand, and mutants the law must reject.

A loosening hides what its two humans knew: never a score that expired, a cascade that began, or
more than was wanted when they granted it.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from liqwarn.decisions import RiskScore, Tier
from liqwarn.policy.breaker import step
from liqwarn.policy.overrides import Signed, loosen
from liqwarn.policy.position import first_position

START = datetime(2024, 8, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
# the page's ladder, written once more: what each moment asks for by itself
WANTS = {
    "calm": Tier.T0,
    "T1": Tier.T1,
    "T2": Tier.T2,
    "T3": Tier.T3,
    "T4": Tier.T4,
    "running": Tier.T4,
    "degraded": Tier.T2,
    "silent": Tier.T2,
    "stale": Tier.T2,
    "future": Tier.T2,
}
SCORES = {"T1": (2, 0.9), "T2": (4, 0.95), "T3": (8, 0.98), "T4": (15, 0.995)}
EXPIRED = ("silent", "stale", "future")
PATHS = st.lists(st.sampled_from(sorted(WANTS)), min_size=1, max_size=9)


@dataclass(frozen=True)
class Breaker:
    loosen: object = loosen
    step: object = step


def score(kind, now):
    multiple, quantile = SCORES.get(kind, (0.5, 0.3))
    p = 0.01 * multiple
    return RiskScore(
        symbol="BTC",
        side="long",
        as_of=now + (HOUR if kind == "future" else timedelta(0)),
        probability={} if kind == "silent" else {1: p, 4: p, 24: p},
        quantile=quantile,
        base_rate=0.01,
        drivers=(),
        in_progress=kind == "running",
        quality=kind if kind in ("degraded", "stale") else "ok",
    )


def walk(breaker, policy, before, last, after):
    """Up to a grant as low as it goes, then on in steps of half an hour within its life."""
    now = START
    position = first_position("BTC", "long", now, bar=HOUR, policy=policy)
    for kind in ("calm", "calm", "calm", *before, last):
        now += HOUR
        position, _ = breaker.step(position, score(kind, now), now, policy)
    if position.tier is Tier.T0:
        return
    end = now + 3 * HOUR + timedelta(minutes=40)
    names = ("Ada", "Grace")
    position = breaker.loosen(
        position, Tier.T0, Signed(names, "x"), now, expires_at=end, policy=policy
    )
    lapsed, previous = False, last
    for kind in after:
        now += HOUR / 2
        begins = kind == "running" and previous != "running"
        lapsed = lapsed or kind in EXPIRED or begins or WANTS[kind] > WANTS[last]
        lapsed = lapsed or now >= end
        position, _ = breaker.step(position, score(kind, now), now, policy)
        yield kind, lapsed, position
        previous = kind


def law(breaker, policy):
    @settings(
        max_examples=250,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @example([], "T4", ["running"])
    @example(["T3"], "calm", ["T3"])
    @given(PATHS, st.sampled_from(["calm", "T1", "T2", "T3", "T4", "running", "degraded"]), PATHS)
    def holds(before, last, after):
        for kind, lapsed, position in walk(breaker, policy, before, last, after):
            if lapsed:
                assert position.ceiling is None
                assert position.tier == position.ruled.tier >= WANTS[kind]
            else:
                assert position.tier is Tier.T0
            assert kind not in EXPIRED or position.tier >= Tier.T2

    holds()


def test_a_loosening_hides_no_more_than_was_known(policy):
    law(Breaker(), policy)


def _kept(position, after, now):
    """The loosening as it was, wherever its time is not over."""
    ceiling = position.ceiling
    if ceiling is None or not ceiling.active(now):
        return after
    return replace(after, ceiling=ceiling, tier=min(after.ruled.tier, ceiling.tier))


def outlives_the_score(position, score, now, policy):
    after, restriction = step(position, score, now, policy)
    return (_kept(position, after, now) if after.expired_since else after), restriction


def sleeps_through_a_cascade(position, score, now, policy):
    after, restriction = step(position, score, now, policy)
    known = position.ceiling is not None and position.ceiling.granted_at >= Tier.T4
    return (_kept(position, after, now) if score.in_progress and known else after), restriction


def measures_by_the_tier_held(position, *given, **named):
    eased = loosen(position, *given, **named)
    return replace(eased, ceiling=replace(eased.ceiling, granted_at=position.ruled.tier))


def lapses_at_once(position, score, now, policy):
    return step(replace(position, ceiling=None), score, now, policy)


@pytest.mark.parametrize(
    "mutant",
    [
        Breaker(step=outlives_the_score),
        Breaker(step=sleeps_through_a_cascade),
        Breaker(loosen=measures_by_the_tier_held),
        Breaker(step=lapses_at_once),
    ],
    ids=["outlives the score", "sleeps through a cascade", "measures by the held", "lapses"],
)
def test_the_law_rejects(mutant, policy):
    with pytest.raises(AssertionError, match="assert"):
        law(mutant, policy)
