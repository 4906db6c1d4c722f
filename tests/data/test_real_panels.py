"""The shipped panels on the real history, where it is at hand."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqwarn.config import load_panel
from liqwarn.data.asof import market_frame
from liqwarn.data.ingest import ingest
from liqwarn.data.store import Store

PANELS = Path(__file__).parents[2] / "conf" / "panels"
HOUR = np.timedelta64(1, "h")


@pytest.fixture(scope="module")
def built(real_data, tmp_path_factory):
    """Panel, frame and ingest summary by name, each built once."""
    made = {}

    def build(name):
        if name not in made:
            panel = load_panel(PANELS / f"{name}.yaml")
            store = Store(tmp_path_factory.mktemp(name))
            summary = ingest(panel, real_data, store, now=datetime(2025, 7, 1, tzinfo=UTC))
            made[name] = panel, market_frame(store, panel), summary, store
        return made[name]

    return build


def at(frame, time, field, symbol="BTCUSDT"):
    column = int((np.datetime64(time, "s") - frame.times[0]) / np.timedelta64(frame.bar))
    return float(frame.field(field)[frame.symbols.index(symbol), column])


def day(frame, date, field):
    first = np.datetime64(date, "s")
    inside = (frame.times > first) & (frame.times <= first + 24 * HOUR)
    return frame.field(field)[0, inside]


@pytest.mark.parametrize(
    ("name", "shape", "first", "last"),
    [
        ("btc_core", (1, 43_832), "2020-01-01T17:00:00", "2025-01-01T00:00:00"),
        ("majors_4h", (4, 5_472), "2023-01-01T04:00:00", "2025-07-01T00:00:00"),
        ("hyperliquid_1h", (5, 2_797), "2025-03-06T12:00:00", "2025-07-01T00:00:00"),
        ("wide_30m", (24, 43_776), "2023-01-01T00:30:00", "2025-07-01T00:00:00"),
    ],
)
def test_a_panel_is_built_whole(built, name, shape, first, last):
    panel, frame, summary, store = built(name)

    assert frame.shape == shape
    assert (str(frame.times[0]), str(frame.times[-1])) == (first, last)
    assert summary.quarantined == {}
    assert summary.total("rows") == sum(
        summary.total(count) for count in ("new", "other", "empty", "duplicates")
    )
    assert set(frame.fields) == set(panel.fields)
    assert all(np.isfinite(frame.field(field)).any() for field in panel.fields)
    assert store.verify() > 0


def test_known_prints_of_btc(built):
    frame = built("btc_core")[1]

    assert day(frame, "2020-03-13", "low").min() == pytest.approx(3_621.81)
    assert day(frame, "2021-05-19", "low").min() == 28_688.0
    assert day(frame, "2024-08-05", "low").min() == 48_888.0


def test_btc_core_is_complete_where_its_sources_are(built):
    frame = built("btc_core")[1]
    oi = np.isfinite(frame.field("open_interest")[0])
    t = frame.times

    assert oi[(t >= np.datetime64("2020-03-13T04:00")) & (t <= np.datetime64("2023-01-01"))].all()
    assert not oi[(t > np.datetime64("2023-01-02")) & (t < np.datetime64("2023-04-16"))].any()
    assert oi[t >= np.datetime64("2023-04-16T01:00")].all()
    assert np.isfinite(frame.field("funding_rate")).mean() > 0.999
    assert set(frame.field("funding_interval_h")[0, 24:]) == {8.0}


def test_taker_flow_is_in_coins_and_matches_the_volume(built):
    frame = built("btc_core")[1]
    taker = frame.field("taker_buy_volume") + frame.field("taker_sell_volume")

    assert np.nanmedian(taker / frame.field("volume")) == pytest.approx(1.0, abs=0.1)


def test_an_hour_on_chain_is_seen_an_hour_after_its_end(built, real_data):
    frame = built("btc_core")[1]
    raw = pd.read_parquet(real_data / "exchange_flows/cryptoquant_btc_binance_flows_1h.parquet")
    label = pd.Timestamp("2024-03-05 14:00", tz="UTC")
    told = raw.set_index("ts_utc")["inflow_total_btc"]

    assert at(frame, "2024-03-05T16:00", "inflow") == told[label]


def test_an_hour_average_is_seen_at_the_end_of_its_hour(built, real_data):
    frame = built("hyperliquid_1h")[1]
    raw = pd.read_parquet(real_data / "open_interest/hyperliquid_oi_1h_5coins.parquet")
    label = pd.Timestamp("2025-05-12 09:00", tz="UTC")
    told = raw[raw["symbol"] == "ETH"].set_index("timestamp")["oi_usd_hour_avg"][label]
    typical = np.mean(
        [at(frame, "2025-05-12T10:00", f, "ETHUSDT") for f in ("high", "low", "close")]
    )

    assert at(frame, "2025-05-12T10:00", "open_interest", "ETHUSDT") == pytest.approx(
        told / typical
    )


def test_weighted_funding_is_a_fraction(built, real_data):
    frame = built("majors_4h")[1]
    raw = pd.read_parquet(real_data / "funding/coinglass_oi_weighted_funding_4h.parquet")
    label = pd.Timestamp("2025-01-20 12:00", tz="UTC")
    told = raw[raw["symbol"] == "SOL"].set_index("timestamp")["funding_oiw_close_pct"][label]

    assert at(frame, "2025-01-20T16:00", "funding_rate_2", "SOLUSDT") == pytest.approx(told / 100)


@pytest.mark.parametrize("name", ["btc_core", "majors_4h", "hyperliquid_1h"])
def test_the_past_does_not_know_the_future(built, name):
    panel, frame, _, store = built(name)
    bars = frame.shape[1] * 2 // 3
    moment = pd.Timestamp(frame.times[bars - 1], tz="UTC").to_pydatetime()

    for early in (
        market_frame(store, panel, end=moment),
        market_frame(store, panel, known_by=moment),
    ):
        assert early.shape[1] == bars
        for field, plane in early.fields.items():
            assert plane.tobytes() == frame.fields[field][:, :bars].tobytes(), field


def test_a_tail_is_the_same_bits(built):
    panel, frame, _, store = built("btc_core")
    first = frame.shape[1] - 500
    start = pd.Timestamp(frame.times[first], tz="UTC").to_pydatetime()

    tail = market_frame(store, panel, start=start)

    for field, plane in tail.fields.items():
        assert plane.tobytes() == frame.fields[field][:, first:].tobytes(), field
