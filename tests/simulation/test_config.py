"""A market that cannot exist is refused whole."""

import math
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import ConfigError
from liqwarn.simulation.config import (
    DEFAULT_SPECS,
    SHARES,
    CrossMargin,
    Habits,
    Leverage,
    Liquidity,
    MarketConfig,
    Positioning,
    Venue,
    Volatility,
)

PARTS = {
    "volatility": Volatility,
    "liquidity": Liquidity,
    "positioning": Positioning,
    "habits": Habits,
    "venue": Venue,
    "cross": CrossMargin,
}
NUMBERS = [
    (name, item.name)
    for name, part in PARTS.items()
    for item in fields(part)
    if isinstance(getattr(part(), item.name), float)
]
SIGNED = {"leverage_effect", "crowding_mean"}


def refused(fault, **changes):
    with pytest.raises(ConfigError, match=fault):
        MarketConfig(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"specs": ()}, "at least one, sorted and unique"),
        ({"specs": DEFAULT_SPECS[::-1]}, "sorted and unique"),
        ({"specs": DEFAULT_SPECS[:1] * 2}, "sorted and unique"),
        ({"n_bars": 0}, "n_bars is 0"),
        ({"step": timedelta(minutes=7)}, "whole number of steps"),
        ({"step": timedelta(0)}, "whole number of steps"),
        ({"step": timedelta(hours=2)}, "whole number of steps"),
        ({"start": datetime(2022, 1, 1)}, "expected a timezone"),  # noqa: DTZ001 - the fault
        ({"start": datetime(2022, 1, 1, 0, 30, tzinfo=UTC)}, "expected a multiple of"),
        ({"specs": (replace(DEFAULT_SPECS[0], price=0.0),)}, r"ADAUSDT\.price is 0\.0"),
        ({"specs": (replace(DEFAULT_SPECS[0], price=math.nan),)}, r"ADAUSDT\.price is nan"),
        ({"specs": (replace(DEFAULT_SPECS[0], depth_usd=-1.0),)}, r"ADAUSDT\.depth_usd is -1"),
        ({"specs": (replace(DEFAULT_SPECS[0], beta=1.0),)}, "beta² \\+ sector_beta² must be"),
        ({"specs": (replace(DEFAULT_SPECS[0], beta=-0.1),)}, "with both at least 0"),
        ({"liquidity": Liquidity(floor=0.0)}, r"liquidity\.floor is 0\.0"),
        ({"liquidity": Liquidity(floor=1.1)}, r"liquidity\.floor is 1\.1"),
        ({"volatility": Volatility(leverage_effect=-2.0)}, "leverage_effect is 2"),
        ({"leverage": Leverage(mix=(0.5, 0.5))}, r"leverage\.mix is \(0\.5, 0\.5\)"),
        ({"leverage": Leverage(ladder=(2.0,), mix=(0.9,))}, r"leverage\.mix is \(0\.9,\)"),
        ({"leverage": Leverage(maintenance_rate=0.02)}, "below 1 / maintenance_rate"),
        ({"cross": CrossMargin(mix=(1.0,))}, r"cross\.mix is \(1\.0,\)"),
        ({"cross": CrossMargin(share=1.5)}, r"cross\.share is 1\.5, expected at most 1"),
        ({"cross": CrossMargin(collateral_share=2.0)}, r"cross\.collateral_share is 2\.0"),
        ({"venue": Venue(engine="half")}, "'half', expected one of full, partial, tiered"),
        ({"habits": Habits(stop_distances=())}, r"stop_distances is \(\), expected 1 to 10"),
        ({"habits": Habits(stop_distances=(0.0,))}, r"stop_distances is \(0\.0,\)"),
        ({"habits": Habits(stop_distances=(0.1,) * 11)}, "expected 1 to 10 distances"),
        ({"habits": Habits(topped_up=0.6, cut=0.5)}, r"topped_up \+ habits\.cut is 1\.1"),
    ],
)
def test_faults_are_named(changes, message):
    refused(message, **changes)


@pytest.mark.parametrize("value", [-0.1, math.nan])
@pytest.mark.parametrize(
    ("part", "name"),
    [pytest.param(part, name, id=f"{part}.{name}") for part, name in NUMBERS if name not in SIGNED],
)
def test_numbers_that_are_negative_or_none_are_refused(part, name, value):
    refused(rf"\b{part}\.{name} is {value}, expected", **{part: PARTS[part](**{name: value})})


@pytest.mark.parametrize(("part", "name"), NUMBERS)
def test_times_of_zero_and_shares_above_one_are_refused(part, name):
    if name.endswith(("_h", "_min", "_s")):
        refused(rf"{name} is 0\.0, expected above 0", **{part: PARTS[part](**{name: 0.0})})
    if name in SHARES:
        refused(rf"{part}\.{name} is 1\.5, expected at", **{part: PARTS[part](**{name: 1.5})})


def test_all_faults_are_named_at_once():
    faults = r"n_bars is 0.*liquidity\.bite.*positioning\.panic.*venue\.engine.*ladder"
    refused(
        faults,
        n_bars=0,
        liquidity=Liquidity(bite=-1.0),
        positioning=Positioning(panic=-1.0),
        venue=Venue(engine="none"),
        leverage=Leverage(maintenance_rate=0.5),
    )


@given(st.integers(1, 3_600), st.integers(1, 50))
def test_a_bar_is_a_whole_number_of_steps(step_s, steps):
    step = timedelta(seconds=step_s)
    config = MarketConfig(bar=steps * step, step=step, start=datetime.fromtimestamp(0, UTC))
    assert config.steps_per_bar == steps
    assert config.bar_h == pytest.approx(steps * config.step_h)
