"""Which series of CoinGlass there are, and what others exported of it."""

import csv
import json
import runpy
import threading
from pathlib import Path

import numpy as np
import pytest

from liqwarn.sources.coinglass import HISTORIES, INTERVALS, CoinGlassOrder, coinglass_series
from liqwarn.sources.web import Patience, Web

EXPORT = runpy.run_path(str(Path(__file__).parent / "exported_samples.py"))["read_export"]


@pytest.fixture
def series():
    """Series of an order; nothing is asked."""

    def made(coins=("BTC", "ETH"), **told):
        with Web("http://127.0.0.1:9", connections=1, patience=Patience(attempts=1),
                 stop=threading.Event()) as web:  # fmt: skip
            return coinglass_series(web, coins, CoinGlassOrder(**told), lambda: 0.0)

    return made


def test_a_series_is_named_by_what_it_is_of(series):
    names = {(s.kind, s.name) for s in series(("BTC",), venues=("OKX", "Binance"))}

    assert ("funding-4h", "Binance-BTCUSDT") in names
    assert ("open-interest-all-4h", "BTC") in names
    assert ("liquidations-all-4h", "BTC-Binance+OKX") in names  # other venues, another series
    assert ("balance", "Binance-BTC") in names
    assert len(names) == len(HISTORIES) + 1


def test_pairs_can_be_of_any_exchange(series):
    made = series(pairs=("OKX:BTC-USDT-SWAP",), kinds=("price",), balances=())

    assert [(s.kind, s.name, s.step) for s in made] == [
        ("price-4h", "OKX-BTC-USDT-SWAP", INTERVALS["4h"])
    ]


@pytest.mark.parametrize("interval", INTERVALS)
def test_the_last_day_is_asked_for_again(series, interval):
    for told in series(interval=interval, balances=()):
        assert told.settles >= max(86_400_000, 2 * told.step)
        assert 86_400_000 % told.step == 0


def test_an_export_of_liquidations_is_read_by_a_panel_and_sides_stay(raw_samples, tmp_path):
    name = "coinglass/BTC_liquidation_aggregated_1h_head.json"
    rows = json.loads((raw_samples / name).read_text())

    summary, frame = EXPORT(
        raw_samples, tmp_path, {"BTCUSDT": "BTC"}, "1h",
        {"file": name, "symbol": "BTCUSDT",
         "time": {"column": "timestamp", "unit": "ms", "label": "start", "step": "1h"},
         "fields": {"long_liq_usd": "longUsd", "short_liq_usd": "shortUsd"}},
    )  # fmt: skip

    assert summary.quarantined == {}
    assert summary.total("new") == len(rows)
    for side in ("long", "short"):
        told = [row[f"{side}Usd"] for row in rows]
        found = frame.field(f"{side}_liq_usd")[0]
        np.testing.assert_array_equal(found[np.isfinite(found)], told)


def test_an_export_of_open_interest_in_coins_is_read_by_a_panel(raw_samples, tmp_path):
    """As version 3 gave it: letters, seconds; its milliseconds are a column of their own."""
    name = "coinglass/binance_BTCUSDT_openInterest_ohlc-history_1h_2024.csv"
    with (raw_samples / name).open(newline="") as stream:
        rows = list(csv.DictReader(stream))

    summary, frame = EXPORT(
        raw_samples, tmp_path, {"BTCUSDT": "BTC"}, "1h",
        {"file": name, "symbol": "BTCUSDT",
         "time": {"column": "t", "unit": "s", "label": "start", "step": "1h"},
         "fields": {"open_interest": "c"}},
    )  # fmt: skip

    assert summary.quarantined == {}
    assert summary.total("new") == len(rows) == 8_784
    np.testing.assert_array_equal(frame.field("open_interest")[0], [float(r["c"]) for r in rows])
