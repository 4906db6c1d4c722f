"""DVOL from nothing to a field of a frame."""

import re
import runpy
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml

from liqwarn.errors import ConfigError
from liqwarn.pipelines.fetch_api import fetch_coinmetrics, fetch_dvol
from liqwarn.pipelines.market import MarketJob, open_market

SHARED = runpy.run_path(str(Path(__file__).parent / "api_fetch.py"))
API, ROOT, at, table = (SHARED[name] for name in ("API", "ROOT", "at", "table"))
MONTH = "dvol-1h/BTC/BTC-dvol-1h-2024-{:02d}.csv"


class Dvol(API["Deribit"]):
    def value(self, name, time):
        """High and low lie around the others."""
        level = 50 + time // 3_600_000 % 20
        told = {"0": level, "1": level + 2, "2": level - 2, "3": level + 0.5}[name[-1]]
        return self.changed.get((name, time), told)


@pytest.fixture
def api():
    return Dvol(at("2024-02-10T12:30"), at("2021-03-24"))


@pytest.fixture
def fetch(api, tmp_path, monkeypatch):
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "home"))
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with API["Serving"](api) as serving:

        def run(**changes):
            out = tmp_path / "data" / "deribit"
            return SHARED["run_job"](fetch_dvol, api, serving.url, out, **changes)

        yield run


def outcome(done):
    return done.report.outcomes[0]


def test_pages_go_back_to_the_start_and_the_open_candle_waits(fetch, tmp_path):
    told = outcome(fetch(names=("btc",)))

    assert told.kept.new == 31 * 24 + 9 * 24 + 12
    assert (told.awaited, told.gaps) == (1, ())
    assert told.pages == 8 + 3
    rows = table(tmp_path / "data" / "deribit" / MONTH.format(1))
    assert [int(row["time_ms"]) for row in rows] == list(
        range(at("2024-01-01"), at("2024-02-01"), 3_600_000)
    )
    assert rows[0]["close"] == str(50 + at("2024-01-01") // 3_600_000 % 20 + 0.5)


def test_a_rerun_asks_for_the_newest_only_and_a_broken_run_goes_on(fetch, api):
    api.replies[:] = [None] * 9 + [500] * 3
    assert outcome(fetch()).kept.new == 31 * 24
    assert outcome(fetch()).kept.new == 9 * 24 + 12
    api.asked.clear()
    api.now += 3_600_000

    assert outcome(fetch()).kept.new == 1
    assert [int(a["query"]["start_timestamp"]) for a in api.asked] == [at("2024-02-10T10:00")]


def test_the_error_that_asks_for_patience_with_status_200_is_waited_for(fetch, api):
    busy = API["says"]({"jsonrpc": "2.0", "error": {"code": 10028, "message": "too_many"}})
    api.replies[:] = [busy, busy]
    assert outcome(fetch()).status == "fetched"
    api.replies[:] = [busy] * 3

    assert "too_many" in outcome(fetch(names=("ETH",))).reason


@pytest.mark.parametrize("how", ["cut", "silent", "drip", 429, 500])
def test_what_passes_is_asked_again(fetch, api, how):
    api.replies[:] = [API["ARCHIVE"].get(how, how)]

    assert outcome(fetch(until=date(2024, 1, 1))).kept.new == 24


def circle(page):
    page["result"]["continuation"] = page["result"]["data"][-1][0] + 1


def stand(page):
    page["result"] = {"data": [], "continuation": page["result"]["data"][0][0]}


@pytest.mark.parametrize("edit", [circle, stand])
def test_pages_that_go_in_a_circle_end(fetch, api, edit):
    api.replies[:] = [API["edited"](edit)] * 40

    told = outcome(fetch(until=date(2024, 1, 31)))

    assert "go in a circle" in told.reason
    assert len(api.asked) < 4


def test_a_page_that_repeats_its_last_candle_brings_it_once(fetch, api):
    def overlap(page):
        page["result"]["continuation"] = page["result"]["data"][0][0]

    api.replies[:] = [API["edited"](overlap)]

    assert outcome(fetch(until=date(2024, 1, 31))).kept.new == 31 * 24


def test_a_page_of_html_is_refused(fetch, api):
    api.replies[:] = [API["ARCHIVE"]["page"]]

    assert "found a page of HTML" in outcome(fetch()).reason


def test_what_cannot_be_is_told(fetch):
    with pytest.raises(ConfigError, match="resolution is '1s', expected one of 1min, 1h, 12h, 1d"):
        fetch(resolution="1s")


def test_the_lines_of_the_documentation_bring_it_into_a_frame(fetch, tmp_path, monkeypatch):
    """The source of docs/fetch.md, in a panel with prices: known when the candle is over."""
    fetch(names=("BTC", "ETH"))
    prices = API["CoinMetrics"](at("2024-02-10T12:30"), at("2020-01-01"))
    with API["Serving"](prices) as serving:
        monkeypatch.chdir(ROOT)
        done = SHARED["run_job"](fetch_coinmetrics, prices, serving.url, tmp_path / "data",
                                 names=("btc", "eth"))  # fmt: skip
    text = (ROOT / "docs" / "fetch.md").read_text()
    source = yaml.safe_load(re.search(r"```yaml\n(- name: dvol\n.*?)```", text, re.S)[1])
    panel = yaml.safe_load(done.panel.read_text())
    panel["sources"] += source
    (tmp_path / "panel.yaml").write_text(yaml.safe_dump(panel))

    job = MarketJob(panel=tmp_path / "panel.yaml", data=tmp_path / "data", store=tmp_path / "s")
    frame = open_market(job, now=datetime(2024, 2, 10, 13, tzinfo=UTC)).frame

    closes = frame.times.astype("datetime64[ms]").astype(np.int64)
    told = [(50 + (t // 3_600_000 - 1) % 20 + 0.5) / 100 for t in closes]
    np.testing.assert_allclose(frame.field("implied_volatility")[0], told)
    assert frame.symbols == ("BTCUSDT", "ETHUSDT")
