"""From nothing to a market: fetch, the panel that was written, ingest, the frame."""

import runpy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml
from filelock import FileLock

from liqwarn.config import load_panel
from liqwarn.errors import ConfigError, SourceError, StoreError
from liqwarn.pipelines.fetch import BINANCE_PANEL, FetchJob, fetch_binance
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.sources.web import Patience

ROOT = Path(__file__).parents[2]
FAKE = runpy.run_path(str(ROOT / "tests" / "sources" / "fake_archive.py"))
NOW = datetime(2026, 7, 2, 3, tzinfo=UTC)
QUICK = Patience(attempts=3, first_wait_s=0.001, longest_wait_s=0.01, read_s=5.0)


@pytest.fixture
def archive():
    listed = {"BTCUSDT": date(2021, 12, 1), "ETHUSDT": date(2021, 12, 1)}
    return FAKE["FakeArchive"](listed, date(2026, 7, 1))


@pytest.fixture
def fetch(archive, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LIQWARN_HOME", str(tmp_path / "home"))
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with FAKE["Serving"](archive) as serving:

        def run(*, now=NOW, **changes):
            told = {
                "symbols": ("BTCUSDT",),
                "since": date(2026, 6, 23),
                "until": date(2026, 6, 26),
                "out": tmp_path / "archive",
                "base_url": serving.url,
                "patience": QUICK,
            }
            return fetch_binance(FetchJob(**(told | changes)), now=now, on_fetch=lambda _: None)

        run.url = serving.url
        yield run


def frame_of(done, tmp_path, *, bar="5m"):
    job = MarketJob(panel=done.panel, data=done.folder, store=tmp_path / "store" / bar)
    return open_market(job, now=NOW).frame


def test_the_label_shift_of_2026_06_25_moves_no_value_by_five_minutes(fetch, tmp_path, archive):
    """Golden: at each close the open interest is that of the close, before and after the shift."""
    frame = frame_of(fetch(bar="5m"), tmp_path)
    market = FAKE["Market"]("BTCUSDT")
    seconds = frame.times.astype("datetime64[s]").astype(np.int64)
    told = [round(market.open_interest(int(t)), 3) for t in seconds]

    np.testing.assert_array_equal(frame.field("open_interest")[0], told)
    assert str(frame.times[0]) == "2026-06-23T00:05:00"
    assert str(frame.times[-1]) == "2026-06-27T00:00:00"
    assert len(set(told)) == len(told)  # so that a shift would be seen


def test_the_stamp_that_is_in_both_files_is_read_by_its_file(fetch, archive, tmp_path):
    """Golden rows, as published: 2026-06-25 00:00 is an end in one file and a start in the next."""
    day = "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2026-06-{}.zip"
    rest = "BTCUSDT,{},1.0,1.9,1.2,1.4,1.01\n"
    for number, stamp, coins in (
        (24, "2026-06-25 00:00:00", 111),
        (25, "2026-06-25 00:00:00", 222),
    ):
        text = FAKE["METRICS"] + "\n" + f"{stamp}," + rest.format(coins)
        archive.content[day.format(number)] = FAKE["zipped"]("m.csv", text)
    done = fetch(bar="5m", since=date(2026, 6, 24), until=date(2026, 6, 25))

    frame = frame_of(done, tmp_path)

    at = dict(zip(frame.times.astype(str), frame.field("open_interest")[0], strict=True))
    assert at["2026-06-25T00:00:00"] == 111
    assert at["2026-06-25T00:05:00"] == 222
    assert np.isnan(at["2026-06-24T23:55:00"])


def test_what_was_fetched_becomes_a_market_of_hourly_bars(fetch, tmp_path):
    done = fetch(symbols=("ETHUSDT", "BTCUSDT"), until=date(2026, 7, 1))

    frame = frame_of(done, tmp_path, bar="1h")

    assert frame.symbols == ("BTCUSDT", "ETHUSDT")
    assert frame.bar == timedelta(hours=1)
    assert frame.shape == (2, 24 * 9)
    known = {name: float(np.isfinite(values).mean()) for name, values in frame.fields.items()}
    assert {known[name] for name in known if not name.startswith("funding")} == {1.0}
    assert known["funding_rate"] > 0.5  # there is no month of July yet
    np.testing.assert_allclose(frame.field("taker_buy_volume"), 12 * 5.25)
    np.testing.assert_allclose(frame.field("taker_sell_volume"), 12 * 7.25)
    assert done.next_commands == (
        f"liqwarn ingest --panel {done.panel} --data {done.folder}",
        f"liqwarn train --panel {done.panel}",
    )


def test_the_panel_that_is_written_is_the_shipped_one(fetch):
    done = fetch(symbols=("BTCUSDT", "ETHUSDT"), bar="1h")

    written, shipped = load_panel(done.panel), load_panel(Path("conf/panels/binance_um_1h.yaml"))

    assert written.model_copy(update={"description": shipped.description}) == shipped
    fine = load_panel(BINANCE_PANEL).model_dump() | {"name": "", "description": "", "bar": ""}
    assert fine == shipped.model_dump() | {"name": "", "description": "", "bar": ""}


def test_other_intervals_read_other_files(fetch, tmp_path):
    done = fetch(interval="15m", bar="4h")

    perp = load_panel(done.panel).sources[0]

    assert perp.file == ("data/futures/um/*/klines/{symbol}/15m/{symbol}-15m-*.zip",)
    assert perp.time.step == timedelta(minutes=15)
    assert frame_of(done, tmp_path, bar="4h").shape == (1, 24)


def test_a_symbol_without_candles_is_told_and_left_out(fetch):
    done = fetch(symbols=("BTCUSDT", "XXXUSDT"))

    assert done.unknown == ("XXXUSDT",)
    assert load_panel(done.panel).symbol_names == ("BTCUSDT",)
    assert "XXXUSDT: no candles, so it is not in the panel" in done.to_text()


def test_no_candles_at_all_is_an_error(fetch, tmp_path):
    with pytest.raises(SourceError, match=r"no candles of XXXUSDT from 2026-06-23 to 2026-06-26"):
        fetch(symbols=("XXXUSDT",))
    assert not list((tmp_path / "archive").glob("*.yaml"))


def test_a_hotel_network_is_an_error_that_says_so(fetch, archive):
    archive.body = lambda _: b"<html>Please log in</html>"

    with pytest.raises(SourceError, match=r"files refused, .* is a page of HTML or XML"):
        fetch()


def test_a_changed_file_asks_for_the_word_to_replace(fetch, archive, tmp_path):
    frame_of(fetch(bar="5m"), tmp_path)
    path = "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2026-06-26.zip"
    text = FAKE["METRICS"] + "\n2026-06-26 00:00:00,BTCUSDT,7.5,1.0,1.9,1.2,1.4,1.01\n"
    archive.content[path] = FAKE["zipped"]("m.csv", text)

    done = fetch(bar="5m")

    assert done.next_commands[0].endswith(" --replace")
    assert done.to_dict()["replaced"] == [path]
    job = MarketJob(panel=done.panel, data=done.folder, store=tmp_path / "store/5m", replace=True)
    frame = open_market(job, now=NOW).frame
    at = list(frame.times.astype(str)).index("2026-06-26T00:05:00")
    assert frame.field("open_interest")[0, at] == 7.5


def test_the_account_of_the_last_run_is_beside_the_files(fetch, archive):
    path = "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2026-06-24.zip"
    archive.content |= {path: None, f"{path}.CHECKSUM": None}

    done = fetch()

    told = yaml.safe_load((done.folder / "fetch.json").read_text())
    assert told["gaps"] == [
        {"kind": "metrics", "symbol": "BTCUSDT", "first": "2026-06-24", "last": "2026-06-24",
         "days": 1, "awaited": False}
    ]  # fmt: skip


def test_two_fetches_at_once_in_one_folder_are_refused(fetch, tmp_path):
    (tmp_path / "archive").mkdir()
    with (
        FileLock(tmp_path / "archive" / ".fetch.lock"),
        pytest.raises(StoreError, match="another fetch is writing there"),
    ):
        fetch()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"symbols": ()}, "symbols: none, expected at least one"),
        ({"symbols": ("btc", "a/b")}, r"symbol is 'btc'[\s\S]*symbol is 'a/b'"),
        ({"interval": "7m"}, "interval is '7m', expected one of 1m, 3m"),
        ({"interval": "1h", "bar": "5m"}, "interval 1h does not divide the bar 5m"),
        ({"bar": "0h"}, "bar is 0h, expected a divisor of a day"),
        ({"bar": "7h"}, "bar is 7h, expected a divisor of a day"),
        ({"bar": "often"}, "bar: found 'often', expected a duration"),
        ({"since": date(2026, 6, 27)}, "expected days in order"),
        ({"until": date(2026, 7, 2)}, r"the last before today \(2026-07-02\)"),
        ({"jobs": 0}, "jobs is 0, expected 1 to 16"),
        ({"jobs": 99}, "jobs is 99, expected 1 to 16"),
        ({"base_url": "data.example"}, "base URL is 'data.example', expected https://host"),
        ({"template": Path("conf/panels/none.yaml")}, "none.yaml: cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(fetch, archive, changes, match):
    with pytest.raises(ConfigError, match=match):
        fetch(**changes)
    assert archive.asked == []


def test_a_folder_that_is_a_file_is_refused(fetch, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="is a file, expected a folder"):
        fetch(out=tmp_path / "file")


def test_a_folder_that_cannot_be_made_is_told(fetch, archive):
    with pytest.raises(StoreError, match="/proc/liqwarn: cannot be written"):
        fetch(out=Path("/proc/liqwarn"))
    assert archive.asked == []


def test_the_address_and_the_folder_come_from_the_environment(fetch, tmp_path, monkeypatch):
    monkeypatch.setenv("LIQWARN_BINANCE_ARCHIVE", fetch.url)

    done = fetch(base_url=None, out=None)

    assert done.folder == tmp_path / "home" / "archive" / "binance"
    assert done.report.count("fetched") > 0
