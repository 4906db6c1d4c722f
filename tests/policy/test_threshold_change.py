"""Thresholds move by a fifth at most, a week apart at least, and stay a ladder."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import PolicyError
from liqwarn.policy.threshold_change import APART, change_exits, change_thresholds
from liqwarn.policy.tiers import Enter

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NAN = float("nan")


def ladder(*steps):
    return tuple(Enter(quantile=q, base_multiple=m) for q, m in steps)


SHIPPED = ladder((0.90, 2), (0.95, 4), (0.98, 8), (0.995, 15))


def test_a_small_change_is_made_as_asked():
    asked = ladder((0.905, 2.2), (0.955, 4.4), (0.981, 8.5), (0.9951, 16))

    done = change_thresholds(SHIPPED, asked, None, NOW)

    assert (done.enter, done.changed, done.notes) == (asked, True, ())


def test_a_large_one_is_held_and_said():
    asked = ladder((0.5, 1.0), (0.7, 4.0), (0.98, 80), (0.9999, 100))

    done = change_thresholds(SHIPPED, asked, NOW - APART, NOW)

    assert done.enter == ladder((0.88, 1.6), (0.94, 4.0), (0.98, 9.6), (0.996, 18.0))
    assert len(done.notes) == 6
    assert "step 1: quantile 0.5 asked for, 0.88 is within 20 %" in done.notes[0]
    assert "step 3: 80 times the base rate asked for, 9.6" in done.notes[3]


@pytest.mark.parametrize(("days", "changed"), [(6.99, False), (7, True), (400, True), (-1, False)])
def test_changes_are_a_week_apart(days, changed):
    asked = ladder((0.91, 2), (0.95, 4), (0.98, 8), (0.995, 15))[:1] + SHIPPED[1:]

    done = change_thresholds(SHIPPED, asked, NOW - timedelta(days=days), NOW)

    assert done.changed is changed
    assert changed or (done.enter == SHIPPED and "days ago, expected 7" in done.notes[0])


def test_what_is_the_same_is_no_change_and_needs_no_note():
    done = change_thresholds(SHIPPED, SHIPPED, NOW, NOW)

    assert (done.changed, done.notes) == (False, ())


@given(st.lists(st.tuples(st.floats(0.51, 0.9999), st.floats(0.1, 100)), min_size=4, max_size=4))
def test_no_change_is_larger_than_a_fifth_and_the_ladder_still_rises(steps):
    quantiles, multiples = sorted({q for q, _ in steps}), sorted({m for _, m in steps})
    if len(quantiles) < 4 or len(multiples) < 4:
        return
    asked = ladder(*zip(quantiles, multiples, strict=True))

    done = change_thresholds(SHIPPED, asked, None, NOW)

    for old, new in zip(SHIPPED, done.enter, strict=True):
        assert 0.8 - 1e-9 <= (1 - new.quantile) / (1 - old.quantile) <= 1.2 + 1e-9
        assert 0.8 - 1e-9 <= new.base_multiple / old.base_multiple <= 1.2 + 1e-9
    assert [e.quantile for e in done.enter] == sorted(e.quantile for e in done.enter)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SHIPPED[0], quantile=NAN),
        replace(SHIPPED[0], quantile=1.0),
        replace(SHIPPED[0], base_multiple=NAN),
        replace(SHIPPED[0], base_multiple=0.0),
    ],
)
def test_thresholds_outside_their_scale_are_refused(wrong):
    with pytest.raises(PolicyError, match=r"wanted thresholds, step 1: .* expected a quantile"):
        change_thresholds(SHIPPED, (wrong, *SHIPPED[1:]), None, NOW)


def test_what_is_no_ladder_is_refused():
    with pytest.raises(PolicyError, match="do not rise from step 1 to 2"):
        change_thresholds(SHIPPED, (SHIPPED[1], SHIPPED[0], *SHIPPED[2:]), None, NOW)
    with pytest.raises(PolicyError, match="3 thresholds wanted, expected 4"):
        change_thresholds(SHIPPED, SHIPPED[:3], None, NOW)


def test_exits_are_held_like_entries_and_stay_below_them():
    exits, notes = change_exits((0.85, 0.90, 0.95, 0.98), (0.5, 0.905, 0.96, 0.999))

    assert exits == (0.82, 0.905, 0.96, 0.984)
    assert [note[:20] for note in notes] == ["step 1: exit quantil", "step 4: exit quantil"]


def test_as_many_exits_as_tiers_are_asked_for():
    with pytest.raises(PolicyError, match="1 exits wanted, expected 2"):
        change_exits((0.85, 0.9), (0.85,))


@st.composite
def ladders_with_exits(draw):
    """Any ladder: both columns rise, every exit is below its entry."""
    enter = sorted(draw(st.lists(st.integers(4, 9_999), min_size=4, max_size=4, unique=True)))
    rise = sorted(draw(st.lists(st.integers(1, 9_999), min_size=4, max_size=4, unique=True)))
    exits = [0]
    for one in enter:
        exits.append(draw(st.integers(exits[-1] + 1, one - 1)))
    steps = ladder(*((q / 10_000, m / 50) for q, m in zip(enter, rise, strict=True)))
    return steps, tuple(one / 10_000 for one in exits[1:])


@given(st.lists(ladders_with_exits(), max_size=12))
def test_exits_stay_below_entries_over_any_sequence_of_changes(asked):
    enter, exits = SHIPPED, (0.85, 0.90, 0.95, 0.98)
    for wanted, below in asked:
        enter = change_thresholds(enter, wanted, None, NOW).enter
        exits, _ = change_exits(exits, below)
        assert list(exits) == sorted(set(exits))
        for left, entered in zip(exits, enter, strict=True):
            assert 0.0 < left < entered.quantile < 1.0
