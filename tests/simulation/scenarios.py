"""Scenarios for the tests: a small one to vary, and random shocks of every kind.

Loaded with ``runpy``, for test modules are not importable here.
"""

from datetime import timedelta

from hypothesis import strategies as st

from liqwarn.simulation.config import SIM_SYMBOLS
from liqwarn.simulation.scenario import (
    AdlShock,
    DepthShock,
    FundingShock,
    HaircutShock,
    OutageShock,
    PriceShock,
    Scenario,
    SyntheticStart,
    UnlockShock,
)

HORIZON = timedelta(hours=6)


def minutes(value):
    return timedelta(minutes=value)


def scenario_of(*shocks, **changed):
    given = {
        "name": "test",
        "title": "A test",
        "description": "Nothing of note.",
        "start": SyntheticStart(),
        "horizon": HORIZON,
        "shocks": shocks,
    }
    return Scenario(**given | changed)


def _seconds(low, high):
    return st.integers(low, high).map(lambda value: timedelta(seconds=value))


_at, _over, _for = _seconds(0, 10_799), _seconds(0, 10_800), _seconds(1, 20_000)
symbols = st.none() | st.lists(
    st.sampled_from(SIM_SYMBOLS), min_size=1, max_size=4, unique=True
).map(tuple)

price_shocks = st.builds(
    PriceShock,
    at=_at,
    move=st.floats(-0.9, 3.0),
    over=_over,
    symbols=symbols,
    follow=st.sampled_from(["equal", "beta"]),
)
depth_shocks = st.builds(
    DepthShock, at=_at, to=st.floats(0.01, 5.0), lasts=_for, symbols=symbols, half_life=_for
)
funding_shocks = st.builds(
    FundingShock,
    at=_at,
    rate=st.floats(-0.5, 0.5),
    payments=st.integers(1, 5),
    every=_seconds(1, 2_000),
    symbols=symbols,
)
haircut_shocks = st.builds(HaircutShock, at=_at, haircut=st.floats(0.0, 1.0), over=_over)
outage_shocks = st.builds(OutageShock, at=_at, lasts=_for, symbols=symbols)
unlock_shocks = st.builds(
    UnlockShock, at=_at, share=st.floats(0.01, 10.0), over=_seconds(1, 10_800), symbols=symbols
)
adl_shocks = st.builds(AdlShock, at=_at)
shocks = st.one_of(
    price_shocks,
    depth_shocks,
    funding_shocks,
    haircut_shocks,
    outage_shocks,
    unlock_shocks,
    adl_shocks,
)
