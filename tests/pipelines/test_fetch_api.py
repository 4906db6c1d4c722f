"""Coin Metrics from nothing to a market: fetched, resumed, revised, refused, ingested."""

import re
import runpy
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from liqwarn.errors import ConfigError, SourceError, StoreError
from liqwarn.pipelines.fetch_api import fetch_coinmetrics
from liqwarn.pipelines.market import MarketJob, open_market

SHARED = runpy.run_path(str(Path(__file__).parent / "api_fetch.py"))
API, ROOT, at, table = (SHARED[name] for name in ("API", "ROOT", "at", "table"))
DAY = 86_400_000
MONTH = "flows/BTC/BTC-flows-2024-{:02d}.csv"


@pytest.fixture
def api():
    return API["CoinMetrics"](at("2024-03-10T12:00"), at("2020-01-01"), page=20)


@pytest.fixture
def fetch(api, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "home"))
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with API["Serving"](api) as serving:

        def run(**changes):
            return SHARED["run_job"](
                fetch_coinmetrics, api, serving.url, tmp_path / "out", **changes
            )

        yield run


def outcome(done, n=0):
    return done.report.outcomes[n]


def test_pages_are_followed_to_the_end_and_numbers_kept_as_they_came(fetch, api, tmp_path):
    done = fetch(names=("btc", "ETH"))

    assert [o.kept.new for o in done.report.outcomes] == [31 + 29 + 9] * 2
    assert outcome(done).pages == 2 + 2 + 1
    assert outcome(done).gaps == ()
    rows = table(tmp_path / "out" / MONTH.format(1))
    assert rows[0] == {
        "time_ms": str(at("2024-01-01")),
        "FlowInExUSD": api.value("FlowInExUSD", at("2024-01-01")),
        "FlowOutExUSD": api.value("FlowOutExUSD", at("2024-01-01")),
        "PriceUSD": api.value("PriceUSD", at("2024-01-01")),
        "seen_at": "2024-03-10T12:00:00.000Z",
    }
    assert all(row["PriceUSD"].endswith("0") for row in rows)  # no zero is lost
    assert {a["query"]["assets"] for a in api.asked} == {"btc", "eth"}


def test_a_rerun_asks_for_the_open_end_only(fetch, api):
    fetch()
    api.asked.clear()

    again = outcome(fetch())

    assert {a["query"]["start_time"] for a in api.asked} == {"2024-02-09", "2024-03-01"}
    assert (again.kept.new, again.kept.revised) == (0, 0)
    api.asked.clear()
    assert outcome(fetch(until=date(2024, 1, 31))).status == "held"
    assert api.asked == []


def test_a_run_that_broke_off_is_gone_on_with(fetch, api):
    good = [None] * 2
    api.replies[:] = [*good, 500, 500, 500]
    broken = outcome(fetch())
    assert broken.status == "refused"
    assert broken.kept.new == 31
    api.asked.clear()

    rest = outcome(fetch())

    assert rest.kept.new == 29 + 9
    assert min(a["query"]["start_time"] for a in api.asked) == "2024-02-01"


def test_a_day_without_its_flows_waits_for_them(fetch, api, tmp_path):
    api.now = at("2024-03-10T03:00")  # the flows of the 9th come at 05:00

    first = outcome(fetch())
    assert (first.kept.new, first.awaited) == (31 + 29 + 8, 1)
    api.now = at("2024-03-10T06:30")
    assert outcome(fetch()).kept.new == 1

    last = table(tmp_path / "out" / MONTH.format(3))[-1]
    assert last["time_ms"] == str(at("2024-03-09"))
    assert last["seen_at"] == "2024-03-10T06:30:00.000Z"


def test_a_revised_value_is_appended_and_the_first_one_stays(fetch, api, tmp_path):
    fetch()
    before = (tmp_path / "out" / MONTH.format(3)).read_bytes()
    for value, day in (("7.0", 11), ("8.0", 12)):
        api.changed["FlowInExUSD", at("2024-03-05")] = value
        api.now = at(f"2024-03-{day}T12:00")
        assert outcome(fetch()).kept.revised == 1
    assert outcome(fetch()).kept.revised == 0

    held = (tmp_path / "out" / MONTH.format(3)).read_bytes()
    assert held.startswith(before)
    told = table(tmp_path / "out" / "revised" / MONTH.format(3))
    assert [(r["FlowInExUSD"], r["seen_at"][:10]) for r in told] == [
        ("7.0", "2024-03-11"),
        ("8.0", "2024-03-12"),
    ]


def test_days_without_a_row_are_told(fetch, api):
    api.absent = {at("2024-02-03"), at("2024-02-04")}

    told = outcome(fetch())

    assert told.gaps == (("2024-02-03T00:00:00.000Z", "2024-02-05T00:00:00.000Z", 2),)
    assert "2 missing, the first at 2024-02-03" in told.to_text()


def test_the_shipped_panel_reads_it_and_a_value_is_known_when_it_was_seen(fetch, api, tmp_path):
    """History is known a day after its end, a day recorded live when it was seen, unrevised."""
    names = ("btc", "eth")
    fetch(names=names)
    for day in (11, 12, 13, 14):
        api.now = at(f"2024-03-{day}T06:00")
        fetch(names=names)
    coins = float(api.value("FlowInExUSD", at("2024-03-11"))) / float(
        api.value("PriceUSD", at("2024-03-11"))
    )
    api.changed["FlowInExUSD", at("2024-03-11")] = "1.0"
    done = fetch(names=names)

    job = MarketJob(panel=done.panel, data=done.folder, store=tmp_path / "store")
    frame = open_market(job, now=datetime(2024, 3, 14, 7, tzinfo=UTC)).frame

    known = dict(zip(frame.times.astype(str), frame.field("inflow")[0], strict=True))
    # the day of the 11th ends on the 12th, its flows were seen at 06:00, so in the next bar
    assert known["2024-03-13T00:00:00"] == pytest.approx(coins)
    assert np.isfinite(frame.field("outflow")[1][3:]).all()
    assert frame.symbols == ("BTCUSDT", "ETHUSDT")


@pytest.mark.parametrize("how", ["cut", "silent", "drip", 429, 500, 503])
def test_what_passes_is_asked_again(fetch, api, how):
    fakes = API["ARCHIVE"]
    api.replies[:] = [fakes.get(how, how)]

    assert outcome(fetch(until=date(2024, 1, 31))).kept.new == 31


def test_retry_after_is_obeyed(fetch, api):
    api.replies[:] = [API["ARCHIVE"]["busy"](429, "1")]
    began = datetime.now(UTC)

    fetch(until=date(2024, 1, 15))

    assert (datetime.now(UTC) - began).total_seconds() >= 1.0


def test_the_provider_is_asked_no_more_often_than_it_allows(fetch, api):
    began = datetime.now(UTC)
    quick = SHARED["QUICK"]
    fetch(until=date(2024, 1, 31), patience=replace(quick, between_s=0.2))

    assert len(api.asked) == 2
    assert (datetime.now(UTC) - began).total_seconds() >= 0.2


def drop(name):
    def edit(page):
        for row in page["data"]:
            row.pop(name)

    return edit


def rename(page):
    for row in page["data"]:
        row["FlowInUSD"] = row.pop("FlowInExUSD")


def put(n, name, value):
    def edit(page):
        page["data"][n][name] = value

    return edit


def repeat(page):
    page["data"].insert(3, page["data"][2])


WRONG = [
    (lambda _: {"error": {"type": "forbidden", "message": "no"}}, r"found an error .*forbidden"),
    (rename, r"page 1, row 1, field 'FlowInExUSD': missing, .* renamed to 'FlowInUSD'\?"),
    (drop("PriceUSD"), r"row 1, field 'PriceUSD': missing"),
    (put(4, "FlowNew", "1"), r"row 5, field 'FlowNew': new, expected asset"),
    (put(2, "PriceUSD", 42.5), r"row 3, field 'PriceUSD': found 42\.5, expected a number as text"),
    (put(2, "PriceUSD", "NaN"), r"row 3, field 'PriceUSD': found 'NaN', expected a number"),
    (put(0, "asset", "eth"), r"row 1, field 'asset': found 'eth', expected 'btc'"),
    (put(1, "time", 1704153600), r"row 2, field 'time': found 1704153600, expected text"),
    (put(1, "time", "2024-01-02"), r"row 2, field 'time': found '2024-01-02', expected a time"),
    (put(1, "time", "1970-01-20T17:00:00Z"), r"row 2, field 'time': .* as asked"),
    (put(1, "time", "2024-01-02T01:00:00Z"), r"row 2, field 'time': .* multiple of 86400000"),
    (repeat, r"row 4, field 'time': .* there twice\?"),
    (lambda _: {"data": {}}, r"field 'data': found \{\}, expected a list"),
    (lambda _: [], r"found \[\], expected an object"),
    (lambda page: {**page, "code": "0"}, r"found fields \['code', 'data'"),
    (lambda page: {**page, "next_page_token": 3}, r"'next_page_token': found 3, expected text"),
    (lambda page: {"data": page["data"], "next_page_url": "x"}, r"missing beside a next_page_url"),
]


@pytest.mark.parametrize(("edit", "match"), WRONG)
def test_a_reply_that_is_not_what_was_asked_is_refused_and_nothing_of_it_kept(
    fetch, api, tmp_path, edit, match
):
    api.replies[:] = [API["edited"](edit)]

    told = outcome(fetch(until=date(2024, 1, 31)))

    assert told.status == "refused"
    assert re.search(match, told.reason), told.reason
    assert "flows of btc" in told.reason
    assert not (tmp_path / "out" / MONTH.format(1)).exists()


def test_a_page_of_html_is_refused(fetch, api):
    api.replies[:] = [API["ARCHIVE"]["page"]]

    assert "found a page of HTML" in outcome(fetch(until=date(2024, 1, 31))).reason


def test_pages_that_go_in_a_circle_end(fetch, api):
    def circle(page):
        page["next_page_token"] = "20"

    def empty(_):
        return {"data": [], "next_page_token": "40"}

    api.replies[:] = [API["edited"](circle), API["edited"](empty)]

    assert "go in a circle" in outcome(fetch(until=date(2024, 1, 31))).reason
    api.replies[:] = [API["edited"](circle), API["edited"](lambda p: circle(p) or None)]
    assert "go in a circle" in outcome(fetch(until=date(2024, 1, 31))).reason


def test_a_series_that_is_refused_does_not_stop_the_others(fetch, api):
    api.replies[:] = [API["says"]({"error": "x"})]

    done = fetch(names=("btc", "eth"), until=date(2024, 1, 31))

    assert [o.status for o in done.report.outcomes] == ["refused", "fetched"]
    assert [o.name for o in done.report.refused] == ["BTC"]
    assert done.to_dict()["series"][0]["reason"] == outcome(done).reason


@pytest.mark.parametrize("status", [400, 402, 403, 404])
def test_a_series_that_the_server_refuses_does_not_stop_the_others(fetch, api, status):
    api.replies[:] = [status]

    done = fetch(names=("btc", "eth"), until=date(2024, 1, 31))

    assert [o.status for o in done.report.outcomes] == ["refused", "fetched"]
    assert re.search(rf"status {status} .*\(.*busy.*\)", outcome(done).reason)
    assert len(api.asked) == 3


def test_a_server_that_refuses_ends_the_run(fetch, api):
    api.replies[:] = [401]

    with pytest.raises(SourceError, match="status 401"):
        fetch(names=("btc", "eth"))
    assert len(api.asked) == 1


def test_a_file_that_was_changed_is_asked_for_again(fetch, api, tmp_path):
    fetch()
    path = tmp_path / "out" / MONTH.format(1)
    path.write_text("\n".join(path.read_text().splitlines()[:-3]) + "\n")
    assert outcome(fetch()).kept.new == 3
    path.unlink()
    assert outcome(fetch()).kept.new == 31


def test_a_file_that_is_damaged_or_another_is_told(fetch, tmp_path):
    fetch()
    path = tmp_path / "out" / MONTH.format(1)
    whole = path.read_text()
    path.write_text(whole[:-40])
    with pytest.raises(StoreError, match=r"2024-01\.csv: row 31 is damaged"):
        fetch()
    path.write_text(whole)
    with pytest.raises(StoreError, match=r"has columns .*fetch to another folder"):
        fetch(metrics=("PriceUSD",))
    (path.parent / "asked.json").write_text('{"2024-01": {"spans": 3}}')
    assert outcome(fetch()).kept.new == 0


def test_everything_that_cannot_be_is_told_at_once(fetch):
    with pytest.raises(ConfigError) as caught:
        fetch(names=("b/tc", "eth", "ETH"), since=date(2025, 1, 1), metrics=("a,b",))
    text = str(caught.value)
    for part in ("name is 'b/tc'", "expected each once", "expected days in order", "metric is 'a"):
        assert part in text


def test_two_fetches_into_one_folder_are_refused(fetch, tmp_path):
    (tmp_path / "out").mkdir()
    with (
        FileLock(tmp_path / "out" / ".fetch.lock"),
        pytest.raises(StoreError, match="another fetch is writing there"),
    ):
        fetch()


def test_the_environment_names_another_address(fetch, monkeypatch, api):
    done = fetch(until=date(2024, 1, 3))
    assert done.next_commands[0].startswith("liqwarn ingest --panel conf/panels/coinmetrics_1d")
    monkeypatch.setenv("LIQWARN_COINMETRICS_API", "http://127.0.0.1:9")
    quick = SHARED["QUICK"]
    told = fetch(until=date(2024, 1, 4), base_url=None, patience=quick)

    assert outcome(told).reason.startswith("http://127.0.0.1:9/timeseries")
