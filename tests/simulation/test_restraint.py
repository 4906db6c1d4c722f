"""What the obedient are told: rooms, columns, fear that runs out and returns."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.errors import ConfigError
from liqwarn.simulation.books import new_books
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.layout import IN_CUT, IN_ENTRY, IN_ROOM, IN_RUSH
from liqwarn.simulation.restraint import (
    Obedience,
    house_restraint,
    impose,
    rooms_of,
)
from liqwarn.simulation.rules import log_distance, rules_of

CONFIG = MarketConfig(specs=DEFAULT_SPECS[:2], n_bars=4)
PRESENT = np.full((2, 2), 0.2)


def books():
    return new_books(CONFIG, rules_of(CONFIG, phi=0.5))


def test_rooms_follow_from_the_leverage_allowed():
    leverage = np.array([[1.0, 0.5], [0.25, 1.0]])
    rooms = rooms_of(leverage, Obedience(house_leverage=20.0), 0.005)
    expected = [
        [log_distance(20.0, "long", 0.005), log_distance(10.0, "short", 0.005)],
        [log_distance(5.0, "long", 0.005), log_distance(20.0, "short", 0.005)],
    ]
    np.testing.assert_array_equal(rooms, expected)


def test_house_limits_leave_everything_open():
    told = books()
    after = impose(told, house_restraint(2), Obedience(), present=PRESENT, config=CONFIG)
    cells = told.cells[:-1]
    assert (cells[:, IN_ENTRY : IN_ENTRY + 2] == 1.0).all()
    assert (cells[:, IN_CUT : IN_CUT + 2] == 0.0).all()
    assert (cells[:, IN_RUSH : IN_RUSH + 2] == 0.0).all()
    assert (cells[:, IN_ROOM : IN_ROOM + 2] > 0.0).all()
    np.testing.assert_allclose(after, PRESENT)


def test_an_hour_of_cutting_puts_the_stated_share_right():
    told, who = books(), Obedience(cut_per_h=0.9)
    restraint = house_restraint(2)._replace(cut=np.ones((2, 2)))
    impose(told, restraint, who, present=PRESENT, config=CONFIG)
    left = (1.0 - told.cells[0, IN_CUT]) ** (1.0 / CONFIG.step_h)
    assert left == pytest.approx(0.1)


def test_the_fearful_leave_once_and_come_back_with_their_half_life():
    who = Obedience(fearful=0.2, flight_per_h=0.8, return_half_life_h=24.0)
    near = house_restraint(2)._replace(near=np.ones((2, 2)))
    told, present = books(), PRESENT
    for _ in range(50):
        present = impose(told, near, who, present=present, config=CONFIG)
    assert present.max() < 0.02
    assert told.cells[0, IN_RUSH] < 0.002
    empty = np.zeros((2, 2))
    for _ in range(24):
        empty = impose(told, house_restraint(2), who, present=empty, config=CONFIG)
    np.testing.assert_allclose(empty, 0.1, rtol=1e-9)


def test_every_fault_is_named_at_once():
    with pytest.raises(ConfigError, match=r"phi is -0\.1.*house_leverage is 0\.5.*cut_per_h is 1"):
        Obedience(phi=-0.1, house_leverage=0.5, cut_per_h=1.0)
    with pytest.raises(ConfigError, match="return_half_life_h is 0"):
        Obedience(return_half_life_h=0.0)


def test_a_longer_step_leaves_the_same_hour():
    slow = replace(CONFIG, step=CONFIG.bar)
    cut = house_restraint(2)._replace(cut=np.ones((2, 2)))
    fast, once = books(), new_books(slow, rules_of(slow, phi=0.5))
    impose(fast, cut, Obedience(), present=PRESENT, config=CONFIG)
    impose(once, cut, Obedience(), present=PRESENT, config=slow)
    assert (1.0 - fast.cells[0, IN_CUT]) ** 12 == pytest.approx(1.0 - once.cells[0, IN_CUT])
