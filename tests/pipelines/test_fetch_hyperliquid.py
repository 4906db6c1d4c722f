"""Hyperliquid from nothing to a market with recorded open interest."""

import runpy
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ConfigError, SourceError
from liqwarn.pipelines.fetch_api import fetch_hyperliquid
from liqwarn.pipelines.market import MarketJob, open_market

SHARED = runpy.run_path(str(Path(__file__).parent / "api_fetch.py"))
API, ROOT, at, table = (SHARED[name] for name in ("API", "ROOT", "at", "table"))
HOUR = 3_600_000
JANUARY = date(2024, 1, 31)


@pytest.fixture
def api():
    return API["Hyperliquid"](at("2024-02-10T12:00:05"), at("2023-05-12"), page=500)


@pytest.fixture
def fetch(api, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "home"))
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with API["Serving"](api) as serving:

        def run(**changes):
            return SHARED["run_job"](
                fetch_hyperliquid, api, serving.url, tmp_path / "out", **changes
            )

        yield run


def by_kind(done):
    return {(o.kind, o.name): o for o in done.report.outcomes}


def test_pages_go_on_to_the_end(fetch, api, tmp_path):
    told = by_kind(fetch())

    hours = 31 * 24 + 9 * 24 + 12
    assert told["funding", "BTC"].kept.new == hours + 1
    assert told["candles-1h", "BTC"].kept.new == hours
    assert told["candles-1h", "BTC"].awaited == 1
    assert told["contexts", "BTC"].kept.new == 1
    assert told["funding", "BTC"].gaps == told["candles-1h", "BTC"].gaps == ()
    rows = table(tmp_path / "out" / "funding" / "BTC" / "BTC-funding-2024-01.csv")
    assert rows[1]["fundingRate"] == api.rate(at("2024-01-01T01:00"))
    assert rows[1]["premium"] == "-0.00012340"


def test_replies_that_hold_fewer_rows_than_asked_are_gone_on_from(fetch, api):
    api.page = 37

    told = by_kind(fetch(until=JANUARY))

    assert told["funding", "BTC"].kept.new == told["candles-1h", "BTC"].kept.new == 31 * 24


def test_candles_that_are_no_longer_kept_are_told_as_missing(fetch, api):
    api.first = at("2024-01-28")

    told = by_kind(fetch(until=JANUARY))["candles-1h", "BTC"]

    assert told.kept.new == 4 * 24
    assert told.gaps == (("2024-01-01T00:00:00.000Z", "2024-01-28T00:00:00.000Z", 27 * 24),)


def test_a_rerun_asks_for_the_newest_and_records_open_interest_once_more(fetch, api, tmp_path):
    fetch(names=("BTC", "ETH"))
    api.asked.clear()
    api.now += HOUR

    told = by_kind(fetch(names=("BTC", "ETH")))

    assert [a["body"]["type"] for a in api.asked] == ["metaAndAssetCtxs"] + [
        "fundingHistory", "candleSnapshot"] * 2  # fmt: skip
    assert api.asked[1]["body"]["startTime"] == at("2024-02-10T10:00")
    assert told["funding", "ETH"].kept.new == told["candles-1h", "ETH"].kept.new == 1
    rows = table(tmp_path / "out" / "contexts" / "ETH" / "ETH-contexts-2024-02.csv")
    assert [(row["openInterest"], row["seen_at"]) for row in rows] == [
        ("1001.50", "2024-02-10T12:00:05.000Z"),
        ("1001.50", "2024-02-10T13:00:05.000Z"),
    ]


def test_the_shipped_panel_reads_it(fetch, api, tmp_path):
    for _ in range(3):
        done = fetch(names=("BTC", "ETH"), since=date(2024, 2, 1))
        api.now += HOUR

    job = MarketJob(panel=done.panel, data=done.folder, store=tmp_path / "store")
    frame = open_market(job, now=datetime.fromtimestamp(api.now / 1_000, UTC)).frame

    assert frame.symbols == ("BTCUSDT", "ETHUSDT")
    assert str(frame.times[-1]) == "2024-02-10T14:00:00"
    # recorded first at 12:00:05: known at 13:00, not at 12:00
    np.testing.assert_array_equal(frame.field("open_interest")[1][-3:], [np.nan, 1001.5, 1001.5])
    assert frame.field("close")[0][-1] == 101.5
    # the settlement of 13:00, stamped some milliseconds later, is that of the bar of 14:00
    assert frame.field("funding_rate")[0][-1] == float(api.rate(at("2024-02-10T13:00")))
    assert frame.field("funding_interval_h")[0][-1] == 1.0


@pytest.mark.parametrize("how", ["cut", "silent", "drip", 429, 500])
def test_what_passes_is_asked_again(fetch, api, how):
    api.replies[:] = [None, API["ARCHIVE"].get(how, how)]

    told = by_kind(fetch(since=JANUARY, until=JANUARY))

    assert told["funding", "BTC"].kept.new == 24


@pytest.mark.parametrize(
    ("reply", "match"),
    [
        (API["says"](None), "found null, expected a list"),
        (API["says"]({"error": "x"}), "expected a list"),
        (API["ARCHIVE"]["page"], "a page of HTML"),
    ],
)
def test_what_is_no_reply_is_refused_and_the_rest_fetched(fetch, api, reply, match):
    api.replies[:] = [None, reply]

    told = by_kind(fetch(since=JANUARY, until=JANUARY))

    assert match in told["funding", "BTC"].reason
    assert told["candles-1h", "BTC"].kept.new == 24


def test_a_page_that_comes_again_is_refused(fetch, api):
    api.page = 20
    first = []

    def again(rows):
        first[:] = first or [rows]
        return first[0]

    api.replies[:] = [None, *[API["edited"](again)] * 2]

    told = by_kind(fetch(since=JANUARY, until=JANUARY))

    assert "another page?" in told["funding", "BTC"].reason


def test_a_coin_that_is_none_ends_the_run_before_its_history_is_asked_for(fetch, api):
    with pytest.raises(SourceError, match=r"no coin 'BTG' among 3, did you mean 'BTC'\?"):
        fetch(names=("BTG",))
    assert len(api.asked) == 1


def test_what_cannot_be_is_told(fetch):
    with pytest.raises(ConfigError, match="interval is '9m', expected one of 5m, 15m, 1h, 4h, 1d"):
        fetch(interval="9m")
