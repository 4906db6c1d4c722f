"""Every raw export of the shared data is read by a small panel, its first rows to the digit.

What has no field of ours is read as a table. What are single events is summed by the hour first, as
docs/data-sources.md says.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest

from liqwarn.data.ingest import ingest
from liqwarn.data.mapping import TimeMap
from liqwarn.data.panel import ALL_SYMBOLS, Panel, Source
from liqwarn.data.quarantine import Rejects
from liqwarn.data.readers import read_table
from liqwarn.data.records import SeriesKey
from liqwarn.data.stamps import event_seconds
from liqwarn.data.store import Store

NOW = datetime(2026, 7, 1, tzinfo=UTC)
HOUR = {"label": "start", "step": "1h"}
DAY = {"label": "start", "step": "1d"}


@pytest.fixture(scope="module")
def samples():
    shared = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("LIQWARN_REAL_DATA", shared)) / "raw_samples"
    if not folder.is_dir():
        pytest.skip(f"no raw samples at {folder}: set LIQWARN_REAL_DATA")
    return folder


def source(file, time, fields, **more):
    return {
        "name": "sample",
        "file": file,
        "time": time,
        "fields": fields,
        "symbol": "BTCUSDT",
    } | more


def panel_of(*sources, **more):
    """The source of a test, and prices that are not there: a panel wants a close."""
    prices = source("no-prices-*.csv", {"column": "t", "unit": "s", **HOUR}, {"close": "c"},
                    name="prices", optional=True)  # fmt: skip
    told = {"name": "samples", "market": "real", "bar": "1d", "symbols": ["BTCUSDT"],
            "sources": [*sources, prices]}  # fmt: skip
    return Panel.model_validate(told | more)


def stored(panel, folder, tmp_path, symbol="BTCUSDT", name="sample"):
    """The summary, and the records of the sample as they are in the store."""
    store = Store(tmp_path / "store")
    summary = ingest(panel, folder, store, now=NOW)
    return summary, store.read(SeriesKey(panel="samples", source=name, symbol=symbol))


CQ = "cryptoquant_btc_binance_"
CQ_TIME = {"column": "datetime", "tz": "UTC", **HOUR}
FILES = {
    f"{CQ}inflow_hour_head.csv": (CQ_TIME, {"inflow": "inflow_total"}, 199, [143.76174054]),
    f"{CQ}outflow_hour_head.csv": (CQ_TIME, {"outflow": "outflow_total"}, 199, [181.47376407]),
    f"{CQ}netflow_hour_head.csv": (
        CQ_TIME, {"netflow": "netflow_total"}, 199, [-37.71202352999998]),
    f"{CQ}exchange-flows_reserve_hour_head.csv": (
        CQ_TIME, {"reserve": "reserve"}, 199, [581824.98056189]),
    f"{CQ}flow-indicator_exchange-whale-ratio_hour_head.csv": (
        CQ_TIME, {"whale_ratio": "exchange_whale_ratio"}, 199, [0.50516741]),
    f"{CQ}market-data_open-interest_hour_head.csv": (
        CQ_TIME, {"open_interest": {"column": "open_interest", "unit": "usd_at_close"}}, 199,
        [4009686914.522899]),
    f"{CQ}market-data_liquidations_hour_head.csv": (
        CQ_TIME,
        {"long_liq_usd": "long_liquidations_usd", "short_liq_usd": "short_liquidations_usd"}, 199,
        [19507.00627, 427431.4129]),
    "cryptoquant/binance_btc_open-interest_hour_2024.csv": (
        {"column": "start_time", "unit": "ms", **HOUR},
        {"open_interest": {"column": "open_interest", "unit": "usd_at_close"}}, 8_784,
        [4009686914.522899]),
    "cryptoquant/binance_btc_liquidations_hour_2024.csv": (
        {"column": "start_time", "unit": "ms", **HOUR},
        {"long_liq_usd": "long_liquidations_usd", "short_liq_usd": "short_liquidations_usd"}, 8_784,
        [19507.00627, 427431.4129]),
    "cryptoquant_web_export_exchange_reserves_head.csv": (
        {"column": "Date", "format": "%Y.%m.%d", "tz": "UTC", **DAY}, {"reserve": "Data"}, 99,
        [0.02]),
    "glassnode_exchange_inflow_volume_head.csv": (
        {"column": "start_time", "unit": "ms", **DAY}, {"inflow": "v"}, 59, [0.007500000000000001]),
    "dune_eth_exchange_netflow_usd_hr_head.csv": (
        {"column": "datetime", **HOUR},
        {"netflow": {"column": "exchange_netflow_usd", "unit": "usd_at_typical"}}, 149,
        [4572810.901794337]),
    "whale_alert_btc_hourly_head.csv": (
        {"column": "datetime1h", **HOUR},
        {"netflow": {"column": "whale_net_usd", "unit": "usd_at_typical"}}, 59, [137247624.0]),
}  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_a_panel_reads_it(samples, tmp_path, file):
    time, fields, rows, first = FILES[file]

    summary, records = stored(panel_of(source(file, time, fields)), samples, tmp_path)

    assert summary.quarantined == {}
    assert (summary.total("rows"), summary.total("new")) == (rows, rows)
    assert [records.values[name][0] for name in fields] == first


MINUTES = {
    "dune_btc_etow_wtoe_head.csv": (
        "minute",
        {"inflow": "wallet_to_exchange_usd", "outflow": "exchange_to_wallet_used"},
        [3944682.085691797, 4367125.259140655],
    ),
    "dune_btc_exchange_netflow_usd_head.csv": (
        "datetime",
        {"netflow": {"column": "exchange_netflow_usd", "scale": -1.0}},
        [-422780.10070616007],
    ),
}


@pytest.mark.parametrize("file", MINUTES)
def test_flows_of_blocks_are_read_by_their_minute(samples, tmp_path, file):
    """The published netflow of BTC is out minus in: the panel turns it round."""
    column, fields, first = MINUTES[file]
    time = {"column": column, "label": "start", "step": "1min"}

    summary, records = stored(panel_of(source(file, time, fields)), samples, tmp_path)

    assert summary.quarantined == {}
    assert summary.total("new") == 149
    assert [records.values[name][0] for name in fields] == first


def test_meeting_dates_are_a_calendar(samples, tmp_path):
    told = {
        "name": "fomc", "gives": "macro", "file": "fed_meeting_dates_tail.csv",
        "time": {"column": "date", "tz": "America/New_York", "label": "end"},
        "where": {"fed_meeting_date_indicator": 1, "fed_non_scheduled_meeting_indicator": 0},
        "known_before": "30d",
    }  # fmt: skip
    prices = source("cryptoquant_btc_binance_netflow_hour_head.csv", CQ_TIME,
                    {"netflow": "netflow_total"}, name="flows")  # fmt: skip

    summary, records = stored(
        panel_of(prices, calendars=[told]), samples, tmp_path, ALL_SYMBOLS, "fomc"
    )

    assert summary.quarantined == {}
    assert len(records) == 52
    assert datetime.fromtimestamp(records.event[0], UTC).isoformat() == "2016-11-02T04:00:00+00:00"


EVENTS = {
    "aave_v2_thegraph_liquidations_head.csv": (
        "SELECT timestamp // 3600 * 3600 AS hour, "
        "sum(amountUSDPrincipal) AS usd FROM '{file}' "
        "WHERE amountUSDPrincipal IS NOT NULL GROUP BY hour ORDER BY hour"
    ),
    "compound_v3_liquidations_head.csv": (
        "SELECT timestamp // 3600 * 3600 AS hour, "
        "sum(value_liquidated_usd) AS usd FROM '{file}' GROUP BY hour ORDER BY hour"
    ),
}


@pytest.mark.parametrize("file", EVENTS)
def test_events_are_summed_by_the_hour_and_then_read(samples, tmp_path, file):
    with duckdb.connect() as database:
        query = EVENTS[file].format(file=samples / file)
        database.execute(f"COPY ({query}) TO '{tmp_path / 'hours.parquet'}' (FORMAT parquet)")
        told = database.execute(query).fetchall()
    panel = panel_of(
        source("hours.parquet", {"column": "hour", "unit": "s", **HOUR}, {"long_liq_usd": "usd"})
    )

    summary, records = stored(panel, tmp_path, tmp_path)

    assert summary.quarantined == {}
    assert len(records) == len(told)
    assert records.values["long_liq_usd"].tolist() == [usd for _, usd in told]
    assert records.event[0] == told[0][0] + 3_600


def test_liquidations_without_a_coin_and_a_side_are_read_and_fit_no_field(samples):
    name, time = "hyperliquid_official_liquidations_2023.csv", {"column": "time", "label": "end"}

    table = read_table(samples / name, Source.model_validate(source(name, time, {"mark": "x"})))

    assert list(table.columns) == [
        "time", "user", "liquidated_ntl_pos", "liquidated_account_value", "leverage_type",
    ]  # fmt: skip
    ends = event_seconds(table["time"], np.arange(1, 63), TimeMap.model_validate(time), Rejects())
    assert datetime.fromtimestamp(ends[0], UTC).isoformat() == "2023-02-28T21:10:23+00:00"
    assert table["liquidated_ntl_pos"].astype(float).iloc[[0, -1]].tolist() == [356.80015, 30.35088]


SEED = ("time", "open", "high", "low", "close", "volume")


@pytest.mark.parametrize(
    ("file", "rows", "first"),
    [
        ("tradingview_pine_seed_BTC_LIQ_LONGS.csv", 2, ["69584.67", "104361141.8"]),
        ("tradingview_pine_seed_santiment_BTC_SENTIMENT_BALANCE_TOTAL_head.csv", 60,
         ["200.4387566447258", "0"]),
    ],
)  # fmt: skip
def test_pine_seeds_have_no_header_and_a_stamp_of_their_own(samples, file, rows, first):
    """No field takes them: what the columns mean is told by the name of the file alone."""
    time = {"column": "time", "format": "%Y%m%dT", "tz": "UTC", **DAY}
    layout = Source.model_validate(source(file, time, {"netflow": "close"}, columns=SEED))

    table = read_table(samples / file, layout)

    assert len(table) == rows
    assert [table["open"].iloc[0], table["volume"].iloc[0]] == first
    ends = event_seconds(
        table["time"], np.arange(1, rows + 1), TimeMap.model_validate(time), Rejects()
    )
    assert np.diff(ends).tolist() == [86_400] * (rows - 1)
