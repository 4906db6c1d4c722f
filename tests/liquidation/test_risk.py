"""The three risks of a position, with the figures a trader would check by hand."""

import math

import pytest

from liqwarn.errors import FrameError
from liqwarn.liquidation.funding import Funding
from liqwarn.liquidation.position import Position
from liqwarn.liquidation.requirement import flat_requirement
from liqwarn.liquidation.risk import assess

FLAT = flat_requirement(0.01)


def long(**changed):
    return Position(
        **({"side": "long", "entry": 120.0, "notional": 120.0, "leverage": 5.0} | changed)
    )


def test_the_figures_of_the_popular_example():
    risk = assess(long(), FLAT, funding=Funding(rate=0.0003))
    assert round(risk.liquidation_price, 2) == 96.97
    assert risk.bankruptcy_price == 96.0
    # equity 24 + (P − 120) is 1.25 times the maintenance 0.01·P
    assert risk.call_price == pytest.approx(96.0 / (1 - 0.0125))
    assert risk.margin_ratio == pytest.approx(1.2 / 24.0)
    assert risk.distance_frac == pytest.approx(1 - 96.0 / 0.99 / 120.0)
    assert risk.funding_per_day == pytest.approx(0.108)
    assert risk.erosion_per_day == pytest.approx(0.108 / 0.99)
    assert risk.days_funded == pytest.approx(22.8 / 0.108)
    assert math.isnan(risk.distance_atr)
    assert not risk.assumed
    assert not risk.never


def test_distances_are_from_the_mark_and_turn_negative_beyond():
    risk = assess(long(), FLAT, mark=100.0, atr=2.0)
    assert risk.distance_atr == pytest.approx((100.0 - 96.0 / 0.99) / 2.0)
    gone = assess(long(), FLAT, mark=90.0)
    assert gone.distance_frac < 0.0
    assert math.isinf(gone.margin_ratio)
    assert gone.days_funded == 0.0


def test_a_short_is_called_and_liquidated_above():
    risk = assess(long(side="short"), FLAT, funding=Funding(rate=0.0003))
    assert 120.0 < risk.call_price < risk.liquidation_price < risk.bankruptcy_price
    assert risk.funding_per_day < 0.0 > risk.erosion_per_day
    assert math.isinf(risk.days_funded)


def test_positions_no_price_liquidates_say_so():
    assert assess(long(leverage=1.0), FLAT).never
    short = long(side="short", leverage=1.0, contract="inverse")
    assert assess(short, FLAT).never
    assert math.isinf(assess(short, FLAT).distance_frac)


def test_a_cross_wallet_carries_further():
    cross = long(leverage=None, margin=60.0, mode="cross", other_maintenance=4.0, other_pnl=-6.0)
    assert assess(cross, FLAT).liquidation_price == pytest.approx((120.0 - 50.0) / 0.99)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mark": 0.0}, r"mark price is 0\.0, expected a finite number above 0"),
        ({"atr": -1.0}, r"average true range is -1\.0"),
        ({"warning_ratio": 0.005}, r"margin ratio is 0\.005, expected above the largest"),
    ],
)
def test_impossible_circumstances_are_refused(options, message):
    with pytest.raises(FrameError, match=message):
        assess(long(), FLAT, **options)


def test_a_position_that_would_be_liquidated_at_its_entry_is_refused():
    with pytest.raises(FrameError, match=r"margin at leverage 100 is 1\.2, expected above .* 1\.2"):
        assess(long(leverage=100.0), FLAT)
