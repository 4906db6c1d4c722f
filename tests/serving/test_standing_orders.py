"""What the journal says is in force: put back where it is lacking, and never what was released."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.decisions import Tier
from liqwarn.errors import PolicyError
from liqwarn.frames import SIDES
from liqwarn.policy.orders import Action, Order, carry_out
from liqwarn.policy.position import first_position
from liqwarn.serving.order_journal import OrderedSide, OrderEntry
from liqwarn.serving.standing_orders import by_sides, in_force, missing_floors

HOUR = timedelta(hours=1)
SYMBOLS = ("A", "B", "C")
KEYS = [(symbol, side) for symbol in SYMBOLS for side in SIDES]


def order(action=Action.TIGHTEN, **changes):
    plain = {"id": "1", "names": ("Ada", "Bob"), "reason": "Why."}
    plain |= {"tier": Tier.T3} if action is Action.TIGHTEN else {}
    return Order(action=action, **(plain | changes))


def entry(given, at, keys=KEYS, **changes):
    sides = tuple(
        OrderedSide(symbol=symbol, side=side, before=Tier.T0, tier=Tier.T3, sequence=1)
        for symbol, side in keys
        if given.covers(symbol, side)
    )
    return OrderEntry(**({"order": given, "by": "host", "at": at, "as_of": at, "sides": sides}
                         | changes))  # fmt: skip


@pytest.fixture
def book(policy, noon):
    return {key: first_position(*key, noon, bar=HOUR, policy=policy) for key in KEYS}


def named(orders):
    """Sides that orders speak of, by the tier they hold them at."""
    return {
        (key, one.tier or Tier.T5) for one in orders for key in KEYS if one.covers(*key)
    }  # fmt: skip


def test_what_is_lacking_is_one_order_however_many_sides_lack_it(book, noon):
    (found,) = missing_floors([entry(order(), noon)], book, noon)

    assert found == replace(order(), id=found.id, symbols=SYMBOLS)
    assert found.id.startswith("again-")


def test_what_is_held_is_not_put_back(book, policy, noon):
    given = order(lasts=HOUR)
    held = {key: carry_out(one, given, noon, policy) for key, one in book.items()}
    assert missing_floors([entry(given, noon)], held, noon) == []

    held["B", "short"] = book["B", "short"]
    (found,) = missing_floors([entry(given, noon)], held, noon + HOUR / 4)

    assert (found.symbols, found.sides, found.lasts) == (("B",), ("short",), HOUR * 3 / 4)


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        (order(lasts=HOUR), {"at": -2 * HOUR}),
        (order(), {"sides": ()}),
        (order(id="again-1"), {"by": "service"}),
        (order(Action.LOOSEN, tier=Tier.T1, lasts=HOUR), {}),
        (order(Action.LAPSE), {}),
    ],
    ids=["ended", "refused", "repeats another", "loosens", "lapses"],
)
def test_what_raises_nobody_now_is_not_put_back(book, noon, given, changes):
    at = noon + changes.pop("at", timedelta(0))
    assert missing_floors([entry(given, at, **changes)], book, noon) == []


def test_a_name_that_looks_like_the_services_own_is_put_back_all_the_same(book, noon):
    assert missing_floors([entry(order(id="again-1"), noon)], book, noon)


def test_a_release_speaks_of_the_sides_it_was_carried_out_on(book, noon):
    one = order(Action.RELEASE, id="2", symbols=("A", "B"), sides=("long",))
    released = entry(one, noon, keys=[("A", "long")])  # of B there was nothing to release

    found = missing_floors([entry(order(), noon), released], book, noon)

    assert named(found) == {(key, Tier.T3) for key in KEYS if key != ("A", "long")}


def test_a_release_of_all_speaks_of_those_that_come_later(book, noon):
    released = entry(order(Action.RELEASE, id="2"), noon, keys=KEYS[:1])
    assert missing_floors([entry(order(), noon), released], book, noon) == []


def test_what_is_ordered_behind_a_release_stands_in_the_order_of_the_orders(book, noon):
    halt, fault = order(Action.HALT, id="3"), order(Action.FAULT, id="4")
    entries = [entry(o, noon) for o in (order(), order(Action.RELEASE, id="2"), halt, fault)]

    assert [one.action for one in missing_floors(entries, book, noon)] == ["halt", "fault"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([Action.TIGHTEN, Action.HALT, Action.FAULT, Action.RELEASE]),
            st.sampled_from([(), ("A",), ("B", "C")]),
            st.sampled_from([SIDES, ("long",), ("short",)]),
        ),
        max_size=12,
    )
)
def test_put_back_it_is_as_if_it_had_never_been_lost(policy, noon, history):
    """However the orders followed one another, each of all the sides that were there."""
    positions = {key: first_position(*key, noon, bar=HOUR, policy=policy) for key in KEYS}
    lost, entries = dict(positions), []
    for k, (action, symbols, sides) in enumerate(history):
        one = order(action, id=f"o-{k}", symbols=symbols, sides=sides, reason=f"Order {k}.")
        done = []
        for key in KEYS:
            try:
                positions[key] = carry_out(positions[key], one, noon, policy) \
                    if one.covers(*key) else positions[key]  # fmt: skip
                done.append(key)
            except PolicyError:
                assert action is Action.RELEASE
        entries.append(entry(one, noon, keys=done))

    for one in missing_floors(entries, lost, noon):
        for key in KEYS:
            if one.covers(*key):
                lost[key] = carry_out(lost[key], one, noon, policy)

    for key in KEYS:
        assert [f.reason for f in lost[key].floors] == [f.reason for f in positions[key].floors]
    assert missing_floors(entries, lost, noon) == []


def test_a_year_of_orders_is_looked_through_in_a_moment(policy, noon):
    """Once the square of the orders, times the sides: hours."""
    keys = [(f"S{k}", side) for k in range(300) for side in SIDES]
    given = order(lasts=HOUR)
    old = entry(given, noon - 9 * HOUR, sides=entry(given, noon).sides)
    book = {key: first_position(*key, noon, bar=HOUR, policy=policy) for key in keys}
    history = [replace(old, order=replace(given, lasts=None)) for _ in range(30)]
    history = [*history, entry(order(Action.RELEASE), noon), *[old] * 10_000]
    began = time.process_time()

    assert missing_floors(history, book, noon) == []

    assert time.process_time() - began < 2.0


def test_more_sides_than_an_order_may_name_are_several():
    keys = [(f"S{k}", side) for k in range(1_001) for side in SIDES]

    assert [len(symbols) for symbols, _ in by_sides(keys)] == [1_000, 1]
    assert by_sides([]) == []


def test_what_binds_now_is_told_an_entry_an_order(book, policy, noon):
    halt = order(Action.HALT, symbols=("A",))
    brief = order(symbols=("B",), sides=("long",), lasts=HOUR)
    for one in (halt, brief):
        for key in KEYS:
            if one.covers(*key):
                book[key] = carry_out(book[key], one, noon, policy)

    told = in_force(book, noon)

    assert [(one["action"], one["tier"], len(one["sides"])) for one in told] == [
        ("tighten", "T5", 2),
        ("tighten", "T3", 1),
    ]
    assert told[1]["expires_at"] == "2024-08-05T13:00:00.000Z"
    assert [one["tier"] for one in in_force(book, noon + HOUR)] == ["T5"]
