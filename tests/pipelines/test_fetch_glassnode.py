"""Glassnode from nothing to a frame; what never changes counts from when it was computed."""

import runpy
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ConfigError, SourceError
from liqwarn.pipelines.fetch_glassnode import fetch_glassnode
from liqwarn.pipelines.market import MarketJob, open_market

SHARED = runpy.run_path(str(Path(__file__).parent / "api_fetch.py"))
PATIENT = replace(SHARED["QUICK"], read_s=10.0)  # nothing here is slow but the machine
ROOT, at, table = (SHARED[name] for name in ("ROOT", "at", "table"))
FAKE = runpy.run_path(str(ROOT / "tests" / "sources" / "fake_onchain.py"))
HOUR, DAY, number = FAKE["HOUR"], FAKE["DAY"], FAKE["number"]
PRICE_PATH = "/metrics/market/price_usd_ohlc"
INFLOW_PATH = "/metrics/transactions/transfers_volume_to_exchanges_sum_pit"
KEY = "abcdef0123456789-secret"
INFLOW = "inflow-pit-1h/BTC-aggregated/BTC-aggregated-inflow-pit-1h-2024-{:02d}.csv"


@pytest.fixture
def api():
    return FAKE["Glassnode"](at("2024-02-03T12:30"), at("2019-01-01"))


@pytest.fixture
def fetch(api, tmp_path, monkeypatch):
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIQWARN_GLASSNODE_KEY", KEY)
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with FAKE["Serving"](api) as serving:

        def run(**changes):
            told = {
                "metrics": ("price", "inflow-pit"),
                "since": date(2024, 1, 30),
                "patience": PATIENT,
            } | changes
            out = tmp_path / "data"
            return SHARED["run_job"](fetch_glassnode, api, serving.url, out, **told)

        yield run


def frame_of(done, tmp_path, monkeypatch, now):
    monkeypatch.chdir(ROOT)
    job = MarketJob(panel=done.panel, data=done.folder, store=tmp_path / "store")
    return open_market(job, now=datetime.fromisoformat(now).replace(tzinfo=UTC)).frame


def cell(frame, time, field):
    column = int((np.datetime64(time, "s") - frame.times[0]) / np.timedelta64(frame.bar))
    return float(frame.field(field)[0, column])


def outcomes(done):
    return {told.kind: told for told in done.report.outcomes}


def test_history_comes_once_and_is_asked_for_as_documented(fetch, api, tmp_path):
    done = fetch()

    told = outcomes(done)["inflow-pit-1h"]
    assert (told.kept.new, told.awaited, told.gaps, told.pages) == (4 * 24 + 12, 0, (), 2)
    assert outcomes(done)["price-1h"].awaited == 1
    rows = table(tmp_path / "data" / INFLOW.format(1))
    first = at("2024-01-30")
    assert rows[0] == {
        "time_ms": str(first),
        "inflow": str(number("inflow", first)),
        "computed_at": str((first + HOUR) // 1_000 + 131),
        "public_at": "2024-01-30T01:12:11.000Z",
        "seen_at": "2024-02-03T12:30:00.000Z",
    }
    by_path = {asked["path"]: asked for asked in reversed(api.asked)}
    price, flow = by_path[PRICE_PATH], by_path[INFLOW_PATH]
    assert price == {
        "path": PRICE_PATH,
        "query": {
            "a": "BTC", "i": "1h", "f": "json", "timestamp_format": "unix",
            "s": str(first // 1_000), "u": str(at("2024-02-01") // 1_000 - 1),
        },
    }  # fmt: skip
    assert (flow["query"]["c"], flow["query"]["e"]) == ("native", "aggregated")
    assert all(key == {KEY} for key in api.keys)


def test_a_rerun_asks_for_the_newest_only_and_keeps_a_revision_beside(fetch, api, tmp_path):
    fetch(metrics=("long-liquidations",))
    api.asked.clear()
    api.now += HOUR
    time = at("2024-02-03T02:00")
    api.changed["long_liquidations_usd", time] = 9.5

    told = outcomes(fetch(metrics=("long-liquidations",)))["long-liquidations-1h"]

    assert {int(a["query"]["s"]) for a in api.asked} == {at("2024-02-01T12:00") // 1_000}
    assert (told.kept.new, told.kept.revised) == (1, 1)
    path = "long-liquidations-1h/BTC-aggregated/BTC-aggregated-long-liquidations-1h-2024-02.csv"
    kept = {row["time_ms"]: row for row in table(tmp_path / "data" / path)}
    assert kept[str(time)]["long_liquidations_usd"] == str(number("long_liquidations_usd", time))
    (revised,) = table(tmp_path / "data" / "revised" / path)
    assert revised["long_liquidations_usd"] == "9.5"


def test_what_a_plan_does_not_have_is_told_and_the_others_come(fetch, api):
    api.refused = {"transfers_volume_to_exchanges_sum_pit"}

    told = outcomes(fetch())

    assert "status 403" in told["inflow-pit-1h"].reason
    assert told["price-1h"].kept.new == 4 * 24 + 12


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (b"", "found nothing, expected JSON"),
        (b"unsupported asset", "expected JSON"),
        (b"<html>", "found a page of HTML"),
        (b'{"error": "x"}', "found an object"),
    ],
)
def test_what_is_no_list_of_rows_refuses_its_series_only(fetch, api, reply, told):
    api.replies[:] = [lambda handler, _: handler.reply(200, reply)]

    done = outcomes(fetch())

    assert told in done["price-1h"].reason
    assert done["inflow-pit-1h"].kept.new == 4 * 24 + 12


def test_too_many_questions_are_waited_for(fetch, api):
    api.replies[:] = [429, None, 429]

    assert not fetch().report.refused


def test_a_wrong_key_ends_the_run_and_is_in_no_text(fetch, api):
    api.replies[:] = [lambda handler, _: handler.reply(401, f"invalid key {KEY}".encode())]

    with pytest.raises(SourceError, match="status 401") as caught:
        fetch()

    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"interval": "1w"}, "interval is '1w', expected one of 10m, 1h, 24h"),
        ({"exchange": "Binance"}, "exchange is 'Binance', expected such as aggregated or binance"),
        ({"exchange": "../x"}, "exchange is "),
        ({"metrics": ("inflow_pit",)}, "metric is 'inflow_pit', did you mean 'inflow-pit'"),
    ],
)
def test_what_cannot_be_is_told(fetch, api, changes, told):
    with pytest.raises(ConfigError, match=told):
        fetch(**changes)

    assert not api.asked


def test_every_field_reaches_its_side_of_a_frame(fetch, tmp_path, monkeypatch):
    """Golden: flows count from when they were computed, the rest of history an hour later."""
    done = fetch(metrics=fetch_glassnode.__kwdefaults__["metrics"])
    assert str(done.panel) == "conf/panels/glassnode_1h.yaml"
    frame = frame_of(done, tmp_path, monkeypatch, "2024-02-03T12:30")
    hour, close, known = at("2024-01-31T05:00"), "2024-01-31T06:00", "2024-01-31T07:00"

    assert [cell(frame, close, n) for n in ("open", "high", "low", "close")] == [
        number(n, hour) for n in ("open", "high", "low", "close")
    ]
    for field, name in (
        ("inflow", "inflow"),
        ("outflow", "outflow"),
        ("netflow", "netflow"),
        ("reserve", "balance"),
        ("open_interest", "open_interest"),
        ("funding_rate", "funding_rate"),
        ("long_liq_usd", "long_liquidations_usd"),
        ("short_liq_usd", "short_liquidations_usd"),
    ):
        assert cell(frame, known, field) == number(name, hour), field
    assert cell(frame, close, "inflow") == number("inflow", hour - HOUR)


def test_a_value_computed_late_is_known_late_in_history_too(fetch, api, tmp_path, monkeypatch):
    hour = at("2024-01-31T05:00")
    api.late[hour] = 3 * 3_600
    frame = frame_of(fetch(), tmp_path, monkeypatch, "2024-02-03T12:30")

    told = [cell(frame, f"2024-01-31T{h:02d}:00", "inflow") for h in range(6, 12)]

    # computed at 09:00 and public ten minutes later; then the newest whole hour is known
    assert told[0] == number("inflow", at("2024-01-31T04:00"))
    assert number("inflow", hour) not in told[:4]
    assert told[5] == number("inflow", at("2024-01-31T09:00"))


def test_years_of_days_are_one_question_and_a_damaged_row_costs_its_month(fetch, api, tmp_path):
    told = outcomes(fetch(interval="24h", since=date(2021, 6, 1), metrics=("inflow-pit",)))

    assert {asked["query"]["s"] for asked in api.asked} == {str(at("2021-06-01") // 1_000)}
    assert told["inflow-pit-24h"].kept.new == 977
    api.changed["inflow", at("2022-03-05")] = "bad"

    told = outcomes(fetch(interval="24h", since=date(2022, 1, 1), metrics=("inflow-pit",),
                          exchange="binance"))  # fmt: skip

    assert "row 5, field 'v': found 'bad'" in told["inflow-pit-24h"].reason
    assert told["inflow-pit-24h"].kept.new == 31 + 28


def test_days_never_count_before_they_were_computed(fetch, api, tmp_path, monkeypatch):
    done = fetch(interval="24h", since=date(2024, 1, 20))
    assert str(done.panel) == "conf/panels/glassnode_1d.yaml"
    frame = frame_of(done, tmp_path, monkeypatch, "2024-02-03T12:30")

    day = at("2024-01-25")
    assert cell(frame, "2024-01-26", "close") == number("close", day)
    assert cell(frame, "2024-01-26", "inflow") == number("inflow", day - DAY)
    assert cell(frame, "2024-01-27", "inflow") == number("inflow", day)
