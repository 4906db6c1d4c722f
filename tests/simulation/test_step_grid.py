"""Stretches of time on steps: nothing is lost, nothing is early."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.simulation.step_grid import StepGrid

MINUTE = timedelta(minutes=1)
N = 60
GRID = StepGrid.of(N, MINUTE)
seconds = st.integers(0, 1_799).map(lambda value: timedelta(seconds=value))
some = st.integers(1, 1_800).map(lambda value: timedelta(seconds=value))


@given(at=seconds, over=seconds)
def test_shares_sum_to_one_inside_the_stretch(at, over):
    shares = GRID.shares(at, over)
    inside = np.flatnonzero(shares)

    assert shares.sum() == pytest.approx(1.0, abs=1e-12)
    assert (shares >= 0.0).all()
    assert inside[0] == GRID.step_at(at)
    assert GRID.edges[inside[-1]] < max((at + over).total_seconds(), at.total_seconds() + 1)


@given(at=seconds, over=st.integers(0, 60).map(lambda value: timedelta(seconds=value)))
def test_a_step_or_less_lands_in_one_step(at, over):
    assert np.count_nonzero(GRID.shares(at, over)) == 1


def test_an_even_flow_is_even():
    assert GRID.shares(2 * MINUTE, 4 * MINUTE)[1:7] == pytest.approx([0, 0.25, 0.25, 0.25, 0.25, 0])
    assert GRID.shares(1.5 * MINUTE, 2 * MINUTE)[1:4] == pytest.approx([0.25, 0.5, 0.25])


@given(total=st.floats(0.0, 1.0), at=seconds, over=seconds)
def test_factors_multiply_to_the_total_and_fall_evenly(total, at, over):
    factors = GRID.factors(total, at, over)
    level = np.cumprod(factors)

    assert level[-1] == pytest.approx(total, abs=1e-12)
    assert ((factors >= 0.0) & (factors <= 1.0)).all()
    assert -np.diff(np.concatenate([[1.0], level])) == pytest.approx(
        (1.0 - total) * GRID.shares(at, over), abs=1e-12
    )


@given(at=seconds, lasts=some)
def test_touched_steps_are_those_that_overlap(at, lasts):
    touched = GRID.touched(at, lasts)
    start, end = at.total_seconds(), (at + lasts).total_seconds()

    assert touched.tolist() == [k * 60 < end and (k + 1) * 60 > start for k in range(N)]


@given(at=seconds, lasts=some, half_life=some)
def test_what_is_left_is_whole_where_touched_and_halves_afterwards(at, lasts, half_life):
    left, touched = GRID.left(at, lasts, half_life), GRID.touched(at, lasts)
    first, last = np.flatnonzero(touched)[[0, -1]]

    assert (left[touched] == 1.0).all()
    assert not left[:first].any()
    assert (np.diff(left[last:]) <= 0.0).all()


def test_half_is_left_a_half_life_after_the_end():
    left = GRID.left(5 * MINUTE, 10 * MINUTE, 3 * MINUTE)

    assert left[[4, 5, 14, 15, 18, 21]] == pytest.approx([0.0, 1.0, 1.0, 1.0, 0.5, 0.25])


def test_a_moment_lies_in_the_step_that_begins_with_it():
    assert [GRID.step_at(timedelta(seconds=s)) for s in (0, 59, 60, 61)] == [0, 0, 1, 1]
