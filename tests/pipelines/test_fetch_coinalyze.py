"""Coinalyze from nothing to a market: batches, weights, refusals, ingested."""

import runpy
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from liqwarn.config import load_panel
from liqwarn.errors import ConfigError, SourceError
from liqwarn.pipelines.fetch_coinalyze import fetch_coinalyze
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.sources.coinalyze import ENDPOINTS

SHARED = runpy.run_path(str(Path(__file__).parent / "keyed_fetch.py"))
API, KEY, KEYED, at, by_name = (SHARED[n] for n in ("API", "KEY", "KEYED", "at", "by_name"))
HOUR = 3_600_000
BOTH = ("BTCUSDT_PERP.A", "ETHUSDT_PERP.A")


@pytest.fixture
def api():
    return KEYED["Coinalyze"](at("2024-02-10T12:00:05"), at("2024-01-15"))


@pytest.fixture
def fetch(api, tmp_path, monkeypatch):
    SHARED["quick"](monkeypatch, tmp_path, "LIQWARN_COINALYZE_KEY")
    monkeypatch.setattr("liqwarn.sources.pace._MINUTE", 0.001)
    with KEYED["Serving"](api) as serving:

        def run(**changes):
            return SHARED["run_job"](
                fetch_coinalyze, api, serving.url, tmp_path / "out",
                **{"names": BOTH, "since": date(2024, 2, 1)} | changes,
            )  # fmt: skip

        yield run


def test_symbols_come_in_one_reply_and_stamps_are_seconds(fetch, api, tmp_path):
    told = by_name(fetch())

    assert {o.kept.new for o in told.values()} == {9 * 24 + 12}
    assert set(told) == {(f"{kind}-1h", name) for kind in ENDPOINTS for name in BOTH}
    assert [a["path"] for a in api.asked] == ["/future-markets"] + [
        f"/{told.path}" for told in ENDPOINTS.values()]  # fmt: skip
    asked = next(a for a in api.asked if "liquidation" in a["path"])
    assert asked["query"] == {
        "symbols": ",".join(BOTH), "interval": "1hour", "convert_to_usd": "true",
        "from": str(at("2024-02-01") // 1_000), "to": str(at("2024-02-10T12:00") // 1_000 - 1),
    }  # fmt: skip
    assert {a["key"] for a in api.asked} == {KEY}
    rows = SHARED["table"](
        tmp_path / "out/liquidations-1h/BTCUSDT_PERP.A/BTCUSDT_PERP.A-liquidations-1h-2024-02.csv"
    )
    first = api.liquidations("", at("2024-02-01"))
    assert rows[0] == {
        "time_ms": str(at("2024-02-01")),
        "long_liquidation_usd": repr(first["l"]),
        "short_liquidation_usd": repr(first["s"]),
        "seen_at": "2024-02-10T12:00:05.000Z",
    }
    assert SHARED["hides_the_key"](tmp_path)


def test_more_than_twenty_symbols_are_several_questions(fetch, api):
    names = tuple(f"C{n:02d}USDT_PERP.A" for n in range(45))
    api.markets = names

    told = by_name(fetch(names=names, kinds=("funding",), since=date(2024, 2, 10)))

    assert {o.kept.new for o in told.values()} == {12}
    batches = [a["query"]["symbols"].split(",") for a in api.asked[1:]]
    assert [len(batch) for batch in batches] == [20, 20, 5]


def test_a_rerun_asks_once_for_all(fetch, api):
    fetch(kinds=("liquidations",))
    api.asked.clear()
    api.now += 2 * HOUR

    told = by_name(fetch(kinds=("liquidations",)))

    assert [o.kept.new for o in told.values()] == [2, 2]
    assert len(api.asked) == 2


def test_a_market_that_is_none_is_told_and_the_others_come(fetch, api):
    told = by_name(fetch(names=("BTCUSDT_PERP.A", "BTCUSD_PERP.A"), kinds=("liquidations",)))

    assert told["liquidations-1h", "BTCUSDT_PERP.A"].status == "fetched"
    reason = told["liquidations-1h", "BTCUSD_PERP.A"].reason
    assert "no market 'BTCUSD_PERP.A' among 3, did you mean BTCUSDT_PERP.A?" in reason


def test_one_market_with_a_bad_row_does_not_stop_the_others(fetch, api):
    def edit(page):
        page[0]["history"][3]["l"] = -1

    api.replies[:] = [None, API["edited"](edit)]

    told = by_name(fetch(kinds=("liquidations",)))

    assert told["liquidations-1h", "ETHUSDT_PERP.A"].kept.new == 9 * 24 + 12
    assert "row 4: field 'long_liquidation_usd': found -1, expected 0 or more" in (
        told["liquidations-1h", "BTCUSDT_PERP.A"].reason
    )


def test_the_shipped_panel_reads_it(fetch, api, tmp_path):
    interval = "1h"
    step = KEYED["STEPS"][interval]
    api.now = at("2024-02-03T08:00:05")
    for _ in range(3):
        done = fetch(interval=interval)
        api.now += step
    last = (api.now - step) // step * step
    t = last - 2 * step  # of the newest bar but one, seen within the newest

    job = MarketJob(panel=done.panel, data=done.folder, store=tmp_path / "store")
    frame = open_market(job, now=datetime.fromtimestamp(api.now / 1_000, UTC)).frame

    assert frame.symbols == ("BTCUSDT", "ETHUSDT")
    candle, oi = api.candles("", t), api.candle("oi", t, 6e9)
    assert frame.field("close")[0][-2] == pytest.approx(candle["c"])
    assert frame.field("open_interest")[0][-1] == pytest.approx(oi["c"] / candle["c"])
    assert frame.field("funding_rate")[0][-1] == pytest.approx(0.005 / 100)
    assert frame.field("taker_buy_volume")[0][-2] == pytest.approx(candle["bv"])
    assert frame.field("taker_sell_volume")[0][-2] == pytest.approx(candle["v"] - candle["bv"])
    liquidated = api.liquidations("", t)
    assert np.isin(liquidated["l"], frame.field("long_liq_usd")[1])
    assert np.isin(liquidated["s"], frame.field("short_liq_usd")[1])
    assert frame.field("long_short_ratio")[0][-1] == 2.8285


def test_rows_that_are_no_longer_kept_are_told_as_missing(fetch):
    told = by_name(fetch(since=date(2024, 1, 1), kinds=("funding",)))

    assert told["funding-1h", "BTCUSDT_PERP.A"].gaps == (
        ("2024-01-01T00:00:00.000Z", "2024-01-15T00:00:00.000Z", 14 * 24),
    )


def test_retry_after_is_obeyed(fetch, api):
    api.replies[:] = [None, API["ARCHIVE"]["busy"](429, "1")]
    began = datetime.now(UTC)

    fetch(kinds=("funding",))

    assert (datetime.now(UTC) - began).total_seconds() >= 1.0


def test_what_cannot_be_is_told(fetch, api, monkeypatch):
    with pytest.raises(ConfigError, match="name is 'BTCUSDT', expected the provider's own such"):
        fetch(names=("BTCUSDT",))
    with pytest.raises(ConfigError, match="interval is '2h', expected one of 5m"):
        fetch(interval="2h")
    with pytest.raises(ConfigError, match="series is 'x', expected of candles"):
        fetch(kinds=("x",))
    with pytest.raises(ConfigError, match="series: expected at least one, each once"):
        fetch(kinds=())
    monkeypatch.delenv("LIQWARN_COINALYZE_KEY")
    with pytest.raises(ConfigError, match="LIQWARN_COINALYZE_KEY is not set"):
        fetch()
    assert api.asked == []
    monkeypatch.setenv("LIQWARN_COINALYZE_KEY", "y" * 36)
    with pytest.raises(SourceError, match="is the key of LIQWARN_COINALYZE_KEY right"):
        fetch()


def test_a_key_is_not_sent_in_the_clear(fetch):
    with pytest.raises(ConfigError, match="expected https: the key of LIQWARN_COINALYZE_KEY"):
        fetch(base_url="http://coinalyze.example/v1")


def test_the_panels_of_hours_and_of_four_hours_are_the_same():
    one, four = (SHARED["ROOT"] / f"conf/panels/coinalyze_{bar}.yaml" for bar in ("1h", "4h"))

    assert load_panel(one).bar * 4 == load_panel(four).bar
    told = four.read_text().replace("4h", "1h").replace("4-hourly", "hourly")
    assert one.read_text() == told
