"""Dated tables: which one serves a day, what is checked, and what the shipped files say."""

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from liqwarn.config import load_margin_tiers
from liqwarn.errors import ConfigError, FrameError
from liqwarn.liquidation.exposure import Exposure, closing_price
from liqwarn.liquidation.tiers import Tier, TierTable, VenueTiers, with_amounts

FILES = sorted((Path(__file__).parents[2] / "conf" / "margin_tiers").glob("*.yaml"))
BTC_2024 = [  # cap, rate, leverage, amount: Binance BTCUSDT, 2024-10-24
    (50e3, 0.004, 125, 0),
    (600e3, 0.005, 100, 50),
    (3e6, 0.0065, 75, 950),
    (12e6, 0.01, 50, 11_450),
    (70e6, 0.02, 25, 131_450),
    (100e6, 0.025, 20, 481_450),
    (230e6, 0.05, 10, 2_981_450),
    (480e6, 0.10, 5, 14_481_450),
    (600e6, 0.125, 4, 26_481_450),
    (800e6, 0.15, 3, 41_481_450),
    (1.2e9, 0.25, 2, 121_481_450),
    (1.8e9, 0.50, 1, 421_481_450),
]


def row(cap=1e4, rate=0.01, max_leverage=50.0, amount=0.0):
    return Tier(cap=cap, rate=rate, max_leverage=max_leverage, amount=amount)


def table(*rows, **changed):
    sound = {
        "venue": "binance",
        "symbols": ("BTCUSDT",),
        "contract": "linear",
        "effective": date(2024, 1, 1),
        "source": "a test",
    }
    return TierTable(**(sound | {"tiers": rows or (row(),)} | changed))


@pytest.fixture(scope="module")
def shipped():
    return {path.stem: load_margin_tiers(path) for path in FILES}


def test_four_venues_are_shipped_under_their_own_names(shipped):
    assert set(shipped) == {"binance", "bybit", "hyperliquid", "okx"}
    assert all(name == venue.venue for name, venue in shipped.items())
    for venue in shipped.values():
        assert all("20" in t.source or "above" in t.source.lower() for t in venue.tables)


def test_binance_btc_is_what_the_venue_published(shipped):
    found = shipped["binance"].table_at("BTCUSDT", date(2024, 12, 1))
    assert found.effective == date(2024, 10, 24)
    assert [(t.cap, t.rate, t.max_leverage, t.amount) for t in found.tiers] == BTC_2024
    assert not found.assumed


def test_the_last_table_at_or_before_the_day_serves(shipped):
    binance = shipped["binance"]
    days = [date(2021, 9, 24), date(2024, 10, 23), date(2024, 10, 24)]
    found = [binance.table_at("BTCUSDT", day).effective for day in days]
    assert found == [date(2021, 9, 24), date(2021, 9, 24), date(2024, 10, 24)]


def test_days_and_symbols_without_a_table_get_the_default_and_say_so(shipped):
    binance = shipped["binance"]
    for symbol, day in (("BTCUSDT", date(2019, 1, 1)), ("XYZUSDT", date(2025, 1, 1)), (None,) * 2):
        found = binance.table_at(symbol, day or date(2025, 1, 1))
        assert found.symbols == ("*",)
        assert found.assumed


def test_a_table_without_a_day_says_so(shipped):
    found = shipped["hyperliquid"].table_at("BTCUSDT", date(2025, 6, 1))
    assert found.effective is None
    assert found.assumed
    assert found.name == "hyperliquid BTCUSDT linear undated"


def test_hyperliquid_asks_half_of_the_initial_margin(shipped):
    venue = shipped["hyperliquid"]
    for found in (*venue.tables, venue.default):
        for tier in found.tiers:
            assert tier.rate == pytest.approx(0.5 / tier.max_leverage, rel=1e-12)
    btc = venue.table_at("BTCUSDT", date(2025, 6, 1))
    assert [tier.cap for tier in btc.tiers] == [150e6, math.inf]
    assert btc.tiers[1].amount == pytest.approx(1_875_000)


def test_okx_takes_one_rate_for_the_whole_position(shipped):
    sol = shipped["okx"].table_at("SOLUSDT", date(2022, 11, 9))
    small, large = sol.maintenance(500.0), sol.maintenance(500.1)
    assert small.rates.tolist() == pytest.approx([0.0105])  # the closing fee included
    assert large.rates.tolist() == pytest.approx([0.0155])
    assert large.amounts.tolist() == [0.0]


def test_a_position_larger_than_the_table_is_refused(shipped):
    sol = shipped["okx"].table_at("SOLUSDT", date(2022, 11, 9))
    with pytest.raises(FrameError, match=r"size 50,000 has no tier, expected .* at most 44,000"):
        sol.maintenance(50_000.0)


def test_inverse_contracts_have_no_default(shipped):
    with pytest.raises(FrameError, match="no table of inverse BTCUSD on 2024-01-01"):
        shipped["binance"].table_at("BTCUSD", date(2024, 1, 1), "inverse")


def test_a_quarter_million_at_ten_times_is_liquidated_by_the_second_tier(shipped):
    tiers = shipped["binance"].table_at("BTCUSDT", date(2024, 12, 1)).maintenance(250e3 / 67e3)
    made = Exposure(side="long", contract="linear", entry=67e3, value=250e3, margin=25e3)
    by_hand = 67e3 * (250e3 - 25e3 - 50.0) / (1 - 0.005) / 250e3
    assert float(closing_price(made, tiers)) == pytest.approx(by_hand, rel=1e-12)


def test_amounts_a_source_leaves_out_follow_the_rule():
    rows = tuple(row(cap, rate, lever, 0.0) for cap, rate, lever, _ in BTC_2024)
    found = with_amounts(rows, (None,) * len(rows))
    assert [tier.amount for tier in found] == pytest.approx([amount for *_, amount in BTC_2024])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((row(1e4, 0.01), row(1e4, 0.02, amount=100.0)), "tier 2 has cap 10,000, expected above"),
        ((row(1e4, 0.02), row(2e4, 0.01)), r"tier 2 has rate 0\.01, expected above 0\.02"),
        ((row(1e4, 0.01), row(2e4, 0.02, 20.0, 99.0)), "tier 2 has amount 99, expected 100"),
        ((row(1e4, 0.01, 20.0), row(2e4, 0.015, 50.0, 50.0)), r"leverage 50\.0, expected at most"),
        ((row(rate=0.0),), r"tier 1 has rate 0\.0, expected a fraction in \(0, 1\)"),
        ((row(rate=0.05, max_leverage=20.0),), r"leverage 20\.0 with rate 0\.05, expected"),
        ((row(cap=-1.0),), "tier 1 has cap -1, expected above 0"),
    ],
)
def test_impossible_tables_are_refused(rows, message):
    with pytest.raises(FrameError, match=message):
        table(*rows)


def test_every_fault_of_a_table_is_named():
    with pytest.raises(FrameError) as told:
        table(row(1e4, 0.02), row(1e3, 0.01, 20.0, 7.0), row(2e3, 0.005, 50.0, 7.0))
    assert len(str(told.value).splitlines()) == 7


def test_rounded_amounts_are_accepted():
    assert table(row(1e4, 0.01), row(2e4, 0.02, 20.0, 100.009)).tiers[1].amount == 100.009


def test_two_tables_for_one_day_are_refused():
    with pytest.raises(FrameError, match="a second table of BTCUSDT for that day"):
        VenueTiers(venue="binance", tables=(table(), table()), default=table(symbols=("*",)))


def test_the_whole_position_pays_one_rate_where_coins_count():
    with pytest.raises(FrameError, match="tier 2 has amount 100, expected 0 where coins count"):
        table(row(), row(2e4, 0.02, 20.0, 100.0), measure="coins")
    assert np.isfinite(table(row(), row(2e4, 0.02, 20.0), measure="coins").maintenance(1e4).rates)


def test_a_file_with_faults_is_named_with_all_of_them(tmp_path):
    path = tmp_path / "venue.yaml"
    path.write_text("schema: liqwarn.margin_tiers/1\nvenue: X\ntables: [3]\n")
    with pytest.raises(
        ConfigError, match=r"venue\.yaml: margin tiers have 2 faults:\n- venue: .*\n"
    ):
        load_margin_tiers(path)
