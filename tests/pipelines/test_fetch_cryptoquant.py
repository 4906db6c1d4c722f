"""CryptoQuant from nothing to a frame: history once, then what is new, each value as first seen."""

import runpy
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ConfigError, SourceError
from liqwarn.pipelines.fetch_cryptoquant import fetch_cryptoquant
from liqwarn.pipelines.market import MarketJob, open_market

SHARED = runpy.run_path(str(Path(__file__).parent / "api_fetch.py"))
PATIENT = replace(SHARED["QUICK"], read_s=10.0)  # nothing here is slow but the machine
ROOT, at, table = (SHARED[name] for name in ("ROOT", "at", "table"))
FAKE = runpy.run_path(str(ROOT / "tests" / "sources" / "fake_onchain.py"))
HOUR, number = FAKE["HOUR"], FAKE["number"]
KEY = "0123456789abcdef-secret"
FLOWS = ("inflow", "price")
INFLOW = "inflow-hour/BTC-binance/BTC-binance-inflow-hour-2024-{:02d}.csv"


@pytest.fixture
def api():
    return FAKE["CryptoQuant"](at("2024-02-03T12:30"), at("2019-01-01"), page=1_000)


@pytest.fixture
def fetch(api, tmp_path, monkeypatch):
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIQWARN_CRYPTOQUANT_KEY", KEY)
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with FAKE["Serving"](api) as serving:

        def run(**changes):
            told = {"metrics": FLOWS, "since": date(2024, 1, 30), "patience": PATIENT} | changes
            out = tmp_path / "data"
            return SHARED["run_job"](fetch_cryptoquant, api, serving.url, out, **told)

        yield run


def frame_of(done, tmp_path, monkeypatch, now):
    monkeypatch.chdir(ROOT)
    job = MarketJob(panel=done.panel, data=done.folder, store=tmp_path / "store")
    return open_market(job, now=datetime.fromisoformat(now).replace(tzinfo=UTC))


def cell(frame, time, field):
    column = int((np.datetime64(time, "s") - frame.times[0]) / np.timedelta64(frame.bar))
    return float(frame.field(field)[0, column])


def outcomes(done):
    return {told.kind: told for told in done.report.outcomes}


def test_history_comes_once_and_is_asked_for_as_documented(fetch, api, tmp_path):
    done = fetch()

    told = outcomes(done)["inflow-hour"]
    assert (told.kept.new, told.awaited, told.gaps, told.pages) == (4 * 24 + 12, 1, (), 2)
    rows = table(tmp_path / "data" / INFLOW.format(1))
    assert list(rows[0]) == ["time_ms", "inflow_total", "seen_at"]
    assert [int(row["time_ms"]) for row in rows] == list(
        range(at("2024-01-30"), at("2024-02-01"), HOUR)
    )
    assert rows[0]["inflow_total"] == str(number("inflow_total", at("2024-01-30")))
    assert {row["seen_at"] for row in rows} == {"2024-02-03T12:30:00.000Z"}
    assert api.asked[0] == {
        "path": "/btc/exchange-flows/inflow",
        "query": {
            "window": "hour", "exchange": "binance", "limit": "1000",
            "from": "20240130T000000", "to": "20240131T235959",
        },
    }  # fmt: skip
    assert all(key == {f"Bearer {KEY}"} for key in api.keys)


def test_a_rerun_asks_again_for_what_the_labels_may_change_and_keeps_what_was_seen(
    fetch, api, tmp_path
):
    fetch(metrics=("inflow", "open-interest"))
    api.asked.clear()
    api.now += HOUR
    time = at("2024-02-01T05:00")
    api.changed["inflow_total", time] = 777.125

    told = outcomes(fetch(metrics=("inflow", "open-interest")))

    first = {asked["path"]: asked["query"]["from"] for asked in reversed(api.asked)}
    assert first == {
        "/btc/exchange-flows/inflow": "20240130T000000",
        "/btc/market-data/open-interest": "20240201T120000",
    }
    assert told["inflow-hour"].kept.revised == 1
    assert told["inflow-hour"].kept.new == told["open-interest-hour"].kept.new == 1
    kept = {row["time_ms"]: row for row in table(tmp_path / "data" / INFLOW.format(2))}
    assert kept[str(time)]["inflow_total"] == str(number("inflow_total", time))
    (revised,) = table(tmp_path / "data" / "revised" / INFLOW.format(2))
    assert (revised["inflow_total"], revised["seen_at"]) == ("777.125", "2024-02-03T13:30:00.000Z")


@pytest.mark.parametrize("page", [5, 30])
def test_a_plan_that_gives_fewer_rows_than_asked_loses_none(fetch, api, page):
    api.page = page

    told = outcomes(fetch(metrics=("netflow",), since=date(2024, 2, 1)))["netflow-hour"]

    assert (told.kept.new, told.gaps) == (2 * 24 + 12, ())
    assert told.pages == -(-(2 * 24 + 13) // page)


def test_rows_from_the_first_on_that_there_is(fetch, api):
    api.first = at("2024-02-01T07:00")

    told = outcomes(fetch(metrics=("netflow",)))["netflow-hour"]

    assert told.kept.new == 24 - 7 + 24 + 12
    assert told.gaps[0][0].startswith("2024-01-30T00:00")


def test_days_of_all_exchanges(fetch, tmp_path):
    done = fetch(window="day", exchange="all_exchange", since=date(2024, 1, 30))

    assert str(done.panel) == "conf/panels/cryptoquant_1d.yaml"
    told = outcomes(done)["inflow-day"]
    assert (told.kept.new, told.awaited) == (4, 1)
    assert (tmp_path / "data" / "inflow-day" / "BTC-all_exchange").is_dir()


def test_what_a_plan_does_not_have_is_told_and_the_others_come(fetch, api):
    api.refused = {"exchange-whale-ratio"}

    told = outcomes(fetch(metrics=("whale-ratio", "inflow")))

    assert "status 403" in told["whale-ratio-hour"].reason
    assert "forbidden" in told["whale-ratio-hour"].reason
    assert told["inflow-hour"].kept.new == 4 * 24 + 12


def test_an_error_with_status_200_refuses_its_series_only(fetch, api):
    said = {"status": {"code": 400, "message": "bad_request"}}
    api.replies[:] = [FAKE["API"]["says"](said)]

    told = outcomes(fetch())

    assert "bad_request" in told["inflow-hour"].reason
    assert told["price-hour"].kept.new == 4 * 24 + 12


def test_the_error_that_asks_for_patience_is_waited_for(fetch, api):
    said = {"status": {"code": 429, "message": "too_many_requests"}}
    api.replies[:] = [FAKE["API"]["says"](said), 429]

    assert outcomes(fetch())["inflow-hour"].kept.new == 4 * 24 + 12


def test_a_wrong_key_ends_the_run_and_is_in_no_text(fetch, api):
    api.replies[:] = [lambda handler, _: handler.reply(401, f"no such key {KEY}".encode())]

    with pytest.raises(SourceError, match="status 401") as caught:
        fetch()

    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"window": "block"}, "interval is 'block', expected hour or day: blocks come at no fixed"),
        ({"window": "min"}, "interval is 'min', expected one of hour, day"),
        ({"exchange": "a/../b"}, "exchange is 'a/../b', expected such as binance"),
        ({"metrics": ("inflw",)}, "metric is 'inflw', did you mean 'inflow'?"),
        ({"metrics": ()}, "metrics: none"),
        ({"metrics": ("price", "price")}, "expected each once"),
    ],
)
def test_what_cannot_be_is_told(fetch, api, changes, told):
    with pytest.raises(ConfigError, match=told.replace("?", r"\?").replace(".", r"\.")):
        fetch(**changes)

    assert not api.asked


def test_without_a_key_nothing_is_asked(fetch, api, monkeypatch):
    monkeypatch.delenv("LIQWARN_CRYPTOQUANT_KEY")

    with pytest.raises(ConfigError, match="LIQWARN_CRYPTOQUANT_KEY is not set"):
        fetch()

    assert not api.asked


def test_every_field_reaches_its_side_of_a_frame(fetch, tmp_path, monkeypatch):
    """Golden: the hour from 05:00, fetched as history, counts from 08:00; its price from 06:00."""
    done = fetch(metrics=tuple(fetch_cryptoquant.__kwdefaults__["metrics"]))
    assert done.next_commands == (
        f"liqwarn ingest --panel conf/panels/cryptoquant_1h.yaml --data {done.folder}",
    )
    market = frame_of(done, tmp_path, monkeypatch, "2024-02-03T12:30")
    hour, close, known = at("2024-01-31T05:00"), "2024-01-31T06:00", "2024-01-31T08:00"
    frame = market.frame

    price = number("close", hour)
    assert cell(frame, close, "close") == price
    assert cell(frame, known, "open_interest") == pytest.approx(
        number("open_interest", hour) / price
    )
    assert cell(frame, known, "funding_rate") == pytest.approx(0.0001)
    assert cell(frame, known, "funding_interval_h") == 8.0
    for field, name in (
        ("long_liq_usd", "long_liquidations_usd"),
        ("short_liq_usd", "short_liquidations_usd"),
        ("inflow", "inflow_total"),
        ("outflow", "outflow_total"),
        ("netflow", "netflow_total"),
        ("reserve", "reserve"),
        ("whale_ratio", "exchange_whale_ratio"),
        ("leverage_ratio", "estimated_leverage_ratio"),
    ):
        assert cell(frame, known, field) == number(name, hour), field
    typical = sum(number(n, hour) for n in ("high", "low", "close")) / 3
    assert cell(frame, known, "taker_buy_volume") == pytest.approx(
        number("taker_buy_volume", hour) / typical
    )
    assert cell(frame, known, "taker_sell_volume") == pytest.approx(
        number("taker_sell_volume", hour) / typical
    )


def test_an_hour_recorded_live_counts_from_when_it_was_seen(fetch, api, tmp_path, monkeypatch):
    fetch()
    for _ in range(4):
        api.now += HOUR
        done = fetch()
    frame = frame_of(done, tmp_path, monkeypatch, "2024-02-03T17:00").frame

    # 12:00 to 13:00 was seen at 13:30: in the bar that closes at 14:00, and in none before
    hour = at("2024-02-03T12:00")
    assert cell(frame, "2024-02-03T14:00", "inflow") == number("inflow_total", hour)
    assert cell(frame, "2024-02-03T13:00", "inflow") != number("inflow_total", hour)


def test_a_value_that_cannot_be_true_is_counted_in_quarantine(fetch, api, tmp_path, monkeypatch):
    api.changed["inflow_total", at("2024-01-31T05:00")] = -5.0
    api.changed["inflow_total", at("2024-01-31T06:00")] = 1e17
    done = fetch()

    market = frame_of(done, tmp_path, monkeypatch, "2024-02-03T12:30")

    assert sum(market.ingested.quarantined.values()) == 2
