"""Plain values become fields, or a fault with its place."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import ConfigError
from liqwarn.simulation.plain_values import (
    _duration,
    duration_text,
    nearest_of,
    plain_of,
    read,
    values_of,
)
from liqwarn.simulation.scenario_start import SyntheticStart


@dataclass(frozen=True, kw_only=True)
class Thing:
    lasts: timedelta = field(metadata={"key": "for"})
    weights: tuple[float, ...] = (1.0,)
    pace: Literal["slow", "fast"] = "slow"
    limit: float | None = None

    def __post_init__(self):
        if sum(self.weights) > 10.0:
            raise ConfigError("weights: too heavy\nweights: really")


def test_a_sound_thing():
    faults = []
    thing = read(Thing, {"for": "2d", "weights": [1, 2.5], "limit": None}, "thing", faults)

    assert thing == Thing(lasts=timedelta(days=2), weights=(1.0, 2.5))
    assert faults == []


def test_a_thing_that_refuses_itself_is_a_fault_a_line():
    faults = ["earlier"]

    assert read(Thing, {"for": "1h", "weights": [11]}, "things[2]", faults) is None
    assert faults == ["earlier", "things[2].weights: too heavy", "things[2].weights: really"]


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ({"for": "1h", "weights": 3}, "t.weights: found 3, expected a list of finite numbers"),
        ({"for": "1h", "weights": [1, True]}, "t.weights: found [1, True], expected a finite"),
        ({"for": "1h", "pace": "fats"}, "t.pace: found 'fats', expected one of slow, fast"),
        ({"for": "1h", "lasts": "1h"}, "t.lasts: unknown key, expected one of for, weights"),
        ({}, "t.for: required and missing"),
        ([], "t: found [], expected keys and values"),
    ],
)
def test_one_fault(raw, fault):
    faults = []

    assert read(Thing, raw, "t", faults) is None
    assert len(faults) == 1
    assert faults[0].startswith(fault)


def test_what_can_be_read_is_kept_beside_the_faults():
    faults = []

    assert values_of(Thing, {"for": "x", "limit": 3}, "", faults, also=("kind",)) == {
        "weights": (1.0,),
        "pace": "slow",
        "limit": 3.0,
    }
    assert faults == ["for: found 'x', expected a duration such as 30s, 15m, 24h or 2d"]


def test_a_value_too_long_to_read_is_shortened():
    faults = []
    read(Thing, {"for": "h" * 10_000}, "t", faults)

    assert len(faults[0]) < 150


@given(st.integers(0, 999_999))
def test_a_duration_is_written_as_it_is_read(seconds):
    value = timedelta(seconds=seconds)

    assert _duration(duration_text(value)) == value


def test_plain_values_of_a_thing():
    assert plain_of(Thing(lasts=timedelta(minutes=5))) == {
        "for": "5m",
        "weights": (1.0,),
        "pace": "slow",
        "limit": None,
    }


def test_the_nearest_word():
    assert nearest_of("pirce", ["depth", "price"]) == "did you mean 'price'?"


def test_what_can_be_read_beside_a_fault_is_judged_too():
    faults = []
    raw = {"kind": "synthetic", "depth": -1, "volatility": "x", "seed": -1}
    assert read(SyntheticStart, raw, "initial", faults, also=("kind",)) is None
    assert [fault.split(":")[0] for fault in faults] == [
        "initial.volatility",
        "initial.depth",
        "initial.seed",
    ]
