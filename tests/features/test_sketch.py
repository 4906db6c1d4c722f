"""A sketch names every step to a feature, each once, and computes nothing."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.features.arithmetic import OPERATIONS
from liqwarn.features.builder import all_features
from liqwarn.features.past import MIN_SHARE, WINDOWS, Past, where
from liqwarn.features.sketch import Sketch, Step, Steps, sketch

HOUR = timedelta(hours=1)
KINDS = {"field", "constant", "apply", "lag", "window", "corr", "across"}


def feature(function, *inputs, name="mine"):
    known = all_features()[0]
    return replace(known, name=name, inputs=inputs, function=function, resolution="base")


@pytest.mark.parametrize("minutes", [5, 30, 60, 240])
def test_all_features_are_written_down(minutes):
    made = sketch(all_features(), timedelta(minutes=minutes))

    assert set(made.results) == {one.name for one in all_features()}
    assert len(set(made.steps)) == len(made.steps)
    for at, step in enumerate(made.steps):
        assert step.kind in KINDS
        assert all(one < at for one in step.of)
        assert all(made.steps[one].ratio == step.ratio for one in step.of)
        if step.kind == "apply":
            assert step.name in OPERATIONS
        if step.kind == "window":
            assert step.name in WINDOWS
            assert step.least == math.ceil(step.cells * MIN_SHARE)


def test_steps_that_features_share_are_written_once():
    one = feature(lambda x: x.log().lag(4.0), "close")
    other = feature(lambda x: x.log().lag(4.0), "close", name="other")
    alone, both = sketch([one], HOUR), sketch([one, other], HOUR)

    assert both.steps == alone.steps
    assert both.results == {"mine": alone.results["mine"], "other": alone.results["mine"]}


def test_numbers_become_constants_and_each_is_told_apart():
    made = sketch([feature(lambda x: (x + 2.0) * 2.0 + float("nan"), "close")], HOUR)
    constants = [one for one in made.steps if one.kind == "constant"]

    assert [one.name for one in constants] == ["2.0", "nan"]
    assert constants[0].value == 2.0


def test_a_choice_has_three_operands():
    made = sketch([feature(lambda x, y: where(x > 1.0, y, 0.0), "close", "volume")], HOUR)
    last = made.steps[made.results["mine"]]

    assert (last.kind, last.name, len(last.of)) == ("apply", "where", 3)
    assert [made.steps[one].kind for one in last.of] == ["apply", "field", "constant"]


def test_a_real_series_in_a_sketch_is_refused():
    real = Past(np.ones((1, 3)), cell=HOUR, first_cell=1, leader=0)

    with pytest.raises(FrameError, match=r"mixes .* into a sketch, expected sketches alone"):
        sketch([feature(lambda x: x + real, "close")], HOUR)


def test_a_sketch_knows_where_it_stands():
    steps = Steps()
    at = steps.position(Step(1, "field", "close"))

    assert Sketch.of(steps, at, HOUR).at == at == 0
    assert steps.position(Step(1, "field", "close")) == 0
    assert (Sketch.of(steps, at, HOUR) + 1.0).at == 2
