"""The parts of a market's behaviour: closed to change, documented, possible."""

from dataclasses import FrozenInstanceError, fields

import pytest

from liqwarn.simulation import behaviour
from liqwarn.simulation.behaviour import CrossMargin, Leverage
from liqwarn.simulation.config import MarketConfig

PARTS = [getattr(behaviour, name) for name in behaviour.__all__]


@pytest.mark.parametrize("part", PARTS, ids=behaviour.__all__)
def test_every_field_is_documented_and_none_can_be_set(part):
    for item in fields(part):
        assert item.name in part.__doc__, item.name
        with pytest.raises(FrozenInstanceError, match=item.name):
            setattr(part(), item.name, 1.0)


def test_a_market_holds_every_part_with_its_defaults():
    market = MarketConfig()
    for part in PARTS:
        assert getattr(market, {"CrossMargin": "cross"}.get(part.__name__, part.__name__.lower()))
        assert part() == part()


@pytest.mark.parametrize("mix", [Leverage().mix, CrossMargin().mix])
def test_leverages_rise_and_their_shares_sum_to_one(mix):
    ladder = Leverage().ladder
    assert list(ladder) == sorted(set(ladder))
    assert len(mix) == len(ladder)
    assert sum(mix) == pytest.approx(1.0, abs=1e-12)
