"""``liqwarn tape``: from a tape to tables, a picture and a panel's frame."""

import json
import runpy
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from liqwarn.collectors.happening_codec import encode_happenings
from liqwarn.collectors.happenings import Candle, Reading
from liqwarn.collectors.tape import TapeWriter
from liqwarn.collectors.taped import Taped

START = 20_000 * 86_400_000  # 2024-10-04
HOURS = 3


def force_order(time_ms, side):
    """A liquidation as Binance's combined stream tells it."""
    order = {"s": "BTCUSDT", "S": side, "o": "LIMIT", "f": "IOC", "q": "0.5", "p": "60000",
             "ap": "60000", "X": "FILLED", "l": "0.5", "z": "0.5", "T": time_ms}  # fmt: skip
    data = {"e": "forceOrder", "E": time_ms + 3, "o": order}
    return json.dumps({"stream": "!forceOrder@arr", "data": data}).encode()


def samples(now):
    fields = {"mark": 60_000.0, "index": 60_010.0, "open_interest": 9e4, "funding_rate": 1e-4,
              "funding_interval_h": 8.0, "bid_depth_usd": 1e7, "ask_depth_usd": 1e7}  # fmt: skip
    told = [
        Reading(symbol="BTCUSDT", time_ms=now - 50, field=name, value=value)
        for name, value in fields.items()
    ]
    if now % 60_000 == 0:
        candle = Candle(
            symbol="BTCUSDT", time_ms=now, open=60_000.0, high=60_010.0, low=59_990.0,
            close=60_000.0, volume=3.0, taker_buy_volume=1.0,
        )  # fmt: skip
        told.append(candle)
    return Taped(seen_ms=now + 1, line="market", what="happenings", content=encode_happenings(told))


@pytest.fixture
def tape(tmp_path):
    """Three hours of Binance: half a bitcoin of longs liquidated every minute."""
    writer = TapeWriter(tmp_path / "tape", "binance")
    start = START - 10 * 60_000
    for line in ("liquidations", "market"):
        writer.append(Taped(seen_ms=start, line=line, what="opened", content=b""))
    for k in range(1, HOURS * 240 + 60):
        now = start + 15_000 * k
        if k % 4 == 1:
            frame = force_order(now - 20, "SELL")
            writer.append(Taped(seen_ms=now, line="liquidations", what="frame", content=frame))
        writer.append(samples(now))
    writer.close()
    return tmp_path


def test_a_tape_becomes_tables_a_series_and_a_panel(run, tape):
    out = str(tape / "out")
    made = run("tape", "tables", "--symbols", "BTCUSDT,ETHUSDT", "--tape", str(tape / "tape"),
               "--out", out, "--json").json  # fmt: skip
    again = run("tape", "tables", "--symbols", "BTCUSDT,ETHUSDT", "--tape", str(tape / "tape"),
                "--out", out)  # fmt: skip
    days = run("tape", "show", "--tables", out, "--symbol", "BTCUSDT", "--json").json["days"]
    shown = run("tape", "show", "--tables", out)
    wanted = ("--symbol", "BTCUSDT", "--from", "2024-10-04", "--out", str(tape / "series.csv"))
    series = run("tape", "liquidations", "--tables", out, *wanted, "--json").json
    read = run("ingest", "--panel", "conf/panels/collected_5m.yaml", "--data", out,
               "--store", str(tape / "store"), "--json").json  # fmt: skip

    venue = made["venues"][0]
    assert (venue["venue"], venue["unread"], venue["damaged"]) == ("binance", 0, 0)
    assert venue["finished"] == ["2024-10-03"]
    assert venue["running"] == ["2024-10-04"]
    assert again.out.startswith("binance: 0 days finished, 1 running")
    assert [one["day"] for one in days] == ["2024-10-03", "2024-10-04"]
    assert "BTCUSDT" in shown.out
    assert [bar["long_usd"] for bar in series["bars"][:3]] == [60 * 30_000.0] * 3
    assert {bar["short_usd"] for bar in series["bars"][:3]} == {0.0}
    assert (tape / "series.csv").read_text().startswith("time,long_usd,short_usd,net_usd,venues")
    assert read["quarantined"] == {}
    assert read["new"] > 0


def test_completeness_of_a_panel(run, tape):
    out = str(tape / "out")
    run("tape", "tables", "--symbols", "BTCUSDT", "--tape", str(tape / "tape"), "--out", out)

    told = run("tape", "completeness", "--panel", "conf/panels/collected_5m.yaml", "--data", out,
               "--store", str(tape / "store"))  # fmt: skip

    assert told.code == 0, told.err
    assert "binance says of its feed: one a second" in told.out
    assert "BTCUSDT      long" in told.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("tables", "--symbols", "BTCUSDT", "--tape", "nowhere"), "venues are none, expected of"),
        (("tables", "--symbols", "X", "--venues", "nobody"), "venues are nobody, expected of"),
        (("tables", "--symbols", "X", "--venues", "okx", "--kinds", "news"), "kinds news"),
        (("tables", "--symbols", "BTCUSDT", "--venues", "okx"), "no tape, expected what collect"),
        (("show", "--tables", "nowhere"), "no liquidations of any symbol from any venue"),
        (("liquidations", "--symbol", "BTCUSDT", "--bar", "soon"), "--bar: found 'soon'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(run, words, told):
    assert told in run("tape", *words).refusal


def test_liquidations_of_whoever_was_followed_are_in_the_tables(run, tmp_path):
    frames = runpy.run_path(str(Path(__file__).parents[1] / "collectors/hyperliquid_frames.py"))
    fill = {**frames["fill"](1), "time": START + 61_000}
    told = frames["fills"](fill, user="0x" + "5" * 40)
    writer = TapeWriter(tmp_path / "tape", "hyperliquid")
    for line in ("fills", "market-1"):
        writer.append(Taped(seen_ms=START, line=line, what="opened", content=b""))
    for k in range(1, 40):
        writer.append(samples(START + 5_000 * k))
        if k % 6 == 0:  # an open line is there every half minute
            writer.append(replace(samples(START + 5_000 * k), line="fills"))
        if k == 13:
            now = START + 5_000 * k + 1
            writer.append(Taped(seen_ms=now, line="fills", what="frame", content=told))
    writer.close()

    words = ("--symbols", "BTCUSDT", "--tape", str(tmp_path / "tape"))
    made = run("tape", "tables", *words, "--out", str(tmp_path / "out"))
    [table] = (tmp_path / "out").rglob("BTCUSDT-liquidations-*.parquet")

    assert made.code == 0, made.err
    counts = pd.read_parquet(table).set_index("time")["long_count"]
    assert counts[pd.Timestamp(START + 120_000, unit="ms", tz="UTC")] == 1.0
