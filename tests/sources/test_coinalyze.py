"""Which series of Coinalyze there are, and what others exported of it."""

import csv
import runpy
import threading
from pathlib import Path

import numpy as np
import pytest

from liqwarn.sources.coinalyze import ENDPOINTS, INTERVALS, coinalyze_series
from liqwarn.sources.web import Patience, Web

EXPORT = runpy.run_path(str(Path(__file__).parent / "exported_samples.py"))["read_export"]
BY_VENUE = ("coinalyze/liquidation_history.csv",
            "coinalyze_liquidation_history_btc_by_venue_head.csv")  # fmt: skip


def test_series_of_a_kind_are_behind_one_another():
    names = ("BTCUSDT_PERP.A", "ETHUSDT.6")
    with Web("http://127.0.0.1:9", connections=1, patience=Patience(attempts=1),
             stop=threading.Event()) as web:  # fmt: skip
        made = coinalyze_series(web, names, "1h", ("funding", "liquidations"))

    assert [(s.kind, s.name) for s in made] == [
        (f"{kind}-1h", name) for kind in ("funding", "liquidations") for name in names
    ]
    assert {s.step for s in made} == {INTERVALS["1h"][1]}
    assert made[2].columns == tuple(ENDPOINTS["liquidations"].rows.columns)


@pytest.mark.parametrize("name", BY_VENUE)
@pytest.mark.parametrize("market", ["BTC/USDT - Binance", "BTC/USD - Deribit", "BTC/USD - BitMEX"])
def test_an_export_by_venue_is_read_by_a_panel_and_sides_stay(raw_samples, tmp_path, name, market):
    """Days, not in order; a pair of columns a market, the short one first."""
    with (raw_samples / name).open(newline="") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: row["t"])

    summary, frame = EXPORT(
        raw_samples, tmp_path, {"BTCUSDT": "BTC"}, "1d",
        {"file": name, "symbol": "BTCUSDT",
         "time": {"column": "t", "label": "start", "step": "1d", "tz": "UTC"},
         "fields": {"long_liq_usd": f"{market}_long", "short_liq_usd": f"{market}_short"}},
    )  # fmt: skip

    assert summary.quarantined == {}
    for side in ("long", "short"):
        told = [float(row[f"{market}_{side}"]) for row in rows if row[f"{market}_{side}"]]
        found = frame.field(f"{side}_liq_usd")[0]
        np.testing.assert_array_equal(found[np.isfinite(found)], told)


def test_an_export_by_symbol_is_read_by_a_panel(raw_samples, tmp_path):
    """The column of days has no name, and is read as "unnamed 0"."""
    name = "coinalyze_liquidations_binance_first6_perps_head.csv"
    with (raw_samples / name).open(newline="") as stream:
        rows = list(csv.DictReader(stream))

    summary, frame = EXPORT(
        raw_samples, tmp_path, {"CRVUSDT": "CRV"}, "1d",
        {"file": name, "symbol": "CRVUSDT",
         "time": {"column": "unnamed 0", "label": "start", "step": "1d", "tz": "UTC"},
         "fields": {"long_liq_usd": "CRVUSDT_PERP.A_longliq",
                    "short_liq_usd": "CRVUSDT_PERP.A_shortliq"}},
    )  # fmt: skip

    assert summary.quarantined == {}
    for side in ("long", "short"):
        told = [float(row[f"CRVUSDT_PERP.A_{side}liq"]) for row in rows]
        np.testing.assert_array_equal(frame.field(f"{side}_liq_usd")[0], told)


def test_an_hourly_export_is_read_by_a_panel(raw_samples, tmp_path):
    name = "coinalyze/coinalyze_liquidations_FARTCOIN_1h_head.csv"
    with (raw_samples / name).open(newline="") as stream:
        rows = list(csv.DictReader(stream))

    summary, frame = EXPORT(
        raw_samples, tmp_path, {"FARTCOINUSDT": "FARTCOIN"}, "1h",
        {"file": name, "symbol": "FARTCOINUSDT",
         "time": {"column": "timestamp", "label": "start", "step": "1h"},
         "fields": {"long_liq_usd": "long_liquidations", "short_liq_usd": "short_liquidations"}},
    )  # fmt: skip

    assert summary.total("new") == len(rows)
    told = [float(row["long_liquidations"]) for row in rows]
    found = frame.field("long_liq_usd")[0]
    np.testing.assert_array_equal(found[np.isfinite(found)], told)
