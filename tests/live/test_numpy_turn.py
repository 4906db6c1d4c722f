"""NumPy's turn: the batch's operations, on the cells that the machine made."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.features.arithmetic import OPERATIONS
from liqwarn.features.builder import all_features
from liqwarn.features.sketch import Step, Steps, sketch
from liqwarn.live.machine import APPLIED, new_machine
from liqwarn.live.numpy_turn import BARE, NumpyTurn
from liqwarn.live.program import codes_of, program_of, ring_cells

GIVEN = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -3.0, 0.7, 24.0, 1e308, 5e-324, 1e-3])


@pytest.mark.parametrize("name", sorted(BARE))
def test_a_bare_operation_is_the_batchs_but_for_what_is_infinite(name):
    operands = (GIVEN, np.roll(GIVEN, 3)) if name == "mod" else (GIVEN,)
    with np.errstate(all="ignore"):
        found = np.asarray(BARE[name](*operands))

    expected = OPERATIONS[name](*operands)
    np.testing.assert_array_equal(np.where(np.isfinite(found), found, np.nan), expected)


def test_every_operation_of_the_features_that_is_not_the_machines_is_bare():
    steps = sketch(all_features(), timedelta(hours=1)).steps

    assert {one.name for one in steps if one.kind == "apply"} - set(APPLIED) == set(BARE)


def test_each_work_finds_its_own_operands():
    steps = Steps()
    for one in (
        Step(1, "field", "close"),
        Step(1, "field", "volume"),
        Step(1, "apply", "log", of=(0,)),
        Step(1, "apply", "mod", of=(0, 1)),
        Step(1, "apply", "log", of=(1,)),
        Step(1, "apply", "mod", of=(1, 0)),
    ):
        steps.position(one)
    machine = new_machine(codes_of(steps), ring_cells(steps), n_symbols=2, leader=0)
    machine.values[0], machine.values[1] = (7.0, 0.0), (4.0, 3.0)

    with np.errstate(all="ignore"):
        NumpyTurn(program_of(steps, 1).turns[0], 2).take(machine, 0)

    expected = [np.log([7.0, np.nan]), [3.0, 0.0], np.log([4.0, 3.0]), [4.0, np.nan]]
    np.testing.assert_array_equal(machine.values[2:], expected)


def test_a_turn_without_work_of_numpys_changes_nothing():
    steps = Steps()
    steps.position(Step(1, "field", "close"))
    steps.position(Step(1, "apply", "abs", of=(0,)))
    machine = new_machine(codes_of(steps), ring_cells(steps), n_symbols=1, leader=0)

    NumpyTurn(program_of(steps, 1).turns[0], 1).take(machine, 0)

    assert np.isnan(machine.values).all()
