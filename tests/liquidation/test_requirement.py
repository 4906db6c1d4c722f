"""What a position must keep: a given rate, or the table of its venue, symbol and day."""

import math
from datetime import date

import pytest

from liqwarn.errors import FrameError
from liqwarn.liquidation.position import Position
from liqwarn.liquidation.requirement import flat_requirement, table_requirement
from liqwarn.liquidation.tiers import Tier, TierTable

ROWS = (
    Tier(cap=50e3, rate=0.004, max_leverage=125.0, amount=0.0),
    Tier(cap=600e3, rate=0.005, max_leverage=100.0, amount=50.0),
)


def position(**changed):
    sound = {"side": "long", "entry": 100.0, "notional": 1e5, "leverage": 10.0}
    return Position(**(sound | changed))


def table(**changed):
    sound = {
        "venue": "binance",
        "symbols": ("BTCUSDT",),
        "contract": "linear",
        "effective": date(2024, 1, 1),
        "source": "a test",
        "tiers": ROWS,
    }
    return TierTable(**(sound | changed))


def test_a_given_rate_carries_the_fee():
    found = flat_requirement(0.01, fee_rate=0.002)
    assert float(found.maintenance.at(1e3)) == pytest.approx(12.0)
    assert (found.assumed, found.effective) == (False, None)


def test_a_table_names_itself_its_source_and_its_day():
    found = table_requirement(table(assumed=True), position())
    assert float(found.maintenance.at(1e5)) == pytest.approx(450.0)
    assert found.name == "binance BTCUSDT linear 2024-01-01"
    assert (found.source, found.effective, found.assumed) == ("a test", date(2024, 1, 1), True)


def test_the_callers_fee_replaces_the_tables():
    charged = table(fee_rate=0.001)
    assert table_requirement(charged, position()).maintenance.rates[0] == pytest.approx(0.005)
    free = table_requirement(charged, position(), fee_rate=0.0)
    assert free.maintenance.rates[0] == pytest.approx(0.004)


def test_more_leverage_than_the_venue_allows_is_refused():
    with pytest.raises(FrameError, match="leverage is 110, expected at most 100 for 100,000 by"):
        table_requirement(table(), position(leverage=110.0))
    assert table_requirement(table(), position(leverage=110.0, notional=1e4))


def test_a_default_table_does_not_know_the_symbols_leverage():
    assert table_requirement(table(symbols=("*",)), position(leverage=110.0))


def test_a_position_larger_than_the_venue_allows_is_refused():
    with pytest.raises(FrameError, match="size 1,000,000 has no tier"):
        table_requirement(table(), position(notional=1e6))


def test_the_wrong_contract_is_refused():
    with pytest.raises(FrameError, match="is for linear, found inverse"):
        table_requirement(table(), position(contract="inverse"))


def test_size_is_counted_in_coins_where_the_table_does():
    rows = (
        Tier(cap=500.0, rate=0.01, max_leverage=75.0, amount=0.0),
        Tier(cap=math.inf, rate=0.02, max_leverage=20.0, amount=0.0),
    )
    by_coins = table(measure="coins", tiers=rows)
    assert table_requirement(by_coins, position(notional=5e4)).maintenance.rates[0] == 0.01
    assert table_requirement(by_coins, position(notional=6e4)).maintenance.rates[0] == 0.02
