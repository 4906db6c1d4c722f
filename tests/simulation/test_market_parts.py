"""Overrides of the market: known parts, known fields, a market that can exist."""

import pytest

from liqwarn.simulation.config import CrossMargin, MarketConfig, Venue
from liqwarn.simulation.market_parts import parts_of


def test_what_is_not_overridden_keeps_its_default():
    faults = []
    parts = parts_of({"venue": {"engine": "tiered"}, "cross": {"share": 1}}, faults)

    assert faults == []
    assert parts == {"venue": Venue(engine="tiered"), "cross": CrossMargin(share=1.0)}


def test_every_part_of_a_market_can_be_overridden_and_nothing_else():
    names = ("volatility", "liquidity", "leverage", "positioning", "habits", "venue", "cross")
    faults = []

    assert set(parts_of({name: {} for name in names}, faults)) == set(names)
    assert faults == []
    assert parts_of({"n_bars": 3, "specs": []}, faults) == {}
    assert len(faults) == 2


def test_lists_become_tuples():
    mix = MarketConfig().leverage.mix

    assert parts_of({"leverage": {"mix": list(mix)}}, [])["leverage"].mix == mix


@pytest.mark.parametrize(
    ("market", "fault"),
    [
        ({"venu": {}}, "market.venu: unknown part, did you mean 'venue'?"),
        ({"venue": 3}, "market.venue: found 3, expected keys and values"),
        ({"venue": {"engin": "full"}}, "market.venue.engin: unknown key, did you mean 'engine'?"),
        ({"liquidity": {"bite": "hard"}}, "market.liquidity.bite: found 'hard', expected a finite"),
        ({"liquidity": {"bite": -1}}, "market: liquidity.bite is -1.0, expected"),
        ({"leverage": {"mix": [0.5]}}, "market: leverage.mix is (0.5,), expec"),
    ],
)
def test_one_fault(market, fault):
    faults = []
    parts_of(market, faults)

    assert len(faults) == 1
    assert faults[0].startswith(fault)
