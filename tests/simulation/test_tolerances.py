import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.simulation.tolerances import TOLERANCES, limits_of, miss

PANELS = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "realism_panels.py"))


@given(st.lists(st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-6), min_size=2, unique=True))
def test_limits_hold_every_value_they_are_made_from(values):
    limits = limits_of("return_std_pct", values)
    assert limits[0] < limits[1]
    assert all(miss(value, limits) == 0.0 for value in values)
    mirrored = limits_of("return_std_pct", [-value for value in values])
    assert mirrored == pytest.approx((-limits[1], -limits[0]))


def test_no_limit_is_beyond_what_is_possible():
    assert limits_of("correlation_in_shocks", [0.8, 0.95])[1] == 1.0
    assert limits_of("shocks_shared_pct", [50.0, 90.0])[1] == 100.0
    assert limits_of("leverage_effect", [-0.1, 0.05]) == pytest.approx((-0.1375, 0.0875))


def test_a_miss_is_signed_and_in_widths():
    assert miss(40.0, (10.0, 20.0)) == pytest.approx(1.0)
    assert miss(5.0, (10.0, 20.0)) == pytest.approx(-1.0)
    assert miss(-3.0, (-1.0, 1.0)) == pytest.approx(-1.0)


def test_the_tolerances_are_those_the_real_panels_give(real_data):
    """Else run `python benchmarks/realism.py --tolerances`, and copy what it prints."""
    found = PANELS["real_limits"](PANELS["real_cells"](real_data))
    assert {scope: set(facts) for scope, facts in found.items()} == {
        scope: set(facts) for scope, facts in TOLERANCES.items()
    }
    for scope, facts in found.items():
        for fact, limits in facts.items():
            np.testing.assert_allclose(limits, TOLERANCES[scope][fact], rtol=6e-3, err_msg=fact)


def test_real_markets_lie_within_the_tolerances(real_data):
    for scope, facts in PANELS["real_cells"](real_data).items():
        for fact, symbols in facts.items():
            for symbol, value in PANELS["means"](symbols).items():
                assert miss(value, TOLERANCES[scope][fact]) == 0.0, (scope, fact, symbol)
