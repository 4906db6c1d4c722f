import random
from datetime import timedelta

import pytest

from liqwarn.decisions import Tier
from liqwarn.errors import PolicyError
from liqwarn.policy.breaker import step
from liqwarn.policy.overrides import (
    MOST_FLOORS,
    Signed,
    halt_on_fault,
    loosen,
    release,
    tighten,
)
from liqwarn.policy.position import Rule

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
CALM = {"multiple": 0.5, "quantile": 0.3}
TWO = ("Ada", "Grace")


@pytest.fixture
def run(policy, make_score):
    def run(position, now, *, hours=1, **given):
        for _ in range(hours):
            now += HOUR
            score = make_score(now, **{**CALM, **given})
            position, _ = step(position, score, now, policy)
        return position

    return run


@pytest.fixture
def calm(run, make_position, start):
    return run(make_position(now=start - 9 * HOUR), start - 9 * HOUR, hours=9)


@pytest.fixture
def hot(calm, policy, make_score, start):
    now = start + MINUTE
    return step(calm, make_score(now, multiple=9, quantile=0.99), now, policy)[0]


def test_tightening_is_immediate_and_needs_one_name(calm, start):
    raised = tighten(calm, Tier.T3, "Ada", "news", start)
    assert (raised.tier, raised.rule) == (Tier.T3, Rule.OPERATOR)
    assert calm.tier is Tier.T0


def test_tightening_holds_until_released_and_then_relaxes_by_the_rules(calm, run, start, policy):
    raised = run(tighten(calm, Tier.T3, "Ada", "news", start), start, hours=30)
    assert (raised.tier, raised.rule) == (Tier.T3, Rule.OPERATOR)
    freed = release(raised, Signed(TWO, "over"), start + 30 * HOUR, policy=policy)
    assert freed.tier is Tier.T3
    tiers = [run(freed, start + 30 * HOUR, hours=n).tier for n in (1, 2, 3)]
    assert tiers == [Tier.T2, Tier.T1, Tier.T0]


def test_a_tightening_may_end_by_itself(calm, run, start):
    raised = tighten(calm, Tier.T2, "Ada", "news", start, expires_at=start + 150 * MINUTE)
    assert [run(raised, start, hours=n).tier.name for n in (1, 2, 3, 4)] == ["T2", "T2", "T1", "T0"]


def test_a_second_tightening_never_shortens_the_first(calm, run, start):
    first = tighten(calm, Tier.T2, "Ada", "news", start)
    second = tighten(first, Tier.T3, "Mallory", "x", start, expires_at=start + MINUTE)
    assert run(second, start, hours=9).tier is Tier.T2
    weaker = tighten(second, Tier.T1, "Mallory", "x", start)
    assert weaker.tier is Tier.T3


@pytest.mark.parametrize(
    ("tier", "name", "reason", "ends", "message"),
    [
        (Tier.T0, "Ada", "x", None, "tightens nothing"),
        (Tier.T2, " ", "x", None, r"names are \[' '\], expected 1 different"),
        (Tier.T2, "Ada", " ", None, "the reason is empty"),
        (Tier.T5, "Ada", "x", HOUR, "no end: T5 is left by release"),
        (Tier.T2, "Ada", "x", -HOUR, "expected after"),
    ],
)
def test_a_bad_tightening_is_refused(calm, start, *, tier, name, reason, ends, message):
    with pytest.raises(PolicyError, match=message):
        tighten(calm, tier, name, reason, start, expires_at=ends and start + ends)


def test_loosening_holds_lower_for_a_while(hot, run, policy, start, make_score):
    now = start + 2 * MINUTE
    eased = loosen(
        hot, Tier.T1, Signed(TWO, "bad tick"), now, expires_at=now + 4 * HOUR, policy=policy
    )
    assert (eased.tier, eased.rule) == (Tier.T1, Rule.LOOSENED)
    still = run(eased, start, multiple=9, quantile=0.99)
    assert (still.tier, still.ruled.tier) == (Tier.T1, Tier.T3)
    assert run(eased, start, hours=5, multiple=9, quantile=0.99).tier is Tier.T3


def test_loosening_lapses_when_the_rules_ask_for_more(hot, run, policy, start):
    now = start + 2 * MINUTE
    eased = loosen(
        hot, Tier.T1, Signed(TWO, "bad tick"), now, expires_at=now + 4 * HOUR, policy=policy
    )
    worse = run(eased, start, in_progress=True)
    assert (worse.tier, worse.ceiling) == (Tier.T4, None)


def test_loosening_lapses_when_the_score_expires(hot, run, policy, start):
    now = start + 2 * MINUTE
    eased = loosen(
        hot, Tier.T0, Signed(TWO, "bad tick"), now, expires_at=now + 4 * HOUR, policy=policy
    )
    silent = run(eased, start, probability={})
    assert (silent.tier, silent.ceiling) == (Tier.T3, None)


def test_without_a_usable_score_nothing_is_loosened(hot, run, policy, start, make_position):
    silent = run(hot, start, probability={})
    now = start + HOUR
    for position in (silent, make_position()):
        with pytest.raises(PolicyError, match="no usable score since 2024-08-05T0"):
            loosen(position, Tier.T0, Signed(TWO, "x"), now, expires_at=now + HOUR, policy=policy)


def test_loosening_lapses_when_a_cascade_begins_that_the_score_had_announced(
    calm, run, policy, start
):
    announced = run(calm, start, multiple=20, quantile=1.0)
    now = start + HOUR
    eased = loosen(
        announced, Tier.T0, Signed(TWO, "x"), now, expires_at=now + 4 * HOUR, policy=policy
    )
    assert run(eased, now, multiple=20, quantile=1.0).tier is Tier.T0
    assert run(eased, now, multiple=20, quantile=1.0, in_progress=True).tier is Tier.T4


def test_loosening_of_a_running_cascade_stands_until_the_next_one_begins(calm, run, policy, start):
    running = run(calm, start, in_progress=True)
    now = start + HOUR
    eased = loosen(
        running, Tier.T1, Signed(TWO, "x"), now, expires_at=now + 4 * HOUR, policy=policy
    )
    still = run(eased, now, in_progress=True)
    assert still.tier is Tier.T1
    paused = run(still, now + HOUR)
    assert paused.tier is Tier.T1
    assert run(paused, now + 2 * HOUR, in_progress=True).tier is Tier.T4


def test_loosening_is_measured_by_what_was_wanted_not_by_what_was_held(hot, run, policy, start):
    held = run(hot, start - 50 * MINUTE)
    assert (held.tier, held.wanted) == (Tier.T3, Tier.T0)
    now = start + 10 * MINUTE
    eased = loosen(
        held, Tier.T0, Signed(TWO, "over"), now, expires_at=now + 4 * HOUR, policy=policy
    )
    assert run(eased, now).tier is Tier.T0
    assert run(eased, now, multiple=5, quantile=0.96).tier >= Tier.T2


def test_loosening_does_not_take_back_a_tightening(calm, run, policy, start):
    raised = tighten(calm, Tier.T3, "Ada", "news", start)
    eased = loosen(
        raised, Tier.T1, Signed(TWO, "x"), start, expires_at=start + 90 * MINUTE, policy=policy
    )
    assert [run(eased, start, hours=n).tier.name for n in (1, 2, 9)] == ["T1", "T3", "T3"]
    assert tighten(eased, Tier.T2, "Ada", "again", start).tier is Tier.T3


@pytest.mark.parametrize(
    ("tier", "names", "reason", "ends", "message"),
    [
        (Tier.T1, ("Ada",), "x", HOUR, "expected 2 different"),
        (Tier.T1, ("Ada", "ada "), "x", HOUR, "expected 2 different"),
        (Tier.T1, ("Ada", ""), "x", HOUR, "expected 2 different"),
        (Tier.T1, TWO, "", HOUR, "the reason is empty"),
        (Tier.T1, TWO, "x", 4 * HOUR + MINUTE, "expected within 4:00:00"),
        (Tier.T1, TWO, "x", timedelta(0), "expected within"),
        (Tier.T3, TWO, "x", HOUR, "expected a tier below T3"),
    ],
)
def test_a_bad_loosening_is_refused(hot, policy, start, *, tier, names, reason, ends, message):
    now = start + 2 * MINUTE
    with pytest.raises(PolicyError, match=message):
        loosen(hot, tier, Signed(names, reason), now, expires_at=now + ends, policy=policy)


@pytest.mark.parametrize("halt", ["operator", "integrity"])
def test_a_halt_is_left_by_release_only_and_in_stages(calm, run, policy, start, halt):
    halted = (
        tighten(calm, Tier.T5, "Ada", "venue is down", start)
        if halt == "operator"
        else halt_on_fault(calm, "model hash differs", start)
    )
    now = start + 50 * HOUR
    halted = run(halted, start, hours=50)
    assert (halted.tier, halted.rule) == (Tier.T5, Rule(halt))
    with pytest.raises(PolicyError, match="which needs a release"):
        loosen(halted, Tier.T1, Signed(TWO, "x"), now, expires_at=now + HOUR, policy=policy)
    with pytest.raises(PolicyError, match="expected 2 different"):
        release(halted, Signed(("Ada",), "over"), now, policy=policy)
    with pytest.raises(PolicyError, match="the reason is empty"):
        release(halted, Signed(TWO, ""), now, policy=policy)
    freed = release(halted, Signed(TWO, "over"), now, policy=policy)
    assert freed.tier is Tier.T4
    assert [run(freed, now, hours=n).tier.name for n in (1, 2, 3, 4, 5)] == [
        "T4",
        "T3",
        "T2",
        "T1",
        "T0",
    ]


def test_there_must_be_something_to_release(hot, policy, start):
    with pytest.raises(PolicyError, match="was not tightened by hand"):
        release(hot, Signed(TWO, "x"), start, policy=policy)


def test_a_flood_of_tightenings_is_not_kept_for_ever_and_holds_as_before(calm, start):
    """Each step goes over all of them, and each line of the audit log has all of them."""
    position, rng = calm, random.Random(1)
    given = []
    for k in range(3 * MOST_FLOORS):
        tier = Tier(rng.randint(1, 4))
        hours = rng.choice([None, *range(1, 40)])
        end = None if hours is None else start + hours * HOUR
        given.append((tier, end))
        position = tighten(position, tier, "Ada", f"Order {k}.", start, expires_at=end)
        if k == 9:
            position = halt_on_fault(position, "the log was cut", start)

    assert len(position.floors) <= MOST_FLOORS
    assert position.floors[-1].reason == f"Order {k}."
    assert any(floor.integrity for floor in position.floors)
    for hours in range(45):
        now = start + hours * HOUR
        kept = [f.tier for f in position.floors if f.active(now) and not f.integrity]
        assert max(kept) == max(tier for tier, end in given if end is None or now < end)
