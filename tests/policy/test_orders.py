"""Orders as values: what can be no order, and what one does to a position."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.decisions import Tier
from liqwarn.errors import PolicyError
from liqwarn.policy.orders import Action, Order, carry_out, order_from_dict, order_to_dict
from liqwarn.policy.position import Rule, first_position

HOUR = timedelta(hours=1)


def an_order(action=Action.HALT, **changes):
    return Order(**{"id": "1", "action": action, "names": ("Ada",), "reason": "Why."} | changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": ""}, "id is ''"),
        ({"id": "a/b"}, "id is 'a/b'"),
        ({"names": ()}, r"names are \[\]"),
        ({"names": ("Ada", " ")}, "none empty"),
        ({"names": ("A" * 81,)}, "name has 81"),
        ({"reason": " "}, "the reason is empty"),
        ({"reason": "a\x1b[31mb"}, "on one line"),
        ({"sides": ()}, "expected at most"),
        ({"sides": ("up",)}, "expected at most"),
        ({"tier": Tier.T4}, "expected no tier"),
        ({"lasts": HOUR}, "stays until released"),
        ({"action": Action.TIGHTEN}, "expected a tier"),
        ({"action": Action.TIGHTEN, "tier": Tier.T3, "lasts": -HOUR}, "expected above 0"),
        ({"action": Action.LOOSEN, "tier": Tier.T0}, "without an end"),
        ({"action": Action.LOOSEN, "tier": Tier.T0, "lasts": HOUR}, "expected 2 different"),
        ({"action": Action.RELEASE, "names": ("Ada", "ADA ")}, "expected 2 different"),
    ],
)
def test_what_can_be_no_order_is_refused(changes, why):
    with pytest.raises(PolicyError, match=why):
        an_order(**changes)


orders = st.builds(
    an_order,
    id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
    action=st.just(Action.TIGHTEN),
    tier=st.sampled_from(list(Tier)),
    symbols=st.lists(st.text("ABC", min_size=1), max_size=3).map(tuple),
    sides=st.sampled_from([("long",), ("short",), ("long", "short")]),
    lasts=st.none() | st.integers(1, 10**6).map(lambda s: timedelta(seconds=s)),
)


@given(orders)
def test_an_order_is_read_back_as_it_was_written(order):
    assert order_from_dict(order_to_dict(order)) == order


@pytest.mark.parametrize(
    "broken",
    [[], {}, {"tier": "T9"}, {"names": "Ada"}, {"lasts_s": "x"}, {"lasts_s": 1e300}, {"id": 3}],
)
def test_what_cannot_be_read_is_refused(broken):
    raw = broken if broken in ([], {}) else {**order_to_dict(an_order()), **broken}
    with pytest.raises(PolicyError, match=r"order has|unreadable order"):
        order_from_dict(raw)


def test_an_order_covers_the_sides_it_names():
    some = an_order(symbols=("BTCUSDT",), sides=("long",))

    assert some.covers("BTCUSDT", "long")
    assert not some.covers("BTCUSDT", "short")
    assert not some.covers("DOGEUSDT", "long")
    assert an_order().covers("DOGEUSDT", "short")


def test_each_action_does_what_its_rule_does(policy, start):
    first = first_position("BTCUSDT", "long", start, bar=HOUR, policy=policy)

    halted = carry_out(first, an_order(), start, policy)
    assert (halted.tier, halted.rule) == (Tier.T5, Rule.OPERATOR)
    tight = carry_out(first, an_order(Action.TIGHTEN, tier=Tier.T3, lasts=HOUR), start, policy)
    assert tight.floors[0].expires_at == start + HOUR
    two = {"names": ("Ada", "Bob")}
    assert carry_out(halted, an_order(Action.RELEASE, **two), start, policy).tier is Tier.T4
    broken = carry_out(first, an_order(Action.FAULT), start, policy)
    assert (broken.tier, broken.rule) == (Tier.T5, Rule.INTEGRITY)
    assert carry_out(first, an_order(Action.LAPSE), start, policy) is first
    with pytest.raises(PolicyError, match="no usable score"):
        carry_out(first, an_order(Action.LOOSEN, tier=Tier.T0, lasts=HOUR, **two), start, policy)
