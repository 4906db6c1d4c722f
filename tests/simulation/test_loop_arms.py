"""A price line, volatility control and nobody: what they see, what they say."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.simulation.config import DEFAULT_SPECS
from liqwarn.simulation.loop_arms import (
    Always,
    Free,
    PriceLine,
    VolTarget,
    matching_target,
)
from liqwarn.simulation.loop_events import realised_volatility
from liqwarn.simulation.loop_market import loop_config

CONFIG = replace(loop_config(2), specs=DEFAULT_SPECS[2:4])


def after(path, bar=0):
    """A run whose first symbol went along a path, and whose second stood still."""
    closes = np.zeros((2, 200))
    closes[0, -len(path) :] = path
    market = SimpleNamespace(config=CONFIG)
    return SimpleNamespace(market=market, bar=bar, closes=lambda: closes)


def test_nobody_is_told_anything():
    told = Free().decide(after([-0.5]))
    assert (told.entry == 1.0).all()
    assert (told.leverage == 1.0).all()
    assert (told.near == 0.0).all()


@pytest.mark.parametrize(("move", "side"), [(-0.051, 0), (0.051, 1)])
def test_the_line_shuts_the_side_it_threatens_and_no_other(move, side):
    told = PriceLine.of(CONFIG, anticipated=False).decide(after([move]))
    assert told.entry[0, side] == 0.0
    assert told.leverage[0, side] == 0.5
    assert told.cut[0, side] == 1.0
    assert told.entry.sum() == 3.0


def test_the_line_holds_for_an_hour_and_opens_again():
    arm = PriceLine.of(CONFIG, anticipated=False)
    shut = [arm.decide(after([-0.06] * (16 + bar), bar)).entry[0, 0] == 0.0 for bar in range(8)]
    arm.decide(after([-0.06], 8))
    later = [arm.decide(after([-0.06] * 30, bar)).entry[0, 0] == 0.0 for bar in range(9, 14)]
    assert not any(shut)  # four hours after the fall the line has moved along
    assert later == [True, True, True, False, False]


def test_who_fears_the_line_leaves_before_it_not_after():
    arm = PriceLine.of(CONFIG, anticipated=True)
    assert arm.decide(after([-0.03])).near.sum() == 0.0
    assert arm.decide(after([-0.04])).near.tolist() == [[1.0, 0.0], [0.0, 0.0]]
    assert arm.decide(after([-0.06])).near.sum() == 0.0
    deaf = PriceLine.of(CONFIG, anticipated=False)
    assert deaf.decide(after([-0.04])).near.sum() == 0.0


def test_twice_the_target_volatility_halves_leverage_of_both_sides():
    hourly = DEFAULT_SPECS[2].volatility
    path = np.cumsum(2.0 * hourly * np.sqrt(0.25) * np.tile([1.0, -1.0], 40))
    run = after(path)
    assert realised_volatility(CONFIG, run.closes(), 12.0)[0] == pytest.approx(2.0)
    told = VolTarget(CONFIG, 1.0, anticipated=False).decide(run)
    assert told.leverage[0].tolist() == [0.5, 0.5]
    assert told.leverage[1].tolist() == [1.0, 1.0]


@given(st.lists(st.floats(0.1, 5.0), min_size=2, max_size=30), st.floats(0.3, 0.99))
def test_the_matching_target_allows_the_exposure(volatility, exposure):
    seen = np.array(volatility)
    target = matching_target(seen, exposure)
    assert np.clip(target / seen, 0.25, 1.0).mean() == pytest.approx(exposure, abs=1e-6)


def test_a_limit_at_all_times_is_put_right_while_price_is_calm():
    run = after([-0.05])
    run.record, run.last = SimpleNamespace(prices=np.stack([run.closes()] * 4)), 199
    told = Always(0.5).decide(run)
    assert (told.leverage == 0.5).all()
    assert (told.entry == 1.0).all()
    assert told.cut.tolist() == [[0.0, 1.0], [1.0, 1.0]]
