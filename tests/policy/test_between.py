"""Deciding between two bars: never looser by an order to tighten, and made again by the log."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.decisions import Tier
from liqwarn.policy.between import decide_between
from liqwarn.policy.book import advance_book
from liqwarn.policy.breaker import Evidence, observe, settle
from liqwarn.policy.orders import Action, Order, carry_out
from liqwarn.policy.overrides import Signed, loosen
from liqwarn.policy.position import Hold, Rule, first_position

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
KEYS = [("BTCUSDT", "long"), ("BTCUSDT", "short"), ("ETHUSDT", "long"), ("ETHUSDT", "short")]


def evidence_at(as_of, level=0.0, **changes):
    given = Evidence(as_of, 0.01 + 0.3 * level, level, 0.01, False, False, True)
    return given._replace(**changes)


def walked(policy, start, levels):
    """A book after some bars, and its newest evidence."""
    positions = {key: first_position(*key, start, bar=HOUR, policy=policy) for key in KEYS}
    evidence, now = {}, start
    for level in levels:
        evidence = {key: evidence_at(now, level) for key in KEYS}
        positions = {
            key: one.after for key, one in advance_book(positions, evidence, now, policy).items()
        }
        now += HOUR
    return positions, evidence


def ordered(positions, keys, tier, now, policy):
    order = Order(id="1", action=Action.TIGHTEN, tier=tier, names=("Ada",), reason="Why.")
    return {key: carry_out(positions[key], order, now, policy) for key in keys}


@settings(max_examples=60, deadline=None)
@given(
    levels=st.lists(st.sampled_from([0.0, 0.92, 0.96, 0.99, 0.999]), min_size=1, max_size=9),
    tier=st.sampled_from(list(Tier)[1:]),
    minutes=st.integers(0, 200),
    n_sides=st.integers(1, 4),
)
def test_a_tightening_never_ends_looser_and_the_log_makes_it_again(
    policy, start, levels, tier, minutes, n_sides
):
    positions, evidence = walked(policy, start, levels)
    now = evidence[KEYS[0]].as_of + timedelta(minutes=minutes)

    decisions = decide_between(
        positions, ordered(positions, KEYS[:n_sides], tier, now, policy), evidence, now, policy
    )

    assert set(decisions) == set(KEYS[:n_sides])
    for key, one in decisions.items():
        assert one.after.tier >= max(tier, positions[key].tier)
        sequences = [p.sequence for k, p in positions.items() if k[0] == key[0]]
        assert one.after.sequence > max(sequences)
        seen = observe(one.before, one.evidence, one.now, policy)
        again = settle(one.before, seen, one.now, policy, book=one.book, spent=one.spent)
        assert again == one.after


@pytest.mark.parametrize("n_sides", [1, 2])
@pytest.mark.parametrize("tiers", [(Tier.T3, Tier.T3), (Tier.T1, Tier.T3)])
def test_what_the_daily_cap_holds_is_not_let_go_by_an_order_after_midnight(
    policy, start, tiers, n_sides
):
    """As of the bar the changes of the bar's day count, on both sides."""
    bar, old = start + 23 * HOUR, start + 15 * HOUR
    keys = KEYS[1::-1]  # the short side is ordered about first
    spent = policy.max_transitions_per_day // 2
    capped = {
        key: replace(
            first_position(*key, start, bar=HOUR, policy=policy),
            tier=tier,
            ruled=Hold(tier, old, old),
            own=Hold(Tier.T0, old, old),
            expired_since=None,
            quiet_since=old,
            day=bar.date(),
            transitions=spent,
        )
        for key, tier in zip(keys, tiers, strict=True)
    }
    evidence = {key: evidence_at(bar) for key in keys}
    now = bar + timedelta(minutes=65)

    decisions = decide_between(
        capped, ordered(capped, keys[-n_sides:], Tier.T1, now, policy), evidence, now, policy
    )

    assert decisions[keys[1]].after.rule is Rule.DAILY_CAP
    for key, one in decisions.items():
        assert one.after.tier >= capped[key].tier


def test_a_loosening_that_has_ended_is_gone_although_the_side_would_relax_below_it(policy, start):
    """Else it would be found to have ended again, for ever."""
    old, end = start - 9 * HOUR, start + 30 * MINUTE
    held = replace(
        first_position(*KEYS[0], old, bar=HOUR, policy=policy),
        tier=Tier.T1,
        ruled=Hold(Tier.T1, old, start),  # where the bar put it
        expired_since=None,
        quiet_since=old,
    )
    two = Signed(("Ada", "Bob"), "Why.")
    loosened = loosen(held, Tier.T0, two, start - HOUR, expires_at=end, policy=policy)
    at_it = replace(loosened, tier=Tier.T1, ceiling=replace(loosened.ceiling, tier=Tier.T1))
    book, evidence = {KEYS[0]: at_it}, {KEYS[0]: evidence_at(start)}

    (one,) = decide_between(book, book, evidence, end, policy).values()

    assert one.after.ceiling is None
    assert one.after.tier is Tier.T1


@pytest.mark.parametrize("late_s", [0, 10, 3_000])
def test_the_next_bar_may_have_closed_before_the_order(policy, start, late_s):
    positions, evidence = walked(policy, start, [0.0] * 4)
    close = evidence[KEYS[0]].as_of + HOUR
    now = close + timedelta(seconds=late_s)
    decisions = decide_between(
        positions, ordered(positions, KEYS[:1], Tier.T3, now, policy), evidence, now, policy
    )
    positions |= {key: one.after for key, one in decisions.items()}

    bar = advance_book(positions, {key: evidence_at(close) for key in KEYS}, close, policy)

    for key, one in bar.items():
        assert one.after.sequence > one.before.sequence
        assert one.after.tier is (Tier.T3 if key == KEYS[0] else Tier.T0)


def test_once_the_score_has_expired_the_order_says_so(policy, start):
    positions, evidence = walked(policy, start, [0.0] * 4)
    now = start + 9 * HOUR

    (one,) = decide_between(
        positions, ordered(positions, KEYS[:1], Tier.T1, now, policy), evidence, now, policy
    ).values()

    assert one.after.tier is Tier.T3
    assert one.after.expired_since is not None


def test_the_book_counts_those_that_were_not_ordered_about(policy, start):
    positions, evidence = walked(policy, start, [0.0])
    core = sorted(policy.book.core_symbols)[: policy.book.core_needed]
    for symbol in core:
        one = replace(positions[KEYS[0]], symbol=symbol)
        positions[symbol, "long"] = replace(one, own=replace(one.own, tier=Tier.T4))
    now = evidence[KEYS[2]].as_of
    free = {KEYS[3]: replace(positions[KEYS[3]], expired_since=None)}

    (one,) = decide_between(positions, free, evidence, now, policy).values()

    assert one.book.tier >= policy.book.whole_book_tier
