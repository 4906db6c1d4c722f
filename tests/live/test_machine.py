"""The machine's operations are those of the batch, on every value that a double can be."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.features.arithmetic import OPERATIONS, across
from liqwarn.features.past import WINDOWS
from liqwarn.live.machine import APPLIED, CODES, gather, new_machine, put, run
from liqwarn.windows import lag, rolling_corr

NAN = float("nan")
EDGES = (NAN, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e308, -1e308, 5e-324, -5e-324, 2.0**53 + 2.0)
ENDLESS = (*EDGES, float("inf"), float("-inf"))
ARITY = {"where": 3, **dict.fromkeys(("abs", "negative", "sqrt", "sign", "floor"), 1)}
RING = 8


def machine_of(*codes, n_symbols, rings=0, leader=0):
    """A machine of three given steps and some that are made from them."""
    n_steps = 3 + len(codes)
    code = np.zeros((n_steps, 6), dtype=np.int64)
    for at, one in enumerate(codes, start=3):
        code[at] = one
    return new_machine(code, np.full(n_steps, rings), n_symbols, leader)


def applied(name, *operands):
    machine = machine_of((CODES["apply", name], 0, 1, 2, 0, 0), n_symbols=operands[0].size)
    for at, values in enumerate(operands):
        machine.values[at] = values
    run(machine, np.array([3]), 7)
    return machine.values[3]


def bits(values):
    return np.where(np.isnan(values), NAN, values).view(np.int64)


def assert_same_bits(found, expected):
    np.testing.assert_array_equal(bits(found), bits(expected))


@pytest.mark.parametrize("name", APPLIED)
def test_every_operation_on_every_pair_of_edges(name):
    """Zeros are told apart by their sign, and so is a maximum of both."""
    arity = ARITY.get(name, 2)
    grid = np.array(list(itertools.product(ENDLESS, repeat=arity)), dtype=np.float64)
    operands = [np.ascontiguousarray(grid[:, k]) for k in range(arity)]

    assert_same_bits(applied(name, *operands), OPERATIONS[name](*operands))


@given(values=st.lists(st.tuples(*[st.floats()] * 3), min_size=1, max_size=9), pick=st.data())
@settings(max_examples=150, deadline=None)
def test_every_operation_on_any_values(values, pick):
    name = pick.draw(st.sampled_from(APPLIED))
    columns = [np.array(one, dtype=np.float64) for one in zip(*values, strict=True)]
    operands = columns[: ARITY.get(name, 2)]

    assert_same_bits(applied(name, *operands), OPERATIONS[name](*operands))


@pytest.mark.parametrize("name", ["add", "divide", "highest", "less_equal"])
def test_another_operation_would_be_found(name):
    """The comparison above can fail: no two operations agree on the edges."""
    grid = np.array(list(itertools.product(EDGES, repeat=2)))
    one, other = (np.ascontiguousarray(grid[:, k]) for k in range(2))
    found = applied(name, one, other)
    rivals = [n for n in APPLIED if n != name and ARITY.get(n, 2) == 2]

    for rival in rivals:
        assert (bits(found) != bits(OPERATIONS[rival](one, other))).any(), rival


@given(
    values=st.lists(st.floats(allow_infinity=False, width=64), min_size=1, max_size=12),
    where=st.integers(0, 11),
)
@settings(max_examples=120, deadline=None)
def test_looks_aside_are_those_of_the_batch(values, where):
    given_, leader = np.array(values), where % len(values)
    with np.errstate(over="ignore", invalid="ignore"):
        for kind in ("leader", "mean", "std", "others"):
            code = (CODES["across", kind], 0, 0, 0, 0, 0)
            machine = machine_of(code, n_symbols=given_.size, leader=leader)
            machine.values[0] = given_
            run(machine, np.array([3]), 7)

            expected = across(kind, given_[:, None], leader)[:, 0]
            assert_same_bits(machine.values[3], expected)


def series(n_cells, n_symbols, seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(-4, 5, (n_symbols, n_cells)) / 4.0
    return np.where(rng.random(values.shape) < 0.2, NAN, values)


def played(machine, given_, first, order):
    """Results of a step over cells, remembered as the tape does."""
    found = []
    for cell in range(given_[0].shape[1]):
        column = np.stack([one[:, cell] for one in given_])
        put(machine, np.arange(3), column, np.arange(3), first + cell)
        run(machine, order, first + cell)
        found.append(machine.values[3].copy())
    return np.stack(found, axis=1)


@given(
    seed=st.integers(0, 10_000),
    first=st.integers(0, 100),
    cells=st.integers(1, RING),
    least=st.integers(1, RING),
)
@settings(max_examples=30, deadline=None)
def test_looks_back_are_those_of_the_batch(seed, first, cells, least):
    least = min(least, cells)
    given_ = [series(40, 3, seed + k) for k in range(3)]
    for name in WINDOWS:
        code = (CODES["window", name], 0, 0, 0, cells, least)
        found = played(machine_of(code, n_symbols=3, rings=RING), given_, first, np.array([3]))
        expected = WINDOWS[name](given_[0], cells, first_bar=first, min_count=least)
        assert_same_bits(found, expected)
    code = (CODES["corr", "corr"], 0, 1, 0, cells, least)
    found = played(machine_of(code, n_symbols=3, rings=RING), given_, first, np.array([3]))
    expected = rolling_corr(*given_[:2], cells, first_bar=first, min_count=least)
    assert_same_bits(found, expected)


@pytest.mark.parametrize("cells", range(RING))
def test_a_lag_is_that_of_the_batch(cells):
    given_ = [series(40, 3, k) for k in range(3)]
    code = (CODES["lag", "lag"], 0, 0, 0, cells, 0)

    found = played(machine_of(code, n_symbols=3, rings=RING), given_, 5, np.array([3]))

    assert_same_bits(found, lag(given_[0], cells))


def test_a_step_may_look_back_on_what_was_just_made():
    """A result is in its ring before the next step of the same cell is computed."""
    add = (CODES["apply", "add"], 0, 1, 0, 0, 0)
    back = (CODES["lag", "lag"], 3, 0, 0, 1, 0)
    machine = machine_of(add, back, n_symbols=2, rings=2)
    for cell in range(4):
        put(machine, np.arange(2), np.full((2, 2), float(cell)), np.arange(2), cell)
        run(machine, np.array([3, 4]), cell)

    assert machine.values[4].tolist() == [4.0, 4.0]


def test_what_is_put_is_finite_or_missing_and_what_is_gathered_is_a_copy():
    machine = machine_of(n_symbols=2)
    put(machine, np.array([2, 0]), np.array([[1.0, np.inf], [3.0, -0.0]]), np.array([1, 0]), 7)
    out = np.empty((2, 2))
    gather(machine, np.array([0, 2]), out)

    assert_same_bits(out, np.array([[1.0, NAN], [3.0, -0.0]]))
    machine.values[0] = 9.0
    assert out[0, 0] == 1.0


def test_no_two_codes_are_one():
    assert len(set(CODES.values())) == len(CODES)
    assert {name for kind, name in CODES if kind == "apply"} == set(APPLIED)
    assert set(APPLIED) <= set(OPERATIONS)
