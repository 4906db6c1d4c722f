"""The book by hand: price, carry, costs, liquidation, weeks, and when a decision counts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from liqwarn.errors import FrameError, PolicyError
from liqwarn.policy.levered_book import BookTerms, Plan, Tape, run_book

FREE = BookTerms(leverage=2.0, fee_frac=0.0, slippage_frac=0.0)


def tape_of(close, side="long", **given):
    close = np.array(close, dtype=float)
    n = close.size
    fields = {
        "worst": close,
        "funding": np.zeros(n),
        "running": np.zeros(n, dtype=bool),
        "week_end": np.zeros(n, dtype=bool),
        "present": np.ones(n, dtype=bool),
    }
    fields |= {name: np.array(value) for name, value in given.items()}
    return Tape(side=side, close=close, **fields)


def plan_of(leverage, resized=None, may_increase=None):
    leverage = np.array(leverage, dtype=float)
    ones = np.ones(leverage.size, dtype=bool)
    return Plan(
        leverage=leverage,
        resized=ones if resized is None else np.array(resized),
        may_increase=ones if may_increase is None else np.array(may_increase),
    )


@pytest.mark.parametrize(("side", "sign"), [("long", 1), ("short", -1)])
def test_price_and_carry_by_hand(side, sign):
    tape = tape_of([100, 110, 99], side, funding=[0.5, 0.001, 0.0])
    ledger = run_book(tape, plan_of([2, 2, 2], [True, False, False]), FREE)

    # 0.02 coins are held; funding is settled on their value at the close, by who held them
    assert ledger.carry == pytest.approx([0, -sign * 0.001 * 2.2, 0])
    assert ledger.pnl == pytest.approx([0, sign * (0.2 - 0.0022), -sign * 0.22])
    assert ledger.exposure == pytest.approx([2, 2.2, 1.98])
    assert ledger.turnover == pytest.approx([2, 0, 0])


def test_costs_by_hand_and_dearer_while_a_cascade_runs():
    terms = BookTerms(leverage=2, fee_frac=0.001, slippage_frac=0.002, event_multiple=3.0)
    tape = tape_of([100, 100, 100], running=[False, True, False])
    ledger = run_book(tape, plan_of([2, 1, 2]), terms)

    assert ledger.turnover == pytest.approx([2, 1, 1])
    assert ledger.cost == pytest.approx([2 * 0.003, 0.007, 0.003])
    assert ledger.pnl == pytest.approx(-ledger.cost)


@pytest.mark.parametrize(("side", "price", "safe"), [("long", 66.0, 68.0), ("short", 133.0, 131.0)])
def test_a_liquidated_book_loses_its_margin_and_starts_anew(side, price, safe):
    """3x at a maintenance of 1 %: the long is closed at 67.34, the short at 132.01."""
    terms = replace(FREE, leverage=3.0)
    tape = tape_of([100, 100, 100], side, worst=[100, price, 100])
    ledger = run_book(tape, plan_of([3, 3, 3], [True, False, False]), terms)

    assert ledger.liquidated.tolist() == [0, 1, 0]
    assert ledger.pnl == pytest.approx([0, -1, 0])
    assert ledger.exposure == pytest.approx([3, 3, 3])  # bought anew at the close
    assert ledger.turnover == pytest.approx([3, 3, 0])
    near = run_book(replace(tape, worst=np.array([100, safe, 100])), plan_of([3, 3, 3]), terms)
    assert not near.liquidated.any()


def test_losses_of_a_week_bring_liquidation_nearer_and_the_next_week_forgets_them():
    close = [100, 85, 70]
    terms = replace(FREE, leverage=3.0)
    held = plan_of([3, 3, 3], [True, False, False])
    assert run_book(tape_of(close), held, terms).liquidated.tolist() == [0, 0, 0]
    lower = tape_of([100, 85, 67])
    assert run_book(lower, held, terms).liquidated.tolist() == [0, 0, 1]
    assert run_book(lower, held, terms).pnl == pytest.approx([0, -0.45, -0.55])  # never more
    reset = replace(lower, week_end=np.array([False, True, False]))
    assert run_book(reset, held, terms).liquidated.tolist() == [0, 0, 0]


def test_nothing_is_added_while_exposure_may_not_grow():
    plan = plan_of([2, 1, 2, 2], may_increase=[True, True, False, True])
    ledger = run_book(tape_of([100] * 4), plan, FREE)
    assert ledger.exposure == pytest.approx([2, 1, 1, 2])

    closed = tape_of([100, 100, 100], worst=[100, 40, 100])
    waiting = plan_of([2, 2, 2], may_increase=[True, False, True])
    after = run_book(closed, waiting, FREE)
    assert after.exposure == pytest.approx([2, 0, 2])  # reduce-only bars the new start, too


def test_a_book_is_flat_in_gaps_and_pays_to_leave_and_return():
    tape = tape_of([100, 100, 50, 50], present=[True, False, True, True])
    ledger = run_book(tape, plan_of([2] * 4), FREE)
    assert ledger.exposure == pytest.approx([2, 0, 2, 2])
    assert ledger.pnl.sum() == 0.0
    assert ledger.turnover.sum() == pytest.approx(6)


PRICES = arrays(float, 30, elements=st.floats(50, 200))
LEVERAGES = arrays(float, 30, elements=st.floats(0, 3))


def decided_too_soon(tape, plan, terms):
    """A mutant: exposed in the very bar whose close decides."""
    ahead = np.append(plan.leverage[1:], plan.leverage[-1])
    return run_book(tape, replace(plan, leverage=ahead), terms)


def sees_nothing_ahead(book, close, leverage, bar):
    """Law: the future of prices and of decisions leaves the past of the ledger as it is."""
    tape, plan = tape_of(close), plan_of(leverage)
    was = book(tape, plan, BookTerms())
    moved, changed = close.copy(), leverage.copy()
    moved[bar:] *= 1.1
    changed[bar:] = 3.0 - changed[bar:]
    now = book(tape_of(moved), plan_of(changed), BookTerms())
    np.testing.assert_array_equal(was.pnl[:bar], now.pnl[:bar])
    np.testing.assert_array_equal(was.exposure[:bar], now.exposure[:bar])
    # at the bar itself a decision costs, and earns nothing: the move was met with the old coins
    flat = book(tape, plan_of(changed), replace(BookTerms(), fee_frac=0.0, slippage_frac=0.0))
    kept = book(tape, plan, replace(BookTerms(), fee_frac=0.0, slippage_frac=0.0))
    np.testing.assert_array_equal(flat.pnl[: bar + 1], kept.pnl[: bar + 1])


@given(PRICES, LEVERAGES, st.integers(1, 29))
def test_a_decision_counts_from_the_next_bar_on(close, leverage, bar):
    sees_nothing_ahead(run_book, close, leverage, bar)


def test_a_book_that_acts_within_the_bar_is_found_out():
    rng = np.random.default_rng(0)
    close, leverage = rng.uniform(50, 200, 30), rng.uniform(0, 3, 30)
    with pytest.raises(AssertionError, match="not equal"):
        sees_nothing_ahead(decided_too_soon, close, leverage, 12)


@given(PRICES, LEVERAGES, st.sampled_from(["long", "short"]))
def test_the_ledger_adds_up(close, leverage, side):
    terms = BookTerms(maintenance_frac=0.001)
    ledger = run_book(tape_of(close, side), plan_of(leverage), terms)
    assert (ledger.cost >= 0).all()
    assert (ledger.exposure >= 0).all()
    held = ledger.exposure[:-1] * np.diff(close) / close[:-1] * (1 if side == "long" else -1)
    calm = ledger.liquidated[1:] == 0
    expected = held + ledger.carry[1:] - ledger.cost[1:]
    np.testing.assert_allclose(ledger.pnl[1:][calm], expected[calm], atol=1e-12)


@given(
    arrays(float, 30, elements=st.floats(0, 0.005)),
    arrays(float, 30, elements=st.floats(0, 1)),
)
def test_in_a_falling_market_less_leverage_never_loses_more(falls, share):
    close = 100 * np.cumprod(1 - falls)
    full = run_book(tape_of(close), plan_of(np.full(30, 2.0)), FREE)
    less = run_book(tape_of(close), plan_of(2.0 * share), FREE)
    assert (np.cumsum(less.pnl) >= np.cumsum(full.pnl) - 1e-12).all()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"close": [1.0, np.nan]}, FrameError, "close has NaN"),
        ({"close": [1.0, 2.0], "funding": [0.0]}, FrameError, r"funding has shape \(1,\), exp"),
    ],
)
def test_tapes_that_do_not_fit_are_refused(given, error, message):
    with pytest.raises(error, match=message):
        tape_of(**given)


def test_plans_and_terms_that_do_not_fit_are_refused():
    with pytest.raises(FrameError, match=r"have shapes \(2,\), \(1,\) and \(2,\)"):
        plan_of([1, 1], [True])
    with pytest.raises(PolicyError, match="leverage has NaN or negative"):
        plan_of([1, -1])
    with pytest.raises(FrameError, match=r"plan has shape \(2,\), expected the tape's \(3,\)"):
        run_book(tape_of([1, 1, 1]), plan_of([1, 1]), FREE)
    with pytest.raises(PolicyError, match="fee_frac is -1, expected 0 or more"):
        BookTerms(fee_frac=-1)
    with pytest.raises(PolicyError, match="expected a product between 0 and 1"):
        BookTerms(leverage=200.0)
