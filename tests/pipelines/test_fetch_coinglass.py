"""CoinGlass from nothing to a market: fetched with a key, resumed, refused, ingested."""

import json
import re
import runpy
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from liqwarn.config import load_panel
from liqwarn.errors import ConfigError, SourceError
from liqwarn.pipelines.fetch_coinglass import fetch_coinglass
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.sources.coinglass import HISTORIES, CoinGlassOrder

SHARED = runpy.run_path(str(Path(__file__).parent / "keyed_fetch.py"))
API, KEY, KEYED, at, by_name = (SHARED[n] for n in ("API", "KEY", "KEYED", "at", "by_name"))
HOUR = 3_600_000
LIQUIDATIONS = CoinGlassOrder(kinds=("liquidations",), balances=())


@pytest.fixture
def api():
    return KEYED["CoinGlass"](at("2024-02-10T12:00:05"), at("2020-01-01"))


@pytest.fixture
def fetch(api, tmp_path, monkeypatch):
    SHARED["quick"](monkeypatch, tmp_path, "LIQWARN_COINGLASS_KEY")
    with KEYED["Serving"](api) as serving:

        def run(order=None, **changes):
            return SHARED["run_job"](
                fetch_coinglass, api, serving.url, tmp_path / "out",
                **{"order": order or CoinGlassOrder(), "since": date(2024, 1, 20)} | changes,
            )  # fmt: skip

        yield run


def test_every_series_is_asked_for_as_documented_and_kept_digit_for_digit(fetch, api, tmp_path):
    told = by_name(fetch(names=("BTC",)))

    bars = 6 * (12 + 9) + 3
    assert {o.kept.new for (kind, _), o in told.items() if kind != "balance"} == {bars}
    assert told["balance", "Binance-BTC"].kept.new == 1
    assert len(told) == len(HISTORIES) + 1
    assert {a["key"] for a in api.asked} == {KEY}
    asked = next(a for a in api.asked if a["path"].endswith("liquidation/aggregated-history"))
    assert asked["query"] == {
        "exchange_list": "Binance,Bybit,OKX", "symbol": "BTC", "interval": "4h", "limit": "1000",
        "start_time": str(at("2024-01-20")), "end_time": str(at("2024-02-01")),
    }  # fmt: skip
    rows = SHARED["table"](
        tmp_path / "out/liquidations-4h/Binance-BTCUSDT/Binance-BTCUSDT-liquidations-4h-2024-01.csv"
    )
    first = api.liquidations("", at("2024-01-20"))
    assert rows[0]["long_liquidation_usd"] == first["long_liquidation_usd"]
    assert rows[0]["short_liquidation_usd"] == first["short_liquidation_usd"]
    assert SHARED["hides_the_key"](tmp_path)


def test_an_interval_that_is_not_over_is_not_asked_for(fetch, api):
    told = by_name(fetch(LIQUIDATIONS))

    assert told["liquidations-4h", "Binance-BTCUSDT"].awaited == 0
    assert max(int(a["query"]["end_time"]) for a in api.asked) == at("2024-02-10T12:00")


def test_a_rerun_asks_for_the_last_day_and_notes_what_was_revised(fetch, api, tmp_path):
    fetch(LIQUIDATIONS)
    api.asked.clear()
    api.now += 8 * HOUR
    api.changed["long", at("2024-02-10T00:00")] = "7.5"

    told = by_name(fetch(LIQUIDATIONS))["liquidations-4h", "Binance-BTCUSDT"]

    assert (told.kept.new, told.kept.revised) == (2, 1)
    assert [int(a["query"]["start_time"]) for a in api.asked] == [at("2024-02-09T12:00")]


def test_a_reply_that_ends_early_is_gone_on_from(fetch, api):
    whole = by_name(fetch(CoinGlassOrder(kinds=("taker",), balances=(), interval="5m"),
                          since=date(2024, 2, 1)))  # fmt: skip
    assert whole["taker-5m", "Binance-BTCUSDT"].kept.new == 9 * 288 + 144
    assert len(api.asked) == 3  # a thousand rows at a time

    def cut(page):
        page["data"] = page["data"][:10]

    api.replies[:] = [API["edited"](cut)]
    again = by_name(fetch(LIQUIDATIONS, since=date(2024, 2, 1)))
    assert again["liquidations-4h", "Binance-BTCUSDT"].kept.new == 9 * 6 + 3


def test_the_shipped_panel_reads_it(fetch, api, tmp_path):
    interval = "4h"
    api.now = at("2024-01-24T08:00:05")
    order = CoinGlassOrder(interval=interval)
    done = fetch(order, names=("BTC", "ETH"))
    step = KEYED["STEPS"][interval]
    for _ in range(2):
        api.now += step
        done = fetch(order, names=("BTC", "ETH"))

    job = MarketJob(panel=done.panel, data=done.folder, store=tmp_path / "store")
    frame = open_market(job, now=datetime.fromtimestamp(api.now / 1_000, UTC)).frame

    assert frame.symbols == ("BTCUSDT", "ETHUSDT")
    last = at("2024-01-24T08:00") + step  # the newest bar but one: its values were seen by now
    t = last - step
    index = [str(time) for time in frame.times].index(f"{frame.times[-1]}")
    price, oi = api.candle("price", t, 5e4, float), api.candle("all", t, 6e10, float)
    assert frame.field("close")[0][index - 1] == pytest.approx(price["close"])
    assert frame.field("open_interest")[0][index] == pytest.approx(oi["close"] / price["close"])
    liquidated = api.all_liquidations("", t)
    for side in ("long", "short"):
        assert np.isin(liquidated[f"aggregated_{side}_liquidation_usd"],
                       frame.field(f"{side}_liq_usd")[1])  # fmt: skip
    assert frame.field("funding_rate")[0][index] == pytest.approx(
        float(api.funding("", t)["close"]) / 100
    )
    depth = api.depth("", t)
    assert frame.field("bid_depth_usd")[0][index] == pytest.approx(depth["bids_usd"])
    assert frame.field("ask_depth_usd")[0][index] == pytest.approx(depth["asks_usd"])
    assert frame.field("long_short_ratio")[0][index] == 2.83
    assert np.isfinite(frame.field("reserve")[0][index])
    taken = api.taker("", t)
    typical = (price["high"] + price["low"] + price["close"]) / 3
    assert np.isclose(frame.field("taker_buy_volume")[0],
                      float(taken["taker_buy_volume_usd"]) / typical).any()  # fmt: skip


def test_without_a_key_nothing_is_asked(fetch, api, monkeypatch):
    monkeypatch.delenv("LIQWARN_COINGLASS_KEY")

    with pytest.raises(ConfigError, match="LIQWARN_COINGLASS_KEY is not set, expected your key"):
        fetch()
    assert api.asked == []


def test_a_key_that_is_not_known_ends_the_run(fetch, api, monkeypatch):
    monkeypatch.setenv("LIQWARN_COINGLASS_KEY", "x" * 32)

    with pytest.raises(SourceError, match=r"401 .*is the key of LIQWARN_COINGLASS_KEY right"):
        fetch()
    assert len(api.asked) == 1


def test_a_key_that_the_envelope_refuses_ends_the_run_and_is_not_told(fetch, api, tmp_path):
    api.replies[:] = [API["says"]({"code": "401", "msg": f"invalid key {KEY}"})]

    with SHARED["raises"](SourceError, r"code '401', 'invalid key \*\*\*'.*is the key right"):
        fetch()
    assert SHARED["hides_the_key"](tmp_path)


@pytest.mark.parametrize(
    "reply",
    [{"code": "401", "msg": "Upgrade plan"}, {"code": "400", "msg": "interval not supported"},
     {"code": "404", "msg": "no such pair"}, {"code": "422", "msg": "x"}],
)  # fmt: skip
def test_a_series_that_the_plan_has_not_does_not_stop_the_others(fetch, api, tmp_path, reply):
    order = CoinGlassOrder(kinds=("taker", "liquidations"), balances=())
    api.replies[:] = [API["says"](reply)]

    done = fetch(order)

    assert [o.status for o in done.report.outcomes] == ["refused", "fetched"]
    assert reply["msg"] in done.report.refused[0].reason
    account = json.loads((tmp_path / "out" / "fetch.json").read_text())
    assert account["series"][0]["reason"] == done.report.refused[0].reason


@pytest.mark.parametrize("code", ["429", "500", "408"])
def test_an_envelope_that_asks_for_patience_is_waited_for(fetch, api, code):
    api.replies[:] = [API["says"]({"code": code, "msg": "too many requests"})] * 2

    told = by_name(fetch(LIQUIDATIONS))

    assert told["liquidations-4h", "Binance-BTCUSDT"].status == "fetched"
    assert len(api.asked) == 2 + 2


def test_the_limit_that_headers_tell_is_kept(fetch, api):
    api.told = (("API-KEY-MAX-LIMIT", "300"), ("API-KEY-USE-LIMIT", "1"))
    began = datetime.now(UTC)

    fetch(CoinGlassOrder(kinds=("taker", "liquidations"), balances=()))

    assert len(api.asked) == 4
    assert (datetime.now(UTC) - began).total_seconds() >= 0.2 * 2


def test_everything_that_cannot_be_is_told_at_once(fetch, api):
    order = CoinGlassOrder(interval="2h", pairs=("BTCUSDT", "a:BTC/USDT"), venues=("x y",),
                           kinds=("prices", "taker", "taker"), balances=())  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        fetch(order, names=("../x",))
    for part in (
        "interval is '2h', expected one of 5m",
        "pair is 'BTCUSDT', expected such as Binance:BTCUSDT",
        "pair is 'a:BTC/USDT'",
        "exchange is 'x y'",
        "series is 'prices', expected of price",
        "series: prices, taker, taker, expected each once",
        "name is '../x'",
    ):
        assert re.search(re.escape(part), str(caught.value)), part
    with pytest.raises(ConfigError, match="exchanges: none, expected at least one"):
        fetch(CoinGlassOrder(venues=()))
    assert api.asked == []


def test_an_exchange_without_balances_is_told(fetch):
    told = by_name(fetch(CoinGlassOrder(kinds=(), balances=("Kraken",))))

    reason = told["balance", "Kraken-BTC"].reason
    assert "no exchange 'Kraken', found Binance, Coinbase, OKX" in reason


def test_the_panels_of_hours_and_of_four_hours_are_the_same():
    one, four = (SHARED["ROOT"] / f"conf/panels/coinglass_{bar}.yaml" for bar in ("1h", "4h"))

    assert load_panel(one).bar * 4 == load_panel(four).bar
    told = four.read_text().replace("4h", "1h").replace("4-hourly", "hourly")
    assert one.read_text() == told
