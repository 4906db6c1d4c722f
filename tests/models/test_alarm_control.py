"""The threshold keeps its budget against any sequence, late outcomes included, without look-ahead.

Each law is also put to a controller that breaks it, and must refuse that one.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ModelError
from liqwarn.models import alarm_control
from liqwarn.models.alarm_control import (
    LIMIT,
    AlarmState,
    bounded_score,
    decide,
    deviation_bound,
    learn,
    run,
)
from liqwarn.models.alarms import ALARM_BUDGETS

HOUR = np.timedelta64(3600, "s")
BUDGETS = np.array(ALARM_BUDGETS)


def clock(n):
    return np.datetime64("2024-01-01", "s") + np.arange(1, n + 1) * HOUR


def odds(score):
    return 1.0 / (1.0 + np.exp(-np.asarray(score)))


def moved_at_once(times, end, p, y, start, step=alarm_control.STEP):
    """A cheat: the outcome is used in the very bar."""
    return run(times, times, p, y, start, step)


def moved_the_wrong_way(times, end, p, y, start, step=alarm_control.STEP):
    return run(times, end, p, y, start, -step)


def never_moved(times, end, p, y, start, step=alarm_control.STEP):
    return run(times, end, p, y, start, 0.0)


# ---------------------------------------------------------------- the guarantee


ADVERSARY = st.fixed_dictionaries(
    {
        "moves": st.lists(
            st.sampled_from(["over", "under", "top", "bottom", "calm", "onset", "gap"]),
            min_size=20,
            max_size=150,
        ),
        "delay": st.integers(0, 12),
        "step": st.floats(0.01, 8.0),
        "start": st.floats(-30.0, 30.0),
    }
)


def play(moves, delay, step, start, *, sign=1.0):
    """An adversary who sees the thresholds; returns shares in alarm and the counts of the bound."""
    state = AlarmState(threshold=np.clip(np.full(4, start), -LIMIT, LIMIT))
    outcomes, judged, waited = [], [], 0
    for k in range(len(moves) * 4):
        move = moves[k % len(moves)]
        level = state.threshold[k % 4]
        score = {
            "over": level + 1e-6,
            "under": level,
            "top": LIMIT,
            "bottom": -LIMIT,
            "gap": np.nan,
        }.get(move, 0.0)
        state, _ = decide(state, np.clip(np.array(score), -LIMIT, LIMIT))
        outcomes.append(1.0 if move == "onset" else 0.0)
        waited = max(waited, len(state.pending))
        if len(state.pending) > delay:
            alarm = state.pending[0]
            onset = outcomes[k + 1 - len(state.pending)]
            state = learn(state, np.array(onset), BUDGETS, sign * step)
            if onset == 0.0 and np.isfinite(alarm).all():
                judged.append(alarm)
    return np.array(judged), waited


def keeps_its_budget(judged, waited, step):
    for k, budget in enumerate(ALARM_BUDGETS):
        for n in range(1, len(judged) + 1):
            bound = deviation_bound(n, waited, budget, step)
            assert abs(judged[:n, k].mean() - budget) <= bound + 1e-9


@settings(max_examples=60, deadline=None)
@given(ADVERSARY)
def test_the_share_in_alarm_stays_within_the_bound_of_its_budget(game):
    judged, waited = play(**game)

    keeps_its_budget(judged, waited, game["step"])


def test_the_bound_refuses_a_threshold_that_moves_the_wrong_way():
    game = {"moves": ["over"] * 20, "delay": 3, "step": 8.0, "start": 0.0}
    judged, waited = play(**game)
    keeps_its_budget(judged, waited, 8.0)

    judged, waited = play(**game, sign=-1.0)
    with pytest.raises(AssertionError):
        keeps_its_budget(judged, waited, 8.0)


def test_the_bound_needs_its_term_for_outcomes_that_come_late():
    """All that waits may be alarms: without the delay's term the bound would be false."""
    delay, step = 30, 8.0
    judged, waited = play(["top"] * 31 + ["bottom"] * 5, delay, step, -LIMIT)
    worst = max(
        abs(judged[:n, 0].mean() - 0.01) - deviation_bound(n, 1, 0.01, step)
        for n in range(1, len(judged))
    )

    assert worst > 0
    keeps_its_budget(judged, waited, step)


@pytest.mark.parametrize("cheat", [never_moved, moved_the_wrong_way])
def test_drift_is_followed_as_no_fixed_threshold_follows_it(cheat):
    """Scores rise by one in log-odds half way: the controlled rate stays, the others do not."""
    rng = np.random.default_rng(0)
    n = 20_000
    score = rng.normal(-3.0, 0.7, n) + np.repeat([0.0, 1.0], n // 2)
    start = np.quantile(score[: n // 2], 1.0 - BUDGETS)
    given = (clock(n), clock(n) + 30 * HOUR, odds(score), np.zeros(n), start)

    late = run(*given)[n // 2 + 2000 :].mean(axis=0)
    cheated = cheat(*given)[n // 2 + 2000 :].mean(axis=0)

    np.testing.assert_allclose(late, BUDGETS, atol=0.006)
    assert (np.abs(cheated - BUDGETS) > 0.009).all()


# ---------------------------------------------------------------- no look-ahead


def sees_no_outcome_early(controller):
    rng = np.random.default_rng(1)
    n, at = 400, 200
    times, end = clock(n), clock(n) + 30 * HOUR
    p, y = odds(rng.normal(-3.0, 1.0, n)), (rng.random(n) < 0.3).astype(float)
    other = np.where(end > times[at], 1.0 - y, y)
    changed = p.copy()
    changed[at + 1 :] = rng.random(n - at - 1)
    start = np.full(4, -2.0)

    seen = controller(times, end, p, y, start, 0.5)[: at + 1]

    np.testing.assert_array_equal(
        controller(times, end, changed, other, start, 0.5)[: at + 1], seen
    )


def test_no_outcome_is_used_before_it_is_known():
    sees_no_outcome_early(run)
    with pytest.raises(AssertionError):
        sees_no_outcome_early(moved_at_once)


def test_an_outcome_known_at_a_bars_close_counts_in_that_bar():
    times, start = clock(3), np.full(4, 0.0)
    p, y = odds([1.0, 1.0, 0.5]), np.zeros(3)

    at_once = run(times, np.array([times[1], times[2], times[2]]) + HOUR * 0, p, y, start, 2.0)

    assert at_once[:, 0].tolist() == [1.0, 0.0, 0.0]


# ---------------------------------------------------------------- the fold


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_a_history_is_the_same_step_by_step(seed, delay):
    rng = np.random.default_rng(seed)
    n = 120
    times = clock(n)
    p = np.where(rng.random((n, 2)) < 0.1, np.nan, rng.random((n, 2)) * 0.2)
    y = rng.choice([0.0, 1.0, np.nan], size=(n, 2), p=[0.8, 0.1, 0.1])
    start = rng.normal(-3.0, 1.0, (2, 4))
    found = run(times, times + delay * HOUR, p, y, start, 0.3)

    state = AlarmState(threshold=start)
    for k in range(n):
        if k >= delay:
            state = learn(state, y[k - delay], BUDGETS, 0.3)
        state, alarms = decide(state, bounded_score(p[k]))
        np.testing.assert_array_equal(found[k], alarms)
    np.testing.assert_array_equal(run(times, times + delay * HOUR, p, y, start, 0.3), found)


def test_rows_with_an_onset_or_without_an_outcome_or_a_score_move_nothing():
    state = AlarmState(threshold=np.array([-1.0, -1.0, -1.0, -1.0]))
    for score, onset in ((3.0, 1.0), (3.0, np.nan), (np.nan, 0.0)):
        later, _ = decide(state, np.array(score))
        after = learn(later, np.array(onset), BUDGETS)
        np.testing.assert_array_equal(after.threshold, state.threshold)
        assert after.pending == ()


def test_a_row_without_a_score_is_neither_alarm_nor_none():
    _, alarms = decide(AlarmState(threshold=np.zeros(4)), np.array([np.nan]))

    assert np.isnan(alarms).all()


def test_the_states_given_are_not_changed():
    threshold = np.zeros(4)
    state, _ = decide(AlarmState(threshold=threshold), np.array(5.0))
    learn(state, np.array(0.0), BUDGETS, 1.0)

    assert len(state.pending) == 1
    np.testing.assert_array_equal(threshold, 0.0)


def test_an_infinite_first_threshold_comes_down_to_the_scores():
    """A fold without any alarm has none; the bound starts from the edge of the range."""
    n = 3000
    out = run(clock(n), clock(n), np.full(n, 0.5), np.zeros(n), np.full(4, np.inf), 1.0)

    assert out[0].sum() == 0
    np.testing.assert_allclose(out.mean(axis=0), BUDGETS, atol=0.01)


def test_an_outcome_for_which_no_row_waits_is_an_error():
    with pytest.raises(ModelError, match="no row waits"):
        learn(AlarmState(threshold=np.zeros(4)), np.array(0.0), BUDGETS)


def test_rows_out_of_order_are_an_error():
    times = clock(3)[[1, 0, 2]]
    with pytest.raises(ModelError, match="not in order"):
        run(times, times, np.zeros(3), np.zeros(3), np.zeros(4))


def test_without_rows_nothing_is_promised():
    assert deviation_bound(0, 0, 0.05) == float("inf")
