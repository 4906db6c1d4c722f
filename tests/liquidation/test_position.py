"""A position as stated: what belongs together, and what is refused."""

import math

import pytest

from liqwarn.errors import FrameError
from liqwarn.liquidation.position import Position


def test_leverage_and_margin_say_the_same():
    one = Position(side="long", entry=120.0, notional=600.0, leverage=5.0)
    other = Position(side="long", entry=120.0, notional=600.0, margin=120.0)
    assert one.balance == other.balance == 120.0
    assert one.quantity == 5.0


def test_an_inverse_position_counts_coins():
    made = Position(
        side="long", entry=50_000.0, notional=60_000.0, leverage=10.0, contract="inverse"
    )
    assert (made.value, made.balance) == (1.2, 0.12)
    assert made.exposure.contract == "inverse"


def test_a_cross_position_stands_on_the_whole_wallet():
    made = Position(
        side="short",
        entry=100.0,
        notional=1e3,
        margin=500.0,
        mode="cross",
        other_maintenance=50.0,
        other_pnl=-20.0,
        leverage=20.0,
    )
    assert made.balance == 430.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": "up"}, "side is 'up', expected one of"),
        ({"contract": "quanto"}, "contract is 'quanto'"),
        ({"mode": "portfolio"}, "mode is 'portfolio'"),
        ({"entry": 0.0}, r"entry is 0\.0, expected a finite number above 0"),
        ({"notional": math.nan}, "notional is nan"),
        ({"leverage": 0.5}, r"leverage is 0\.5, expected a finite number of at least 1"),
        ({"leverage": None}, "has leverage None and margin None, expected exactly one"),
        ({"margin": 10.0}, r"has leverage 5\.0 and margin 10\.0, expected exactly one"),
        ({"leverage": None, "margin": 0.0}, r"margin is 0\.0, expected a finite number above 0"),
        ({"margin": math.inf}, "margin is inf, expected a finite number"),
        ({"other_pnl": 5.0}, "expected them in cross only"),
        ({"mode": "cross"}, "expected the wallet balance"),
        ({"mode": "cross", "margin": 1.0, "other_maintenance": -1.0}, "expected 0 or more"),
        ({"mode": "cross", "margin": 1.0, "other_pnl": math.nan}, "other_pnl is nan"),
    ],
)
def test_impossible_positions_are_refused(change, message):
    sound = {"side": "long", "entry": 120.0, "notional": 600.0, "leverage": 5.0}
    with pytest.raises(FrameError, match=message):
        Position(**(sound | change))
