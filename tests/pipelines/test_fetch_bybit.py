"""Bybit from nothing to a market, on loopback."""

import runpy
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml

from liqwarn.errors import ConfigError, SourceError, StoreError
from liqwarn.pipelines.fetch_bybit import BybitJob, fetch_bybit
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.sources.web import Patience

ROOT = Path(__file__).parents[2]
FAKE = runpy.run_path(str(ROOT / "tests" / "sources" / "fake_bybit.py"))
ms = FAKE["ms"]
QUICK = Patience(attempts=3, first_wait_s=0.001, longest_wait_s=0.01, read_s=5.0, between_s=1e-6)
LATE = ms("2024-01-18T10:00")


@pytest.fixture
def venue():
    launch = {"BTCUSDT": ms("2020-03-25"), "ETHUSDT": LATE}
    return FAKE["FakeBybit"](ms("2024-01-20T00:00:05"), launch)


@pytest.fixture
def fetch(venue, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "home"))
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with FAKE["Serving"](venue) as serving:

        def run(**changes):
            told = {
                "symbols": ("BTCUSDT", "ETHUSDT"), "since": date(2024, 1, 17), "trades": True,
                "out": tmp_path / "out", "base_url": serving.url, "archive_url": serving.url,
                "patience": QUICK, "clock": lambda: venue.now / 1_000,
            }  # fmt: skip
            return fetch_bybit(BybitJob(**(told | changes)), on_fetch=lambda _: None)

        yield run


def frame_of(done, venue, store, **changes):
    job = MarketJob(panel=done.panel, data=done.folder, store=store, **changes)
    return open_market(job, now=datetime.fromtimestamp(venue.now / 1_000, UTC)).frame


def test_the_written_panel_reads_it_all(fetch, venue, tmp_path):
    done = fetch()

    assert (done.refused, done.unknown) == ((), ())
    frame = frame_of(done, venue, tmp_path / "store")
    assert frame.symbols == ("BTCUSDT", "ETHUSDT")
    assert str(frame.times[-1]) == "2024-01-20T00:00:00"
    told = venue.candle("BTCUSDT", ms("2024-01-19T23:00"), 3_600_000)
    for n, name in enumerate(("open", "high", "low", "close", "volume"), 1):
        assert frame.field(name)[0][-1] == pytest.approx(float(told[n]), rel=1e-12), name
    np.testing.assert_allclose(
        frame.field("taker_buy_volume") + frame.field("taker_sell_volume"), frame.field("volume")
    )
    assert frame.field("mark")[0][-1] == frame.field("close")[0][-1]
    # settled at 16:00, known then; eight hours after the one before
    assert frame.field("funding_rate")[0][-2] == float(
        venue.funding("BTCUSDT", ms("2024-01-19T16:00"))["fundingRate"]
    )
    assert frame.field("funding_interval_h")[0][-1] == 8.0
    # one side, stamped with the start of its five minutes: not known before they are over
    assert frame.field("open_interest")[0][-1] == float(
        venue.interest("BTCUSDT", ms("2024-01-19T23:55"))["singleOpenInterest"]
    )
    ratio = venue.ratio("BTCUSDT", ms("2024-01-19T23:55"))
    assert frame.field("long_short_ratio")[0][-1] == pytest.approx(
        float(ratio["buyRatio"]) / float(ratio["sellRatio"])
    )
    assert np.isnan(frame.field("close")[1][:34]).all()  # listed at 10:00 of the second day
    assert np.isfinite(frame.field("close")[1][34:]).all()


def test_trades_and_the_venue_make_the_same_candles(fetch, venue, tmp_path):
    """A panel of each of them, over the same folder."""
    done = fetch(symbols=("BTCUSDT",), since=date(2024, 1, 18))
    raw, frames = yaml.safe_load(done.panel.read_text()), {}
    for name in ("candles", "trades"):
        left = [s for s in raw["sources"] if s["name"] in (name, "open_interest")]
        panel = done.folder / f"{name}.yaml"
        panel.write_text(yaml.safe_dump({**raw, "name": name, "sources": left}))
        job = MarketJob(panel=panel, data=done.folder, store=tmp_path / name)
        frames[name] = open_market(job, now=datetime(2024, 1, 20, tzinfo=UTC)).frame

    for field in ("open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(
            frames["candles"].field(field), frames["trades"].field(field), rtol=1e-12
        )


def test_the_shipped_panel_reads_what_was_fetched_without_trades(fetch, venue, tmp_path):
    done = fetch(trades=False)

    assert not (done.folder / "trades-5m").exists()
    assert not any(path.startswith("trading") for path in venue.paths("HEAD"))
    job = MarketJob(panel=ROOT / "conf/panels/bybit_linear_1h.yaml", data=done.folder,
                    store=tmp_path / "store")  # fmt: skip
    frame = open_market(job, now=datetime(2024, 1, 20, tzinfo=UTC)).frame
    assert np.isfinite(frame.field("close")[0][-24:]).all()
    assert np.isnan(frame.field("taker_buy_volume")).all()


def test_a_rerun_asks_for_what_is_new(fetch, venue, tmp_path):
    fetch()
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*.csv")}
    venue.asked.clear()

    done = fetch()

    assert done.days.count("held") == 5
    assert {p: p.read_bytes() for p in before} == before
    assert sum(outcome.kept.new for outcome in done.api.outcomes) == 0
    newest = [query for _, path, query in venue.asked if path == "v5/market/open-interest"]
    assert {int(query["startTime"]) for query in newest} == {ms("2024-01-19T23:50")}


def test_trades_begin_where_the_candles_do(fetch, venue):
    fetch(symbols=("ETHUSDT",))

    assert sorted(path.rsplit("/", 1)[-1] for path in venue.paths("HEAD")) == [
        "ETHUSDT2024-01-18.csv.gz", "ETHUSDT2024-01-19.csv.gz"
    ]  # fmt: skip


def test_another_interval_and_bar_are_in_the_panel(fetch, venue, tmp_path):
    done = fetch(interval="1h", bar="4h")

    raw = yaml.safe_load(done.panel.read_text())
    assert (done.panel.name, raw["bar"], raw["venue"]) == ("bybit_linear_4h.yaml", "4h", "bybit")
    assert {s["name"]: s["time"].get("step") for s in raw["sources"]} == {
        "candles": "1h", "trades": "1h", "mark": "1h", "index": "1h", "funding": None,
        "open_interest": "5min", "account_ratio": "5min",
    }  # fmt: skip
    frame = frame_of(done, venue, tmp_path / "store")
    told = venue.candle("BTCUSDT", ms("2024-01-19T20:00"), 14_400_000)
    assert frame.field("high")[0][-1] == float(told[2])
    assert frame.field("volume")[0][-1] == pytest.approx(float(told[5]))


def test_replaced_trades_say_so_in_the_next_command(fetch, venue, tmp_path):
    done = fetch(symbols=("BTCUSDT",))
    frame_of(done, venue, tmp_path / "store")
    path = "trading/BTCUSDT/BTCUSDT2024-01-18.csv.gz"
    rows = [FAKE["row_of"]("BTCUSDT", *trade) for minute in range(LATE // 60_000)[-600:]
            for trade in FAKE["trades_of"]("BTCUSDT", minute)]  # fmt: skip
    venue.content[path] = FAKE["packed"](rows, rpi=True)

    done = fetch(symbols=("BTCUSDT",))

    assert done.next_commands[0].endswith(" --replace")
    assert done.days.count("replaced") == 1
    frame_of(done, venue, tmp_path / "store", replace=True)


def test_a_symbol_that_is_none_is_told_and_the_others_come(fetch):
    done = fetch(symbols=("BTCUSDT", "NOUSDT"), trades=False)

    assert done.unknown == ("NOUSDT",)
    assert len(done.refused) == 6
    assert "no perpetual 'NOUSDT'" in done.refused[0]
    assert yaml.safe_load(done.panel.read_text())["symbols"] == ["BTCUSDT"]


def test_nothing_at_all_ends_it(fetch):
    with pytest.raises(SourceError, match=r"no candles of NOUSDT from 2024-01-17 to now; .*NOUSDT"):
        fetch(symbols=("NOUSDT",), trades=False)


@pytest.mark.parametrize(
    ("kind", "reply", "reason"),
    [
        ("mark-price-kline", FAKE["says"]({"retCode": 10001, "retMsg": "x"}), "found 10001 ('x')"),
        ("open-interest", FAKE["says"](b"<html>"), "a page of HTML or XML"),
        ("account-ratio", FAKE["says"](b""), "found nothing, expected JSON"),
        ("funding/history", 403, "status 403 Forbidden"),
        ("funding/history", FAKE["ARCHIVE"]["page"], "a page of HTML or XML"),
    ],
)
def test_a_series_that_cannot_be_used_is_refused_and_the_others_come(fetch, venue, kind, reply,
                                                                     reason):  # fmt: skip
    venue.replies[f"v5/market/{kind}"] = [reply]

    done = fetch(symbols=("BTCUSDT",), trades=False)

    assert len(done.refused) == 1
    assert reason in done.refused[0]
    assert sum(outcome.kept.new > 0 for outcome in done.api.outcomes) == 5


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"symbols": ()}, "names: none, expected at least one"),
        ({"symbols": ("BTC/USDT",)}, "name is 'BTC/USDT', expected "),
        ({"interval": "7m"}, "interval is '7m', expected one of 5m, 15m, 30m, 1h, 4h, 1d"),
        ({"bar": "7h"}, "bar is 7h, expected a divisor of a day"),
        ({"bar": "x"}, "bar: "),
        ({"interval": "4h"}, "interval 4h does not divide the bar 1h"),
        ({"jobs": 0}, "jobs is 0, expected 1 to 16"),
        ({"since": date(2030, 1, 1)}, "expected days in order, not to come"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_asked(fetch, venue, changes, match):
    with pytest.raises(ConfigError, match=match):
        fetch(**changes)
    assert venue.asked == []


def test_a_folder_that_is_being_written_is_refused(fetch, tmp_path):
    from filelock import FileLock  # noqa: PLC0415  for this test only

    (tmp_path / "out").mkdir()
    with (
        FileLock(tmp_path / "out" / ".fetch.lock"),
        pytest.raises(StoreError, match="another fetch is writing there"),
    ):
        fetch()
