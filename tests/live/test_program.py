"""Programs: every step once, after what it is made from, by the right hand."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.features.builder import all_features
from liqwarn.features.sketch import Step, Steps, sketch
from liqwarn.live.machine import APPLIED, CODES
from liqwarn.live.program import codes_of, program_of, ring_cells


def steps_of(*given):
    steps = Steps()
    for one in given:
        steps.position(one)
    return steps


@pytest.fixture(scope="module", params=[5, 60, 240])
def steps(request):
    return sketch(all_features(), timedelta(minutes=request.param))


def played(program):
    """Positions in the order in which a bar computes them."""
    yield from program.places.tolist()
    for turn in program.turns:
        yield from turn.machine.tolist()
        for work in turn.elsewhere:
            yield from work.steps.tolist()


def test_every_step_is_computed_once_after_what_it_is_made_from(steps):
    ratios = sorted({one.ratio for one in steps.steps})
    seen = {at for at, one in enumerate(steps.steps) if one.kind == "constant"}
    for ratio in ratios:
        for at in played(program_of(steps, ratio)):
            assert at not in seen
            assert set(steps.steps[at].of) <= seen, steps.steps[at]
            seen.add(at)

    assert seen == set(range(len(steps.steps)))


def test_only_the_machine_s_operations_are_the_machine_s(steps):
    code = codes_of(steps)
    for ratio in {one.ratio for one in steps.steps}:
        for turn in program_of(steps, ratio).turns:
            assert (code[turn.machine, 0] >= 0).all()
            for work in turn.elsewhere:
                assert work.name not in APPLIED
                assert (code[work.steps, 0] == -1).all()
                assert {steps.steps[at].name for at in work.steps.tolist()} == {work.name}


def test_a_logarithm_divides_the_machine_s_work():
    steps = steps_of(
        Step(1, "field", "close"),
        Step(1, "apply", "abs", of=(0,)),
        Step(1, "apply", "log", of=(1,)),
        Step(1, "apply", "negative", of=(2,)),
        Step(1, "apply", "floor", of=(0,)),
    )
    first, second = program_of(steps, 1).turns

    assert first.machine.tolist() == [1, 4]
    assert [(one.name, one.steps.tolist()) for one in first.elsewhere] == [("log", [2])]
    assert [one.tolist() for one in first.elsewhere[0].operands] == [[1]]
    assert second.machine.tolist() == [3]
    assert second.elsewhere == ()


def test_a_code_holds_everything_the_machine_needs():
    steps = steps_of(
        Step(1, "field", "close"),
        Step(1, "field", "volume"),
        Step(1, "corr", "corr", of=(0, 1), cells=24, least=18),
    )

    assert codes_of(steps)[2].tolist() == [CODES["corr", "corr"], 0, 1, 0, 24, 18]
    assert codes_of(steps)[:2, 0].tolist() == [-1, -1]


def test_a_ring_holds_the_longest_look_back():
    steps = steps_of(
        Step(1, "field", "close"),
        Step(1, "lag", "lag", of=(0,), cells=4),
        Step(1, "window", "mean", of=(0,), cells=5, least=4),
        Step(1, "window", "max", of=(1,), cells=3, least=3),
    )

    assert ring_cells(steps).tolist() == [5, 3, 0, 0]
    assert ring_cells(steps).dtype == np.int64
